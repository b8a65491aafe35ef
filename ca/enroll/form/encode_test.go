package form

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"yinxin/internal/fault"
)

// sample is a complete application of a made-up archive.
func sample() Application {
	return Application{
		Number: "YX20261126-0007", SealType: SealOfficial, Businesses: []Business{New}, Scopes: []Scope{GovernmentNetwork, Internet},
		Methods: []Method{Central, Distributed},
		Unit: Unit{Name: "临江省云山市档案馆", Type: UnitInstitution, CreditCode: "122271004056958679", Phone: "0499-5773231",
			Address: "临江省云山市石渠巷76号"},
		Approver: "临江省档案局", Purpose: "档案查阅利用出证、民生档案异地出证",
		Handler:   Handler{Name: "许明哲", Email: "u375086@archive.example", Address: "临江省云山市石渠巷76号 云山市档案馆"},
		Agreement: Agreement{Accepted: true, Version: "2026-01", At: "2026-11-20T02:03:04Z", By: "act_1"},
		AppliedOn: "2026-11-20",
		Seal:      Seal{Name: "临江省云山市档案馆", Size: Round(42)},
		Personal:  Personal{HandlerIdentity: "227602196806238529", HandlerMobile: "15435375086", Salt: strings.Repeat("0123abcd", 4)},
	}
}

func TestTheEncodingIsFixedAndComesBack(t *testing.T) {
	a := sample()
	public, personal := a.Public(), a.Personal.Encode()
	back, err := Join(public, personal)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, a) {
		t.Errorf("came back as\n%+v\nnot\n%+v", back, a)
	}
	shuffled := a
	shuffled.Scopes = []Scope{Internet, GovernmentNetwork, Internet}
	shuffled.Unit.Name = " " + a.Unit.Name + "　"
	if !bytes.Equal(shuffled.Public(), public) {
		t.Error("order and outer blanks make a difference")
	}
	const golden = `{"type":"yinxin application 1","application":{"number":"YX20261126-0007","sealType":"official","sealTypeOther":"","businesses":["new"],"formerName":"","scopes":["government-network","internet"],"methods":["central","distributed"],"unit":{"name":"临江省云山市档案馆","type":"institution","typeOther":"","creditCode":"122271004056958679","phone":"0499-5773231","address":"临江省云山市石渠巷76号"},"approver":"临江省档案局","purpose":"档案查阅利用出证、民生档案异地出证","handler":{"name":"许明哲","email":"u375086@archive.example","address":"临江省云山市石渠巷76号 云山市档案馆"},"agreement":{"accepted":true,"version":"2026-01","at":"2026-11-20T02:03:04Z","by":"act_1"},"appliedOn":"2026-11-20","seal":{"name":"临江省云山市档案馆","size":{"diameter":42,"width":0,"height":0},"code":""},"key":{"holder":"","serial":""}},"personal":"`
	if !strings.HasPrefix(string(public), golden) {
		t.Errorf("the encoding changed; approvals that exist would no longer cover it:\n%s", public)
	}
	for _, secret := range []string{a.Personal.HandlerIdentity, a.Personal.HandlerMobile, a.Personal.Salt} {
		if bytes.Contains(public, []byte(secret)) {
			t.Errorf("the public form has %q", secret)
		}
	}
}

func TestEveryFieldIsCoveredByTheApproval(t *testing.T) {
	before := sample().Public()
	a := sample()
	for _, text := range a.texts() {
		old := *text.value
		*text.value = "7" + old
		if bytes.Equal(a.Public(), before) {
			t.Errorf("%s is not covered", text.member)
		}
		*text.value = old
	}
	for name, change := range map[string]func(*Application){
		"sealType": func(a *Application) { a.SealType = SealOther }, "businesses": func(a *Application) { a.Businesses = []Business{Cancellation} },
		"scopes": func(a *Application) { a.Scopes = a.Scopes[:1] }, "methods": func(a *Application) { a.Methods = a.Methods[:1] },
		"unit.type": func(a *Application) { a.Unit.Type = UnitOther }, "accepted": func(a *Application) { a.Agreement.Accepted = false },
		"size": func(a *Application) { a.Seal.Size = Size{Width: 42, Height: 42} },
	} {
		a := sample()
		change(&a)
		if bytes.Equal(a.Public(), before) {
			t.Errorf("%s is not covered", name)
		}
	}
}

// TestEveryTextIsListed keeps texts() complete: a field that is not listed would be neither limited nor tidied.
func TestEveryTextIsListed(t *testing.T) {
	a := sample()
	listed := map[string]bool{}
	for _, text := range a.texts() {
		listed[text.member] = true
	}
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			member := path + f.Tag.Get("json")
			switch {
			case f.Type.Kind() == reflect.Struct:
				walk(v.Field(i), member+".")
			case f.Type == reflect.TypeFor[string]() && !listed[member]:
				t.Errorf("%s is not listed", member)
			}
		}
	}
	walk(reflect.ValueOf(a), "")
}

