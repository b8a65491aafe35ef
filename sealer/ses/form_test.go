package ses_test

import (
	"bytes"
	"crypto/rand"
	"encoding"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	independent "github.com/tjfoc/gmsm/sm2"

	"yinxin/sealer/ses"
)

// fixedKey is a private key that protects nothing.
func fixedKey(t testing.TB, fill byte) *sm2.PrivateKey {
	return must[*sm2.PrivateKey](t)(sm2.NewPrivateKey(bytes.Repeat([]byte{fill}, 32)))
}

func sign(t testing.TB, key *sm2.PrivateKey, message []byte) []byte {
	return must[[]byte](t)(key.SignWithSM2(rand.Reader, nil, message))
}

func newForm(t testing.TB, version byte) *ses.Form {
	return must[*ses.Form](t)(ses.NewForm(newLayout(version).seal(), len(property)))
}

func TestSealsAndSignaturesSurviveARoundTrip(t *testing.T) {
	for _, version := range []int{4, 5} {
		maker, signer := fixedKey(t, 3), fixedKey(t, 5)
		written := must[[]byte](t)(info(version).Marshal())
		seal := must[[]byte](t)(ses.AssembleSeal(written, makerCertificate, sign(t, maker, written)))
		f := must[*ses.Form](t)(ses.NewForm(seal, len(property)))
		suffix := must[[]byte](t)(f.Suffix(signedAt, dataHash, property))
		tbs := append(bytes.Clone(f.Prefix()), suffix...)
		value := sign(t, signer, tbs)
		der := must[[]byte](t)(f.Assemble(suffix, signerCertificate, value, token))

		s := must[*ses.Signature](t)(ses.ParseSignature(der))
		if s.Version != version || !bytes.Equal(s.Seal.Raw, seal) || !bytes.Equal(s.Seal.RawInfo, written) || !bytes.Equal(s.RawTBS, tbs) ||
			!s.Time.Equal(signedAt) || s.PropertyInfo != property || !bytes.Equal(s.DataHash, dataHash[:]) || !bytes.Equal(s.TimeStamp, token) ||
			!bytes.Equal(s.Certificate, signerCertificate) || !bytes.Equal(s.Value, value) || len(s.Notes) != 0 || len(s.Seal.Notes) != 0 {
			t.Errorf("version %d: read %+v", version, s)
		}
		if w, h := s.Seal.TrueSize(); w != 42.3 || h != 41.6 {
			t.Errorf("version %d: true size %v x %v", version, w, h)
		}
		secondOpinion(t, maker, s.Seal.SignedBytes(), s.Seal.Value)
		secondOpinion(t, signer, s.RawTBS, s.Value)
	}
}

// secondOpinion has an independent implementation verify a signature value, and refuse it over other bytes.
func secondOpinion(t *testing.T, key *sm2.PrivateKey, signed, value []byte) {
	t.Helper()
	public := &independent.PublicKey{Curve: independent.P256Sm2(), X: new(big.Int).Set(key.X), Y: new(big.Int).Set(key.Y)}
	if !public.Verify(signed, value) {
		t.Error("the second implementation does not verify the signature")
	}
	changed := bytes.Clone(signed)
	changed[len(changed)-1] ^= 1
	if public.Verify(changed, value) {
		t.Error("the second implementation verifies the signature over other bytes")
	}
}

func TestTheHashOfThePrefixCanBeKept(t *testing.T) {
	key := fixedKey(t, 5)
	f := newForm(t, 4)
	z := must[[]byte](t)(sm2.CalculateZA(&key.PublicKey, []byte("1234567812345678")))
	h := sm3.New()
	h.Write(z)
	h.Write(f.Prefix())
	kept := must[[]byte](t)(h.(encoding.BinaryMarshaler).MarshalBinary())
	for day := range 3 {
		suffix := must[[]byte](t)(f.Suffix(signedAt.AddDate(0, 0, day), dataHash, property))
		resumed := sm3.New()
		if err := resumed.(encoding.BinaryUnmarshaler).UnmarshalBinary(kept); err != nil {
			t.Fatal(err)
		}
		resumed.Write(suffix)
		value := must[[]byte](t)(sm2.SignASN1(rand.Reader, key, resumed.Sum(nil), nil))
		s := must[*ses.Signature](t)(ses.ParseSignature(must[[]byte](t)(f.Assemble(suffix, signerCertificate, value, nil))))
		if !sm2.VerifyASN1WithSM2(&key.PublicKey, nil, s.RawTBS, s.Value) {
			t.Errorf("day %d: a signature over the kept state does not verify over TBS_Sign", day)
		}
	}
}

