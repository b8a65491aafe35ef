package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/api/agent"
	"yinxin/ca/enroll"
	"yinxin/hsm"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// The soft token is a PKCS#11 module of this project, for demonstrations: its tokens are folders.
const (
	softTokenName           = "libyinxin-softtoken.so"  // beside the program, as make builds it
	softTokenModuleVariable = "YINXIN_SOFTTOKEN_MODULE" // or where this says
	softTokenVariable       = "YINXIN_SOFTTOKEN"        // the folder of the tokens, for the module
	softTokenProfile        = "softtoken"
)

// The demo's tokens, in its folder.
const (
	demoTokens    = "usb-keys"
	demoTokenPINs = "usb-key-pins"
)

// softTokenModule finds the soft token's module; empty where there is none.
func softTokenModule() string {
	if path := os.Getenv(softTokenModuleVariable); path != "" {
		return path
	}
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	path := filepath.Join(filepath.Dir(self), softTokenName)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// demoUSBKey is a USB Key of the demo: a soft token and whose it is.
type demoUSBKey struct {
	actor, name, pin, serial string
}

// keys gives each user of the second seal a soft token with key, certificate and seal, and puts the seal into use. Without the
// module the seal waits for real USB Keys.
func (d *demo) keys(ctx context.Context, h *installation, people officers, s *demoSeal) error {
	path := softTokenModule()
	if path == "" {
		return d.keysWait(s, "没有软件密码模块 there is no soft token: make softtoken")
	}
	folder := filepath.Join(d.making, demoTokens)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	users, err := h.keyUsers(ctx, s.application.ID)
	if err != nil {
		return err
	}
	settings := fmt.Sprintf("# The tokens of the demo. The numbers of the standard: profile %s.\nvendor = standard\nslots = %d\n", softTokenProfile, len(users))
	if err := writeBytes(ctx, filepath.Join(folder, "softtoken.conf"), 0o600, []byte(settings)); err != nil {
		return err
	}
	module, err := openSoftToken(path, folder)
	if err != nil {
		return errors.Join(d.keysWait(s, "软件密码模块不能使用 the soft token cannot be used"+fault.Reason(err)), os.RemoveAll(folder))
	}
	err = d.issueKeys(ctx, h, people, s, module, users)
	return errors.Join(err, module.Close())
}

// openSoftToken loads the module over a folder. It looks for it in the environment of the process, once.
func openSoftToken(path, folder string) (*hsm.Module, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	before, was := os.LookupEnv(softTokenVariable)
	if err := os.Setenv(softTokenVariable, absolute); err != nil {
		return nil, err
	}
	module, err := hsm.Open(path)
	if was {
		return module, errors.Join(err, os.Setenv(softTokenVariable, before))
	}
	return module, errors.Join(err, os.Unsetenv(softTokenVariable))
}

func (d *demo) keysWait(s *demoSeal, why string) error {
	_, err := fmt.Fprintf(d.s.out, "      %s：等待使用人的 USB Key waits for the USB Keys of its users: yinxin enroll issue-key %s\n      %s\n", s.code, s.application.Number, why)
	return err
}

// keyUsers are those for whom an application makes USB Keys.
func (h *installation) keyUsers(ctx context.Context, application string) (users []demoUSBKey, err error) {
	acts, err := h.business.Acts(ctx, application)
	if err != nil {
		return nil, err
	}
	for _, a := range acts {
		if a.Kind == "certificate" && a.Profile == "personal" {
			users = append(users, demoUSBKey{actor: a.Actor, name: a.Name})
		}
	}
	return users, nil
}

// showMadeKeys is showKeys for a demo that was made before.
func (d *demo) showMadeKeys() {
	list, err := os.ReadFile(filepath.Join(d.dir, demoTokenPINs))
	if err == nil {
		d.showKeys(string(list), softTokenModule())
	}
}

func (d *demo) issueKeys(ctx context.Context, h *installation, people officers, s *demoSeal, module *hsm.Module, users []demoUSBKey) error {
	for i := range users {
		user := &users[i]
		err := d.step("USB Key（软件）：生成密钥、签发证书、存入印章 soft token: key, certificate, seal", func() (string, error) {
			if err := user.initialise(ctx, h, people.registrar, module, uint(i)); err != nil {
				return "", err
			}
			return filepath.Join(demoTokens, fmt.Sprint(i)), user.issue(ctx, h, people.registrar, s.application, module)
		})
		if err != nil {
			return err
		}
	}
	err := d.step("单位接受，印章启用 accepted, in use, "+s.code, func() (_ string, err error) {
		if s.application, err = h.enroll.Application(ctx, people.registrar, s.application.ID); err != nil {
			return "", err
		}
		return "", s.accept(ctx, h)
	})
	if err != nil {
		return err
	}
	s.keys = users
	if err := d.keyLogins(ctx, h, people, users); err != nil {
		return err
	}
	var list strings.Builder
	for _, user := range users {
		line := fmt.Sprintf("%s  %s  序列号 serial %s  PIN %s\n", user.name, user.actor, user.serial, user.pin)
		list.WriteString(line)
	}
	if err := writeBytes(ctx, filepath.Join(d.making, demoTokenPINs), 0o600, []byte(list.String())); err != nil {
		return err
	}
	d.showKeys(list.String(), module.Info().Path)
	return nil
}

// showKeys prints whose the tokens are, and their PINs: nothing in the demo is a secret.
func (d *demo) showKeys(list, module string) {
	for line := range strings.Lines(list) {
		fmt.Fprint(d.s.out, "      USB Key：", line)
	}
	fmt.Fprintf(d.s.out, "      使用 to use them: %s=%s yinxin token list --module %s --profile %s\n", softTokenVariable, filepath.Join(d.dir, demoTokens), module, softTokenProfile)
}

// initialise makes the token and takes it into custody: its SO PIN is known to the service alone.
func (u *demoUSBKey) initialise(ctx context.Context, h *installation, registrar access.Actor, module *hsm.Module, slot uint) error {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return err
	}
	u.pin = fmt.Sprintf("%06d", n)
	first := rand.Text()[:16]
	where := hsm.Selection{Slot: &slot}
	if err := module.Initialise(ctx, where, hsm.NewToken{Label: fmt.Sprintf("demo %d", slot+1), Officer: []byte(first), User: []byte(u.pin)}, false); err != nil {
		return err
	}
	made, err := atSlot(module, slot)
	if err != nil {
		return err
	}
	u.serial = made.Token.Serial
	custody, err := h.business.RegisterToken(ctx, registrar, u.serial, u.actor)
	if err != nil {
		return err
	}
	return module.ChangeOfficerPIN(ctx, where, []byte(first), []byte(custody.Now), false)
}

