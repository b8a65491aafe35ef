package imprint

import "context"

// Process makes the template of a round seal from the scan of a stamped form, or from a crop of one, in JPEG or PNG.
//
// Errors are faults: imprint.not-an-image, imprint.truncated, imprint.too-large, imprint.bad-size, imprint.bad-scale,
// imprint.not-round, imprint.no-scale, imprint.scale-contradicts, imprint.no-colour, imprint.none-found. An imprint
// that was found and is not good enough is no error: Result.Verdict and Result.Gates say so.
func Process(ctx context.Context, data []byte, o Options) (*Result, error) {
	return nil, errNotAnImage.New()
}
