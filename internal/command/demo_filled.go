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

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer/issuance"
)

// demoIssued is a copy that was issued to another archive, to look up by the code on its last page.
const demoIssued = "copy-issued.pdf"

// fill makes the province one in which work goes on: applications in every state, seals suspended and revoked, a batch with a file that
// failed, and copies asked for, issued, handed over and withdrawn.
func (d *demo) fill(ctx context.Context, h *installation, people officers, central, byKey *demoSeal) error {
	batch, err := d.startBatch(ctx, h, central)
	if err != nil {
		return err
	}
	defer batch.stop()
	seals := demoArchives()
	scans, err := d.begin(ctx, h, people, seals)
	if err != nil {
		return err
	}
	defer scans.stop()
	errands := make(chan error, 1)
	go func() { errands <- d.issuances(ctx, h, central, byKey) }()
	err = d.applications(ctx, h, people, seals, scans, byKey)
	if failed := d.step("异地出证：待答复、超期、待盖章、已出具、已撤回…… copies for other archives, in every state", func() (string, error) { return demoIssued, <-errands }); err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return d.step("批量盖章，一份失败 a batch of which one file failed", func() (string, error) { return "", batch.wait(ctx) })
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
	{until: issuance.Composed, toOther: true, purpose: "办理退休手续", sought: "本人 1984 年集体企业转正表"},
}

// issuances plays the errands: the second archive asks the first, which has a seal that the service keeps.
func (d *demo) issuances(ctx context.Context, h *installation, central, byKey *demoSeal) error {
	asks, err := h.access.Actor(ctx, "clerk-2")
	if err != nil {
		return err
	}
	holds, err := h.access.Actor(ctx, "clerk")
	if err != nil {
		return err
	}
	for i, e := range errands {
		if e.until == issuance.Composed && len(byKey.keys) == 0 {
			continue // without a soft token nobody has a USB Key
		}
		if err := d.errand(ctx, h, uint64(i), e, asks, holds, central, byKey); err != nil {
			return fmt.Errorf("errand %d: %w", i+1, err)
		}
	}
	return nil
}

func (d *demo) errand(ctx context.Context, h *installation, seed uint64, e errand, asks, holds access.Actor, central, byKey *demoSeal) error {
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
	if e.until == issuance.Composed {
		holder, err := h.access.Actor(ctx, byKey.keys[0].actor)
		if err != nil {
			return err
		}
		if _, err = s.Issue(ctx, holder, c.ID, issuance.Order{Seal: byKey.code, ByKey: true}); !fault.Has(err, issuance.ErrWaiting) {
			return errDemoFailed.With("%s", c.Number).Because(err)
		}
		return nil
	}
	if _, err := s.Issue(ctx, holds, c.ID, issuance.Order{Seal: central.code}); err != nil || e.until == issuance.Issued {
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
