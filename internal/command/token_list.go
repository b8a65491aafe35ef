package command

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/api/agent"
	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/hsm"
	"yinxin/sealer/ses"
)

// moduleJSON is a module as token list --json prints it.
type moduleJSON struct {
	Path         string     `json:"path"`
	Manufacturer string     `json:"manufacturer"`
	Description  string     `json:"description"`
	Version      string     `json:"version"`
	Cryptoki     string     `json:"cryptoki"`
	Slots        []slotJSON `json:"slots"`
}

type slotJSON struct {
	Slot         uint                   `json:"slot"`
	Description  string                 `json:"description"`
	Removable    bool                   `json:"removable"`
	Token        *tokenJSON             `json:"token,omitempty"`
	Keys         []tokenKeyJSON         `json:"keys,omitempty"`
	Certificates []tokenCertificateJSON `json:"certificates,omitempty"`
	Seals        []tokenSealJSON        `json:"seals,omitempty"`
	Error        string                 `json:"error,omitempty"` // code: why the objects are not known
}

// tokenJSON is a token; the states of PINs are unset, ok, low, final-try, locked.
type tokenJSON struct {
	Label        string `json:"label"`
	Serial       string `json:"serial"`
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	Initialised  bool   `json:"initialised"`
	UserPIN      string `json:"user_pin"`
	SOPIN        string `json:"so_pin"`
}

type tokenKeyJSON struct {
	ID        string `json:"id"`
	Label     string `json:"label"`
	Algorithm string `json:"algorithm,omitempty"` // empty: not told, or of a type that the profile does not know
}

type tokenCertificateJSON struct {
	ID        string    `json:"id"`
	Label     string    `json:"label"`
	Serial    string    `json:"serial,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	Valid     string    `json:"valid,omitempty"` // now, not-yet, ended
	Error     string    `json:"error,omitempty"`

	parsed *chain.Certificate
	public *ecdsa.PublicKey
}

type tokenSealJSON struct {
	Code       string    `json:"code"`
	Name       string    `json:"name,omitempty"`
	Width      int       `json:"width_mm,omitempty"`
	Height     int       `json:"height_mm,omitempty"`
	ValidFrom  time.Time `json:"valid_from,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Valid      string    `json:"valid,omitempty"`
	Listed     []string  `json:"certificates,omitempty"` // serial numbers of the certificates on this token that it lists
	Error      string    `json:"error,omitempty"`
}

func tokenKeyOf(k hsm.KeyInfo) tokenKeyJSON {
	return tokenKeyJSON{ID: idText(k.ID), Label: visible(k.Label), Algorithm: string(k.Algorithm)}
}

func slotOf(slot hsm.Slot) slotJSON {
	j := slotJSON{Slot: slot.ID, Description: visible(slot.Description), Removable: slot.Removable}
	if t := slot.Token; t != nil {
		j.Token = &tokenJSON{Label: visible(t.Label), Serial: visible(t.Serial), Manufacturer: visible(t.Manufacturer), Model: visible(t.Model), Initialised: t.Initialised,
			UserPIN: pinState(t.PINSet, t.PINLow, t.PINFinalTry, t.PINLocked), SOPIN: pinState(t.Initialised, t.SOPINLow, t.SOPINFinalTry, t.SOPINLocked)}
	}
	return j
}

func pinState(set, low, final, locked bool) string {
	switch {
	case !set:
		return "unset"
	case locked:
		return "locked"
	case final:
		return "final-try"
	case low:
		return "low"
	}
	return "ok"
}

// validity says where a time stands to a span.
func validity(from, until, now time.Time) string {
	switch {
	case now.Before(from):
		return "not-yet"
	case now.After(until):
		return "ended"
	}
	return "now"
}

// look fills in what the token shows without a PIN.
func (j *slotJSON) look(m *hsm.Module, slot hsm.Slot, p hsm.Profile, now time.Time) error {
	contents, err := m.Look(selection(slot), p)
	if err != nil {
		return err
	}
	for _, k := range contents.Keys {
		j.Keys = append(j.Keys, tokenKeyOf(k))
	}
	for _, c := range contents.Certificates {
		j.Certificates = append(j.Certificates, tokenCertificateOf(c, now))
	}
	for _, d := range contents.Data {
		if code, ok := strings.CutPrefix(d.Label, agent.SealPrefix); ok && d.Application == agent.Application {
			j.Seals = append(j.Seals, tokenSealOf(code, d.Value, j.Certificates, now))
		}
	}
	return nil
}

