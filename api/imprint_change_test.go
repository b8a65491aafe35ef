package api

import (
	"bytes"
	"crypto/rand"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"slices"
	"testing"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/sealer/imprint"
	"yinxin/sealer/register"
)

// inUse carries a new seal through to where it is used, and gives its code.
func (a *applicant) inUse() string {
	a.t.Helper()
	d := a.submitted(a.form("new", "central")).examinable()
	d.step("registrar", "examine", nil, enroll.StateExamined)
	d.step("approver", "approve", nil, enroll.StateApproved)
	d.send("registrar", "POST", d.path("/carry-out"), nil).is(200)
	d.look()
	d.step("handler", "accept", nil, enroll.StateAccepted)
	var template SealTemplate
	d.send("registrar", "GET", d.path("/template"), nil).is(200).into(&template)
	return template.Code
}

// changed is an application for another imprint of a seal.
func (a *applicant) changed(code string) *dossier {
	a.t.Helper()
	f := a.form("imprint-change", "central")
	f["seal"] = object{"name": a.name, "code": code, "size": object{"diameter": 42}}
	d := a.create(f)
	d.step("handler", "accept-agreement", object{"version": "2026-01"}, enroll.StateDraft)
	return d
}

// scanned adds a stamped form, and gives the name of the attachment.
func (d *dossier) scanned(stamps ...fixtures.Stamping) string {
	d.t.Helper()
	var found Scan
	d.call("handler", "POST", "/v1/scans", bytes.NewReader(d.printed(stamps...)), "Content-Type: image/jpeg", "X-File-Name: scan.jpg").is(200).into(&found)
	if len(found.Pages) != 1 || found.Pages[0].Outcome != "attached" || found.Pages[0].ID != d.ID {
		d.t.Fatalf("%+v", found)
	}
	d.look()
	return found.Pages[0].Attachment
}

func (d *dossier) looked(order object) (t SealTemplate) {
	d.t.Helper()
	order["dry_run"] = true
	d.send("registrar", "POST", d.path("/template"), order, "If-Match: "+d.tag).is(200).into(&t)
	return t
}

// bothOf puts another seal into the two boxes.
func bothOf(stamps []fixtures.Stamping, seal fixtures.SealDesign) []fixtures.Stamping {
	stamps = slices.Clone(stamps)
	stamps[0].Seal, stamps[1].Seal = seal, seal
	return stamps
}

// TestAChangeOfTheImprintIsHeldAgainstTheSealInUse stamps four forms for a change: with the seal itself, with one that has
// another last character, with one that is larger by half a millimetre and more, and each box with another.
func TestAChangeOfTheImprintIsHeldAgainstTheSealInUse(t *testing.T) {
	a := newApplicant(t, true)
	code := a.inUse()
	d := a.changed(code)
	seal := fixtures.OfficialSeal(d.name)
	name := []rune(d.name)
	name[len(name)-1] = '局'
	other, larger := fixtures.OfficialSeal(string(name)), seal
	larger.Diameter += .75
	two := d.stamps()
	two[1].Seal = other
	for _, c := range []struct {
		name   string
		stamps []fixtures.Stamping
		want   imprint.Outcome
		places bool
	}{
		{"the seal itself", d.stamps(), imprint.Same, false},
		{"another last character", bothOf(d.stamps(), other), imprint.Different, true},
		{"larger", bothOf(d.stamps(), larger), imprint.CannotTell, true},
		{"two seals", two, imprint.CannotTell, false},
	} {
		attachment := d.scanned(c.stamps...)
		d.compared(c.name, d.looked(object{"attachment": attachment, "show": true, "reason": "核对"}), c.want, c.places)
	}
	// A change may well be to another seal: with a reason it is kept, and what the comparison said with it.
	d.attach("credit-code", card(t))
	d.attach("identity", card(t))
	d.step("handler", "submit", nil, enroll.StateSubmitted)
	d.step("registrar", "receive", nil, enroll.StateReceived)
	d.step("registrar", "original", object{"on": d.today(), "number": "机要2026-0018"}, enroll.StateOriginal)
	second := d.Attachments[1].ID
	var made, kept SealTemplate
	d.send("registrar", "POST", d.path("/template"), object{"attachment": second, "reason": "单位更换了印章"}, "If-Match: "+d.tag).is(201).into(&made)
	if !made.Stored || made.Code != code || made.Compared.Outcome != "different" || made.Compared.PNG != nil {
		t.Errorf("stored %t as %s, %+v", made.Stored, made.Code, made.Compared)
	}
	d.send("approver", "GET", d.path("/template"), nil).is(200).into(&kept)
	if kept.Compared == nil || kept.Compared.Outcome != "different" || len(kept.Compared.Places) != len(made.Compared.Places) || kept.Compared.Sentence != made.Compared.Sentence {
		t.Errorf("kept: %+v", kept.Compared)
	}
	d.refusals(code)
}

