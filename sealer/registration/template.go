package registration

import (
	"context"
	"encoding/json"
	"slices"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
	"yinxin/sealer/imprint"
)

// Box is the part of a form from which a template is made.
type Box string

// The boxes.
const (
	// BothBoxes are 印模1 and 印模2 together: they are compared, and one fills the gaps of the other.
	BothBoxes Box = "both"
	FirstBox  Box = "first"
	SecondBox Box = "second"
	// WholePage is a page on which the boxes cannot be found, because its code cannot be read, or a picture of the imprints alone.
	WholePage Box = "page"
)

// Order says what a template is made of. The zero Order is both boxes of the newest scan of the form.
type Order struct {
	Attachment string // empty: the newest scan of the form with the application's code on it
	Page       int    // of the attachment, counted from 1; 0: the page with the code, and the first for WholePage
	Box        Box    // empty: BothBoxes
	// Code is the seal's, 14 digits that the authority assigned; empty for one made here.
	Code string
	// Reason is why an officer accepts a template with a warning.
	Reason string
	// Dry only looks: nothing is kept.
	Dry bool
}

// Made is what the imprints on a form gave.
type Made struct {
	*imprint.Result
	Attachment string
	Page       int
	Box        Box
	// Precise is false where a person has to look whether the boxes were found in their places.
	Precise bool
	// Stored says whether this is the application's template now; Code is the seal's then. A template that is not
	// Acceptable is never stored, one with a warning only with a reason.
	Stored bool
	Code   string
}

// reasonToLook is in the history when an officer's order makes the service open a scan.
const reasonToLook = "制作印章模板"

// MakeTemplate makes the template of an application's seal from the imprints on its form and keeps it, if it is good
// enough. A registrar does it, until the application is examined. Errors: those of sealer/imprint and
// business.SetTemplate, enroll.conflict, enroll.state, enroll.denied, registration.no-form, registration.no-imprint-box,
// registration.no-imprint, registration.order, registration.busy.
func (d *Desk) MakeTemplate(ctx context.Context, by access.Actor, ref enroll.Ref, o Order) (Made, error) {
	if o.Box == "" {
		o.Box = BothBoxes
	}
	if !slices.Contains([]Box{BothBoxes, FirstBox, SecondBox, WholePage}, o.Box) {
		return Made{}, ErrOrder.At(fault.Field("box"))
	}
	a, err := d.Enroll.Application(ctx, by, ref.ID)
	if err != nil {
		return Made{}, err
	}
	if !by.Has(access.RoleRegistrar) {
		return Made{}, enroll.ErrDenied.New()
	}
	switch {
	case a.Revision != ref.Revision:
		return Made{}, enroll.ErrConflict.New()
	case a.State == enroll.StateExamined || a.State.Carried() || a.State.Ended():
		return Made{}, enroll.ErrState.Saying(a.State.Label(), string(a.State))
	case !a.Form.NeedsImprint():
		return Made{}, ErrNotAsked.New()
	case a.Form.ConcernsSeal() && o.Code != "" && o.Code != a.Form.Seal.Code:
		return Made{}, ErrOrder.At(fault.Field("code"))
	case a.Form.ConcernsSeal():
		o.Code = a.Form.Seal.Code // a change keeps it
	}
	done, err := d.turn(ctx)
	if err != nil {
		return Made{}, err
	}
	defer done()
	made, picture, err := d.imprints(ctx, by, a, o)
	if err != nil {
		return Made{}, err
	}
	size := a.Form.Seal.Size
	options := imprint.Options{Width: size.Diameter}
	if size.Diameter == 0 {
		options = imprint.Options{Width: size.Width, Height: size.Height}
	}
	if made.Result, err = imprint.Process(ctx, picture, options); err != nil {
		return Made{}, err
	}
	if o.Box == FirstBox || o.Box == SecondBox {
		if err := d.holdAgainstBoth(ctx, by, a, o, options, made.Result); err != nil {
			return Made{}, err
		}
	}
	if o.Dry || !made.Acceptable() || made.Verdict == imprint.Warn && o.Reason == "" {
		return made, nil
	}
	err = d.store(ctx, by, a, o, &made)
	return made, err
}

// holdAgainstBoth lets no form through by one of its boxes whose boxes together show two seals: who chooses a box may do
// so because the other imprint is poor, not because it is another seal's.
func (d *Desk) holdAgainstBoth(ctx context.Context, by access.Actor, a enroll.Application, o Order, options imprint.Options, of *imprint.Result) error {
	o.Box = BothBoxes
	_, picture, err := d.imprints(ctx, by, a, o)
	if err != nil {
		return err
	}
	both, err := imprint.Process(ctx, picture, options)
	if err != nil {
		return ctx.Err() // nothing to hold it against, which the gate of agreement says
	}
	for _, g := range both.Gates {
		if g.Name == imprint.GateSameSeal && g.Verdict == imprint.StampAgain {
			of.Gates, of.Verdict = append(of.Gates, g), imprint.StampAgain
		}
	}
	return nil
}

