package verify

import (
	"bytes"
	"context"
	"io"
	"testing"

	"yinxin/ca/cms"
	"yinxin/internal/fault"
)

func TestTheDocumentAsItWasSealedIsTakenOut(t *testing.T) {
	h := newHouse(t)
	first := newFile().seal(t, h)
	second := first.clone().seal(t, h)
	end := second.clone().update("", map[int]string{contentObject: forgedPage})
	for which, want := range map[string][]byte{"1": first.data, "2": second.data, "Seal7": first.data} {
		got, err := AsSealed(context.Background(), bytes.NewReader(end.data), int64(len(end.data)), which)
		if err != nil {
			t.Fatalf("%s: %v", which, err)
		}
		data, err := io.ReadAll(got)
		if err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s: %d bytes, want %d (%v)", which, len(data), len(want), err)
		}
	}
	inside := first.clone().replaceLast(t, "Grade: 85", "Grade: 99")
	short := newFile().seal(t, h, func(p *parts) { p.uncovered = 7 })
	unsealed := newFile()
	for _, c := range []struct {
		name, which string
		file        *file
		code        string
	}{
		{"no such number", "3", end, "verify.no-such-signature"}, {"number zero", "0", end, "verify.no-such-signature"},
		{"no such field", "Seal", end, "verify.no-such-signature"}, {"no signature", "1", unsealed, "verify.no-such-signature"},
		{"changed inside", "1", inside, "verify.not-as-sealed"}, {"no revision", "1", short, "verify.unsound-coverage"},
	} {
		if _, err := AsSealed(context.Background(), bytes.NewReader(c.file.data), int64(len(c.file.data)), c.which); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	if _, err := AsSealed(context.Background(), bytes.NewReader([]byte("no PDF")), 6, "1"); fault.CodeOf(err) != "pdf.not-a-pdf" {
		t.Errorf("no PDF: %v", err)
	}
}

// TestDamageAfterASealIsAChange: where the newest state cannot be read, the seal before it still speaks.
func TestDamageAfterASealIsAChange(t *testing.T) {
	h := newHouse(t)
	sealed := newFile().seal(t, h)
	o := h.options(t)
	broken := func(damage func(f *file)) *file {
		f := sealed.clone().update("", map[int]string{contentObject: forgedPage})
		damage(f)
		return f
	}
	for name, f := range map[string]*file{
		"the table of the update":   broken(func(f *file) { f.replaceLast(t, "\nxref\n", "\nxerf\n") }),
		"the end of the update":     broken(func(f *file) { f.data = f.data[:len(f.data)-20] }),
		"startxref points anywhere": broken(func(f *file) { f.data = append(f.data, "\nstartxref\n999999999\n%%EOF\n"...) }),
		"the signature field":       sealed.clone().update("", map[int]string{7: "<< /FT /Sig /T (Seal7) /V 8 0 R /Kids [ "}),
		"a second damaged update": broken(func(f *file) {
			f.data = append(f.data, "9 0 obj\n<<>>\nendobj\nxref\nstartxref\n5\n%%EOF\n"...)
		}),
	} {
		r := f.verify(t, o)
		want(t, r, Modified, "")
		if len(r.Signatures) != 1 || r.Signatures[0].Coverage == CoverageWhole || r.Size != int64(len(f.data)) || resultOfCheck(r.Signatures[0], CheckDigest) != OK {
			t.Errorf("%s: %+v", name, r)
		}
	}
	// Damage in what was sealed itself: the signature is still found.
	for name, damage := range map[string]func(f *file){
		"the table":                func(f *file) { f.replaceLast(t, "\nxref\n", "\nxerf\n") },
		"the signature dictionary": func(f *file) { f.replaceLast(t, "/Type /Sig ", "/Type (Sig ") },
		"startxref":                func(f *file) { f.replaceLast(t, "startxref", "startxxxx") },
	} {
		for _, profile := range []cms.Profile{"", cms.ProfileCMS} {
			h := newHouse(t)
			h.profile = profile
			f := &file{}
			*f = *newFile().seal(t, h)
			damage(f)
			r := f.verify(t, h.options(t))
			want(t, r, Modified, "")
			if len(r.Signatures) != 1 || r.Signatures[0].Coverage != CoverageBroken || r.Signatures[0].Seal == "" {
				t.Errorf("%s: %+v", name, r.Signatures)
			}
		}
	}
	// Nothing signed before the damage: still unreadable.
	plain := newFile()
	plain.update("", map[int]string{contentObject: forgedPage}).replaceLast(t, "\nxref\n", "\nxerf\n")
	want(t, plain.verify(t, o), Unreadable, "")
}

func TestASecondImplementationIsAsked(t *testing.T) {
	h := newHouse(t)
	o := h.options(t)
	o.SecondOpinion = true
	r := newFile().seal(t, h).verify(t, o)
	// Signature, seal, and for signer and maker the chain of two links each.
	want(t, r, Valid, "agrees on 6 SM2 values")
	if r := newFile().seal(t, h).verify(t, h.options(t)); resultOfCheck(r.Signatures[0], CheckSecondOpinion) != "" {
		t.Error("a second opinion was given unasked")
	}
	v := newVerification(context.Background(), nil, 0, o)
	s := &signature{lang: "en", verdict: Valid, seconded: true}
	value := h.sign(t, h.institution, []byte("message"))
	s.opine(text{"签名值", "the value"}, h.institution.Certificate.PublicKey, []byte("another"), nil, value, nil)
	v.secondOpinion(s)
	if s.verdict != Undetermined || s.out.Checks[0].Result != Failed {
		t.Errorf("a disagreement gives %s: %+v", s.verdict, s.out.Checks)
	}
	s = &signature{lang: "en", verdict: Valid, seconded: true}
	s.opine(text{"签名值", "the value"}, h.institution.Certificate.PublicKey, []byte("another"), nil, value, errState.New())
	v.secondOpinion(s)
	if s.verdict != Valid || s.out.Checks[0].Result != OK {
		t.Errorf("agreement on a wrong value gives %s: %+v", s.verdict, s.out.Checks)
	}
}
