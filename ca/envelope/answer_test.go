package envelope

import (
	"crypto/rand"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
)

// pair is what an answer is made from.
type pair struct {
	signing, encryption *sm2.PrivateKey
	own, other          *chain.Certificate
	envelope            []byte
}

func newPair(t testing.TB) pair {
	p := pair{signing: newKey(t), encryption: newKey(t)}
	p.own, p.other = certificate(t, p.signing), certificate(t, p.encryption)
	p.envelope = must[[]byte](t)(Seal(rand.Reader, &p.signing.PublicKey, p.encryption))
	return p
}

func certificate(t testing.TB, key *sm2.PrivateKey) *chain.Certificate {
	template := &smx509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	raw := must[[]byte](t)(smx509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	return must[*chain.Certificate](t)(chain.ParseCertificate(raw))
}

func TestGmsmReadsTheAnswer(t *testing.T) {
	p := newPair(t)
	data := must[[]byte](t)(Marshal(p.own, p.other, p.envelope))
	read := must[smx509.CSRResponse](t)(smx509.ParseCSRResponse(p.signing, data))
	if !read.EncryptPrivateKey.Equal(p.encryption) || len(read.SignCerts) != 1 || len(read.EncryptCerts) != 1 ||
		!slices.Equal(read.SignCerts[0].Raw, p.own.Raw) || !slices.Equal(read.EncryptCerts[0].Raw, p.other.Raw) {
		t.Error("gmsm reads something else")
	}
}

func TestTheAnswerOfGmsmIsRead(t *testing.T) {
	p := newPair(t)
	parse := func(c *chain.Certificate) *smx509.Certificate {
		return must[*smx509.Certificate](t)(smx509.ParseCertificate(c.Raw))
	}
	chained := parse(certificate(t, newKey(t)))
	data := must[[]byte](t)(smx509.MarshalCSRResponse([]*smx509.Certificate{parse(p.own), chained}, p.encryption, []*smx509.Certificate{parse(p.other), chained}))
	a := must[*Answer](t)(ParseAnswer(data))
	key, own, encryption, err := a.Open(p.signing)
	if err != nil || !key.Equal(p.encryption) || !slices.Equal(own.Raw, p.own.Raw) || !slices.Equal(encryption.Raw, p.other.Raw) {
		t.Errorf("%v", err)
	}
	if len(a.Notes) > 0 || len(a.Signing) != 2 {
		t.Errorf("notes %v, %d certificates", a.Notes, len(a.Signing))
	}
	a = must[*Answer](t)(ParseAnswer(must[[]byte](t)(smx509.MarshalCSRResponse([]*smx509.Certificate{parse(p.own)}, nil, nil))))
	if a.Key != nil || len(a.Encryption) > 0 {
		t.Error("an answer without a pair has one")
	}
	_, _, _, err = a.Open(p.signing)
	wantCode(t, err, ErrAnswer)
}

// layout writes an answer with the tags and members asked for.
func layout(members ...func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, member := range members {
			member(b)
		}
	})
	return b.BytesOrPanic()
}

func member(tag der.Tag, raw ...[]byte) func(b *cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) {
			for _, one := range raw {
				b.AddBytes(one)
			}
		})
	}
}

func TestAnswersOfOtherLayoutsAreReadAndNoted(t *testing.T) {
	p := newPair(t)
	inner := cryptobyte.String(p.envelope)
	var bare cryptobyte.String
	if !inner.ReadASN1(&bare, der.SEQUENCE) {
		t.Fatal("no envelope")
	}
	cases := map[string]struct {
		data []byte
		note string
	}{
		"the key under an implicit tag":  {layout(member(der.SET, p.own.Raw), member(explicit0, bare), member(implicit1, p.other.Raw)), "implicitly"},
		"a sequence in place of the set": {layout(member(der.SEQUENCE, p.own.Raw), member(explicit0, p.envelope), member(implicit1, p.other.Raw)), "sequence"},
		"the certificate under an explicit tag": {layout(member(der.SET, p.own.Raw), member(explicit0, p.envelope), func(b *cryptobyte.Builder) {
			b.AddASN1(implicit1, member(der.SET, p.other.Raw))
		}), "explicitly"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := must[*Answer](t)(ParseAnswer(c.data))
			key, _, _, err := a.Open(p.signing)
			if err != nil || !key.Equal(p.encryption) {
				t.Errorf("%v", err)
			}
			if len(a.Notes) != 1 || !strings.Contains(a.Notes[0], c.note) {
				t.Errorf("notes %v", a.Notes)
			}
		})
	}
}

func TestAnswersThatDoNotHoldTogetherAreRefused(t *testing.T) {
	p, q := newPair(t), newPair(t)
	_, err := Marshal(p.own, q.other, p.envelope)
	wantCode(t, err, ErrKey)
	_, err = Marshal(p.own, nil, p.envelope)
	wantCode(t, err, ErrAnswer)
	parse := func(data []byte) error { _, err := ParseAnswer(data); return err }
	wantCode(t, parse(nil), ErrAnswer)
	wantCode(t, parse(make([]byte, MaxAnswer+1)), ErrTooLarge)
	own, key, other := member(der.SET, p.own.Raw), member(explicit0, p.envelope), member(implicit1, p.other.Raw)
	for name, data := range map[string][]byte{
		"a key without a certificate": layout(own, key), "a certificate without a key": layout(own, other),
		"no signing certificate": layout(member(der.SET), key, other), "something after it": append(layout(own, key, other), 0),
		"something at the end": layout(own, key, other, own), "the members out of order": layout(own, other, key),
		"no certificates at all":     layout(),
		"a certificate that is none": layout(member(der.SET, []byte{4, 1, 1}), key, other)} {
		if err := parse(data); !fault.Has(err, ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	many := make([][]byte, maxCertificates+1)
	for i := range many {
		many[i] = p.own.Raw
	}
	wantCode(t, parse(layout(member(der.SET, many...), key, other)), ErrTooLarge)
	for name, c := range map[string]struct {
		data []byte
		spec fault.Spec
	}{
		"a signing certificate of somebody else":      {layout(member(der.SET, q.own.Raw), key, other), ErrKey},
		"an encryption certificate of another key":    {layout(own, key, member(implicit1, q.other.Raw)), ErrKey},
		"an envelope and certificate of another pair": {layout(own, member(explicit0, q.envelope), member(implicit1, q.other.Raw)), ErrOpen},
	} {
		_, _, _, err := must[*Answer](t)(ParseAnswer(c.data)).Open(p.signing)
		if !fault.Has(err, c.spec) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	p := newPair(f)
	good := must[[]byte](f)(Marshal(p.own, p.other, p.envelope))
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(layout(member(der.SEQUENCE, p.own.Raw)))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ParseAnswer(data)
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if a.Key == nil {
			return
		}
		key, _, encryption, err := a.Open(p.signing)
		if err == nil && !isKeyOf(&key.PublicKey, encryption) {
			t.Fatal("a key came out that does not belong to its certificate")
		}
		if again, err := Marshal(a.Signing[0], a.Encryption[0], a.Key.Raw); err == nil {
			must[*Answer](t)(ParseAnswer(again))
		}
	})
}