func tokenCertificateOf(c hsm.Certificate, now time.Time) tokenCertificateJSON {
	j := tokenCertificateJSON{ID: idText(c.ID), Label: visible(c.Label)}
	parsed, err := chain.ParseCertificate(c.DER)
	if err != nil {
		j.Error = explain(err).Code
		return j
	}
	j.parsed = parsed
	j.public, _ = parsed.PublicKey.(*ecdsa.PublicKey)
	j.Serial, j.Subject = ca.SerialText(parsed.Serial), parsed.Subject.String()
	j.NotBefore, j.NotAfter = parsed.NotBefore, parsed.NotAfter
	j.Valid = validity(parsed.NotBefore, parsed.NotAfter, now)
	return j
}

func tokenSealOf(code string, der []byte, certificates []tokenCertificateJSON, now time.Time) tokenSealJSON {
	j := tokenSealJSON{Code: visible(code)}
	seal, err := ses.ParseSeal(der)
	if err != nil {
		j.Error = explain(err).Code
		return j
	}
	j.Name, j.Width, j.Height = visible(seal.Name), seal.Picture.Width, seal.Picture.Height
	j.ValidFrom, j.ValidUntil, j.Valid = seal.ValidStart, seal.ValidEnd, validity(seal.ValidStart, seal.ValidEnd, now)
	for _, c := range certificates {
		if c.parsed != nil && seal.Lists(c.parsed.Raw) {
			j.Listed = append(j.Listed, c.Serial)
		}
	}
	return j
}

type tokenListCommand struct {
	moduleFlags
	Module []string `help:"PKCS#11 module of a vendor; may be repeated." placeholder:"PATH" env:"YINXIN_PKCS11_MODULE" sep:"none"`
}

// Help is printed by --help.
func (tokenListCommand) Help() string {
	return "What tokens show without a PIN: private keys are seen by their public keys. The profile tells the keys of a vendor's own type."
}

func (c tokenListCommand) Run(s streams) error { return inForm(s, c.JSON, c.list(s)) }

func (c tokenListCommand) list(s streams) error {
	if len(c.Module) == 0 {
		return errNoModule.New()
	}
	profile, err := c.profile(false)
	if err != nil {
		return err
	}
	all := []moduleJSON{}
	for _, path := range c.Module {
		one, err := listModule(path, profile, s.now())
		if err != nil {
			return err
		}
		if all = append(all, one); !c.JSON {
			if err := one.print(s); err != nil {
				return err
			}
		}
	}
	if c.JSON {
		return printJSON(s, all)
	}
	return nil
}