func TestAFormDoesNotDependOnItsInput(t *testing.T) {
	seal := newLayout(4).seal()
	f := must[*ses.Form](t)(ses.NewForm(seal, len(property)))
	before := bytes.Clone(f.Prefix())
	clear(seal)
	if !bytes.Equal(f.Prefix(), before) || f.Seal().Name != "某市档案馆档案证明专用章" || !f.Seal().Lists(signerCertificate) {
		t.Error("the form changed with the input")
	}
}

func TestSizeIsTheMostThatAssembleGives(t *testing.T) {
	for _, n := range []int{0, 100, 110, 120, 124, 125, 126, 127, 128, 250, 251, 252, 253, 254, 255, 256, 3000, 65_000, 65_534, 65_536, 70_000} {
		certificate := seq(bytes.Repeat([]byte{5, 0}, n/2))
		stamp := seq(bytes.Repeat([]byte{5, 0}, n/2))
		f := newForm(t, 5)
		suffix := must[[]byte](t)(f.Suffix(signedAt, dataHash, property))
		longest := must[[]byte](t)(f.Assemble(suffix, certificate, longValue, stamp))
		if len(longest) != f.Size(certificate, len(stamp)) {
			t.Errorf("%d: %d bytes, foreseen %d", n, len(longest), f.Size(certificate, len(stamp)))
		}
		if plain := must[[]byte](t)(f.Assemble(suffix, certificate, longValue, nil)); len(plain) != f.Size(certificate, 0) {
			t.Errorf("%d: %d bytes, foreseen %d", n, len(plain), f.Size(certificate, 0))
		}
		if short := must[[]byte](t)(f.Assemble(suffix, certificate, shortValue, nil)); len(short) > f.Size(certificate, 100) {
			t.Errorf("%d: a short value needs %d bytes, foreseen %d", n, len(short), f.Size(certificate, 100))
		}
		must[*ses.Signature](t)(ses.ParseSignature(longest))
	}
}

func TestAFormTakesOnlyWhatFits(t *testing.T) {
	f := newForm(t, 4)
	good := must[[]byte](t)(f.Suffix(signedAt, dataHash, property))
	suffix := func(at time.Time, p string) error { _, err := f.Suffix(at, dataHash, p); return err }
	assemble := func(suffix, certificate, value, stamp []byte) error {
		_, err := f.Assemble(suffix, certificate, value, stamp)
		return err
	}
	for _, c := range []struct {
		name  string
		err   error
		field string
	}{
		{"no time", suffix(time.Time{}, property), "timeInfo"},
		{"a year of five digits", suffix(time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC), property), "timeInfo"},
		{"a shorter property", suffix(signedAt, property[1:]), "propertyInfo"},
		{"a property that is not ASCII", suffix(signedAt, "é"+property[2:]), "propertyInfo"},
		{"a suffix cut off", assemble(good[1:], signerCertificate, longValue, nil), "toSign"},
		{"no suffix", assemble(nil, signerCertificate, longValue, nil), "toSign"},
		{"something else as long as a suffix", assemble(make([]byte, len(good)), signerCertificate, longValue, nil), "toSign"},
		{"no certificate", assemble(good, nil, longValue, nil), "cert"},
		{"raw r and s", assemble(good, signerCertificate, make([]byte, 64), nil), "signature"},
		{"a time stamp that is no token", assemble(good, signerCertificate, longValue, []byte{}), "timeStamp"},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.err, "ses.not-writable", c.field) })
	}
	_, err := ses.NewForm(newLayout(1).seal(), 10)
	refused(t, err, "ses.version", "")
	for _, n := range []int{-1, 0, 1 << 20} {
		_, err = ses.NewForm(newLayout(4).seal(), n)
		refused(t, err, "ses.not-writable", "propertyInfo")
	}
	_, err = ses.NewForm([]byte("seal"), 10)
	refused(t, err, "ses.malformed", "")
}