// compared looks at a comparison with the seal in use.
func (d *dossier) compared(name string, made SealTemplate, want imprint.Outcome, places bool) {
	d.t.Helper()
	k := made.Compared
	if made.Stored || k == nil {
		d.t.Fatalf("%s: stored %t, %+v", name, made.Stored, k)
	}
	d.t.Logf("%s: %s, %.3f mm², %s", name, k.Outcome, k.Mismatch, k.SentenceEN)
	if k.Outcome != string(want) || k.Sentence == "" || k.SentenceEN == "" || len(k.Places) > 0 != places {
		d.t.Errorf("%s: %s, %d places, %s %s", name, k.Outcome, len(k.Places), k.Sentence, k.SentenceEN)
	}
	picture := got(png.Decode(bytes.NewReader(k.PNG)))(d.t)
	if b := picture.Bounds(); math.Abs(float64(b.Dx())-42/25.4*300) > 1 || b.Dx() != b.Dy() {
		d.t.Errorf("%s: the picture is %v", name, b)
	}
	for _, p := range k.Places {
		if !(p.Left >= 0 && p.Top >= 0 && p.Right <= 42.1 && p.Bottom <= 42.1 && p.Left < p.Right && p.Top < p.Bottom) {
			d.t.Errorf("%s: %+v is not on the template", name, p)
		}
	}
	if want != imprint.Different || len(k.Places) == 0 {
		return
	}
	// The last character stands at the right end of the arc.
	worst := k.Places[0]
	if worst.Left < 21 || worst.Bottom < 18 {
		d.t.Errorf("%s: the worst place is %+v", name, worst)
	}
	for _, c := range []color.RGBA{{0x10, 0x40, 0xE0, 255}, {0xE6, 0x00, 0x12, 255}} {
		if !coloured(picture, worst, c) {
			d.t.Errorf("%s: the picture shows nothing of %v at the worst place", name, c)
		}
	}
}

// refusals are the orders that are not carried out: of others than a registrar, and for another seal than the form's.
func (d *dossier) refusals(code string) {
	d.t.Helper()
	order := func(actor string, body object, tag string) answer {
		return d.send(actor, "POST", d.path("/template"), body, "If-Match: "+tag)
	}
	for _, actor := range []string{"handler", "neighbour", "approver", "auditor", "platform"} {
		order(actor, object{"dry_run": true}, d.tag).problem(403, "request.denied")
	}
	other := []byte(code)
	other[13] ^= 1
	order("registrar", object{"dry_run": true, "code": string(other)}, d.tag).problem(400, "registration.order")
	order("registrar", object{"dry_run": true, "attachment": "att_none"}, d.tag).problem(404, "enroll.attachment-not-found")
	order("registrar", object{"dry_run": true}, `"1"`).problem(412, "enroll.conflict")
}

// coloured reports whether a picture at 300 dpi has a colour in a place.
func coloured(m image.Image, at TemplatePlace, c color.RGBA) bool {
	for y := int(at.Top / 25.4 * 300); y < int(at.Bottom/25.4*300); y++ {
		for x := int(at.Left / 25.4 * 300); x < int(at.Right/25.4*300); x++ {
			if color.RGBAModel.Convert(m.At(x, y)) == c {
				return true
			}
		}
	}
	return false
}

// A seal that came in another way has a picture that nothing can be compared with, such as one with a white ground. That
// keeps nobody from changing its imprint.
func TestASealWithAPictureOfAnotherKindIsNotComparedWith(t *testing.T) {
	a := newApplicant(t, true)
	const code = "22710000000077"
	white := image.NewGray(image.Rect(0, 0, 496, 496))
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	var picture bytes.Buffer
	must(t, png.Encode(&picture, white))
	key := got(sm2.GenerateKey(rand.Reader))(t)
	r := ca.Request{Profile: ca.ProfileInstitution, Public: &key.PublicKey, Organisation: a.name, CreditCode: a.credit, SealCode: code}
	certificate := got(a.authority.Issue(t.Context(), a.approved(access.KindIssueCertificate, r.Subject()), r))(t)
	o := register.Order{Code: code, Name: a.name, Organisation: a.name, CreditCode: a.credit, Type: 1, Width: 42, Height: 42, Template: picture.Bytes(),
		Picture: picture.Bytes(), Custody: register.Central, KeyName: "another", Certificate: certificate.Raw}
	got(a.register.Make(t.Context(), a.approved(access.KindMakeSeal, o.Subject()), o))(t)
	d := a.changed(code)
	made := d.looked(object{"attachment": d.scanned(d.stamps()...)})
	if made.Compared != nil || made.Verdict != string(imprint.Usable) {
		t.Errorf("%s, %+v", made.Verdict, made.Compared)
	}
	// Nor is there anything to compare with where no such seal is known.
	d = a.changed("22710000000099")
	d.send("registrar", "POST", d.path("/template"), object{"dry_run": true, "attachment": d.scanned(d.stamps()...)}, "If-Match: "+d.tag).problem(http.StatusNotFound, "seal.not-found")
}
