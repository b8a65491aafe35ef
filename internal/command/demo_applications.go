package command

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/keystore"
	"yinxin/sealer/registration"
)

// demoPast is how long ago the story of the filled province begins: the certificate of its first seal is due for renewal.
const demoPast = 340 * 24 * time.Hour

// demoScanDPI is the resolution of the scans that fill the pages.
const demoScanDPI = 200

// demoPlainDPI is that of scans from which no template is made.
const demoPlainDPI = 150

// demoCities are those whose archives fill the pages; handler-3 acts for the first of them, and so on.
var demoCities = []string{"青岚市", "柏溪市", "雁鸣市", "澄湖市", "北屏市", "岚桥市"}

func demoArchive(i int) *demoSeal {
	return &demoSeal{archive: fixtures.Archive(demoCities[i]), code: fmt.Sprintf("290%d00000000%d%d", i+3, i+3, i+3), seed: uint64(i + 3), method: form.Central,
		handler: fmt.Sprintf("handler-%d", i+3), area: fmt.Sprintf("227%d00", i+3), direct: true, suffix: fmt.Sprintf("-%d", i+3), dpi: demoScanDPI}
}

// demoEarlier is the archive whose seal is of last year.
func demoEarlier() *demoSeal { return demoArchive(0) }

// The archives whose applications are on their way, in their order.
const (
	askew    = iota // its imprints look doubtful
	stopped         // its seal is suspended and shall end
	awaited         // its seal waits to be accepted
	objected        // it does not accept its seal, whose certificate is revoked
	begun           // nothing has an imprint yet
	archives
)

func demoArchives() []*demoSeal {
	var list []*demoSeal
	for i := range archives {
		list = append(list, demoArchive(i+1))
	}
	list[askew].askew = 18
	return list
}

// lastYear plays what happened when the service was new, and then goes on to today.
func (d *demo) lastYear(ctx context.Context, h *installation, people officers) error {
	s := demoEarlier()
	if err := d.units(ctx, h, people, s); err != nil {
		return err
	}
	if err := d.apply(ctx, h, s); err != nil {
		return err
	}
	if err := d.decide(ctx, h, people, s); err != nil {
		return err
	}
	return d.step("去年启用、即将到期；回到今天 in use since last year, renewal due; back to today", func() (string, error) {
		if err := s.accept(ctx, h); err != nil {
			return "", err
		}
		if _, err := h.enroll.Close(ctx, people.registrar, s.application.Ref(), ""); err != nil {
			return "", err
		}
		if err := d.paperless(ctx, h, people, s, "青岚市档案馆档案利用专用章", enroll.StateExpired); err != nil {
			return "", err
		}
		d.ago = 0
		if _, err := h.enroll.Sweep(ctx); err != nil {
			return "", err
		}
		return "", d.publishAnew(ctx, h)
	})
}

// publishAnew makes the lists of today, that of the root too.
func (d *demo) publishAnew(ctx context.Context, h *installation) error {
	passphrase, err := keystore.ReadPassphraseFile(filepath.Join(d.making, passphraseName))
	if err != nil {
		return err
	}
	root, err := keystore.Open(filepath.Join(d.making, rootKeysName), keystore.Options{Passphrase: passphrase})
	if err != nil {
		return err
	}
	if err := h.authority.PublishRootCRL(ctx, root.Ring(keystore.PurposeRoot)); err != nil {
		return err
	}
	if err := h.authority.PublishCRL(ctx); err != nil {
		return err
	}
	return h.publish(ctx)
}

// pressing is stamped forms on their way from the scanner.
type pressing struct {
	scans []chan stampedForm
	stop  func()
}

type stampedForm struct {
	data []byte
	err  error
}

