package pdf_test

import (
	"bytes"
	"context"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// FuzzOpen opens a file, walks what it has, seals it and opens the result. Nothing may panic or take long, every
// refusal has a code, and what was sealed opens again with its signature in place.
func FuzzOpen(f *testing.F) {
	for _, s := range fixtures.Shapes() {
		if s == fixtures.ShapeHugeTree {
			continue
		}
		data, err := fixtures.PDF(s, fixtures.PDFOptions{Pages: 1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, d := range fixtures.Damages() {
		if data, err := fixtures.Damaged(d, 1); err == nil && len(data) < 64<<10 {
			f.Add(data)
		}
	}
	small := pdf.Limits{ObjectBytes: 1 << 20, ObjectStreamBytes: 1 << 20, XrefBytes: 1 << 20, WorkBytes: 1 << 20,
		PageNodes: 10_000, Fields: 10_000}
	r := request(f)
	r.ContentsSize = 64
	r.Placements[0].Page = -1
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := context.Background()
		d, err := small.Open(ctx, bytes.NewReader(data), int64(len(data)))
		if err != nil {
			checkCode(t, err)
			return
		}
		walk(t, ctx, d)
		u, err := d.PlanSeal(ctx, r)
		if err != nil {
			checkCode(t, err)
			return
		}
		update, err := u.Fill([]byte{0x30, 0x00})
		if err != nil {
			t.Fatal(err)
		}
		sealed := append(bytes.Clone(data), update...)
		after, err := small.Open(ctx, bytes.NewReader(sealed), int64(len(sealed)))
		if err != nil {
			t.Fatalf("what was sealed does not open: %v", err)
		}
		fields, err := after.SignatureFields(ctx)
		if err != nil {
			t.Fatalf("what was sealed has no fields: %v", err)
		}
		for _, field := range fields {
			if field.Name == u.Field() {
				if got, err := field.ByteRange(); err != nil || got != u.ByteRange() {
					t.Fatalf("the byte range is %v, %v, want %v", got, err, u.ByteRange())
				}
				return
			}
		}
		t.Fatalf("field %s is missing", u.Field())
	})
}

func checkCode(t *testing.T, err error) {
	t.Helper()
	if _, ok := fault.Of(err); !ok {
		t.Fatalf("an error without a code: %v", err)
	}
}

func walk(t *testing.T, ctx context.Context, d *pdf.Document) {
	t.Helper()
	d.Version()
	if n, err := d.PageCount(); err == nil && n > 0 {
		_, err = d.Page(n)
		if err != nil {
			checkCode(t, err)
		}
	}
	fields, err := d.SignatureFields(ctx)
	if err != nil {
		checkCode(t, err)
	}
	for _, f := range fields {
		if r, err := f.ByteRange(); err == nil && (r[1] < 0 || r[2] < r[1] || r[2]+r[3] > d.Size()) {
			t.Fatalf("the byte range %v was accepted in %d bytes", r, d.Size())
		}
	}
	if _, err := d.OrphanSignatures(ctx); err != nil {
		checkCode(t, err)
	}
	for i, s := range d.Sections() {
		seen := 0
		err := s.Objects(ctx, func(e pdf.XrefEntry) error {
			if seen++; seen > 100 || i > 10 {
				return nil
			}
			o, err := d.Object(pdf.Ref{Num: e.Num, Gen: e.Gen})
			if err != nil {
				checkCode(t, err)
			}
			if stream, ok := o.(*pdf.Stream); ok {
				if _, err := d.StreamData(stream, 1<<16); err != nil {
					checkCode(t, err)
				}
			}
			return nil
		})
		if err != nil {
			checkCode(t, err)
		}
	}
}
