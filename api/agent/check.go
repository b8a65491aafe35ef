package agent

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/terminal/manifest"
)

// checked is a prepared file of which everything was compared.
type checked struct {
	*manifest.Manifest
	said   *tobesigned
	doc    *pdf.Document
	file   io.ReaderAt
	pages  int
	reason string // that the signature states
}

// check compares the prepared file with the manifest: it is the original plus exactly one sealing, whose signature is empty
// and whose to-be-signed bytes say what the manifest says. Errors: agent.document and agent.to-be-signed with the field,
// terminal.manifest-expired, terminal.clock.
func check(ctx context.Context, m *manifest.Manifest, file io.ReaderAt, size int64, now time.Time) (*checked, error) {
	if err := m.InTime(now); err != nil {
		return nil, err
	}
	k := &checked{Manifest: m, file: file}
	if size != m.Prepared.Size || m.Document.Size <= 0 || m.Document.Size >= size {
		return nil, ErrDocument.At(fault.Field("size"))
	}
	var err error
	if k.said, err = readToSign(sealer.Profile(m.Profile), m.ToBeSigned); err != nil {
		return nil, err
	}
	if k.doc, err = pdf.Open(ctx, file, size); err != nil {
		return nil, ErrDocument.Because(err)
	}
	if k.pages, err = k.doc.PageCount(); err != nil {
		return nil, ErrDocument.Because(err)
	}
	gap, err := k.oneSealing(ctx, size)
	if err != nil {
		return nil, err
	}
	if err := k.digests(ctx, size, gap); err != nil {
		return nil, err
	}
	return k, k.compare()
}

// oneSealing checks the structure: between the original and the prepared file there is one signature more, that of the
// manifest's field, with places where the manifest has them, and nothing else. It gives where /Contents stands.
func (k *checked) oneSealing(ctx context.Context, size int64) (gap [2]int64, err error) {
	before, err := k.doc.Prefix(ctx, k.Document.Size)
	if err != nil {
		return gap, ErrDocument.Because(err)
	}
	changes, err := pdf.Compare(ctx, before, k.doc)
	if err != nil {
		return gap, ErrDocument.Because(err)
	}
	signatures := 0
	for _, c := range changes {
		if !c.Permitted {
			return gap, ErrDocument.Saying(c.ZH, c.EN)
		}
		switch c.Kind {
		case pdf.ChangeSignatureAdded, pdf.ChangeSignatureFilled:
			signatures++
		case pdf.ChangeSealPart, pdf.ChangeExtension:
		default:
			return gap, ErrDocument.Saying(c.ZH, c.EN)
		}
	}
	if signatures != 1 {
		return gap, ErrDocument.With("%d signatures", signatures)
	}
	field, existed, err := k.emptySignature(ctx, before)
	if err != nil {
		return gap, err
	}
	ranges, err := field.ByteRange()
	if err != nil {
		return gap, ErrDocument.Because(err)
	}
	contents, err := field.Contents()
	switch {
	case err != nil:
		return gap, ErrDocument.Because(err)
	case ranges[1] < k.Document.Size || ranges[2]+ranges[3] != size:
		return gap, ErrDocument.At(fault.Field("ByteRange"))
	case len(bytes.Trim(contents.Value, "\x00")) > 0:
		return gap, ErrDocument.At(fault.Field("Contents"))
	case !sameRange(k.ByteRange, ranges):
		return gap, ErrDocument.At(fault.Field("byte_range"))
	}
	if text, ok := field.Dict.Get("Reason").(pdf.String); ok {
		k.reason = text.Text()
	}
	return [2]int64{ranges[1], ranges[2]}, k.compareMarks(ctx, before, field, existed)
}