// begin has each archive fill in and print its form; stamping and scanning goes on while other things are done.
func (d *demo) begin(ctx context.Context, h *installation, people officers, seals []*demoSeal) (pressing, error) {
	if err := d.units(ctx, h, people, seals...); err != nil {
		return pressing{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var p pressing
	var printed [][]byte
	for _, s := range seals[:begun] {
		page, err := s.print(ctx, h)
		if err != nil {
			cancel()
			return p, err
		}
		printed = append(printed, page)
		p.scans = append(p.scans, make(chan stampedForm, 1))
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i, page := range printed {
			data, err := seals[i].stamped(ctx, d.printer, page)
			p.scans[i] <- stampedForm{data, err}
		}
	}()
	p.stop = func() { cancel(); <-ended }
	return p, nil
}

// applications plays the applications that are on their way, one in each state.
func (d *demo) applications(ctx context.Context, h *installation, people officers, seals []*demoSeal, scans pressing, byKey *demoSeal) error {
	for i, s := range seals[:begun] {
		if err := d.step(s.archive.Name+"：盖印扫描、提交、接收 stamped, submitted, received", func() (string, error) {
			scan := <-scans.scans[i]
			if scan.err != nil {
				return "", scan.err
			}
			return "", errors.Join(s.attach(ctx, h, scan.data), s.submit(ctx, h), s.receive(ctx, h, people))
		}); err != nil {
			return err
		}
	}
	for _, next := range []struct {
		title string
		do    func() error
	}{
		{"印模存疑 doubtful imprints", func() error {
			_, err := h.desk.MakeTemplate(ctx, people.registrar, seals[askew].application.Ref(), registration.Order{Code: seals[askew].code, Reason: "演示"})
			return err
		}},
		{"停用，注销申请待审批 suspended, its end waits for the second person", func() error { return d.end(ctx, h, people, seals[stopped]) }},
		{"待接受 waits to be accepted", func() error { return d.carriedOut(ctx, h, people, seals[awaited]) }},
		{"有异议，证书撤销 objected to, certificate revoked", func() error { return d.object(ctx, h, people, seals[objected]) }},
		{"其余各状态的申请 applications in the other states", func() error { return d.others(ctx, h, people, seals, byKey) }},
	} {
		if err := d.step(next.title, func() (string, error) { return "", next.do() }); err != nil {
			return err
		}
	}
	return nil
}

// carriedOut makes template, certificate and seal of an application that was received.
func (d *demo) carriedOut(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	_, err := s.template(ctx, h, people)
	if err != nil {
		return err
	}
	return s.approve(ctx, h, people)
}

// end puts a seal into use, stops it, and applies for its end.
func (d *demo) end(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	if err := d.carriedOut(ctx, h, people, s); err != nil {
		return err
	}
	if err := s.accept(ctx, h); err != nil {
		return err
	}
	if err := h.register.Suspend(ctx, people.registrar, s.code, "单位撤并，停止用章"); err != nil {
		return err
	}
	last := *s
	last.business, last.dpi = form.Cancellation, demoPlainDPI
	if err := errors.Join(d.handIn(ctx, h, &last), last.receive(ctx, h, people)); err != nil {
		return err
	}
	_, err := h.enroll.Examine(ctx, people.registrar, last.application.Ref())
	return err
}

// handIn takes an application over paper and stamp to a submitted one, as apply does, in one step of the story.
func (d *demo) handIn(ctx context.Context, h *installation, s *demoSeal) error {
	page, err := s.print(ctx, h)
	if err != nil {
		return err
	}
	scan, err := s.stamped(ctx, d.printer, page)
	if err != nil {
		return err
	}
	return errors.Join(s.attach(ctx, h, scan), s.submit(ctx, h))
}

// object has a unit refuse what was made for it; the certificate is revoked by two.
func (d *demo) object(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	if err := d.carriedOut(ctx, h, people, s); err != nil {
		return err
	}
	handler, err := h.access.Actor(ctx, s.handler)
	if err != nil {
		return err
	}
	if _, err := h.enroll.Object(ctx, handler, s.application.Ref(), "印模用的是旧章，请按新章重新制作"); err != nil {
		return err
	}
	acts, err := h.business.Acts(ctx, s.application.ID)
	if err != nil {
		return err
	}
	for _, a := range acts {
		if a.Kind != "certificate" {
			continue
		}
		kind, subject, err := h.business.Authorities.Ask(ctx, a.Result, backend.ChangeRevoke, ca.ReasonSuperseded)
		if err != nil {
			return err
		}
		approval, err := people.agree(ctx, h.access, kind, subject)
		if err != nil {
			return err
		}
		if err := h.business.Authorities.CarryOut(ctx, a.Result, approval); err != nil {
			return err
		}
	}
	return nil
}

// others are the applications for further seals that no paper has come for.
func (d *demo) others(ctx context.Context, h *installation, people officers, seals []*demoSeal, byKey *demoSeal) error {
	by := func(s *demoSeal, name string, until enroll.State) error {
		if err := d.paperless(ctx, h, people, s, s.archive.City+"档案馆"+name, until); err != nil {
			return fmt.Errorf("%s: %w", until, err)
		}
		return nil
	}
	if len(byKey.keys) > 0 { // otherwise the application for the seal itself waits for USB Keys
		if err := d.locked(ctx, h, people, byKey); err != nil {
			return err
		}
	}
	return errors.Join(
		by(seals[begun], "查档专用章", enroll.StateDraft), by(seals[begun], "档案证明专用章", enroll.StateSubmitted), by(seals[askew], "查档专用章", enroll.StateReceived),
		by(seals[awaited], "合同专用章", enroll.StateReturned), by(seals[objected], "财务专用章", enroll.StateRejected), by(seals[stopped], "档案证明专用章", enroll.StateWithdrawn),
		by(byKey, "档案证明专用章", enroll.StateGathered))
}

// paperless takes an application for a further seal of an archive to a state for which no scan is needed.
func (d *demo) paperless(ctx context.Context, h *installation, people officers, of *demoSeal, name string, until enroll.State) error {
	handler, err := h.access.Actor(ctx, of.handler)
	if err != nil {
		return err
	}
	filled := of.filled(h.now())
	filled.SealType, filled.SealTypeOther, filled.Methods, filled.Seal.Name, filled.Seal.Size = form.SealOther, "业务专用章", []form.Method{form.Central}, fixtures.Province+name, form.Round(38)
	a, err := h.enroll.Create(ctx, handler, of.unit, filled)
	if err != nil || until == enroll.StateDraft || until == enroll.StateExpired {
		return err
	}
	if a, err = h.enroll.AcceptAgreement(ctx, handler, a.Ref(), demoVersion); err != nil {
		return err
	}
	if until == enroll.StateWithdrawn {
		_, err = h.enroll.Withdraw(ctx, handler, a.Ref(), "单位撤并，不再申请")
		return err
	}
	if a, err = h.enroll.Submit(ctx, handler, a.Ref()); err != nil {
		return err
	}
	switch until {
	case enroll.StateGathered:
		_, err = d.gatherAgain(ctx, h, of, a, "第三批")
	case enroll.StateReturned:
		_, err = h.enroll.Return(ctx, people.registrar, a.Ref(), []enroll.Remark{{Field: "seal.size", Reason: "与实物印章不符，请量取后重新填写"},
			{Field: "purpose", Reason: "请写明用于哪一类合同"}})
	case enroll.StateReceived, enroll.StateRejected:
		if a, err = h.enroll.Receive(ctx, people.registrar, a.Ref()); err == nil && until == enroll.StateRejected {
			_, err = h.enroll.Reject(ctx, people.registrar, a.Ref(), "财务专用章不在档案印章范围内")
		}
	}
	return err
}

// gatherAgain puts an application into a further batch of its city, which is not handed in yet.
func (d *demo) gatherAgain(ctx context.Context, h *installation, of *demoSeal, a enroll.Application, title string) (enroll.Batch, error) {
	city, err := h.access.Actor(ctx, demoCity)
	if err != nil {
		return enroll.Batch{}, err
	}
	b, err := h.enroll.OpenBatch(ctx, city, of.area, of.archive.City+title, h.now().AddDate(0, 1, 0))
	if err != nil {
		return b, err
	}
	_, err = h.enroll.Gather(ctx, city, a.Ref(), b.ID)
	return b, err
}

// locked is a Key whose PIN was forgotten: that it be unlocked is approved, and it has to be brought.
func (d *demo) locked(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	k := *s
	k.business, k.dpi = form.KeyUnlock, demoPlainDPI
	if err := d.handIn(ctx, h, &k); err != nil {
		return err
	}
	b, err := d.gatherAgain(ctx, h, s, k.application, "第二批")
	if err != nil {
		return err
	}
	city, err := h.access.Actor(ctx, demoCity)
	if err != nil {
		return err
	}
	p, err := h.enroll.Progress(ctx, city, b.ID)
	if err != nil {
		return err
	}
	if _, err := h.enroll.HandIn(ctx, city, p.Ref()); err != nil {
		return err
	}
	if k.application, err = h.enroll.Application(ctx, people.registrar, k.application.ID); err != nil {
		return err
	}
	return errors.Join(k.receive(ctx, h, people), k.approve(ctx, h, people))
}

// units records the archives of the seals, and who acts for each.
func (d *demo) units(ctx context.Context, h *installation, people officers, seals ...*demoSeal) error {
	areas, err := h.enroll.Areas(ctx)
	if err != nil {
		return err
	}
	for _, s := range seals {
		areas = append(areas, enroll.Area{Code: s.area, Name: s.archive.City})
	}
	if err := h.enroll.SetAreas(ctx, people.registrar, areas); err != nil {
		return err
	}
	for _, s := range seals {
		units, err := h.enroll.SetUnits(ctx, people.registrar, []enroll.Unit{{Name: s.archive.Name, CreditCode: s.archive.CreditCode, Area: s.area, Direct: s.direct, Expected: true, Telephone: s.archive.Phone}})
		if err != nil {
			return err
		}
		s.unit = units[0].ID
		if err := h.enroll.AssignUnit(ctx, people.registrar, s.handler, s.unit); err != nil {
			return err
		}
	}
	return nil
}
