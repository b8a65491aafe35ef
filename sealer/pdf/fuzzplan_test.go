package pdf_test

import (
	"bytes"
	"context"
	"testing"

	"yinxin/fixtures"
	"yinxin/sealer/pdf"
)

// FuzzPlan makes every kind of update for a file. Nothing may panic or take long, every refusal has a code, and what was
// appended opens again with its signature in place.
func FuzzPlan(f *testing.F) {
	for _, s := range fixtures.Shapes() {
		if s == fixtures.ShapeHugeTree {
			continue
		}
		data, err := fixtures.PDF(s, fixtures.PDFOptions{Pages: 2})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(withField("/Rotate 90", "4 0 R", "<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/F 4/Rect[9 9 90 190]/P 3 0 R"+
		"/Lock<</Action/Include/Fields[(a)]>>/SV<</Filter/A/Ff 0/MDP<</P 0>>>>>>"))
	f.Add(appendedDSS(f))
	f.Add(file{objects: onePage(""), trailer: "/ID[<01><02>]/Odd"}.bytes()) // a key without a value, at the end
	small := pdf.Limits{ObjectBytes: 1 << 20, ObjectStreamBytes: 1 << 20, XrefBytes: 1 << 20, WorkBytes: 1 << 20,
		PageNodes: 10_000, Fields: 10_000}
	r := request(f)
	r.ContentsSize, r.AllowOverlap = 64, true
	r.Placements = []pdf.Placement{{Pages: "all", From: pdf.TopRight, X: 1, Y: 1}}
	r.Straddle = &pdf.Straddle{Edge: pdf.TopEdge, Sides: pdf.DoubleSided}
	certifying := r
	certifying.Certify, certifying.Lock, certifying.Straddle = 2, &pdf.FieldLock{Action: pdf.LockAll}, nil
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := context.Background()
		open := func() *pdf.Document {
			d, err := small.Open(ctx, bytes.NewReader(data), int64(len(data)))
			if err != nil {
				checkCode(t, err)
				return nil
			}
			return d
		}
		d := open()
		if d == nil {
			return
		}
		requests := []pdf.SealRequest{r, certifying}
		fields, err := d.SignatureFields(ctx)
		if err != nil {
			checkCode(t, err)
		}
		for i, field := range fields {
			if i < 3 && field.Name != "" {
				q := certifying
				q.Placements, q.Lock, q.Certify, q.FitField, q.Field = nil, nil, 0, true, field.Name
				requests = append(requests, q)
			}
		}
		for _, q := range requests {
			u, err := open().PlanSeal(ctx, q)
			checkUpdate(t, small, data, u, err)
		}
		u, err := open().PlanTimeStamp(ctx, 64)
		checkUpdate(t, small, data, u, err)
		update, err := open().AppendDSS(ctx, pdf.DSS{Certs: ders("a"), VRI: map[string]pdf.VRI{pdf.VRIKey(nil): {Certs: ders("b")}}})
		if err != nil {
			checkCode(t, err)
			return
		}
		with := append(bytes.Clone(data), update...)
		if _, err := small.Open(ctx, bytes.NewReader(with), int64(len(with))); err != nil {
			t.Fatalf("with validation data it does not open: %v", err)
		}
	})
}

func appendedDSS(f *testing.F) []byte {
	update, err := opened(f, plainPages(1)).AppendDSS(context.Background(), pdf.DSS{Certs: ders("a"), VRI: map[string]pdf.VRI{pdf.VRIKey(nil): {CRLs: ders("c")}}})
	if err != nil {
		f.Fatal(err)
	}
	return append(plainPages(1), update...)
}

func checkUpdate(t *testing.T, l pdf.Limits, data []byte, u *pdf.Update, err error) {
	t.Helper()
	if err != nil {
		checkCode(t, err)
		return
	}
	update, err := u.Fill([]byte{0x30, 0x00})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	sealed := append(bytes.Clone(data), update...)
	after, err := l.Open(ctx, bytes.NewReader(sealed), int64(len(sealed)))
	if err != nil {
		t.Fatalf("what was sealed does not open: %v", err)
	}
	fields, err := after.SignatureFields(ctx)
	if err != nil {
		t.Fatalf("what was sealed has no fields: %v", err)
	}
	for _, field := range fields {
		if got, err := field.ByteRange(); err == nil && got == u.ByteRange() && field.Name == u.Field() {
			return
		}
	}
	t.Fatalf("field %s is missing", u.Field())
}
