package command

import (
	"bytes"
	"cmp"
	"context"
	"image/png"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/sealer/registration"
	"yinxin/sealer/view"
)

// print fills in an application and prints its form.
func (s *demoSeal) print(ctx context.Context, h *installation) ([]byte, error) {
	handler, err := h.access.Actor(ctx, s.handler)
	if err != nil {
		return nil, err
	}
	if s.application, err = h.enroll.Create(ctx, handler, s.unit, s.filled(h.now())); err != nil {
		return nil, err
	}
	if s.application, err = h.enroll.AcceptAgreement(ctx, handler, s.application.Ref(), demoVersion); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = h.desk.Print(ctx, handler, s.application.ID, "", &b)
	return b.Bytes(), err
}

func (s *demoSeal) submit(ctx context.Context, h *installation) error {
	handler, err := h.access.Actor(ctx, s.handler)
	if err != nil {
		return err
	}
	s.application, err = h.enroll.Submit(ctx, handler, s.application.Ref())
	return err
}

// accept is the unit's word that what was made is right: it comes into use.
func (s *demoSeal) accept(ctx context.Context, h *installation) error {
	handler, err := h.access.Actor(ctx, s.handler)
	if err != nil {
		return err
	}
	s.application, err = h.enroll.Accept(ctx, handler, s.application.Ref())
	return err
}

// stamped prints the form, stamps it where the boxes are, and lays it on a scanner, a little askew.
func (s *demoSeal) stamped(ctx context.Context, printer *view.Viewer, printed []byte) ([]byte, error) {
	dpi := cmp.Or(s.dpi, 300)
	picture, err := printer.Render(ctx, bytes.NewReader(printed), int64(len(printed)), 1, float64(dpi))
	if err != nil {
		return nil, err
	}
	page, err := png.Decode(bytes.NewReader(picture.PNG))
	if err != nil {
		return nil, err
	}
	seal := fixtures.OfficialSeal(s.archive.Name)
	first, second, stamp := form.Places()
	sheet := fixtures.PrintedSheet{Print: page, DPI: dpi, Skew: 0.6, Seed: s.seed, Quality: 92}
	boxes := []form.Box{stamp}
	if (form.Application{Businesses: []form.Business{s.doing()}}).NeedsImprint() {
		boxes = []form.Box{first, second, stamp}
	}
	for i, box := range boxes {
		sheet.Stamps = append(sheet.Stamps, fixtures.Stamping{Seal: seal, X: box.X + box.Width/2, Y: box.Y + box.Height/2, Angle: float64(i) - 1 + s.askew})
	}
	scan, _, err := fixtures.ScanSheet(sheet)
	return scan, err
}

// attach puts the scans with the application: the form by its code, certificate and card by hand.
func (s *demoSeal) attach(ctx context.Context, h *installation, scan []byte) error {
	handler, err := h.access.Actor(ctx, s.handler)
	if err != nil {
		return err
	}
	pages, err := h.desk.Scan(ctx, handler, "form.jpg", scan)
	if err != nil {
		return err
	}
	if len(pages) != 1 || pages[0].Outcome != registration.Attached || pages[0].Application.ID != s.application.ID {
		return errDemoFailed.Sayingf("%s 的扫描件", "scan of %s", s.application.Number)
	}
	s.application = pages[0].Application
	for i, kind := range []enroll.AttachmentKind{enroll.AttachCredit, enroll.AttachIdentity} {
		card, err := fixtures.Card(uint8(i))
		if err != nil {
			return err
		}
		if s.application, err = h.desk.Attach(ctx, handler, s.application.Ref(), kind, "", card, 0); err != nil {
			return err
		}
	}
	return nil
}
