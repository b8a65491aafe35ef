package command

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/ca/escrow"
	"yinxin/fixtures"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/truetype"
	"yinxin/sealer/imprint"
	"yinxin/sealer/registration"
)

// demoSeal is one archive's seal on its way from paper to the register.
type demoSeal struct {
	archive     fixtures.Organisation
	code        string
	seed        uint64
	method      form.Method
	handler     string        // actor
	area        string        // code
	direct      bool          // hands in to the province itself
	unit        string        // its identifier
	suffix      string        // of the names of its files
	business    form.Business // empty: a new seal
	keys        []demoUSBKey  // of its users, where there is a soft token
	dpi         int           // of its scans; 0: 300
	askew       float64       // degrees by which the imprints are turned more than usual
	application enroll.Application
}

func (s *demoSeal) file(stem, ending string) string { return stem + s.suffix + ending }

// demoVersion is the version of the demo's service agreement.
const demoVersion = "2026-01"

const demoAgreement = "《CA数字证书电子认证服务协议》（演示）\n\n本协议为演示文本，不具有任何效力。 This text is part of a demonstration and has no effect.\n"

// startPrinter starts what puts pages on paper, which takes seconds the first time, while other things are done. Should it
// fail, so will the printing, and say why.
func (d *demo) startPrinter(ctx context.Context) (stop func(), err error) {
	font, err := truetype.Find()
	if err != nil {
		return nil, err
	}
	if d.printer, err = newViewer(d.making, []string{font}, 1, false); err != nil {
		return nil, err
	}
	warm := make(chan struct{})
	d.warm = warm
	go func() {
		defer close(warm)
		_ = d.printer.Warm(ctx)
	}()
	return func() { <-warm; d.printer.Close() }, nil
}

// keyCentre makes the recovery key and hands out its shares, as yinxin escrow init does.
func (d *demo) keyCentre(ctx context.Context, h *installation) error {
	return d.step("密钥管理中心，恢复密钥 3 份取 2 key centre, shares 2 of 3", func() (string, error) {
		handouts, err := h.escrow.Establish(ctx, [2]string{"registrar", "approver"}, escrow.Division{Threshold: 2, Officers: []string{"registrar", "approver", "administrator"}})
		if err != nil {
			return "", err
		}
		return demoShares, handOver(ctx, h, "registrar", filepath.Join(d.making, demoShares), handouts)
	})
}

// registry records areas, units, who acts for them, and the service agreement.
func (d *demo) registry(ctx context.Context, h *installation, people officers, seals ...*demoSeal) error {
	return d.step("登记单位、经办人、服务协议 units, handlers, service agreement", func() (string, error) {
		var areas []enroll.Area
		for _, s := range seals {
			areas = append(areas, enroll.Area{Code: s.area, Name: s.archive.City})
		}
		if err := h.enroll.SetAreas(ctx, people.registrar, areas); err != nil {
			return "", err
		}
		for _, s := range seals {
			units, err := h.enroll.SetUnits(ctx, people.registrar, []enroll.Unit{{Name: s.archive.Name, CreditCode: s.archive.CreditCode, Area: s.area,
				Direct: s.direct, Expected: true, Telephone: s.archive.Phone}})
			if err != nil {
				return "", err
			}
			s.unit = units[0].ID
			if err := h.enroll.AssignUnit(ctx, people.registrar, s.handler, s.unit); err != nil {
				return "", err
			}
			if !s.direct {
				if err := h.enroll.AssignArea(ctx, people.registrar, demoCity, s.area); err != nil {
					return "", err
				}
			}
		}
		_, err := h.enroll.PublishAgreement(ctx, people.registrar, demoVersion, demoAgreement)
		return "", err
	})
}

// doing is what the seal's archive applies for.
func (s *demoSeal) doing() form.Business { return cmp.Or(s.business, form.New) }