func TestPartsThatDoNotBelongTogetherAreRefused(t *testing.T) {
	a := sample()
	other := a.Personal
	other.HandlerMobile = "13900139000"
	doubled := append(a.Public(), ' ', '1')
	for name, parts := range map[string][2][]byte{
		"another person":     {a.Public(), other.Encode()},
		"no salt":            {a.Public(), []byte(`{}`)},
		"not JSON":           {[]byte("x"), a.Personal.Encode()},
		"something behind":   {doubled, a.Personal.Encode()},
		"another spelling":   {bytes.Replace(a.Public(), []byte(`{"type"`), []byte(`{ "type"`), 1), a.Personal.Encode()},
		"blank inside":       {bytes.Replace(a.Public(), []byte(`["new"]`), []byte(`[ "new"]`), 1), a.Personal.Encode()},
		"personal inside":    {bytes.Replace(a.Public(), []byte(`{"number"`), []byte(`{"personal":{},"number"`), 1), a.Personal.Encode()},
		"personal not JSON":  {a.Public(), []byte(a.Personal.HandlerIdentity)},
		"another type named": {bytes.Replace(a.Public(), []byte("application 1"), []byte("application 2"), 1), a.Personal.Encode()},
	} {
		_, err := Join(parts[0], parts[1])
		if !fault.Has(err, errNotTheApplication) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), a.Personal.HandlerIdentity[:6]) {
			t.Errorf("%s: the error tells the identity number: %v", name, err)
		}
	}
}

func TestDecodingIsStrictAndTellsNothingPersonal(t *testing.T) {
	a := sample()
	good, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(good)
	if err != nil || back.Personal.Salt != "" {
		t.Errorf("%v; salt of the caller: %q", err, back.Personal.Salt)
	}
	if back.Personal, err = back.Personal.Salted(strings.NewReader(strings.Repeat("s", 16))); err != nil || len(back.Personal.Salt) != 32 {
		t.Errorf("salt %q, %v", back.Personal.Salt, err)
	}
	if _, err := back.Personal.Salted(strings.NewReader("short")); err == nil {
		t.Error("a salt without randomness")
	}
	back.Personal.Salt = a.Personal.Salt
	if !reflect.DeepEqual(back, a) {
		t.Errorf("came back as %+v", back)
	}
	if _, err := Decode([]byte(`{}`)); err != nil {
		t.Errorf("an empty draft: %v", err)
	}
	for name, c := range map[string]struct {
		text string
		want fault.Spec
	}{
		"unknown member":    {`{"colour":"red"}`, errBadEncoding},
		"wrong type":        {`{"personal":{"handlerIdentity":227602196806238529}}`, errBadEncoding},
		"two documents":     {`{}{}`, errBadEncoding},
		"nothing":           {``, errBadEncoding},
		"too large":         {`{"purpose":"` + strings.Repeat("x", MaxEncoded) + `"}`, errTooLarge},
		"too long":          {`{"unit":{"name":"` + strings.Repeat("馆", 101) + `"}}`, errBadText},
		"direction mark":    {`{"unit":{"name":"云岭\u202e馆"}}`, errBadText},
		"zero-width":        {`{"seal":{"name":"云岭\u200b馆"}}`, errBadText},
		"control character": {`{"purpose":"a\u0000"}`, errBadText},
		"personal too long": {`{"personal":{"handlerMobile":"` + strings.Repeat("138", 20) + `"}}`, errBadText},
	} {
		_, err := Decode([]byte(c.text))
		if !fault.Has(err, c.want) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "2276") || strings.Contains(err.Error(), "138138") {
			t.Errorf("%s: the error tells a personal value: %v", name, err)
		}
	}
	for text, told := range map[string]bool{`{"colour":"red"}`: true, `{"227602196806238529":"red"}`: false} {
		if _, err := Decode([]byte(text)); strings.Contains(err.Error(), "colour") != told || strings.Contains(err.Error(), "2276") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSizesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]Size{"42": Round(42), " 42 mm": Round(42), "38.5毫米": Round(38.5), "40×30": {Width: 40, Height: 30},
		"40mm x 30mm": {Width: 40, Height: 30}, "40*30": {Width: 40, Height: 30}} {
		got, ok := ParseSize(text)
		if !ok || got != want {
			t.Errorf("%q is %v %v", text, got, ok)
		}
		if again, ok := ParseSize(got.String()); !ok || again != got {
			t.Errorf("%v is written %q and read as %v", got, got.String(), again)
		}
	}
	for _, text := range []string{"", "x", "0", "4.2", "420", "42.55", "-42", "NaN", "4e1", "40×", "40×30×20", "1..2", "四十二"} {
		if s, ok := ParseSize(text); ok {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}

func TestTheWordsAreThoseOfTheForm(t *testing.T) {
	for _, v := range SealTypes() {
		if v.Label() == "" {
			t.Error(v)
		}
	}
	if got := KeyUnlock.Label(); got != "Key 解锁" {
		t.Error(got)
	}
	if len(Businesses()) != 6 || len(SealTypes()) != 7 || len(UnitTypes()) != 4 || len(Scopes()) != 2 || len(Methods()) != 2 || Business("x").Label() != "" {
		t.Error("choices are missing")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add(encode(sample()))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Decode(data)
		if err != nil {
			return
		}
		back, err := Join(a.Public(), a.Personal.Encode())
		if err != nil {
			t.Fatalf("%v: %s", err, a.Public())
		}
		if !bytes.Equal(back.Public(), a.Public()) {
			t.Fatal("the encoding does not come back")
		}
	})
}
