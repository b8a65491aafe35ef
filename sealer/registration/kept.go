package registration

import (
	"context"
	"encoding/json"
	"io"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer/imprint"
	"yinxin/sealer/imprint/outline"
	"yinxin/sealer/imprint/sheet"
)

// record is how a template was made, as it is kept with it.
type record struct {
	Attachment string          `json:"attachment"`
	Page       int             `json:"page"`
	Box        Box             `json:"box"`
	Precise    bool            `json:"precise"`
	Imprint    *imprint.Result `json:"imprint"`
	Compared   *Kinship        `json:"compared,omitempty"`
}

// Kinship is how the imprints compared with the template that was in use when the new one was made.
type Kinship struct {
	Outcome  imprint.Outcome `json:"outcome"`
	ZH       string          `json:"zh"`
	EN       string          `json:"en"`
	Mismatch float64         `json:"mismatchMM2"`
	Places   []imprint.Place `json:"places,omitempty"`
}

func kinshipOf(c *imprint.Comparison) *Kinship {
	if c == nil {
		return nil
	}
	return &Kinship{c.Outcome, c.ZH, c.EN, c.Mismatch, c.Places}
}

// Kept is the template that an application has now.
type Kept struct {
	business.Template
	Attachment string
	Page       int
	Box        Box
	Precise    bool
	// Result is what was made of the imprints; nil where the template came in another way.
	Result *imprint.Result
	// Compared is how they compared with the template in use then; nil where there was none of this size.
	Compared *Kinship
}

// Template is the template that an application has now, for those who may see the application: registration.no-template.
func (d *Desk) Template(ctx context.Context, by access.Actor, application string) (Kept, error) {
	a, err := d.Enroll.Application(ctx, by, application)
	if err != nil {
		return Kept{}, err
	}
	return d.kept(ctx, a)
}

func (d *Desk) kept(ctx context.Context, a enroll.Application) (Kept, error) {
	t, err := d.Business.TemplateOf(ctx, a.ID, a.Version)
	if fault.Has(err, business.ErrNoTemplate) {
		err = ErrNoTemplate.New()
	}
	if err != nil {
		return Kept{}, err
	}
	k := Kept{Template: t}
	var r record
	// Templates that came in another way have other measures, or none.
	if json.Unmarshal([]byte(t.Measures), &r) == nil && r.Imprint != nil {
		k.Attachment, k.Page, k.Box, k.Precise, k.Result, k.Compared = r.Attachment, r.Page, r.Box, r.Precise, r.Imprint, r.Compared
		k.Result.Template, k.Result.Picture = t.Template, t.Picture
	}
	return k, nil
}

// Outline is the outline of the template that an application has now, for those who may see the application. Errors: those
// of Template, registration.no-outline.
func (d *Desk) Outline(ctx context.Context, by access.Actor, application string) (*imprint.Vector, error) {
	k, err := d.Template(ctx, by, application)
	if err != nil {
		return nil, err
	}
	done, err := d.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	v, err := imprint.Trace(k.Template.Template, k.Width, k.Height)
	if outline.Refused(err) {
		return nil, ErrNoOutline.Because(err)
	}
	return v, err
}

// Evidence is what the template that an application has now was made from, and what comes of making it again: for
// disputes. It shows parts of the scan, so whoever may open that may see it: the handler of the unit, and an officer with a
// reason; each look is in history and ledger. Errors: those of Template and enroll.Service.OpenAttachment,
// business.no-evidence, imprint.evidence, registration.busy.
func (d *Desk) Evidence(ctx context.Context, by access.Actor, application, reason string) ([]byte, imprint.Reproduction, error) {
	_, k, evidence, err := d.opened(ctx, by, application, reason)
	if err != nil {
		return nil, imprint.Reproduction{}, err
	}
	if k.Result == nil {
		return nil, imprint.Reproduction{}, business.ErrNoEvidence.New()
	}
	done, err := d.turn(ctx)
	if err != nil {
		return nil, imprint.Reproduction{}, err
	}
	defer done()
	again, err := imprint.Reproduce(ctx, evidence)
	return evidence, again, err
}

// Sheet writes the page by which the template of an application can be judged, as a PDF. It may be seen like Evidence.
func (d *Desk) Sheet(ctx context.Context, by access.Actor, application, reason string, w io.Writer) error {
	font, err := d.font()
	if err != nil {
		return err
	}
	a, k, evidence, err := d.opened(ctx, by, application, reason)
	if err != nil {
		return err
	}
	done, err := d.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	data := sheet.Data{Title: a.Number, Result: k.Result, Evidence: evidence, Font: font, Facts: factsOf(a, k)}
	if c := k.Compared; c != nil {
		data.Against = &sheet.Against{Outcome: c.Outcome, Sentence: c.ZH}
	}
	if data.Vector, err = sheet.Trace(k.Result); err != nil {
		return err
	}
	return sheet.PDF(w, data)
}

// opened gives the template of an application with its evidence to whoever may open the scan that it is a part of, and
// records the look as one at that.
func (d *Desk) opened(ctx context.Context, by access.Actor, application, reason string) (enroll.Application, Kept, []byte, error) {
	a, err := d.Enroll.Application(ctx, by, application)
	if err != nil {
		return a, Kept{}, nil, err
	}
	k, err := d.kept(ctx, a)
	if err != nil {
		return a, k, nil, err
	}
	if k.Result == nil || k.Attachment == "" {
		return a, k, nil, business.ErrNoEvidence.New()
	}
	if _, _, err := d.Enroll.OpenAttachment(ctx, by, a.ID, k.Attachment, reason); err != nil {
		return a, k, nil, err
	}
	evidence, err := d.Business.EvidenceOf(ctx, a.ID, a.Version)
	return a, k, evidence, err
}

// Kinship is how the imprints compare with the template in use; nil where there is none of this size.
func (m Made) Kinship() *Kinship { return kinshipOf(m.Compared) }

// Pictures are what a person judges by before anything is kept: the imprints as they were scanned, and the map of what was
// filled in.
func (m Made) Pictures() (imprints []sheet.Shown, changes []byte, err error) {
	evidence, err := m.Evidence()
	if err != nil {
		return nil, nil, err
	}
	return sheet.Pictures(m.Result, evidence)
}

// DrawSheet writes the page of a template that was just made, kept or not, as a PDF.
func (d *Desk) DrawSheet(a enroll.Application, m Made, w io.Writer) error {
	font, err := d.font()
	if err != nil {
		return err
	}
	evidence, err := m.Evidence()
	if err != nil {
		return err
	}
	k := Kept{Template: business.Template{Code: m.Code}, Result: m.Result}
	data := sheet.Data{Title: a.Number, Result: m.Result, Evidence: evidence, Font: font, Facts: factsOf(a, k)}
	if c := m.Compared; c != nil {
		data.Against = &sheet.Against{Old: m.earlier, Difference: c.Picture, Outcome: c.Outcome, Sentence: c.ZH}
	}
	if data.Vector, err = sheet.Trace(m.Result); err != nil {
		return err
	}
	return sheet.PDF(w, data)
}

// factsOf stand in the head of the sheet. They are none of a person's.
func factsOf(a enroll.Application, k Kept) []sheet.Fact {
	facts := []sheet.Fact{{Label: "申请单位", Text: a.Form.Unit.Name}, {Label: "印章名称", Text: a.Form.Seal.Name}}
	if k.Code != "" {
		facts = append(facts, sheet.Fact{Label: "印章编码", Text: k.Code})
	}
	if k.Reason != "" {
		facts = append(facts, sheet.Fact{Label: "接受理由", Text: k.Reason})
	}
	return facts
}
