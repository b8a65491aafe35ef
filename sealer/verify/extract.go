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
	length, err := v.seek(which)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(r, 0, length), nil
}

// Version is a state of a file.
type Version struct {
	Size    int64    // it is the first so many bytes
	Signed  bool     // a signature covers exactly these
	Changes []Change // what it did to the version before, in a language; nil of the first
}

// Versions gives the state of a file in which a signature was made, and every later one up to the whole file. Which, and
// errors, are as of AsSealed.
func Versions(ctx context.Context, r io.ReaderAt, size int64, which, language string) ([]Version, error) {
	v := newVerification(ctx, r, size, Options{Language: language})
	length, err := v.seek(which)
	if err != nil {
		return nil, err
	}
	list := []Version{{Size: length, Signed: true}}
	for _, r := range v.revisions {
		if r.end <= length {
			continue
		}
		next := Version{Size: r.end, Signed: r.signed}
		for _, c := range r.changes {
			next.Changes = append(next.Changes, changeOf(c, v.options.Language))
		}
		list = append(list, next)
	}
	return list, nil
}

// seek looks for the signature and gives the length of the document as it was sealed.
func (v *verification) seek(which string) (int64, error) {
	v.run()
	if v.err != nil {
		if v.ctx.Err() != nil {
			return 0, errCancelled.Because(v.ctx.Err())
		}
		return 0, v.err
	}
	n, err := strconv.Atoi(which)
	if err != nil {
		n = 1 + slices.IndexFunc(v.signatures, func(s *signature) bool { return s.field.Name == which })
	}
	if n < 1 || n > len(v.signatures) {
		return 0, errNoSignature.With("%s", clip(which, 100))
	}
	return v.signatures[n-1].asSealed()
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
