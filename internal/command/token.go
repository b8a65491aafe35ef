package command

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"yinxin/hsm"
	"yinxin/internal/fault"
)

var (
	errNoModule = fault.Spec{Kind: fault.Invalid, Code: "token.no-module",
		ZH: "没有指定 PKCS#11 模块；加 --module，或设置 YINXIN_PKCS11_MODULE。", EN: "No PKCS#11 module is named: --module, or YINXIN_PKCS11_MODULE."}
	errNoProfile = fault.Spec{Kind: fault.Invalid, Code: "token.no-profile",
		ZH: "没有指定厂商配置；加 --profile，或设置 YINXIN_PKCS11_PROFILE。", EN: "No vendor profile is named: --profile, or YINXIN_PKCS11_PROFILE."}
	errWhichToken = fault.Spec{Kind: fault.Conflict, Code: "token.which",
		ZH: "不能确定是哪个密码设备；用 --token 给出标签、序列号或 slot:N。", EN: "It is not clear which token is meant: --token with a label, a serial number, or slot:N."}
	errTokenInitialised = fault.Spec{Kind: fault.Refused, Code: "token.initialised",
		ZH: "该密码设备已初始化；重新初始化会销毁其中的全部密钥、证书和印章。", EN: "The token is initialised; doing so again destroys all keys, certificates and seals on it."}
	errKeyOfCertificate = fault.Spec{Kind: fault.Refused, Code: "token.other-certificate",
		ZH: "密码设备中没有与该证书对应的密钥，未存入。", EN: "The token has no key of this certificate; it was not stored."}
	errKeyOfSeal = fault.Spec{Kind: fault.Refused, Code: "token.other-seal",
		ZH: "该印章的证书列表中没有密码设备中密钥的证书，未存入。", EN: "The seal lists no certificate of a key on the token; it was not stored."}
	errSealSignature = fault.Spec{Kind: fault.Refused, Code: "token.seal-signature",
		ZH: "印章的制章人签名不正确，未存入。", EN: "The signature of the seal's maker is wrong; the seal was not stored."}
	errNotOnToken = fault.Spec{Kind: fault.NotFound, Code: "token.not-there",
		ZH: "密码设备中没有这个对象。", EN: "There is no such thing on the token."}
)

type tokenCommand struct {
	List              tokenListCommand              `cmd:"" help:"List modules, slots and tokens: the state of their PINs, public keys, certificates, seals."`
	Show              tokenShowCommand              `cmd:"" help:"Show a token's keys, each with its certificate and seals and how long they are good."`
	Init              tokenInitCommand              `cmd:"" help:"Make a token new: label, SO PIN, user PIN."`
	Login             tokenLoginCommand             `cmd:"" help:"Try the user PIN, once, and have every key sign a test value."`
	PIN               tokenPINCommand               `cmd:"" name:"pin" help:"Change the user PIN, or the SO PIN."`
	Unlock            tokenUnlockCommand            `cmd:"" help:"Set a new user PIN by the SO PIN, and replace a released SO PIN."`
	Generate          tokenGenerateCommand          `cmd:"" help:"Make an SM2 key pair on the token, and the request for its certificate."`
	Request           tokenRequestCommand           `cmd:"" help:"Make a request for a certificate anew, of a key on the token."`
	ImportCertificate tokenImportCertificateCommand `cmd:"" name:"import-certificate" help:"Store a certificate on the token beside its key."`
	ImportSeal        tokenImportSealCommand        `cmd:"" name:"import-seal" help:"Store a seal on the token, if it is for a key there."`
	ExportCertificate tokenExportCertificateCommand `cmd:"" name:"export-certificate" help:"Write a certificate of the token to a file."`
	ExportSeal        tokenExportSealCommand        `cmd:"" name:"export-seal" help:"Write a seal of the token to a file."`
	Remove            tokenRemoveCommand            `cmd:"" help:"Take a key, its certificates, or a seal off the token. Without --yes nothing is changed."`
}

// moduleFlags name the module and how its tokens do SM2.
type moduleFlags struct {
	Profile  string `help:"Vendor profile: sansec, tass, koal, westone, mssince, luna, ep11, softtoken, standard, or a file of --profiles." placeholder:"NAME" env:"YINXIN_PKCS11_PROFILE"`
	Profiles string `help:"Folder with vendor profiles." placeholder:"DIR" env:"YINXIN_PKCS11_PROFILES"`
	JSON     bool   `name:"json" help:"Print as JSON."`
}

// profile finds the vendor profile; needed says that there must be one.
func (f moduleFlags) profile(needed bool) (hsm.Profile, error) {
	all, err := hsm.ReadProfiles(f.Profiles)
	switch {
	case err != nil:
		return hsm.Profile{}, err
	case f.Profile != "":
		return all.Named(f.Profile)
	case needed:
		return hsm.Profile{}, errNoProfile.With("%s", strings.Join(all.Names(), ", "))
	}
	return hsm.Profile{}, nil
}