func listModule(path string, p hsm.Profile, now time.Time) (j moduleJSON, err error) {
	m, err := hsm.Open(path)
	if err != nil {
		return j, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	info := m.Info()
	j = moduleJSON{Path: info.Path, Manufacturer: visible(info.Manufacturer), Description: visible(info.Description), Version: info.Version, Cryptoki: info.Cryptoki, Slots: []slotJSON{}}
	slots, err := m.Slots()
	if err != nil {
		return j, err
	}
	for _, slot := range slots {
		one := slotOf(slot)
		if slot.Token != nil && slot.Token.Initialised {
			if err := one.look(m, slot, p, now); err != nil { // one token that fails hides no other
				one.Error = explain(err).Code
			}
		}
		j.Slots = append(j.Slots, one)
	}
	return j, nil
}

var pinWords = map[string]string{"unset": "未设置 unset", "ok": "正常 ok", "low": "剩余次数不多 few tries left", "final-try": "只剩一次 one try left", "locked": "已锁定 locked"}

func (j moduleJSON) print(s streams) error {
	fmt.Fprintf(s.out, "%s  %s %s %s  PKCS#11 %s\n", j.Path, j.Manufacturer, j.Description, j.Version, j.Cryptoki)
	for _, slot := range j.Slots {
		if err := slot.print(s); err != nil {
			return err
		}
	}
	return nil
}

func (j slotJSON) print(s streams) error {
	switch {
	case j.Token == nil:
		_, err := fmt.Fprintf(s.out, "  slot:%d  空 empty  %s\n", j.Slot, j.Description)
		return err
	case !j.Token.Initialised:
		_, err := fmt.Fprintf(s.out, "  slot:%d  未初始化 not initialised  %s\n", j.Slot, j.Description)
		return err
	}
	fmt.Fprintf(s.out, "  slot:%d  %s  %s  %s %s  PIN %s  SO PIN %s\n", j.Slot, j.Token.Label, j.Token.Serial, j.Token.Manufacturer, j.Token.Model,
		pinWords[j.Token.UserPIN], pinWords[j.Token.SOPIN])
	w := newTable(s.out)
	for _, k := range j.Keys {
		w.row("    密钥 key", k.ID, k.Label, k.Algorithm)
	}
	for _, c := range j.Certificates {
		w.row(append([]string{"    证书 certificate", c.ID}, c.words()...)...)
	}
	for _, seal := range j.Seals {
		w.row(append([]string{"    印章 seal", seal.Code}, seal.words()...)...)
	}
	if j.Error != "" {
		w.row("    ✘ " + j.Error)
	}
	return w.flush()
}

var validWords = map[string]string{"now": "✔ 有效 good", "not-yet": "✘ 未到生效时间 not yet good", "ended": "✘ 已过期 ended"}

func (c tokenCertificateJSON) words() []string {
	if c.Error != "" {
		return []string{c.Label, "✘ " + c.Error}
	}
	return []string{c.Serial, c.Subject, span(c.NotBefore, c.NotAfter), validWords[c.Valid]}
}

func (j tokenSealJSON) words() []string {
	if j.Error != "" {
		return []string{"✘ " + j.Error}
	}
	list := []string{j.Name, strconv.Itoa(j.Width) + "×" + strconv.Itoa(j.Height) + " mm", span(j.ValidFrom, j.ValidUntil), validWords[j.Valid]}
	if len(j.Listed) == 0 {
		list = append(list, "✘ 没有对应的证书 no certificate of it here")
	}
	return list
}

func span(from, until time.Time) string {
	return from.UTC().Format(time.DateOnly) + " … " + until.UTC().Format(time.DateOnly)
}

type tokenShowCommand struct{ tokenFlags }

// Help is printed by --help.
func (tokenShowCommand) Help() string {
	return "What the token shows without a PIN. The profile tells the keys of a vendor's own type."
}

// shownKeyJSON is a key with what belongs to it.
type shownKeyJSON struct {
	tokenKeyJSON
	Certificates []tokenCertificateJSON `json:"certificates"`
	Seals        []tokenSealJSON        `json:"seals"`
}

// shownJSON is what token show --json prints. Other are certificates and seals that belong to no key of the token.
type shownJSON struct {
	slotJSON
	Keys              []shownKeyJSON         `json:"keys"`
	OtherCertificates []tokenCertificateJSON `json:"other_certificates,omitempty"`
	OtherSeals        []tokenSealJSON        `json:"other_seals,omitempty"`
}

func (c tokenShowCommand) Run(_ context.Context, s streams) error {
	return c.with(s, func(m *hsm.Module) error {
		profile, err := c.profile(false)
		if err != nil {
			return err
		}
		slot, err := c.find(m, false)
		if err != nil {
			return err
		}
		j := slotOf(slot)
		if err := j.look(m, slot, profile, s.now()); err != nil {
			return err
		}
		shown := shownOf(j)
		if c.JSON {
			return printJSON(s, shown)
		}
		return shown.print(s)
	})
}

// shownOf puts certificates to keys by CKA_ID, and seals to the certificates that they list.
func shownOf(j slotJSON) shownJSON {
	shown := shownJSON{Keys: []shownKeyJSON{}}
	serials := map[string]bool{}
	for _, k := range j.Keys {
		one := shownKeyJSON{tokenKeyJSON: k, Certificates: []tokenCertificateJSON{}, Seals: []tokenSealJSON{}}
		own := map[string]bool{}
		for _, c := range j.Certificates {
			if c.ID == k.ID {
				one.Certificates = append(one.Certificates, c)
				own[c.Serial], serials[c.Serial] = true, true
			}
		}
		for _, seal := range j.Seals {
			if slices.ContainsFunc(seal.Listed, func(serial string) bool { return own[serial] }) {
				one.Seals = append(one.Seals, seal)
			}
		}
		shown.Keys = append(shown.Keys, one)
	}
	for _, c := range j.Certificates {
		if !serials[c.Serial] {
			shown.OtherCertificates = append(shown.OtherCertificates, c)
		}
	}
	for _, seal := range j.Seals {
		if !slices.ContainsFunc(seal.Listed, func(serial string) bool { return serials[serial] }) {
			shown.OtherSeals = append(shown.OtherSeals, seal)
		}
	}
	j.Keys, j.Certificates, j.Seals = nil, nil, nil
	shown.slotJSON = j
	return shown
}

func (j shownJSON) print(s streams) error {
	if err := j.slotJSON.print(s); err != nil {
		return err
	}
	w := newTable(s.out)
	for _, k := range j.Keys {
		w.row("    密钥 key", k.ID, k.Label, k.Algorithm)
		for _, c := range k.Certificates {
			w.row(append([]string{"      证书 certificate"}, c.words()...)...)
		}
		for _, seal := range k.Seals {
			w.row(append([]string{"      印章 seal", seal.Code}, seal.words()...)...)
		}
	}
	for _, c := range j.OtherCertificates {
		w.row(append([]string{"    其他证书 another certificate", c.ID}, c.words()...)...)
	}
	for _, seal := range j.OtherSeals {
		w.row(append([]string{"    其他印章 another seal", seal.Code}, seal.words()...)...)
	}
	return w.flush()
}