// filled is the archive's application.
func (s *demoSeal) filled(today time.Time) form.Application {
	o, person := s.archive, fixtures.MakePerson(rand.New(rand.NewPCG(s.seed, 1)))
	business, code := s.doing(), ""
	if business != form.New {
		code = s.code
	}
	a := form.Application{SealType: form.SealOfficial, Businesses: []form.Business{business}, Scopes: []form.Scope{form.GovernmentNetwork},
		Methods: []form.Method{s.method}, Unit: form.Unit{Name: o.Name, Type: form.UnitInstitution, CreditCode: o.CreditCode, Phone: o.Phone, Address: o.Address},
		Approver: o.Approver, Purpose: "出具档案证明，异地查档出证", Handler: form.Handler{Name: person.Name, Email: person.Email, Address: o.Address},
		AppliedOn: civil.Day(today), Seal: form.Seal{Name: o.Name, Size: form.Round(fixtures.OfficialSeal(o.Name).Diameter), Code: code},
		Personal: form.Personal{HandlerIdentity: person.IdentityNumber, HandlerMobile: person.Mobile}}
	if a.ConcernsKey() {
		holder := s.users()[0]
		a.Key, a.Personal.KeyHolderIdentity = form.Key{Holder: holder.Name, Serial: s.keys[0].serial}, holder.IdentityNumber
	}
	return a
}

// apply takes an application from the handler's screen over paper and stamp back to a submitted one.
func (d *demo) apply(ctx context.Context, h *installation, s *demoSeal) error {
	var printed, scan []byte
	if err := d.step(s.archive.Name+"：填报并打印申请表 form filled in, printed", func() (_ string, err error) {
		printed, err = s.print(ctx, h)
		name := s.file("form", ".pdf")
		return name, errors.Join(err, writeBytes(ctx, filepath.Join(d.making, name), 0o600, printed))
	}); err != nil {
		return err
	}
	if err := d.step("盖好印模并扫描 stamped with the real seal, scanned", func() (_ string, err error) {
		<-d.warm
		scan, err = s.stamped(ctx, d.printer, printed)
		name := s.file("form", ".jpg")
		return name, errors.Join(err, writeBytes(ctx, filepath.Join(d.making, name), 0o600, scan))
	}); err != nil {
		return err
	}
	if err := d.step("扫描件按二维码归入申请 the scan finds its application by its code", func() (string, error) { return "", s.attach(ctx, h, scan) }); err != nil {
		return err
	}
	if s.method == form.Distributed {
		if err := d.roster(ctx, h, s); err != nil {
			return err
		}
	}
	return d.step("提交申请 submitted", func() (string, error) { return "", s.submit(ctx, h) })
}

// users are those of the seal, where each has a USB Key.
func (s *demoSeal) users() []fixtures.Person {
	rng := rand.New(rand.NewPCG(s.seed, 2))
	return []fixtures.Person{fixtures.MakePerson(rng), fixtures.MakePerson(rng)}
}

// roster shows a workbook with a wrong row going back, and the corrected one coming in.
func (d *demo) roster(ctx context.Context, h *installation, s *demoSeal) error {
	handler, err := h.access.Actor(ctx, s.handler)
	if err != nil {
		return err
	}
	var rows []fixtures.RosterRow
	for _, person := range s.users() {
		rows = append(rows, fixtures.RosterRow{Person: person, Unit: s.archive.Name, Seal: s.archive.Name})
	}
	right := rows[1].IdentityNumber
	rows[1].IdentityNumber = wrongCheck(right)
	// take imports a workbook that lies in the folder too.
	take := func(name string) (io.WriterTo, error) {
		workbook, err := fixtures.Roster(h.now().In(civil.China), rows...)
		if err != nil {
			return nil, err
		}
		if err := writeBytes(ctx, filepath.Join(d.making, name), 0o600, workbook); err != nil {
			return nil, err
		}
		a, read, err := h.enroll.ImportRoster(ctx, handler, s.application.Ref(), workbook)
		if err == nil {
			s.application = a
		}
		var returned bytes.Buffer
		if read != nil && err != nil {
			if failed := read.Return(&returned); failed != nil {
				return nil, failed
			}
		}
		return &returned, err
	}
	if err := d.step("使用人汇总表：一行有误，退回 roster with one wrong row goes back", func() (string, error) {
		returned, err := take(demoRosterWrong)
		if !fault.Has(err, enroll.ErrRoster) {
			return "", errDemoFailed.With("%s", demoRosterWrong).Because(err)
		}
		return demoReturned, writeFile(ctx, filepath.Join(d.making, demoReturned), 0o600, func(w io.Writer) error {
			_, err := returned.WriteTo(w)
			return err
		})
	}); err != nil {
		return err
	}
	rows[1].IdentityNumber = right
	return d.step("更正后的汇总表 corrected roster", func() (string, error) {
		_, err := take(demoRoster)
		return demoRoster, err
	})
}

