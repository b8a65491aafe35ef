package csr

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"
	tjfoc "github.com/tjfoc/gmsm/x509"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/fault"
	"yinxin/internal/oid"
	"yinxin/internal/tooltest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// device signs as a USB Key does.
type device struct{ *sm2.PrivateKey }

func (d device) Public() *ecdsa.PublicKey { return &d.PublicKey }

func (d device) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return sm2.SignASN1(rand.Reader, d.PrivateKey, e[:], nil)
}

func newDevice(t testing.TB) device {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	must(t, err)
	return device{key}
}

// subject is C=CN, O, CN.
func subject(t testing.TB) []byte {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, a := range []struct {
			id  []int
			tag der.Tag
			s   string
		}{{oid.Country, der.PrintableString, "CN"}, {oid.Organisation, der.UTF8String, "某某市档案馆"}, {oid.CommonName, der.UTF8String, "22000012345678"}} {
			b.AddASN1(der.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(a.id)
					b.AddASN1(a.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.s)) })
				})
			})
		}
	})
	name, err := b.Bytes()
	must(t, err)
	return name
}

// draft is a request whose parts a test changes before it is signed.
type draft struct {
	key                            device
	version                        int64
	subject                        []byte
	keyAlgorithm, keyBits          []byte
	attributes                     []byte // with tag and length; nil leaves the field out
	signatureAlgorithm, afterwards []byte
	digest                         func(info []byte) [32]byte // nil: with the default ID
	value                          func(signature []byte) []byte
}

func sequence(parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(parts, nil)) })
	return b.BytesOrPanic()
}

func identifier(id []int) []byte {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(id)
	return b.BytesOrPanic()
}

func newDraft(t testing.TB) *draft {
	key := newDevice(t)
	return &draft{key: key, subject: subject(t), keyAlgorithm: sequence(identifier(oid.PublicKeyEC), identifier(oid.CurveSM2)),
		keyBits: encodePoint(key.Public()), attributes: []byte{0xa0, 0}, signatureAlgorithm: sequence(identifier(oid.SM2WithSM3))}
}

func (d *draft) sign(t testing.TB) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(d.version)
		b.AddBytes(d.subject)
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(d.keyAlgorithm)
			b.AddASN1BitString(d.keyBits)
		})
		b.AddBytes(d.attributes)
	})
	info := b.BytesOrPanic()
	var e [32]byte
	if d.digest != nil {
		e = d.digest(info)
	} else {
		sum, err := sm2.CalculateSM2Hash(d.key.Public(), info, nil)
		must(t, err)
		e = [32]byte(sum)
	}
	value, err := d.key.SignDigest(t.Context(), e)
	must(t, err)
	if d.value != nil {
		value = d.value(value)
	}
	var signature cryptobyte.Builder
	signature.AddASN1BitString(value)
	return append(sequence(info, d.signatureAlgorithm, signature.BytesOrPanic()), d.afterwards...)
}

