package command

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"path/filepath"
	"time"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/sealer/issuance"
	"yinxin/sealer/registration"
)

// demoOnTheWay are the cities whose archives' applications are on their way; handler-3 acts for the first, and so on.
var demoOnTheWay = []string{"青岚市", "柏溪市", "雁鸣市", "澄湖市", "北屏市"}

func demoHandler(i int) string { return fmt.Sprintf("handler-%d", i+3) }

// demoSuspended is the seal of the third archive, which is stopped.
const demoSuspended = "29030000000033"

// demoIssued is a copy that was issued to another archive, to look up by the code on its last page.
const demoIssued = "copy-issued.pdf"

// fill makes the province one in which work goes on: applications in many states, a suspended seal, and copies asked for,
// issued, handed over and withdrawn.
func (d *demo) fill(ctx context.Context, h *installation, people officers, central *demoSeal) error {
	if err := d.issuances(ctx, h, central); err != nil {
		return err
	}
	return d.applications(ctx, h, people)
}

// scanned is a page as a scanner gives it, at 150 dpi: lines of grey on nearly white.
func scanned(seed uint64) ([]byte, error) {
	rng := rand.New(rand.NewPCG(seed, 7))
	p := image.NewGray(image.Rect(0, 0, 1240, 1754))
	for i := range p.Pix {
		p.Pix[i] = uint8(244 + rng.IntN(8))
	}
	for line := range 24 {
		end := 900 + rng.IntN(180)
		for x := 140; x < end; x += 42 {
			for y := range 4 {
				for dx := range 30 {
					if rng.IntN(3) > 0 {
						p.SetGray(x+dx, 220+line*56+y*8+dx%5, color.Gray{uint8(50 + rng.IntN(40))})
					}
				}
			}
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, p, &jpeg.Options{Quality: 80})
	return b.Bytes(), err
}

// errand is one case of remote issuing, and how far it goes.
type errand struct {
	until           issuance.State
	days            int // ago that it was asked
	purpose, sought string
	scan            bool // its pages are scanned pictures
	toOther         bool // the archive without a central seal is asked
}

var errands = []errand{
	{until: issuance.Requested, purpose: "办理退休手续", sought: "本人 1988 年招工审批表"},
	{until: issuance.Requested, days: 12, purpose: "核定工龄", sought: "父亲 1976 年知青下乡登记表"},
	{until: issuance.Requested, toOther: true, purpose: "办理社会保险", sought: "本人 1992 年劳动合同鉴证书"},
	{until: issuance.Declined, days: 6, purpose: "办理房屋登记", sought: "1965 年房产普查登记卡"},
	{until: issuance.Cancelled, days: 3, purpose: "公证", sought: "祖父 1953 年婚姻登记"},
	{until: issuance.Found, days: 1, scan: true, purpose: "办理退休手续", sought: "本人 1985 年转正定级表"},
	{until: issuance.Issued, days: 1, purpose: "核定工龄", sought: "本人 1990 年工资套改审批表"},
	{until: issuance.Received, days: 2, scan: true, purpose: "办理公证", sought: "父母 1979 年结婚登记申请书"},
	{until: issuance.Delivered, days: 5, purpose: "落实政策", sought: "母亲 1980 年复工通知"},
	{until: issuance.Withdrawn, days: 9, purpose: "办理退休手续", sought: "本人 1987 年技校毕业生登记表"},
}

// issuances plays the errands: the second archive asks the first, which has a seal that the service keeps.
func (d *demo) issuances(ctx context.Context, h *installation, central *demoSeal) error {
	asks, err := h.access.Actor(ctx, "clerk-2")
	if err != nil {
		return err
	}
	holds, err := h.access.Actor(ctx, "clerk")
	if err != nil {
		return err
	}
	return d.step("异地出证：待答复、超期、已出具、已撤回…… copies for other archives, in every state", func() (string, error) {
		for i, e := range errands {
			if err := d.errand(ctx, h, uint64(i), e, asks, holds, central.code); err != nil {
				return "", fmt.Errorf("errand %d: %w", i+1, err)
			}
		}
		return demoIssued, nil
	})
}

func (d *demo) errand(ctx context.Context, h *installation, seed uint64, e errand, asks, holds access.Actor, seal string) error {
	// Asked some days ago: the clock of the request alone is set back.
	config := h.issuance.Config
	config.Clock = func() time.Time { return h.now().AddDate(0, 0, -e.days) }
	person := fixtures.MakePerson(rand.New(rand.NewPCG(seed, 3)))
	if e.toOther {
		asks, holds = holds, asks
	}
	c, _, err := issuance.New(config).Open(ctx, asks, issuance.Request{Holding: holds.Organisation,
		Applicant: issuance.Applicant{Name: person.Name, Identity: person.IdentityNumber, Purpose: e.purpose, Sought: e.sought}})
	if err != nil || e.until == issuance.Requested {
		return err
	}
	s := h.issuance
	switch e.until {
	case issuance.Cancelled:
		_, err = s.Cancel(ctx, asks, c.ID)
		return err
	case issuance.Declined:
		_, err = s.Answer(ctx, holds, c.ID, issuance.Answer{Result: issuance.Missing, Reason: "馆藏目录中没有这一年的登记卡"})
		return err
	}
	item := fmt.Sprintf("%04d", 11+seed)
	const pages = 2
	if _, err = s.Answer(ctx, holds, c.ID, issuance.Answer{Result: issuance.Held, Reference: issuance.Reference{Fonds: "J021", File: "0137", Item: item, Pages: pages, Number: "J021-0137-" + item}}); err != nil {
		return err
	}
	if e.scan {
		for i := range uint64(pages) {
			page, err := scanned(seed*10 + i)
			if err != nil {
				return err
			}
			if _, err := s.AddPages(ctx, holds, c.ID, "scan.jpg", page); err != nil {
				return err
			}
		}
	} else {
		file, err := fixtures.ArchivalCopy(seed, pages)
		if err != nil {
			return err
		}
		if _, err := s.AddPages(ctx, holds, c.ID, "copy.pdf", file); err != nil {
			return err
		}
	}
	if e.until == issuance.Found {
		return nil
	}
	if _, err := s.Issue(ctx, holds, c.ID, issuance.Order{Seal: seal}); err != nil || e.until == issuance.Issued {
		return err
	}
	if e.until == issuance.Withdrawn {
		_, err := s.Withdraw(ctx, holds, c.ID, "复制件缺第二页背面")
		return err
	}
	if _, err := s.ReceiveHere(ctx, asks, c.ID); err != nil || e.until == issuance.Received {
		return err
	}
	file, err := s.Document(ctx, asks, c.ID)
	if err != nil {
		return err
	}
	if err := writeFile(ctx, filepath.Join(d.making, demoIssued), 0o644, func(w io.Writer) error { return h.sealer.Copy(ctx, w, file) }); err != nil {
		return err
	}
	_, err = s.Deliver(ctx, asks, c.ID, issuance.Delivery{Manner: issuance.Printed, IdentityChecked: true})
	return err
}

// applications adds archives whose applications are on their way: one in use and stopped, one with a doubtful imprint,
// two drafts, one withdrawn.
func (d *demo) applications(ctx context.Context, h *installation, people officers) error {
	var seals []*demoSeal
	for i, city := range demoOnTheWay {
		seals = append(seals, &demoSeal{archive: fixtures.Archive(city), code: fmt.Sprintf("290%d0000000000", i+4), seed: uint64(i + 3), method: form.Central, handler: demoHandler(i),
			area: fmt.Sprintf("227%d00", i+3), direct: true, suffix: fmt.Sprintf("-%d", i+3)})
	}
	seals[0].code = demoSuspended
	seals[1].askew = 18
	if err := d.units(ctx, h, people, seals...); err != nil {
		return err
	}
	if err := d.apply(ctx, h, seals[0]); err != nil {
		return err
	}
	if err := d.decide(ctx, h, people, seals[0]); err != nil {
		return err
	}
	handler, err := h.access.Actor(ctx, seals[0].handler)
	if err != nil {
		return err
	}
	if err := d.step("接受后停用 accepted, then suspended, "+demoSuspended, func() (string, error) {
		if _, err := h.enroll.Accept(ctx, handler, seals[0].application.Ref()); err != nil {
			return "", err
		}
		return "", h.register.Suspend(ctx, people.registrar, demoSuspended, "单位更名，暂停用章")
	}); err != nil {
		return err
	}
	if err := d.apply(ctx, h, seals[1]); err != nil {
		return err
	}
	return d.step("印模存疑、草稿、已撤回 a doubtful imprint, drafts, withdrawn", func() (string, error) {
		if err := seals[1].receive(ctx, h, people); err != nil {
			return "", err
		}
		if _, err := h.desk.MakeTemplate(ctx, people.registrar, seals[1].application.Ref(), registration.Order{Code: seals[1].code, Reason: "演示"}); err != nil {
			return "", err
		}
		return "", d.drafts(ctx, h, seals[2:])
	})
}

// drafts are an application just begun, one that was agreed to, and one that was withdrawn.
func (d *demo) drafts(ctx context.Context, h *installation, seals []*demoSeal) error {
	for i, s := range seals {
		handler, err := h.access.Actor(ctx, s.handler)
		if err != nil {
			return err
		}
		a, err := h.enroll.Create(ctx, handler, s.unit, s.filled(h.now()))
		if err == nil && i > 0 {
			a, err = h.enroll.AcceptAgreement(ctx, handler, a.Ref(), demoVersion)
		}
		if err == nil && i == 2 {
			_, err = h.enroll.Withdraw(ctx, handler, a.Ref(), "单位撤并，不再申请")
		}
		if err != nil {
			return err
		}
	}
	return nil
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
		units, err := h.enroll.SetUnits(ctx, people.registrar, []enroll.Unit{{Name: s.archive.Name, CreditCode: s.archive.CreditCode, Area: s.area, Direct: s.direct, Expected: true}})
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
