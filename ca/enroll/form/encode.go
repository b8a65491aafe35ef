package form

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/number"
	"yinxin/internal/fault"
)

// MaxEncoded is the largest encoded application in bytes.
const MaxEncoded = 64 << 10

// publicType names the shape of Public; it changes when the shape does.
const publicType = "yinxin application 1"

// publicForm is the application as it is approved:
//
//	{"type":"yinxin application 1","application":{…},"personal":"sm3 of Personal.Encode, 64 hexadecimal digits"}
//
// The members of "application" are those of Application without "personal", all of them, in the order of their
// declaration, sets in the order of the form.
type publicForm struct {
	Type        string       `json:"type"`
	Application publicFields `json:"application"`
	Personal    string       `json:"personal"`
}

// publicFields are the fields of Application; the Personal of its own, always absent, hides the real one.
type publicFields struct {
	Application
	Personal *struct{} `json:"personal,omitempty"`
}

// Public is the application in one fixed form without its personal fields, of which it has a salted digest: the bytes
// that two people approve. They may be stored and shown.
func (a Application) Public() []byte {
	a = a.Tidied()
	digest := sm3.Sum(a.Personal.Encode())
	return encode(publicForm{publicType, publicFields{Application: a}, hex.EncodeToString(digest[:])})
}

// Salted is the personal fields with a new salt of 128 bits from random. Whoever stores an application calls it with every
// edit.
func (p Personal) Salted(random io.Reader) (Personal, error) {
	salt := make([]byte, 16)
	if _, err := io.ReadFull(random, salt); err != nil {
		return p, fmt.Errorf("salt for personal fields: %w", err)
	}
	p.Salt = hex.EncodeToString(salt)
	return p, nil
}

// Encode is the personal fields in one fixed form, for encrypted storage.
func (p Personal) Encode() []byte { return encode(p) }

func encode(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("form: strings and finite numbers can always be encoded: " + err.Error())
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// Join puts an application together from Public and Personal.Encode, and checks that they belong together and that the
// public bytes are those of the application. Error: form.not-the-application.
func Join(public, personal []byte) (Application, error) {
	var p publicForm
	if err := strict(public, &p); err != nil {
		return Application{}, errNotTheApplication.Because(err)
	}
	a := p.Application.Application
	if err := strict(personal, &a.Personal); err != nil {
		return Application{}, errNotTheApplication.New() // the cause could quote a personal field
	}
	if !bytes.Equal(a.Public(), public) {
		return Application{}, errNotTheApplication.New()
	}
	return a, nil
}

// Decode reads an application as JSON with the members of Application, as a request carries it: all strict (no unknown
// members, nothing behind the end), any of them absent, and gives it Tidied, with its numbers as number.Normal
// writes them and without a salt. Errors: form.bad-encoding, form.too-large,
// form.bad-text for a text that is too long or has characters that nobody can see.
func Decode(data []byte) (Application, error) {
	if len(data) > MaxEncoded {
		return Application{}, errTooLarge.With("%d > %d", len(data), MaxEncoded)
	}
	var a Application
	if err := strict(data, &a); err != nil {
		return Application{}, errBadEncoding.At(memberOf(err))
	}
	a = a.Tidied()
	a.Unit.CreditCode = number.Normal(a.Unit.CreditCode)
	a.Seal.Code = number.Normal(a.Seal.Code)
	p := &a.Personal
	p.HandlerIdentity, p.KeyHolderIdentity = number.Normal(p.HandlerIdentity), number.Normal(p.KeyHolderIdentity)
	p.HandlerMobile, p.Salt = number.NormalMobile(p.HandlerMobile), ""
	if err := a.checkTexts(); err != nil {
		return Application{}, err
	}
	return a, nil
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows")
	}
	return nil
}

// memberOf is where a decoder found a value of another type. Only the name of the member is told: the value may be
// personal.
func memberOf(err error) fault.Place {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fault.Field(wrong.Field)
	}
	if _, name, ok := strings.Cut(err.Error(), `unknown field "`); ok { // the decoder has no type for it
		if name = strings.TrimSuffix(name, `"`); len(name) <= 64 && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz_") == "" {
			return fault.Field(name) // a name, and nothing that could be of a person
		}
	}
	return fault.Place{}
}