// tokenFlags name one token.
type tokenFlags struct {
	moduleFlags
	Module string `help:"PKCS#11 module of the vendor." placeholder:"PATH" env:"YINXIN_PKCS11_MODULE"`
	Token  string `help:"Which token: its label, its serial number, or slot:N. Needed where there are several." placeholder:"LABEL|SERIAL|slot:N"`
}

// with does something with the module and prints an error as it was asked for.
func (f tokenFlags) with(s streams, do func(m *hsm.Module) error) error {
	return inForm(s, f.JSON, func() error {
		if f.Module == "" {
			return errNoModule.New()
		}
		m, err := hsm.Open(f.Module)
		if err != nil {
			return err
		}
		return errors.Join(do(m), m.Close())
	}())
}

// find gives the slot of the token that is meant. fresh says that a token which is not initialised may be meant, too.
func (f tokenFlags) find(m *hsm.Module, fresh bool) (hsm.Slot, error) {
	slots, err := m.Slots()
	if err != nil {
		return hsm.Slot{}, err
	}
	number, bySlot := strings.CutPrefix(f.Token, "slot:")
	var id uint64
	if bySlot {
		if id, err = strconv.ParseUint(number, 10, 32); err != nil {
			return hsm.Slot{}, errFlag.With("%q", f.Token).At(fault.Field("--token"))
		}
	}
	var found []hsm.Slot
	for _, slot := range slots {
		switch {
		case slot.Token == nil, !fresh && !bySlot && !slot.Token.Initialised:
		case f.Token == "", bySlot && uint64(slot.ID) == id, !bySlot && (slot.Token.Label == f.Token || slot.Token.Serial == f.Token):
			found = append(found, slot)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1 && f.Token == "":
		return hsm.Slot{}, errWhichToken.New()
	case len(found) > 1:
		return hsm.Slot{}, hsm.ErrTokenAmbiguous.With("%s", f.Token)
	}
	return hsm.Slot{}, hsm.ErrTokenNotFound.With("%s", f.Token)
}

// selection names the token in the slot, so that no other one can take its place.
func selection(slot hsm.Slot) hsm.Selection {
	id := slot.ID
	return hsm.Selection{Label: slot.Token.Label, Serial: slot.Token.Serial, Slot: &id}
}

// userFlags are those of a command for which the user logs in.
type userFlags struct {
	tokenFlags
	PINFile string `name:"pin-file" help:"File with the user PIN in its first line; - is standard input. Without it the PIN is asked for on the terminal, or is the next line of standard input." placeholder:"FILE"`
	Insist  bool   `help:"Try the PIN although few tries are left."`
}

// in does something with a token into which the user has logged in. The PIN reaches the token once.
func (f userFlags) in(ctx context.Context, s streams, do func(t *hsm.Token) error) error {
	return f.with(s, func(m *hsm.Module) error {
		profile, err := f.profile(true)
		if err != nil {
			return err
		}
		slot, err := f.find(m, false)
		if err != nil {
			return err
		}
		if err := mayTry(slot, f.Insist); err != nil {
			return err
		}
		pin, err := newPINs(s).ask(ctx, f.PINFile, askPIN)
		if err != nil {
			return err
		}
		defer clear(pin)
		token, err := hsm.Activate(ctx, m, hsm.Config{Token: selection(slot), Profile: profile, Clock: s.now, Sessions: 1, KeepAlive: -1})
		if err != nil {
			return err
		}
		if err = token.Login(ctx, pin, f.Insist); err == nil {
			err = do(token)
		}
		return errors.Join(err, token.Close())
	})
}

// mayTry refuses before a person types a PIN what hsm would refuse afterwards.
func mayTry(slot hsm.Slot, insist bool) error {
	switch t := slot.Token; {
	case t.PINLocked:
		return hsm.ErrPINLocked.New()
	case !t.PINSet:
		return hsm.ErrPINUnset.New()
	case (t.PINLow || t.PINFinalTry) && !insist:
		return hsm.ErrPINLow.New()
	}
	return nil
}

func mayTryOfficer(slot hsm.Slot, insist bool) error {
	switch t := slot.Token; {
	case !t.Initialised: // it has no SO PIN yet, whatever its flags say
	case t.SOPINLocked:
		return hsm.ErrSOPINLocked.New()
	case (t.SOPINLow || t.SOPINFinalTry) && !insist:
		return hsm.ErrSOPINLow.New()
	}
	return nil
}

// parseID reads the identifier of a key: CKA_ID in hexadecimal.
func parseID(text, flag string) ([]byte, error) {
	id, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(id) == 0 || len(id) > 255 {
		return nil, errFlag.With("%.40q", text).At(fault.Field(flag))
	}
	return id, nil
}

func idText(id []byte) string { return hex.EncodeToString(id) }
