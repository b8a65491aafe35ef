package verify

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/hashstate"
	"yinxin/sealer/pdf"
	"yinxin/sealer/ses"
)

// picture is a PNG of about the size of a real seal's: 17 kB.
func picture(t testing.TB) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	img := image.NewPaletted(image.Rect(0, 0, 496, 496), color.Palette{color.Transparent, color.RGBA{200, 0, 0, 255},
		color.RGBA{220, 40, 40, 255}, color.RGBA{220, 40, 40, 128}})
	for y := range 496 {
		for x := range 496 {
			if dx, dy := x-248, y-248; dx*dx+dy*dy < 240*240 && dx*dx+dy*dy > 200*200 {
				img.SetColorIndex(x, y, uint8(random.IntN(4)))
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// realSeal gives the house a seal with a picture of a real seal's size.
func (h *house) realSeal(t testing.TB) *pdf.Appearance {
	t.Helper()
	image := picture(t)
	start := chaintest.Start
	h.makeSealOf(t, ses.SealInfo{Version: ses.Version4, VendorID: "YX", ID: "53000000000001", Type: 1,
		Name: "云岭省档案馆档案证明专用章", Certificates: [][]byte{h.institution.Certificate.Raw},
		CreateDate: start, ValidStart: start, ValidEnd: start.Add(chaintest.Year),
		Picture: ses.Picture{Type: "PNG", Data: image, Width: 42, Height: 42}})
	var err error
	h.propertyLength = pdf.PropertyLength()
	if h.form, err = ses.NewForm(h.seal, pdf.PropertyLength()); err != nil {
		t.Fatal(err)
	}
	a, err := pdf.NewAppearance(image, 42, 42)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// planned seals an original with the project's own writer and gives the update and the name of the field.
func (h *house) planned(t testing.TB, original []byte, a *pdf.Appearance) (update []byte, field string) {
	t.Helper()
	ctx := context.Background()
	doc, err := pdf.Open(ctx, bytes.NewReader(original), int64(len(original)))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := doc.PlanSeal(ctx, h.request(a))
	if err != nil {
		t.Fatal(err)
	}
	return h.finish(t, original, plan), plan.Field()
}

func (h *house) request(a *pdf.Appearance) pdf.SealRequest {
	return pdf.SealRequest{Filter: "GM.PKILite", SubFilter: "GM.sm2seal",
		ContentsSize: h.form.Size(h.institution.Certificate.Raw, 0), Time: signed, Signer: "云岭省档案馆",
		Placements: []pdf.Placement{{Page: -1, From: pdf.BottomRight, X: 30, Y: 30}}, Appearance: a, AllowOverlap: true}
}

// finish signs a plan.
func (h *house) finish(t testing.TB, original []byte, plan *pdf.Update) []byte {
	t.Helper()
	digest := sm3.New()
	digest.Write(original)
	digest.Write(plan.Before())
	digest.Write(plan.After())
	update, err := plan.Fill(h.signature(t, [32]byte(digest.Sum(nil)), signed, plan.Property()))
	if err != nil {
		t.Fatal(err)
	}
	return update
}

// smallOriginal is a one-page file of 60 kB.
func smallOriginal() []byte {
	f := newFile()
	random := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 58_000)
	for i := range noise {
		noise[i] = byte('a' + random.IntN(26))
	}
	return f.update("", map[int]string{contentObject: stream("", string(noise))}).data
}

func stateOf(t testing.TB, data []byte) []byte {
	t.Helper()
	h := sm3.New()
	h.Write(data)
	state, err := hashstate.Of(h)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func BenchmarkVerifySmall(b *testing.B) {
	h := newHouse(b)
	a := h.realSeal(b)
	original := smallOriginal()
	update, _ := h.planned(b, original, a)
	data := append(bytes.Clone(original), update...)
	o := h.options(b)
	if r := File(context.Background(), "", bytes.NewReader(data), int64(len(data)), o); r.Verdict != Valid {
		b.Fatalf("%+v", r)
	}
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			File(context.Background(), "", bytes.NewReader(data), int64(len(data)), o)
		}
	})
	b.Run("floor", func(b *testing.B) { h.floor(b, data, data) })
}

func BenchmarkReleaseCheck(b *testing.B) {
	h := newHouse(b)
	a := h.realSeal(b)
	original := smallOriginal()
	update, field := h.planned(b, original, a)
	c := ReleaseCheck{Original: bytes.NewReader(original), OriginalSize: int64(len(original)), State: stateOf(b, original),
		Update: update, Field: field, Chain: h.trust(b), At: now,
		Known: []*chain.Certificate{h.institution.Certificate, h.maker.Certificate}}
	b.Run("release", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := Release(context.Background(), c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) { h.floor(b, update, append(bytes.Clone(original), update...)) })
}

// floor is what no implementation can leave out once the chain is known: SM3 of the bytes outside Contents, SM3 over
// TBS_Sign and SES_SealInfo with Z, and the two SM2 verifications.
func (h *house) floor(b *testing.B, hashed, file []byte) {
	doc, err := pdf.Open(context.Background(), bytes.NewReader(file), int64(len(file)))
	if err != nil {
		b.Fatal(err)
	}
	fields, _ := doc.SignatureFields(context.Background())
	c, err := fields[0].Contents()
	if err != nil {
		b.Fatal(err)
	}
	der, _ := cutPadding(c.Value)
	sig, err := ses.ParseSignature(der)
	if err != nil {
		b.Fatal(err)
	}
	cut := int(c.End-c.Start) - len(hashed)
	for range b.N {
		digest := sm3.New()
		digest.Write(hashed[:-cut])
		digest.Sum(nil)
		if !sm2.VerifyASN1WithSM2(&h.institution.Key.PublicKey, nil, sig.RawTBS, sig.Value) ||
			!sm2.VerifyASN1WithSM2(&h.maker.Key.PublicKey, nil, sig.Seal.SignedBytes(), sig.Seal.Value) {
			b.Fatal("wrong")
		}
	}
}

// BenchmarkVerifyFifty verifies fifty seals on one file of 100 pages and 5 MB; the floor is SM3 once and what fifty signatures need.
func BenchmarkVerifyFifty(b *testing.B) { verifyFifty(b, false) }

// BenchmarkVerifyFiftyStamped is the same with a time stamp over each signature, which is one more to verify.
func BenchmarkVerifyFiftyStamped(b *testing.B) { verifyFifty(b, true) }

func verifyFifty(b *testing.B, stamped bool) {
	h := newHouse(b)
	signatures := 50 + 1 // and the maker's signature on the seal
	if stamped {
		clock := newClock(b, h.issuing, late)
		h.token = func(value []byte) []byte { return clock.stamp(b, value, signed) }
		signatures += 50
	}
	f := newFile()
	random := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 5_000_000)
	for i := range noise {
		noise[i] = byte('a' + random.IntN(26))
	}
	objects := map[int]string{contentObject: stream("", string(noise[:len(noise)/100]))}
	kids := "3 0 R"
	for i := range 99 {
		page, content := f.next+2*i, f.next+2*i+1
		kids += fmt.Sprintf(" %d 0 R", page)
		objects[page] = fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << /Font << /F1 5 0 R >> >> >>", content)
		objects[content] = stream("", string(noise[(i+1)*len(noise)/100:(i+2)*len(noise)/100]))
	}
	objects[pagesObject] = "<< /Type /Pages /Kids [" + kids + "] /Count 100 >>"
	f.update("", objects)
	measureFiftySeals(b, h, f, signatures)
}

// measureFiftySeals seals a file fifty times and measures its verification beside what no verification can do without:
// one digest of the file, and as many signature checks.
func measureFiftySeals(b *testing.B, h *house, f *file, signatures int) {
	for range 50 {
		f.seal(b, h)
	}
	o := h.options(b)
	want(b, f.verify(b, o), Valid, "")
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			f.verify(b, o)
		}
	})
	b.Run("floor", func(b *testing.B) {
		message := append(bytes.Clone(h.form.Prefix()), make([]byte, 120)...)
		value := h.sign(b, h.institution, message)
		for range b.N {
			digest := sm3.New()
			digest.Write(f.data)
			for range signatures {
				sm2.VerifyASN1WithSM2(&h.institution.Key.PublicKey, nil, message, value)
			}
		}
	})
}
