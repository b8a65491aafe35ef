package pdf

// Mark is one place where an update shows the seal, for previews and for the result.
type Mark struct {
	Kind MarkKind
	Page int // from 1
	// Rect is the rectangle in user space of the page, Shown the same in millimetres from the bottom left of the page as
	// displayed.
	Rect, Shown Rect
	// Object is the annotation: the widget of the signature field, or a locked annotation.
	Object Ref
	// Part, from 1, and Parts say which strip of how many this is, counted from the left or, on the top and bottom edge,
	// from below; 0 for a whole seal.
	Part, Parts int
}

// MarkKind says what stands at a place.
type MarkKind string

const (
	MarkSeal     MarkKind = "seal"     // a whole seal
	MarkField    MarkKind = "field"    // the seal in the rectangle of an existing signature field
	MarkStraddle MarkKind = "straddle" // a strip of a straddle seal

	markWatermark MarkKind = "watermark" // no place of the seal
)

// Note says something about a plan that the person should know; it is no error.
type Note struct {
	Code   string // one of the Note constants
	Page   int    // 0: of no single page
	ZH, EN string
}

// The notes of a plan.
const (
	NoteSinglePage  = "straddle-single-page" // a page that was left over has no strip
	NoteGroups      = "straddle-groups"      // how the pages were grouped
	NoteFitted      = "field-fitted"         // the seal was made smaller than it is
	NoteNotPrinted  = "field-not-printed"    // the existing field is not printed
	NoteHiddenField = "field-invisible"      // the existing field shows nothing
	NoteLockMissing = "lock-missing"         // a field that is to be locked does not exist
)

// Marks lists where the update shows the seal, in the order of the request; the first is the widget of the field.
func (u *Update) Marks() []Mark { return u.marks }

// Notes lists what the person should know about the plan.
func (u *Update) Notes() []Note { return u.notes }
