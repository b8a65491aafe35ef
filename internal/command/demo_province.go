package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"yinxin/ca"
	"yinxin/ca/ceremony"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/imprint"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

const demoName = "临江省档案印章演示 (demo)"

// demoIterations keeps the demo quick; its passphrase lies beside its keys anyway.
const demoIterations = 10_000

// demoSeal is one archive's seal on its way from paper to the register.
type demoSeal struct {
	archive        fixtures.Organisation
	code           string
	form, template string // files
	scan           []byte
	result         *imprint.Result
	certificate    []byte
}

// province tells the whole story once, through every room.
func (d *demo) province(ctx context.Context) error {
	central := &demoSeal{archive: fixtures.Archive("云山市"), code: "29010000000017", form: demoForm, template: demoTemplate}
	byKey := &demoSeal{archive: fixtures.Archive("松河市"), code: "29020000000025", form: demoForm2, template: demoTemplate2}
	h, people, err := d.found(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	for i, s := range []*demoSeal{central, byKey} {
		if err := d.stampedForm(ctx, s, uint64(i+1)); err != nil {
			return err
		}
		if err := d.makeTemplate(ctx, s); err != nil {
			return err
		}
	}
	if err := d.certify(ctx, h, people, central); err != nil {
		return err
	}
	if err := d.makeSeals(ctx, h, people, central, byKey); err != nil {
		return err
	}
	if err := d.sealCopy(ctx, h, central); err != nil {
		return err
	}
	if err := d.verifyBoth(ctx, h); err != nil {
		return err
	}
	return d.step("日志 ledger: every step above, in a signed Merkle tree", func() (string, error) {
		_, err := h.ledger.Sequence(ctx)
		return databaseName, err
	})
}

// found makes keystore, database, CA and people.
func (d *demo) found(ctx context.Context) (h *installation, people officers, err error) {
	err = d.step("CA、密钥库、两名审核人员 CA hierarchy, keystore, two officers", func() (string, error) {
		passphrase, err := newPassphrase(ctx, d.making)
		if err != nil {
			return "", err
		}
		h, people, err = founding{dir: d.making, name: demoName, plan: ceremony.Default("临江省档案局", "http://"+d.listen), database: databaseName,
			confirmed: [2]time.Time{d.s.now(), d.s.now()}, passphrase: passphrase, rootPassphrase: passphrase, iterations: demoIterations,
			passphraseFile: passphraseName, now: d.s.now}.found(ctx)
		if err != nil {
			return "", err
		}
		return trustName, d.users(ctx, h)
	})
	return h, people, err
}

// users adds the clerk for commands on this machine, one from another archive, and the platform with its API key.
func (d *demo) users(ctx context.Context, h *installation) error {
	for _, a := range []access.Actor{
		{ID: "clerk", Name: "云山市档案馆 用印员", Organisation: "云山市档案馆", Roles: []access.Role{access.RoleOperator}},
		{ID: "clerk-2", Name: "松河市档案馆 用印员", Organisation: "松河市档案馆", Roles: []access.Role{access.RoleOperator}},
		{ID: "platform", Name: "临江省档案信息资源共享平台", Organisation: "临江省档案局", Roles: []access.Role{access.RolePlatform}},
	} {
		if _, err := h.access.CreateActor(ctx, a); err != nil {
			return err
		}
	}
	secret, err := h.access.CreateKey(ctx, "platform", "demo")
	if err != nil {
		return err
	}
	if err := writeBytes(ctx, filepath.Join(d.making, demoKey), 0o600, []byte(secret+"\n")); err != nil {
		return err
	}
	h.config.Operator = "clerk"
	if err := h.config.write(ctx, d.making); err != nil {
		return err
	}
	return h.access.CloseFounding(ctx)
}

func (d *demo) stampedForm(ctx context.Context, s *demoSeal, seed uint64) error {
	return d.step(s.archive.Name+"：盖好印模的申请表 stamped application form", func() (_ string, err error) {
		s.scan, _, err = fixtures.StampedForm(fixtures.FormOptions{Seed: seed, DPI: 300, Organisation: &s.archive, Quality: 92})
		if err != nil {
			return "", err
		}
		return s.form, writeBytes(ctx, filepath.Join(d.making, s.form), 0o644, s.scan)
	})
}

func (d *demo) makeTemplate(ctx context.Context, s *demoSeal) error {
	return d.step("印模 → 印章模板 imprints → template", func() (_ string, err error) {
		s.result, err = imprint.Process(ctx, s.scan, imprint.Options{Width: fixtures.OfficialSeal(s.archive.Name).Diameter})
		if err != nil {
			return "", err
		}
		if s.result.Verdict == imprint.StampAgain {
			return "", errDemoFailed.With("%s: %s", s.form, s.result.Verdict)
		}
		return s.template, writeBytes(ctx, filepath.Join(d.making, s.template), 0o644, s.result.Template)
	})
}

func (d *demo) certify(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	return d.step("双人审批，签发机构证书 SM2 certificate, approved by two", func() (string, error) {
		key, err := h.keys.Ring(keystore.PurposeSealing).Generate(ctx, "seal-"+s.code, keystore.PurposeSealing)
		if err != nil {
			return "", err
		}
		r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), Organisation: s.archive.Name, CreditCode: s.archive.CreditCode, SealCode: s.code}
		approval, err := people.agree(ctx, h.access, access.KindIssueCertificate, r.Subject())
		if err != nil {
			return "", err
		}
		c, err := h.authority.Issue(ctx, approval, r)
		if err != nil {
			return "", err
		}
		s.certificate = c.Raw
		name := s.code + ".crt"
		return name, writeBytes(ctx, filepath.Join(d.making, name), 0o644, certificatePEM(c.Raw))
	})
}

