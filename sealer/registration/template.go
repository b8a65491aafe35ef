package registration

import (
	"context"
	"encoding/json"
	"slices"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/internal/access"
	"yinxin/internal/fault"
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
	// Shape, Polarity and Colour are what an officer sees of the imprints; empty: as the form says, or as is found.
	Shape    imprint.Shape
	Polarity imprint.Polarity
	Colour   imprint.Colour
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
	// Compared is how the imprints compare with the template of the seal that is in use; nil where the seal is a new one, or
	// its size changes. A change may well be to another seal: it says so, and stops nothing.
	Compared *imprint.Comparison
	earlier  []byte // the template in use
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
	made, from, err := d.imprints(ctx, by, a, o)
	if err != nil {
		return Made{}, err
	}
	if err := d.process(ctx, a, from.data, from.options(a.Form, o), &made); err != nil {
		return Made{}, err
	}
	if o.Box == FirstBox || o.Box == SecondBox {
		if err := d.holdAgainstBoth(ctx, by, a, o, made.Result); err != nil {
			return Made{}, err
		}
	}
	if o.Dry || !made.Acceptable() || made.Verdict == imprint.Warn && o.Reason == "" {
		return made, nil
	}
	err = d.store(ctx, by, a, o, &made)
	return made, err
}

// process makes the template, and compares it with that of the seal which is in use, if there is one.
func (d *Desk) process(ctx context.Context, a enroll.Application, data []byte, o imprint.Options, made *Made) (err error) {
	if a.Form.ConcernsSeal() {
		if made.earlier, err = d.inUse(ctx, a.Form.Seal.Code, o); err != nil {
			return err
		}
	}
	if made.earlier != nil {
		c, err := imprint.Against(ctx, data, made.earlier, o)
		if !fault.Has(err, imprint.ErrBadTemplate) {
			if err == nil {
				made.Result, made.Compared = c.Result, &c
			}
			return err
		}
		made.earlier = nil // it came in another way, as a picture of another kind
	}
	made.Result, err = imprint.Process(ctx, data, o)
	return err
}

// inUse is the template of a seal that is in use; nil where it has another size than the form declares.
func (d *Desk) inUse(ctx context.Context, code string, o imprint.Options) ([]byte, error) {
	s, err := d.Business.Seals.Registered(ctx, code)
	if err != nil {
		return nil, err
	}
	height := o.Height
	if height == 0 {
		height = o.Width
	}
	if s.Width != o.Width || s.Height != height {
		return nil, nil
	}
	return s.Template, nil
}

// holdAgainstBoth lets no form through by one of its boxes whose boxes together show two seals: who chooses a box may do
// so because the other imprint is poor, not because it is another seal's.
func (d *Desk) holdAgainstBoth(ctx context.Context, by access.Actor, a enroll.Application, o Order, of *imprint.Result) error {
	o.Box = BothBoxes
	_, from, err := d.imprints(ctx, by, a, o)
	if err != nil {
		return err
	}
	both, err := imprint.Process(ctx, from.data, from.options(a.Form, o))
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
	measures, err := json.Marshal(record{made.Attachment, made.Page, made.Box, made.Precise, made.Result, kinshipOf(made.Compared)})
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
