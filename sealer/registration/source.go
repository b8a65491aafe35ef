package registration

import (
	"context"
	"slices"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
	"yinxin/sealer/imprint"
)

// source is what a template is made from: a file, its page and where on it the imprints may be.
type source struct {
	data  []byte
	page  int // 0: the file has one
	boxes []imprint.Box
}

// options are what the form, the officer and the scan say of the imprints.
func (s source) options(f form.Application, o Order) imprint.Options {
	size := f.Seal.Size
	options := imprint.Options{Width: size.Diameter, Page: s.page, Boxes: s.boxes, Shape: o.Shape, Polarity: o.Polarity, Colour: o.Colour}
	if size.Diameter == 0 {
		options.Width, options.Height = size.Width, size.Height
	}
	// The invoice seal is an ellipse by rule of the tax administration; what else has two sides, its imprint shows.
	if options.Shape == imprint.AnyShape && f.SealType == form.SealInvoice && options.Height != 0 {
		options.Shape = imprint.Ellipse
	}
	return options
}

// imprints finds what is to become a template.
func (d *Desk) imprints(ctx context.Context, by access.Actor, a enroll.Application, o Order) (Made, source, error) {
	for _, at := range slices.Backward(a.Attachments) { // the newest first
		if o.Attachment == "" && at.Kind != enroll.AttachForm || o.Attachment != "" && at.ID != o.Attachment {
			continue
		}
		_, data, err := d.Enroll.OpenAttachment(ctx, by, a.ID, at.ID, reasonToLook)
		if err != nil {
			return Made{}, source{}, err
		}
		file, err := scan.Open("", data, limits())
		if err != nil {
			return Made{}, source{}, err
		}
		made := Made{Attachment: at.ID, Box: o.Box}
		var from source
		if o.Box == WholePage {
			made.Page = max(o.Page, 1)
			from = source{data: data, page: made.Page}
			if made.Page > len(file.Pages) {
				err = ErrOrder.At(fault.Field("page"))
			}
		} else {
			from, err = made.box(ctx, file, a.Number, o.Page)
		}
		if err == nil || o.Attachment != "" || !fault.Has(err, ErrNoForm) {
			return made, from, err
		}
	}
	if o.Attachment != "" && !slices.ContainsFunc(a.Attachments, func(at enroll.Attachment) bool { return at.ID == o.Attachment }) {
		return Made{}, source{}, enroll.ErrAttachment.New()
	}
	return Made{}, source{}, ErrNoForm.New()
}

// box cuts a box out of the form with the application's number: registration.no-form where there is none.
func (m *Made) box(ctx context.Context, file *scan.File, number string, page int) (source, error) {
	pages, err := form.Recognise(ctx, file)
	if err != nil {
		return source{}, err
	}
	for _, p := range slices.Backward(pages) {
		if p.Number != number || page != 0 && p.Page != page {
			continue
		}
		m.Page, m.Precise = p.Page, p.Precise
		region := map[Box]form.Region{BothBoxes: p.Both, FirstBox: p.Imprints[0], SecondBox: p.Imprints[1]}[m.Box]
		picture, err := p.Cut(file, region)
		if err != nil {
			return source{}, ErrNoBox.At(fault.Page(p.Page)).Because(err)
		}
		from := source{data: picture}
		if m.Box == BothBoxes && p.Precise { // otherwise nobody knows well enough where they are
			for _, box := range p.Imprints {
				if b, ok := p.Within(region, box); ok {
					from.boxes = append(from.boxes, imprint.Box{Left: b.X, Top: b.Y, Width: b.Width, Height: b.Height})
				}
			}
		}
		return from, nil
	}
	return source{}, ErrNoForm.New()
}