// makeSeals makes the central seal and allows its use; the other archive's seal is entered and waits for its USB Key.
func (d *demo) makeSeals(ctx context.Context, h *installation, people officers, central, byKey *demoSeal) error {
	if err := d.step("制章 electronic seal after GB/T 38540, "+central.code, func() (string, error) {
		o := central.order()
		o.Custody, o.KeyName, o.Certificate = register.Central, "seal-"+central.code, central.certificate
		approval, err := people.agree(ctx, h.access, access.KindMakeSeal, o.Subject())
		if err != nil {
			return "", err
		}
		in, err := h.register.Make(ctx, approval, o)
		if err != nil {
			return "", err
		}
		for _, actor := range []string{"clerk", "platform"} {
			g := register.Grant{SealCode: central.code, Actor: actor, From: h.now(), Until: h.now().AddDate(1, 0, 0)}
			approval, err := people.agree(ctx, h.access, access.KindGrant, g.Subject())
			if err != nil {
				return "", err
			}
			if _, err := h.register.Allow(ctx, approval, g); err != nil {
				return "", err
			}
		}
		name := central.code + ".esl"
		return name, writeBytes(ctx, filepath.Join(d.making, name), 0o644, in.Seal)
	}); err != nil {
		return err
	}
	return d.step("登记待配 USB Key 的印章 seal that waits for its USB Key, "+byKey.code, func() (string, error) {
		o := byKey.order()
		approval, err := people.agree(ctx, h.access, access.KindMakeSeal, o.Subject())
		if err != nil {
			return "", err
		}
		return "", h.register.Enter(ctx, approval, o)
	})
}

func (s *demoSeal) order() register.Order {
	return register.Order{Code: s.code, Name: s.archive.Name, Organisation: s.archive.Name, CreditCode: s.archive.CreditCode, Type: 1,
		Width: s.result.Width, Height: s.result.Height, Template: s.result.Template, Picture: s.result.Picture}
}

// sealCopy makes the copy of an archival file, seals it, and makes a tampered copy of the sealed one.
func (d *demo) sealCopy(ctx context.Context, h *installation, s *demoSeal) error {
	copyFile, sealedFile := filepath.Join(d.making, demoCopy), filepath.Join(d.making, demoSealed)
	var original []byte
	if err := d.step("档案复制件 three-page copy of an archival file", func() (_ string, err error) {
		if original, err = fixtures.ArchivalCopy(1, 3); err != nil {
			return "", err
		}
		return demoCopy, writeBytes(ctx, copyFile, 0o644, original)
	}); err != nil {
		return err
	}
	if err := d.step("加盖电子印章 sealed with SM2 and SM3", func() (string, error) {
		actor, err := h.operator(ctx, "")
		if err != nil {
			return "", err
		}
		in, err := os.Open(copyFile)
		if err != nil {
			return "", err
		}
		defer in.Close()
		document, err := h.sealer.Upload(ctx, actor, demoCopy, in)
		if err != nil {
			return "", err
		}
		sealed, err := h.sealer.Seal(ctx, actor, sealer.Order{Document: document.ID, Seal: s.code, Reason: "异地出证",
			Places: []sealer.Place{{Placement: pdf.Placement{Page: -1, From: pdf.BottomRight, X: fixtures.ArchivalSealRight, Y: fixtures.ArchivalSealBottom}}}})
		if err != nil {
			return "", err
		}
		return demoSealed, writeFile(ctx, sealedFile, 0o644, func(w io.Writer) error { return h.sealer.Copy(ctx, w, sealed.Document) })
	}); err != nil {
		return err
	}
	return d.step("篡改一个字节 one byte of it changed", func() (string, error) {
		return demoTampered, tamper(ctx, sealedFile, filepath.Join(d.making, demoTampered), int64(len(original)/2))
	})
}

// step runs one step of the story and prints what it made and how long it took.
func (d *demo) step(title string, do func() (artefact string, err error)) error {
	d.steps++
	start := time.Now()
	artefact, err := do()
	if err != nil {
		return err
	}
	if artefact != "" {
		artefact = filepath.Join(d.dir, artefact)
	}
	fmt.Fprintf(d.s.out, "%2d  %6d ms  %s%s  %s\n", d.steps, time.Since(start).Milliseconds(), title, padding(title, 62), artefact)
	return nil
}
