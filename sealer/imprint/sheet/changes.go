package sheet

import "image"

// changes is a map of where the template does not come straight from the better imprint.
type changes struct {
	picture image.Image
	legend  []entry
}

// evidence decodes what the result keeps of its sources.
func (l *layout) evidence() error { return nil }

// evidenceFiles are the pictures that the result keeps of its sources.
func (d Data) evidenceFiles() []File { return nil }