func TestARequestThatWeWroteIsReadBack(t *testing.T) {
	key := newDevice(t)
	password := sequence() // stands for any value
	request, err := Create(t.Context(), key, Template{Subject: subject(t),
		Attributes: []Attribute{{ID: []int{1, 2, 840, 113549, 1, 9, 7}, Values: [][]byte{password}}},
		Extensions: []Extension{{ID: oid.KeyUsage, Critical: true, Value: []byte{3, 2, 6, 0xc0}}}})
	must(t, err)
	for name, data := range map[string][]byte{
		"DER": request, "PEM": PEM(request), "base64 alone": []byte(base64.StdEncoding.EncodeToString(request)),
		"PEM with words before": append([]byte("Certificate Request:\r\n    Data\r\n"), bytes.ReplaceAll(PEM(request), []byte("\n"), []byte("\r\n"))...),
		"the old frame":         bytes.ReplaceAll(PEM(request), []byte(" CERT"), []byte(" NEW CERT")),
	} {
		r, err := Parse(data, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !r.Public.Equal(key.Public()) || r.Subject.CommonName != "22000012345678" || r.Subject.Organisation != "某某市档案馆" || !bytes.Equal(r.Raw, request) {
			t.Errorf("%s: %+v", name, r)
		}
		if len(r.Extensions) != 1 || !r.Extensions[0].ID.Equal(oid.KeyUsage) || !r.Extensions[0].Critical || len(r.Attributes) != 2 || len(r.Notes) != 0 {
			t.Errorf("%s: %+v %+v %v", name, r.Extensions, r.Attributes, r.Notes)
		}
	}
}

func TestOthersReadAndVerifyWhatWeWrite(t *testing.T) {
	key := newDevice(t)
	request, err := Create(t.Context(), key, Template{Subject: subject(t), Extensions: []Extension{{ID: oid.KeyUsage, Critical: true, Value: []byte{3, 2, 6, 0xc0}}}})
	must(t, err)
	t.Run("gmsm", func(t *testing.T) {
		r, err := smx509.ParseCertificateRequest(request)
		must(t, err)
		must(t, r.CheckSignature())
		if r.Subject.CommonName != "22000012345678" || len(r.Extensions) != 1 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("tjfoc", func(t *testing.T) {
		r, err := tjfoc.ParseCertificateRequest(request)
		must(t, err)
		must(t, r.CheckSignature())
	})
	t.Run("openssl", func(t *testing.T) {
		file := tooltest.File(t, "request.pem", PEM(request))
		out := tooltest.Run(t, "openssl", "req", "-in", file, "-noout", "-verify", "-text", "-vfyopt", "distid:1234567812345678", "-nameopt", "utf8")
		for _, want := range []string{"verify OK", "22000012345678", "SM2-with-SM3", "X509v3 Key Usage: critical"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
	})
}

func TestWhatOpenSSLWritesIsRead(t *testing.T) {
	key := tooltest.File(t, "key.pem", nil)
	tooltest.Run(t, "openssl", "ecparam", "-genkey", "-name", "SM2", "-noout", "-out", key)
	make := func(more ...string) []byte {
		out := tooltest.Run(t, "openssl", append([]string{"req", "-new", "-utf8", "-sm3", "-key", key, "-subj", "/C=CN/O=某某市档案馆/CN=王五"}, more...)...)
		return []byte(out)
	}
	r, err := Parse(make("-sigopt", "distid:1234567812345678", "-addext", "keyUsage=digitalSignature"), Options{})
	must(t, err)
	if r.Subject.CommonName != "王五" || len(r.Extensions) != 1 || len(r.Notes) != 0 {
		t.Errorf("%+v", r)
	}
	without := make()
	_, err = Parse(without, Options{})
	wantCode(t, "without an ID", err, ErrOtherID)
	if r, err := Parse(without, Options{AcceptIDs: []string{""}}); err != nil || len(r.Notes) != 1 {
		t.Errorf("the empty ID is allowed: %v %v", r, err)
	}
	_, err = Parse(make("-sigopt", "distid:someone"), Options{})
	wantCode(t, "with another ID", err, ErrSignature)
	if r, err := Parse(make("-sigopt", "distid:someone"), Options{AcceptIDs: []string{"someone"}}); err != nil || len(r.Notes) != 1 {
		t.Errorf("the ID is allowed: %v %v", r, err)
	}
}

// TestARequestOfADualKeyDeviceIsRead: gmsm writes the form of CFCA, with a second key for the delivery of the encryption
// key and a password.
func TestARequestOfADualKeyDeviceIsRead(t *testing.T) {
	key, second := newDevice(t), newDevice(t)
	request, err := smx509.CreateCFCACertificateRequest(rand.Reader, &smx509.CertificateRequest{RawSubject: subject(t), SignatureAlgorithm: smx509.SM2WithSM3},
		key.PrivateKey, second.Public(), "111111")
	must(t, err)
	r, err := Parse(request, Options{})
	must(t, err)
	if len(r.Attributes) != 2 || !r.Public.Equal(key.Public()) {
		t.Errorf("%+v", r)
	}
}

func TestSloppyRequestsAreReadAndNoted(t *testing.T) {
	zeroes := func(value []byte) []byte { // r and s as 64 bare octets
		s := cryptobyte.String(value)
		var inner cryptobyte.String
		a, b := new(big.Int), new(big.Int)
		if !s.ReadASN1(&inner, der.SEQUENCE) || !inner.ReadASN1Integer(a) || !inner.ReadASN1Integer(b) {
			t.Fatal("signature")
		}
		out := make([]byte, 64)
		a.FillBytes(out[:32])
		b.FillBytes(out[32:])
		return out
	}
	for name, change := range map[string]func(d *draft){
		"NULL behind the algorithm":      func(d *draft) { d.signatureAlgorithm = sequence(identifier(oid.SM2WithSM3), []byte{5, 0}) },
		"the curve behind the algorithm": func(d *draft) { d.signatureAlgorithm = sequence(identifier(oid.SM2WithSM3), identifier(oid.CurveSM2)) },
		"the other algorithm":            func(d *draft) { d.signatureAlgorithm = sequence(identifier(oid.SM2Sign)) },
		"the curve as key algorithm":     func(d *draft) { d.keyAlgorithm = sequence(identifier(oid.CurveSM2)) },
		"no octet 04":                    func(d *draft) { d.keyBits = d.keyBits[1:] },
		"a compressed point": func(d *draft) {
			d.keyBits = append([]byte{2 + d.keyBits[64]&1}, d.keyBits[1:33]...)
		},
		"no attributes":     func(d *draft) { d.attributes = nil },
		"version 1":         func(d *draft) { d.version = 1 },
		"a bare signature":  func(d *draft) { d.value = zeroes },
		"a name with bytes": func(d *draft) { d.subject = bytes.Replace(d.subject, []byte{12, 18}, []byte{19, 18}, 1) },
	} {
		d := newDraft(t)
		change(d)
		r, err := Parse(d.sign(t), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(r.Notes) != 1 || !r.Public.Equal(d.key.Public()) {
			t.Errorf("%s: notes %v", name, r.Notes)
		}
	}
	d := newDraft(t)
	d.subject = sequence()
	if r, err := Parse(d.sign(t), Options{}); err != nil || r.Subject.String() != "" || len(r.Notes) != 0 {
		t.Errorf("an empty subject: %v %v", r, err)
	}
}

func wantCode(t testing.TB, what string, err error, spec fault.Spec) {
	t.Helper()
	if !fault.Has(err, spec) {
		t.Errorf("%s: %v, want %s", what, err, spec.Code)
	}
}

func TestRequestsThatMustNotBecomeCertificatesAreRefused(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	ofGo := func(key any) []byte {
		request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
		must(t, err)
		return request
	}
	changed := func(change func(d *draft)) []byte {
		d := newDraft(t)
		change(d)
		return d.sign(t)
	}
	known := func(text string) []byte {
		return changed(func(d *draft) {
			octets, err := hex.DecodeString(text)
			must(t, err)
			key, err := sm2.NewPrivateKey(octets)
			must(t, err)
			d.key, d.keyBits = device{key}, encodePoint(&key.PublicKey)
		})
	}
	one := strings.Repeat("0", 63) + "1"
	order := new(big.Int).Sub(sm2.P256().Params().N, big.NewInt(2)).Text(16) // n-2, whose point is the negative of 2G
	good := newDraft(t).sign(t)
	extensions := sequence(identifier(oid.ExtensionRequest), []byte{0x31, 2, 0x30, 1})
	for name, c := range map[string]struct {
		data []byte
		want fault.Spec
	}{
		"nothing":                         {nil, ErrFormat},
		"words":                           {[]byte("hello"), ErrFormat},
		"a PEM of something else":         {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: good}), ErrFormat},
		"a cut request":                   {good[:len(good)-1], ErrFormat},
		"data after the end":              {append(bytes.Clone(good), 0), ErrTrailing},
		"data after the end inside PEM":   {PEM(append(bytes.Clone(good), 0)), ErrTrailing},
		"a second PEM":                    {append(PEM(good), PEM(good)...), ErrTrailing},
		"a request of 32 kB and a byte":   {append(PEM(good), bytes.Repeat([]byte{'\n'}, MaxRequest)...), ErrTooLarge},
		"RSA":                             {ofGo(rsaKey), ErrForeignKey},
		"P-256":                           {ofGo(p256), ErrForeignKey},
		"parameters in place of a curve":  {changed(func(d *draft) { d.keyAlgorithm = sequence(identifier(oid.PublicKeyEC), sequence()) }), ErrForeignKey},
		"no curve":                        {changed(func(d *draft) { d.keyAlgorithm = sequence(identifier(oid.PublicKeyEC)) }), ErrForeignKey},
		"a point beside the curve":        {changed(func(d *draft) { d.keyBits[40] ^= 1 }), ErrPoint},
		"infinity":                        {changed(func(d *draft) { d.keyBits = []byte{0} }), ErrPoint},
		"infinity in 65 octets":           {changed(func(d *draft) { d.keyBits = append([]byte{4}, make([]byte, 64)...) }), ErrPoint},
		"infinity in 64 octets":           {changed(func(d *draft) { d.keyBits = make([]byte, 64) }), ErrPoint},
		"a coordinate over the prime":     {changed(func(d *draft) { copy(d.keyBits[1:], bytes.Repeat([]byte{0xff}, 32)) }), ErrPoint},
		"a hybrid point":                  {changed(func(d *draft) { d.keyBits[0] = 6 }), ErrPoint},
		"the private key 1":               {known(one), ErrWeakKey},
		"the private key n-2":             {known(order), ErrWeakKey},
		"the key of the standard":         {known(published[0]), ErrWeakKey},
		"the key exchange example":        {known(published[2]), ErrWeakKey},
		"ECDSA as signature algorithm":    {changed(func(d *draft) { d.signatureAlgorithm = sequence(identifier(oid.ECDSASHA256)) }), ErrAlgorithm},
		"a signature over something else": {changed(func(d *draft) { d.digest = func([]byte) [32]byte { return [32]byte{1} } }), ErrSignature},
		"a signature of another key":      {changed(func(d *draft) { d.key = newDevice(t) }), ErrSignature},
		"an empty signature":              {changed(func(d *draft) { d.value = func([]byte) []byte { return nil } }), ErrSignature},
		"zeros as signature":              {changed(func(d *draft) { d.value = func([]byte) []byte { return make([]byte, 64) } }), ErrSignature},
		"a signature without Z":           {changed(func(d *draft) { d.digest = func(info []byte) [32]byte { return sm3.Sum(info) } }), ErrOtherID},
		"version 3":                       {changed(func(d *draft) { d.version = 3 }), ErrFormat},
		"extensions that are none":        {changed(func(d *draft) { d.attributes = append([]byte{0xa0, byte(len(extensions))}, extensions...) }), ErrFormat},
		"too many attributes": {changed(func(d *draft) {
			one := sequence(identifier(oid.KeyUsage), []byte{0x31, 0})
			var b cryptobyte.Builder
			b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(bytes.Repeat(one, maxAttributes+1)) })
			d.attributes = b.BytesOrPanic()
		}), ErrFormat},
	} {
		_, err := Parse(c.data, Options{})
		wantCode(t, name, err, c.want)
	}
}

func TestAKeyOfTheAuthorityIsRefused(t *testing.T) {
	d := newDraft(t)
	request := d.sign(t)
	_, err := Parse(request, Options{Reserved: func(key *ecdsa.PublicKey) (bool, error) { return key.Equal(d.key.Public()), nil }})
	wantCode(t, "a reserved key", err, ErrReservedKey)
	broken := errors.New("no answer")
	if _, err := Parse(request, Options{Reserved: func(*ecdsa.PublicKey) (bool, error) { return false, broken }}); !errors.Is(err, broken) {
		t.Errorf("without an answer: %v", err)
	}
}

func TestAKeyThatSignsSomethingElseMakesNoRequest(t *testing.T) {
	key := newDevice(t)
	_, err := Create(t.Context(), liar{key}, Template{Subject: subject(t)})
	wantCode(t, "a signature over something else", err, ErrSignature)
}

type liar struct{ device }

func (l liar) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	e[0] ^= 1
	return l.device.SignDigest(ctx, e)
}

func FuzzParse(f *testing.F) {
	d := newDraft(f)
	d.attributes = append([]byte{0xa0, 2}, 0x30, 0)
	f.Add(newDraft(f).sign(f))
	f.Add(d.sign(f))
	f.Add(PEM(newDraft(f).sign(f)))
	request, err := Create(f.Context(), newDevice(f), Template{Subject: subject(f), Extensions: []Extension{{ID: oid.KeyUsage, Value: []byte{1}}}})
	must(f, err)
	f.Add(request)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data, Options{AcceptIDs: []string{"x"}})
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		again, err := Parse(r.Raw, Options{AcceptIDs: []string{"x"}})
		if err != nil || !again.Public.Equal(r.Public) {
			t.Errorf("read once, not twice: %v", err)
		}
		if _, err := sm2.NewPublicKey(encodePoint(r.Public)); err != nil {
			t.Error(err)
		}
	})
}
