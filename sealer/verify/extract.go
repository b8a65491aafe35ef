package verify

import (
	"context"
	"io"
	"slices"
	"strconv"
)

// AsSealed gives the document as it was when a signature was made: the first bytes of the file, up to where the signature
// covers it. Which is the number of the signature in the order of the report, from 1, or the name of its field; a name
// that is a number counts as a number. Errors: verify.no-such-signature; verify.unsound-coverage where what it covers is
// no complete revision; verify.not-as-sealed where its digest shows that these bytes were changed; and those of reading.
// That the signature itself is genuine is not said: ask File.
func AsSealed(ctx context.Context, r io.ReaderAt, size int64, which string) (*io.SectionReader, error) {
	v := newVerification(ctx, r, size, Options{})
	v.run()
	if v.err != nil {
		if ctx.Err() != nil {
			return nil, errCancelled.Because(ctx.Err())
		}
		return nil, v.err
	}
	n, err := strconv.Atoi(which)
	if err != nil {
		n = 1 + slices.IndexFunc(v.signatures, func(s *signature) bool { return s.field.Name == which })
	}
	if n < 1 || n > len(v.signatures) {
		return nil, errNoSignature.With("%s", clip(which, 100))
	}
	length, err := v.signatures[n-1].asSealed()
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(r, 0, length), nil
}

// asSealed is the length of the document as it was when the signature was made. Errors: verify.unsound-coverage,
// verify.not-as-sealed.
func (s *signature) asSealed() (int64, error) {
	if !s.sound {
		return 0, errCoverage.With("%s", clip(s.field.Name, 100))
	}
	if slices.ContainsFunc(s.out.Checks, func(c Check) bool { return c.Name == CheckDigest && c.Result == Failed }) {
		return 0, errNotAsSealed.With("%s", clip(s.field.Name, 100))
	}
	return s.end, nil
}
