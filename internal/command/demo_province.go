package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"yinxin/ca/ceremony"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

const demoName = "临江省档案印章演示 (demo)"

// demoIterations keeps the demo quick; its passphrase lies beside its keys anyway.
const demoIterations = 10_000

// demoCity is who gathers the applications of the second archive's city.
const demoCity = "city"

// province tells the whole story once, through every room.
func (d *demo) province(ctx context.Context) error {
	central := &demoSeal{archive: fixtures.Archive("云山市"), code: "29010000000017", seed: 1, method: form.Central, handler: "handler", area: "227100", direct: true}
	byKey := &demoSeal{archive: fixtures.Archive("松河市"), code: "29020000000025", seed: 2, method: form.Distributed, handler: "handler-2", area: "227200", suffix: "-2"}
	if !d.bare {
		d.ago = demoPast
	}
	stop, err := d.startPrinter(ctx)
	if err != nil {
		return err
	}
	defer stop()
	h, people, err := d.found(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if err := d.keyCentre(ctx, h); err != nil {
		return err
	}
	if err := d.registry(ctx, h, people, central, byKey); err != nil {
		return err
	}
	if !d.bare {
		if err := d.lastYear(ctx, h, people); err != nil {
			return err
		}
	}
	if err := d.centralSeal(ctx, h, people, central); err != nil {
		return err
	}
	if err := d.keySeal(ctx, h, people, byKey); err != nil {
		return err
	}
	if err := d.sealCopy(ctx, h, central); err != nil {
		return err
	}
	if err := d.verifyBoth(ctx, h); err != nil {
		return err
	}
	if !d.bare {
		if err := d.fill(ctx, h, people, central, byKey); err != nil {
			return err
		}
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
			registration: registrationConfig{Regions: fixtures.Regions()}, // its people and bodies are of cities that do not exist
			confirmed:    [2]time.Time{d.now(), d.now()}, passphrase: passphrase, rootPassphrase: passphrase, iterations: demoIterations,
			passphraseFile: passphraseName, now: d.now}.found(ctx)
		if err != nil {
			return "", err
		}
		return trustName, d.users(ctx, h)
	})
	return h, people, err
}

// users adds the clerk for commands on this machine, one from another archive, those who apply, the city bureau, and the
// platform with its API key.
func (d *demo) users(ctx context.Context, h *installation) error {
	all := []access.Actor{
		{ID: "clerk", Name: "云山市档案馆 用印员", Organisation: fixtures.Archive("云山市").Name, Roles: []access.Role{access.RoleOperator}},
		{ID: "clerk-2", Name: "松河市档案馆 用印员", Organisation: fixtures.Archive("松河市").Name, Roles: []access.Role{access.RoleOperator}},
		{ID: "handler", Name: "云山市档案馆 经办人", Organisation: fixtures.Archive("云山市").Name, Roles: []access.Role{access.RoleApplicant}},
		{ID: "handler-2", Name: "松河市档案馆 经办人", Organisation: fixtures.Archive("松河市").Name, Roles: []access.Role{access.RoleApplicant}},
		{ID: demoCity, Name: "松河市档案局", Organisation: "松河市档案局", Roles: []access.Role{access.RoleCity}},
		{ID: "auditor", Name: "临江省档案局 审计人员", Organisation: "临江省档案局", Roles: []access.Role{access.RoleAuditor}},
		{ID: "platform", Name: "临江省档案信息资源共享平台", Organisation: "临江省档案局", Roles: []access.Role{access.RolePlatform}},
	}
	if !d.bare {
		for _, s := range append(demoArchives(), demoEarlier()) {
			all = append(all, access.Actor{ID: s.handler, Name: s.archive.City + "档案馆 经办人", Organisation: s.archive.Name, Roles: []access.Role{access.RoleApplicant}})
		}
	}
	for _, a := range all {
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
	if err := d.logins(ctx, h); err != nil {
		return err
	}
	h.config.Operator = "clerk"
	if err := h.config.write(ctx, d.making); err != nil {
		return err
	}
	return h.access.CloseFounding(ctx)
}

// centralSeal goes through registration up to a seal that the service keeps, and its users.
func (d *demo) centralSeal(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	if err := d.apply(ctx, h, s); err != nil {
		return err
	}
	if err := d.decide(ctx, h, people, s); err != nil {
		return err
	}
	return d.step("单位接受，印章启用；授权用印员 accepted, in use; clerk granted, "+s.code, func() (string, error) {
		if err := s.accept(ctx, h); err != nil {
			return "", err
		}
		g := register.Grant{SealCode: s.code, Actor: "clerk", From: h.now(), Until: h.now().AddDate(1, 0, 0)}
		approval, err := people.agree(ctx, h.access, access.KindGrant, g.Subject())
		if err != nil {
			return "", err
		}
		if _, err := h.register.Allow(ctx, approval, g); err != nil {
			return "", err
		}
		clerk, err := h.operator(ctx, "")
		if err != nil {
			return "", err
		}
		in, err := h.register.Authorise(ctx, clerk, s.code)
		if err != nil {
			return "", err
		}
		if err := writeBytes(ctx, filepath.Join(d.making, s.code+".crt"), 0o644, certificatePEM(in.Certificate)); err != nil {
			return "", err
		}
		name := s.code + sealSuffix
		return name, writeBytes(ctx, filepath.Join(d.making, name), 0o644, in.Seal)
	})
}

// keySeal goes through registration up to the USB Keys of its users.
func (d *demo) keySeal(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	if err := d.apply(ctx, h, s); err != nil {
		return err
	}
	if err := d.gather(ctx, h, s); err != nil {
		return err
	}
	if err := d.decide(ctx, h, people, s); err != nil {
		return err
	}
	if s.application.State != enroll.StateApproved {
		return errDemoFailed.With("%s: %s", s.application.Number, s.application.State)
	}
	return d.keys(ctx, h, people, s)
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
