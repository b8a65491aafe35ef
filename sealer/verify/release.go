package verify

import (
	"context"
	"encoding/binary"
	"io"
	"slices"
	"time"

	"yinxin/ca/chain"
	"yinxin/sealer/pdf"
)

// ReleaseCheck is a file that was just sealed, as the original and the update that goes behind it.
type ReleaseCheck struct {
	Original     io.ReaderAt
	OriginalSize int64 // bytes
	// State is the marshalled SM3 state of gmsm over the whole original, so that only the update is hashed; a signature
	// over another digest than SM3 is verify.hash-state then. The caller
	// vouches that it belongs to the stored original. Nil: the original is hashed too.
	State []byte
	// Update is what is appended to the original, complete.
	Update []byte
	// Field is the name of the field that was sealed.
	Field string
	// Known are certificates that the caller has read before, such as the signer's and the seal maker's: where the
	// signature has the very same bytes, they need not be read again.
	Known []*chain.Certificate

	// Chain, SealStatus, At and Language are as in Options.
	Chain      *chain.Verifier
	SealStatus func(ctx context.Context, esID string, sealDER []byte, at time.Time) (SealState, error)
	At         time.Time
	Language   string
}

// Release checks a file before it is handed out, with a new seal, signature or document time stamp. The structure is read from the bytes as they will leave, and the new
// signature is checked as File does it, but for the digest of the original part when its state is known; earlier
// signatures are not verified again, but must stay as good as they were. Only a valid signature passes: otherwise
// the error is verify.release with the first reason, or a fault of reading. The signature is returned in any case in
// which it was found.
func Release(ctx context.Context, c ReleaseCheck) (*Signature, error) {
	joined := &joined{c.Original, c.OriginalSize, c.Update}
	size := c.OriginalSize + int64(len(c.Update))
	v := newVerification(ctx, joined, size, Options{Chain: c.Chain, At: c.At, SealStatus: c.SealStatus, Language: c.Language})
	v.certificates = c.Known
	var err error
	if v.doc, err = pdf.Open(ctx, joined, size); err != nil {
		return nil, err
	}
	fields, err := v.doc.SignatureFields(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(fields, func(f pdf.SignatureField) bool { return f.Name == c.Field && f.Dict != nil })
	if i < 0 {
		return nil, errRelease.With("%s", clip(c.Field, 100))
	}
	s := newSignature(fields[i], v.options.Language)
	if err := v.release(s, c); err != nil {
		return nil, err
	}
	if earlier := slices.ContainsFunc(slices.Delete(fields, i, i+1), func(f pdf.SignatureField) bool { return f.Dict != nil }); earlier {
		if err := v.keepsEarlier(s, c); err != nil {
			return nil, err
		}
	}
	s.out.Verdict = s.verdict
	s.out.Summary = s.summary().in(s.lang)
	if s.verdict != Valid {
		return &s.out, errRelease.With("%s", s.reason.in(v.options.Language))
	}
	return &s.out, nil
}

// release checks the new signature itself.
func (v *verification) release(s *signature, c ReleaseCheck) error {
	v.checkStructure(s)
	if !s.sound {
		return nil
	}
	if s.end != v.size || s.gap[0] < c.OriginalSize {
		v.breakRevision(s, text{"签名没有覆盖整个文件。", "The signature does not cover the whole file."})
		return nil
	}
	doc, err := v.coveredDocument(s)
	if err != nil || doc == nil {
		return err
	}
	s.out.Coverage = CoverageWhole
	s.ok(CheckRevision, text{"签名覆盖到一个完整版本的末尾。", "The signature covers everything up to the end of a revision."})
	if s.out.Kind == KindUnknown {
		s.lower(Undetermined, text{"不是电子签章。", "It is not a seal signature."})
		return nil
	}
	if c.State == nil {
		v.signatures = []*signature{s}
		if err := v.digests(); err != nil {
			return err
		}
	} else {
		sm3State, err := stateHash(needSM3, c.State)
		if err != nil {
			return err
		}
		// The state ends with the number of bytes that went into it.
		if n := len(c.State); n < 8 || binary.BigEndian.Uint64(c.State[n-8:]) != uint64(c.OriginalSize) {
			return errState.New()
		}
		if err := hashGaps(v.reader, states{needSM3: sm3State}, c.OriginalSize, []*signature{s}, v.ctx.Err); err != nil {
			return err
		}
	}
	if s.out.Kind == KindTimeStamp {
		v.checkDocumentStamp(s)
		return nil
	}
	v.checkContent(s)
	return nil
}

// keepsEarlier checks that the update does nothing to the original that its signatures do not permit.
func (v *verification) keepsEarlier(s *signature, c ReleaseCheck) error {
	before, err := v.doc.Prefix(v.ctx, c.OriginalSize)
	if err != nil {
		return err
	}
	changes, err := pdf.Compare(v.ctx, before, v.doc)
	if err != nil {
		return err
	}
	for _, change := range changes {
		if !change.Permitted {
			s.lower(Modified, text{"本次盖章会使已有签名失效：" + change.ZH, "This seal would break an earlier signature: " + change.EN})
		}
	}
	return nil
}

// joined reads the original and the update behind it as one file.
type joined struct {
	original io.ReaderAt
	size     int64 // of the original
	update   []byte
}

func (j *joined) view(off, n int64) []byte {
	if off < j.size {
		return nil
	}
	at := min(off-j.size, int64(len(j.update)))
	return j.update[at:min(at+n, int64(len(j.update)))]
}

func (j *joined) ReadAt(p []byte, off int64) (n int, err error) {
	if off < j.size {
		n, err = j.original.ReadAt(p[:min(int64(len(p)), j.size-off)], off)
		if n == len(p) || off+int64(n) < j.size {
			if err == nil && n < len(p) {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
		off = j.size
	}
	at := off - j.size
	if at > int64(len(j.update)) {
		return n, io.EOF
	}
	m := copy(p[n:], j.update[at:])
	if n += m; n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// From gives the bytes of the update from off, so that the reader of the file need not copy them.
func (j *joined) From(off int64) []byte {
	if off < j.size || off-j.size > int64(len(j.update)) {
		return nil
	}
	return j.update[off-j.size:]
}