// issue makes key and request on the token, has the registration make certificate and seal, and stores both there.
func (u *demoUSBKey) issue(ctx context.Context, h *installation, registrar access.Actor, a enroll.Application, module *hsm.Module) error {
	profiles, err := hsm.ReadProfiles("")
	if err != nil {
		return err
	}
	profile, err := profiles.Named(softTokenProfile)
	if err != nil {
		return err
	}
	token, err := hsm.Activate(ctx, module, hsm.Config{Token: hsm.Selection{Serial: u.serial}, Profile: profile, Clock: h.now, Sessions: 1, KeepAlive: -1})
	if err != nil {
		return err
	}
	return errors.Join(u.fill(ctx, h, registrar, a, token), token.Close())
}

func (u *demoUSBKey) fill(ctx context.Context, h *installation, registrar access.Actor, a enroll.Application, token *hsm.Token) error {
	if err := token.Login(ctx, []byte(u.pin), false); err != nil {
		return err
	}
	key, err := token.Generate(ctx, hsm.NewKey{Algorithm: hsm.SM2, ID: []byte{1}, Label: "sign"})
	if err != nil {
		return err
	}
	request, err := key.Request(ctx, &smx509.CertificateRequest{})
	if err != nil {
		return err
	}
	issued, err := h.business.IssueKey(ctx, registrar, a.ID, u.actor, request)
	if err != nil {
		return err
	}
	if err := token.StoreCertificate(ctx, hsm.Certificate{ID: key.Info().ID, Label: key.Info().Label, DER: issued.Signing.Raw}); err != nil {
		return err
	}
	for _, id := range issued.Seals {
		in, err := h.register.Instance(ctx, id)
		if err != nil {
			return err
		}
		if err := token.StoreData(ctx, hsm.Data{Application: agent.Application, Label: agent.SealPrefix + in.SealCode, Value: in.Seal}, false); err != nil {
			return err
		}
	}
	return nil
}