// wrongCheck is an identity number with another check character.
func wrongCheck(identity string) string {
	last := identity[len(identity)-1]
	other := "0"
	if last == '0' {
		other = "1"
	}
	return strings.TrimSuffix(identity, string(last)) + other
}

// gather is the city bureau's part: a batch, handed in.
func (d *demo) gather(ctx context.Context, h *installation, s *demoSeal) error {
	return d.step("市级汇总并报送 gathered and handed in by the city bureau", func() (string, error) {
		city, err := h.access.Actor(ctx, demoCity)
		if err != nil {
			return "", err
		}
		b, err := h.enroll.OpenBatch(ctx, city, s.area, s.archive.City+"第一批", h.now().AddDate(0, 1, 0))
		if err != nil {
			return "", err
		}
		if s.application, err = h.enroll.Gather(ctx, city, s.application.Ref(), b.ID); err != nil {
			return "", err
		}
		p, err := h.enroll.Progress(ctx, city, b.ID)
		if err != nil {
			return "", err
		}
		if err := writeFile(ctx, filepath.Join(d.making, demoBatch), 0o644, p.Export); err != nil {
			return "", err
		}
		_, err = h.enroll.HandIn(ctx, city, p.Ref())
		return demoBatch, err
	})
}

// decide is the province's part, up to what the approval makes at once.
func (d *demo) decide(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	if err := d.step("省级接收，核对原件和印泥 received, original and wet ink checked", func() (string, error) { return "", s.receive(ctx, h, people) }); err != nil {
		return err
	}
	if err := d.step("印模 → 印章模板 imprints → template", func() (string, error) {
		template, err := s.template(ctx, h, people)
		if err != nil {
			return "", err
		}
		name := s.file("template", ".png")
		return name, writeBytes(ctx, filepath.Join(d.making, name), 0o644, template)
	}); err != nil {
		return err
	}
	return d.step("审核、另一人审批，即行办理 examined, approved by another, carried out", func() (string, error) { return "", s.approve(ctx, h, people) })
}

// template makes and keeps the template of the seal from the imprints of its form.
func (s *demoSeal) template(ctx context.Context, h *installation, people officers) ([]byte, error) {
	made, err := h.desk.MakeTemplate(ctx, people.registrar, s.application.Ref(), registration.Order{Code: s.code, Reason: "演示"})
	if err != nil {
		return nil, err
	}
	if !made.Stored || made.Verdict == imprint.StampAgain {
		return nil, errDemoFailed.With("%s: %s", s.application.Number, made.Verdict)
	}
	return made.Template, nil
}

// approve is the word of two officers, and what it makes at once.
func (s *demoSeal) approve(ctx context.Context, h *installation, people officers) (err error) {
	if s.application, err = h.enroll.Examine(ctx, people.registrar, s.application.Ref()); err != nil {
		return err
	}
	if s.application, err = h.enroll.Approve(ctx, people.approver, s.application.Ref()); err != nil {
		return err
	}
	if err := h.business.CarryOut(ctx, people.registrar, s.application.ID); err != nil {
		return err
	}
	s.application, err = h.enroll.Application(ctx, people.registrar, s.application.ID)
	return err
}

// receive takes the paper in and lets what is doubtful pass, with a reason.
func (s *demoSeal) receive(ctx context.Context, h *installation, people officers) (err error) {
	by := people.registrar
	if s.application, err = h.enroll.Receive(ctx, by, s.application.Ref()); err != nil {
		return err
	}
	if s.application, err = h.enroll.ReceiveOriginal(ctx, by, s.application.Ref(), civil.Day(h.now()), fmt.Sprintf("机要%d-%04d", h.now().In(civil.China).Year(), s.seed)); err != nil {
		return err
	}
	f, imprinted := s.application.Form, ""
	if f.NeedsImprint() {
		imprinted = f.Seal.Name
	}
	s.application, err = h.enroll.ConfirmInk(ctx, by, s.application.Ref(), form.Reading{StampedUnit: f.Unit.Name, ImprintText: imprinted, Measured: f.Seal.Size, Centre: form.Star})
	if err != nil {
		return err
	}
	findings, err := h.enroll.Findings(ctx, by, s.application.ID)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if f.Severity == form.Error {
			return errDemoFailed.With("%s: %s", s.application.Number, f.Key())
		}
		if s.application, err = h.enroll.Confirm(ctx, by, s.application.Ref(), f.Key(), "已与申请单位核实"); err != nil {
			return err
		}
	}
	return nil
}
