package api

import (
	"testing"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/sealer/imprint"
	"yinxin/sealer/registration"
)

// made is what the service sees of the imprints, with the marks that it did not use.
func (d *dossier) made(o registration.Order) registration.Made {
	d.t.Helper()
	o.Dry = true
	return got(d.server.Registration.MakeTemplate(d.t.Context(), d.people[0], enroll.Ref{ID: d.ID, Revision: d.Revision}, o))(d.t)
}

// TestMarksOutsideThePrintedBoxesAreNotUsed stamps the second imprint over the upper line of its box, with its middle
// outside. Where an officer says that the boxes count for nothing, it is an imprint like any other.
func TestMarksOutsideThePrintedBoxesAreNotUsed(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	inBoxes := d.scanned(d.stamps()...)
	stamps := d.stamps()
	_, box, _ := form.Places()
	stamps[1].Y = box.Y - 5
	outside := d.scanned(stamps...)

	m := d.made(registration.Order{Attachment: inBoxes})
	seen := map[int]bool{}
	for _, f := range m.Result.Imprints {
		if f.Used {
			seen[f.Box] = true
		}
	}
	if !m.Precise || m.Measures.Fused != 2 || !seen[1] || !seen[2] {
		t.Errorf("of two imprints in their boxes %d are used: %+v", m.Measures.Fused, m.Result.Imprints)
	}
	m = d.made(registration.Order{Attachment: outside})
	if m.Measures.Fused != 1 {
		t.Errorf("%d imprints are used", m.Measures.Fused)
	}
	for _, f := range m.Result.Imprints {
		if f.Used != (f.Box == 1) {
			t.Errorf("the mark in box %d, used %t", f.Box, f.Used)
		}
	}
	for _, g := range m.Gates {
		if g.Name == imprint.GateAgreement && g.Verdict == imprint.Usable {
			t.Errorf("nobody is told that an imprint is lacking: %+v", g)
		}
	}
	m = d.made(registration.Order{Attachment: outside, Box: registration.WholePage})
	if m.Measures.Fused != 2 || m.Verdict == imprint.StampAgain {
		t.Errorf("of the whole page %d imprints, %s: %+v", m.Measures.Fused, m.Verdict, m.Result.Imprints)
	}
}

// TestOtherFormsWork takes templates from forms without this service's code: with other boxes and with none.
func TestOtherFormsWork(t *testing.T) {
	a := newApplicant(t, true)
	d := a.create(a.form("new", "central"))
	for name, layout := range map[string]fixtures.FormLayout{"boxes of another form": fixtures.BoxesBelow, "no boxes": fixtures.NoBoxes} {
		scan, _, err := fixtures.StampedForm(fixtures.FormOptions{Seed: 71, Layout: layout, Seal: fixtures.OfficialSeal(d.name)})
		must(t, err)
		d.attach("form", scan)
		attachment := d.Attachments[len(d.Attachments)-1].ID
		d.send("registrar", "POST", d.path("/template"), object{"dry_run": true, "attachment": attachment}, "If-Match: "+d.tag).problem(422, "registration.no-form")
		of := d.looked(object{"attachment": attachment, "box": "page"})
		if of.Verdict != string(imprint.Usable) || of.Measures.Fused != 2 || of.Precise {
			t.Errorf("%s: %s, %d imprints, %+v", name, of.Verdict, of.Measures.Fused, of.Gates)
		}
	}
}