// store keeps a template that is good enough.
func (d *Desk) store(ctx context.Context, by access.Actor, a enroll.Application, o Order, made *Made) error {
	measures, err := json.Marshal(struct {
		Attachment string          `json:"attachment"`
		Page       int             `json:"page"`
		Box        Box             `json:"box"`
		Precise    bool            `json:"precise"`
		Imprint    *imprint.Result `json:"imprint"`
	}{made.Attachment, made.Page, made.Box, made.Precise, made.Result})
	if err != nil {
		return err
	}
	evidence, err := made.Evidence()
	if err != nil {
		return err
	}
	t := business.Template{Evidence: evidence, Code: o.Code, Width: made.Width, Height: made.Height, Template: made.Template, Picture: made.Picture,
		Verdict: "pass", Measures: string(measures), Reason: o.Reason}
	if made.Verdict == imprint.Warn {
		t.Verdict = "warn"
	}
	if made.Code, err = d.Business.SetTemplate(ctx, by, a.ID, a.Version, t); err != nil {
		return err
	}
	made.Stored = true
	return nil
}

// imprints finds the picture that is to become a template.
func (d *Desk) imprints(ctx context.Context, by access.Actor, a enroll.Application, o Order) (Made, []byte, error) {
	for _, at := range slices.Backward(a.Attachments) { // the newest first
		if o.Attachment == "" && at.Kind != enroll.AttachForm || o.Attachment != "" && at.ID != o.Attachment {
			continue
		}
		_, data, err := d.Enroll.OpenAttachment(ctx, by, a.ID, at.ID, reasonToLook)
		if err != nil {
			return Made{}, nil, err
		}
		file, err := scan.Open("", data, limits())
		if err != nil {
			return Made{}, nil, err
		}
		made := Made{Attachment: at.ID, Box: o.Box}
		var picture []byte
		if o.Box == WholePage {
			picture, err = made.wholePage(file, data, o.Page)
		} else {
			picture, err = made.box(ctx, file, a.Number, o.Page)
		}
		if err == nil || o.Attachment != "" || !fault.Has(err, ErrNoForm) {
			return made, picture, err
		}
	}
	if o.Attachment != "" && !slices.ContainsFunc(a.Attachments, func(at enroll.Attachment) bool { return at.ID == o.Attachment }) {
		return Made{}, nil, enroll.ErrAttachment.New()
	}
	return Made{}, nil, ErrNoForm.New()
}

// box cuts a box out of the form with the application's number: registration.no-form where there is none.
func (m *Made) box(ctx context.Context, file *scan.File, number string, page int) ([]byte, error) {
	pages, err := form.Recognise(ctx, file)
	if err != nil {
		return nil, err
	}
	for _, p := range slices.Backward(pages) {
		if p.Number != number || page != 0 && p.Page != page {
			continue
		}
		m.Page, m.Precise = p.Page, p.Precise
		region := map[Box]form.Region{BothBoxes: p.Both, FirstBox: p.Imprints[0], SecondBox: p.Imprints[1]}[m.Box]
		picture, err := p.Cut(file, region)
		if err != nil {
			return nil, ErrNoBox.At(fault.Page(p.Page)).Because(err)
		}
		return picture, nil
	}
	return nil, ErrNoForm.New()
}

// wholePage is a page as sealer/imprint takes it.
func (m *Made) wholePage(file *scan.File, data []byte, page int) ([]byte, error) {
	m.Page = max(page, 1)
	if m.Page > len(file.Pages) {
		return nil, ErrOrder.At(fault.Field("page"))
	}
	if len(file.Pages) == 1 && (file.Format == scan.JPEG || file.Format == scan.PNG) {
		return data, nil
	}
	img, err := file.Picture(m.Page - 1)
	if err != nil {
		return nil, err
	}
	p := file.Pages[m.Page-1]
	return pngOf(img, p.DPIX, p.DPIY)
}

// Template is the template that an application has now, for those who may see the application: registration.no-template.
func (d *Desk) Template(ctx context.Context, by access.Actor, application string) (business.Template, error) {
	a, err := d.Enroll.Application(ctx, by, application)
	if err != nil {
		return business.Template{}, err
	}
	t, err := d.Business.TemplateOf(ctx, a.ID, a.Version)
	if fault.Has(err, business.ErrNoTemplate) {
		err = ErrNoTemplate.New()
	}
	return t, err
}

// Evidence is what the template that an application has now was made from, and what comes of making it again: for
// disputes. It shows the form, so that the reason stands in the history, as for a scan. Errors: those of Template and
// enroll.Service.OpenAttachment, business.no-evidence, imprint.evidence, registration.busy.
func (d *Desk) Evidence(ctx context.Context, by access.Actor, application, reason string) ([]byte, imprint.Reproduction, error) {
	a, err := d.Enroll.Application(ctx, by, application)
	if err != nil {
		return nil, imprint.Reproduction{}, err
	}
	t, err := d.Template(ctx, by, application)
	if err != nil {
		return nil, imprint.Reproduction{}, err
	}
	var of struct{ Attachment string }
	if json.Unmarshal([]byte(t.Measures), &of) != nil || of.Attachment == "" {
		return nil, imprint.Reproduction{}, business.ErrNoEvidence.New()
	}
	if _, _, err := d.Enroll.OpenAttachment(ctx, by, application, of.Attachment, reason); err != nil {
		return nil, imprint.Reproduction{}, err
	}
	evidence, err := d.Business.EvidenceOf(ctx, a.ID, a.Version)
	if err != nil {
		return nil, imprint.Reproduction{}, err
	}
	done, err := d.turn(ctx)
	if err != nil {
		return nil, imprint.Reproduction{}, err
	}
	defer done()
	again, err := imprint.Reproduce(ctx, evidence)
	return evidence, again, err
}
