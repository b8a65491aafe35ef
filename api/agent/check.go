package agent

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// checked is a prepared file of which everything was compared.
type checked struct {
	claims
	said   *tobesigned
	doc    *pdf.Document
	file   io.ReaderAt
	pages  int
	reason string // that the signature states
}

// tolerance is how far the clocks of server and terminal may be apart.
const tolerance = 2 * time.Minute

// check compares the prepared file with the manifest: it is the original plus exactly one sealing, whose signature is empty
// and whose to-be-signed bytes say what the manifest says. Errors: agent.document and agent.to-be-signed with the field,
// agent.expired, agent.clock.
func check(ctx context.Context, c claims, file io.ReaderAt, size int64, now time.Time) (*checked, error) {
	if err := c.inTime(now); err != nil {
		return nil, err
	}
	k := &checked{claims: c, file: file}
	if size != c.preparedSize || c.size <= 0 || c.size >= size {
		return nil, ErrDocument.At(fault.Field("size"))
	}
	var err error
	if k.said, err = readToSign(c.profile, c.toSign); err != nil {
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

// inTime says whether a manifest can be used now. Errors: agent.clock, agent.expired.
func (c claims) inTime(now time.Time) error {
	switch {
	case now.Add(tolerance).Before(c.issued):
		return ErrClock.With("%s", c.issued.Sub(now).Round(time.Second))
	case !now.Before(c.expires):
		return ErrExpired.New()
	}
	return nil
}

// oneSealing checks the structure: between the original and the prepared file there is one signature more, that of the
// manifest's field, with places where the manifest has them, and nothing else. It gives where /Contents stands.
func (k *checked) oneSealing(ctx context.Context, size int64) (gap [2]int64, err error) {
	before, err := k.doc.Prefix(ctx, k.size)
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
	case ranges[1] < k.size || ranges[2]+ranges[3] != size:
		return gap, ErrDocument.At(fault.Field("ByteRange"))
	case len(bytes.Trim(contents.Value, "\x00")) > 0:
		return gap, ErrDocument.At(fault.Field("Contents"))
	case !sameRange(k.byteRange, ranges):
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
		existed = existed || f.Name == k.field
	}
	found := false
	for _, f := range all {
		if f.Dict == nil {
			continue
		}
		signed--
		if f.Name == k.field {
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
		if f.Name == k.field && f.Dict != nil {
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
	}{{k.size, []io.Writer{original, whole, covered}}, {gap[0], []io.Writer{whole, covered}}, {gap[1], []io.Writer{whole}}, {size, []io.Writer{whole, covered}}} {
		if err := feed(step.to, step.into...); err != nil {
			return err
		}
	}
	for name, d := range map[string]struct{ have, want string }{
		"document.sm3": {hex.EncodeToString(original.Sum(nil)), k.sm3},
		"prepared.sm3": {hex.EncodeToString(whole.Sum(nil)), k.preparedSM3},
		"data_hash":    {hex.EncodeToString(covered.Sum(nil)), k.dataHash},
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
	start, end := k.issued.Add(-tolerance), k.expires
	for _, c := range []struct {
		field string
		same  bool
	}{
		{"data_hash", hex.EncodeToString(k.said.dataHash) == k.dataHash},
		{"byte_range", k.said.property == "" || k.said.property == k.byteRange},
		{"seal.sm3", hex.EncodeToString(seal[:]) == k.sealSM3},
		{"seal.code", k.said.seal.ID == k.sealCode},
		{"seal.name", k.said.seal.Name == k.sealName},
		{"certificate", listsFingerprint(k.said.seal, k.certificate)},
		{"certificate", k.said.certificate == nil || hex.EncodeToString(k.said.certificate) == k.certificate},
		{"time", k.said.time.IsZero() || !k.said.time.Before(start) && !k.said.time.After(end)},
	} {
		if !c.same {
			return ErrToSign.At(fault.Field(c.field))
		}
	}
	at := k.said.time
	if at.IsZero() {
		at = k.issued
	}
	if at.Before(k.said.seal.ValidStart) || at.After(k.said.seal.ValidEnd) {
		return ErrSealExpired.With("%s – %s", k.said.seal.ValidStart.Format(time.DateOnly), k.said.seal.ValidEnd.Format(time.DateOnly))
	}
	return nil
}

// same says whether what was prepared anew is what a person has agreed to: document, seal, certificate, marks.
func (k *checked) same(agreed claims) bool {
	return k.sm3 == agreed.sm3 && k.size == agreed.size && k.sealSM3 == agreed.sealSM3 && k.certificate == agreed.certificate &&
		k.profile == agreed.profile && k.title == agreed.title && fmt.Sprint(k.marks) == fmt.Sprint(agreed.marks)
}
