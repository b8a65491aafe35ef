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
		k.Attachment, k.Page, k.Box, k.Precise, k.Result = r.Attachment, r.Page, r.Box, r.Precise, r.Imprint
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

// Evidence writes all that the template of an application can be judged and made again by, as an archive, and Sheet the
// page of it. Both show parts of the scan, so whoever may open that may see them: the handler of the unit, and an officer
// with a reason; each look is in history and ledger. Errors: those of Template and enroll.Service.OpenAttachment,
// business.no-evidence, registration.busy.
func (d *Desk) Evidence(ctx context.Context, by access.Actor, application, reason string, w io.Writer) error {
	return d.look(ctx, by, application, reason, func(data sheet.Data) error { return sheet.Zip(w, data) })
}

// Sheet writes the page by which a template can be judged as a PDF: see Evidence.
func (d *Desk) Sheet(ctx context.Context, by access.Actor, application, reason string, w io.Writer) error {
	return d.look(ctx, by, application, reason, func(data sheet.Data) error { return sheet.PDF(w, data) })
}

func (d *Desk) look(ctx context.Context, by access.Actor, application, reason string, draw func(sheet.Data) error) error {
	font, err := d.font()
	if err != nil {
		return err
	}
	a, err := d.Enroll.Application(ctx, by, application)
	if err != nil {
		return err
	}
	k, err := d.kept(ctx, a)
	if err != nil {
		return err
	}
	if k.Result == nil || k.Attachment == "" {
		return business.ErrNoEvidence.New()
	}
	// The evidence is a part of this scan: the same people may see it, and it is recorded in the same way.
	if _, _, err := d.Enroll.OpenAttachment(ctx, by, a.ID, k.Attachment, reason); err != nil {
		return err
	}
	done, err := d.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	data := sheet.Data{Title: a.Number, Result: k.Result, Font: font, Facts: factsOf(a, k)}
	if data.Vector, err = sheet.Trace(k.Result); err != nil {
		return err
	}
	return draw(data)
}

// factsOf stand in the head of the sheet. They are none of a person's.
func factsOf(a enroll.Application, k Kept) []sheet.Fact {
	facts := []sheet.Fact{{Label: "申请单位", Text: a.Form.Unit.Name}, {Label: "印章名称", Text: a.Form.Seal.Name}, {Label: "印章编码", Text: k.Code}}
	if k.Reason != "" {
		facts = append(facts, sheet.Fact{Label: "接受理由", Text: k.Reason})
	}
	return facts
}