// emptySignature finds the field of the manifest. All other signatures were there before.
func (k *checked) emptySignature(ctx context.Context, before *pdf.Document) (field pdf.SignatureField, existed bool, err error) {
	old, err := before.SignatureFields(ctx)
	if err != nil {
		return field, false, ErrDocument.Because(err)
	}
	all, err := k.doc.SignatureFields(ctx)
	if err != nil {
		return field, false, ErrDocument.Because(err)
	}
	signed := 0
	for _, f := range old {
		if f.Dict != nil {
			signed++
		}
		existed = existed || f.Name == k.Field
	}
	found := false
	for _, f := range all {
		if f.Dict == nil {
			continue
		}
		signed--
		if f.Name == k.Field {
			if found {
				return field, existed, ErrDocument.At(fault.Field("field"))
			}
			field, found = f, true
		}
	}
	if !found || signed != -1 || len(field.Problems) > 0 {
		return field, existed, ErrDocument.At(fault.Field("field"))
	}
	for _, f := range old {
		if f.Name == k.Field && f.Dict != nil {
			return field, existed, ErrDocument.At(fault.Field("field")) // signed before
		}
	}
	return field, existed, nil
}

// sameRange compares the text of a byte range with the numbers.
func sameRange(text string, ranges [4]int64) bool {
	numbers := strings.Fields(strings.Trim(text, "[]"))
	if len(numbers) != len(ranges) {
		return false
	}
	for i, n := range numbers {
		if v, err := strconv.ParseInt(n, 10, 64); err != nil || v != ranges[i] {
			return false
		}
	}
	return true
}

// digests hashes the file once: the original, the whole, and what the signature covers.
func (k *checked) digests(ctx context.Context, size int64, gap [2]int64) error {
	original, whole, covered := sm3.New(), sm3.New(), sm3.New()
	var pos int64
	feed := func(to int64, into ...io.Writer) error {
		for pos < to {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(to-pos, 1<<20)
			if _, err := io.Copy(io.MultiWriter(into...), io.NewSectionReader(k.file, pos, n)); err != nil {
				return ErrDocument.Because(err)
			}
			pos += n
		}
		return nil
	}
	for _, step := range []struct {
		to   int64
		into []io.Writer
	}{{k.Document.Size, []io.Writer{original, whole, covered}}, {gap[0], []io.Writer{whole, covered}}, {gap[1], []io.Writer{whole}}, {size, []io.Writer{whole, covered}}} {
		if err := feed(step.to, step.into...); err != nil {
			return err
		}
	}
	for name, d := range map[string]struct{ have, want string }{
		"document.sm3": {hex.EncodeToString(original.Sum(nil)), k.Document.SM3},
		"prepared.sm3": {hex.EncodeToString(whole.Sum(nil)), k.Prepared.SM3},
		"data_hash":    {hex.EncodeToString(covered.Sum(nil)), k.DataHash},
	} {
		if d.have != d.want {
			return ErrDocument.At(fault.Field(name))
		}
	}
	return nil
}

// compare compares every field of the to-be-signed bytes with the manifest.
func (k *checked) compare() error {
	seal := sm3.Sum(k.said.seal.Raw)
	start, end := k.Issued.Add(-manifest.Tolerance), k.Expires
	for _, c := range []struct {
		field string
		same  bool
	}{
		{"data_hash", hex.EncodeToString(k.said.dataHash) == k.DataHash},
		{"byte_range", k.said.property == "" || k.said.property == k.ByteRange},
		{"seal.sm3", hex.EncodeToString(seal[:]) == k.Seal.SM3},
		{"seal.code", k.said.seal.ID == k.Seal.Code},
		{"seal.name", k.said.seal.Name == k.Seal.Name},
		{"certificate", listsFingerprint(k.said.seal, k.Certificate)},
		{"certificate", k.said.certificate == nil || hex.EncodeToString(k.said.certificate) == k.Certificate},
		{"time", k.said.time.IsZero() || !k.said.time.Before(start) && !k.said.time.After(end)},
	} {
		if !c.same {
			return ErrToSign.At(fault.Field(c.field))
		}
	}
	at := k.said.time
	if at.IsZero() {
		at = k.Issued
	}
	if at.Before(k.said.seal.ValidStart) || at.After(k.said.seal.ValidEnd) {
		return ErrSealExpired.With("%s – %s", k.said.seal.ValidStart.Format(time.DateOnly), k.said.seal.ValidEnd.Format(time.DateOnly))
	}
	return nil
}
