//go:build cgo

package hsm

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/hsm/tokentest"
)

// The numbers of each vendor's profile are those that the soft token speaks for the vendor: they were written down twice.
func TestAKeyOfEveryVendorSigns(t *testing.T) {
	for _, vendor := range []string{"sansec", "tass", "koal", "westone", "westone-old", "mssince", "luna", "ep11"} {
		t.Run(vendor, func(t *testing.T) {
			w := newWorld(t, vendor, "vendor = "+vendor)
			token := w.activate()
			w.signs(w.generate(token, "one"))
			list, err := token.Keys(context.Background())
			w.must(err)
			if len(list) != 1 || list[0].Algorithm != SM2 || string(list[0].ID) != "one" || list[0].Label != "one" || list[0].Public == nil {
				t.Errorf("keys %+v", list)
			}
		})
	}
	t.Run("standard", func(t *testing.T) {
		w := newWorld(t, "softtoken", "vendor = standard")
		w.signs(w.generate(w.activate(), "one"))
	})
}

func TestMessagesAreSignedAsTheProfileSays(t *testing.T) {
	for name, lines := range map[string]string{
		"the token computes Z":            "sign = 0x80008103\ninput = message\nencoding = der\n",
		"the token computes Z of an ID":   "sign = 0x80008102\ninput = message\nparameter = id\nencoding = raw\n",
		"the token hashes what has Z":     "sign = 0x80008101\ninput = z-message\nencoding = der\n",
		"the host hashes, and takes raw":  "sign = 0x80008105\ninput = digest\nencoding = raw\n",
		"the encoding is found by itself": "sign = 0x80008105\ninput = digest\nencoding = either\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "sansec")
			var err error
			w.config.Profile, err = ParseProfile("mine", []byte("key_type = 0x80000004\ngenerate = 0x80008001\ncurve = no\npublic = octet-string\n"+lines))
			w.must(err)
			k := w.generate(w.activate(), "one")
			signature, err := k.Signer(context.Background()).Sign(rand.Reader, []byte("档案"), sm2.DefaultSM2SignerOpts)
			w.must(err)
			if !good(k.Public().(*ecdsa.PublicKey), "档案", signature) {
				t.Error("not good")
			}
			if _, err := k.Signer(context.Background()).Sign(rand.Reader, make([]byte, 32), nil); err == nil {
				t.Error("a bare digest was signed")
			}
			if _, err = k.SignDigest(context.Background(), digest(k, "档案")); w.config.Profile.input != inputDigest {
				w.want(err, ErrAlgorithm)
			} else {
				w.must(err)
			}
		})
	}
}

func TestAKeyThatFailsItsSelfTestIsNotUsed(t *testing.T) {
	base := "key_type = 0x80000004\ngenerate = 0x80008001\ncurve = no\n"
	for name, c := range map[string]struct {
		lines string
		fault string
		code  string
	}{
		"raw instead of DER":                {"sign = 0x80008105\ninput = digest\nencoding = der\npublic = either\n", "", ErrSelfTest.Code},
		"DER instead of raw":                {"sign = 0x80008104\ninput = digest\nencoding = raw\npublic = either\n", "", ErrSelfTest.Code},
		"the token answers otherwise":       {"sign = 0x80008104\ninput = digest\nencoding = der\npublic = either\n", "wrong_encoding = 1", ErrSelfTest.Code},
		"a message in the place of e":       {"sign = 0x80008101\ninput = message\nencoding = der\npublic = either\n", "", ErrSelfTest.Code},
		"the public key has another form":   {"sign = 0x80008104\ninput = digest\nencoding = der\npublic = point\n", "", ErrPublicKey.Code},
		"no mechanism of the token's":       {"sign = 0x80008199\ninput = digest\nencoding = der\npublic = either\n", "", ErrDevice.Code},
		"the profile does not sign with it": {"sign = none\npublic = either\n", "", ErrAlgorithm.Code},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "sansec")
			token := w.activate()
			w.generate(token, "one")
			w.must(token.Close())
			if c.fault != "" {
				w.folder.Fault(t, 0, c.fault)
			}
			var err error
			w.config.Profile, err = ParseProfile("mine", []byte(base+c.lines))
			w.must(err)
			token = w.activate()
			_, err = token.Key(context.Background(), Selector{ID: []byte("one")})
			if code := codeOf(err); code != c.code {
				t.Errorf("%v, not %s", err, c.code)
			}
			// Generating under such a profile leaves nothing behind.
			if c.code == ErrSelfTest.Code || c.code == ErrPublicKey.Code {
				_, err = token.Generate(context.Background(), NewKey{Algorithm: SM2, ID: []byte("two")})
				if code := codeOf(err); code != c.code {
					t.Errorf("%v, not %s", err, c.code)
				}
				list, err := token.Keys(context.Background())
				w.must(err)
				if len(list) != 1 {
					t.Errorf("%d keys", len(list))
				}
			}
		})
	}
}

// A token that begins to answer in another encoding later is told, too.
func TestAWrongEncodingIsNotGivenOut(t *testing.T) {
	w := newWorld(t, "sansec")
	k := w.generate(w.activate(), "one")
	w.folder.Fault(t, 0, "wrong_encoding = 1")
	_, err := k.SignDigest(context.Background(), digest(k, "档案"))
	w.want(err, ErrEncoding)
	w.folder.Fault(t, 0)
	w.signs(k)
}

func TestKeysAreFoundByIdentifierOrLabel(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	ctx := context.Background()
	one := w.generate(token, "one")
	again, err := token.Key(ctx, Selector{Label: "one"})
	w.must(err)
	if again != one {
		t.Error("the same key twice")
	}
	_, err = token.Key(ctx, Selector{ID: []byte("none")})
	w.want(err, ErrKeyNotFound)
	_, err = token.Key(ctx, Selector{})
	w.want(err, ErrKeyNotFound)
	_, err = token.Generate(ctx, NewKey{Algorithm: SM2, ID: []byte("one")})
	w.want(err, ErrKeyExists)
	_, err = token.Generate(ctx, NewKey{Algorithm: "DSA"})
	w.want(err, ErrAlgorithm)
	_, err = token.Generate(ctx, NewKey{Algorithm: SM2, ID: []byte("another"), Label: "one"})
	w.must(err)
	_, err = token.Key(ctx, Selector{Label: "one"})
	w.want(err, ErrKeyAmbiguous)
	w.must(token.DestroyKey(ctx, []byte("one")))
	w.want(token.DestroyKey(ctx, []byte("one")), ErrKeyNotFound)
	_, err = one.SignDigest(ctx, digest(one, "档案"))
	w.want(err, ErrKeyNotFound)
	list, err := token.Keys(ctx)
	w.must(err)
	if len(list) != 1 {
		t.Errorf("%d keys", len(list))
	}
}

// Another key under the same identifier, made by somebody else meanwhile, is not used.
func TestAnotherKeyUnderTheSameIdentifierIsRefused(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	ctx := context.Background()
	k := w.generate(token, "one")
	w.must(token.DestroyKey(ctx, []byte("one")))
	w.generate(token, "one")
	_, err := k.SignDigest(ctx, digest(k, "档案"))
	w.want(err, ErrOtherKey)
}

func TestARequestAndWhatBelongsToAKeyAreOnTheToken(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	ctx := context.Background()
	k := w.generate(token, "one")
	der, err := k.Request(ctx, &smx509.CertificateRequest{Subject: pkix.Name{CommonName: "某市档案馆", Country: []string{"CN"}}})
	w.must(err)
	request, err := smx509.ParseCertificateRequest(der)
	w.must(err)
	w.must(request.CheckSignature())
	template := &smx509.Certificate{SerialNumber: big.NewInt(77), Subject: request.Subject, NotBefore: w.clock.now(), NotAfter: w.clock.now().Add(time.Hour)}
	for range 2 { // the second one takes the place of the first
		der, err = smx509.CreateCertificate(rand.Reader, template, template, k.Public(), k.Signer(ctx))
		w.must(err)
		w.must(token.StoreCertificate(ctx, Certificate{ID: []byte("one"), Label: "印章证书", DER: der}))
	}
	list, err := token.Certificates(ctx)
	w.must(err)
	if len(list) != 1 || !bytes.Equal(list[0].DER, der) || list[0].Label != "印章证书" {
		t.Errorf("%d certificates", len(list))
	}
	got, err := k.CertificateOf(ctx)
	w.must(err)
	if !bytes.Equal(got.DER, der) {
		t.Error("another certificate")
	}
	w.want(token.StoreCertificate(ctx, Certificate{ID: []byte("one"), DER: der[1:]}), ErrObject)

	seal := bytes.Repeat([]byte{0x30, 7}, 10_000)
	w.must(token.StoreData(ctx, Data{Application: "yinxin", Label: "seal", Value: seal[1:]}, false))
	w.must(token.StoreData(ctx, Data{Application: "yinxin", Label: "seal", Value: seal}, false))
	w.must(token.StoreData(ctx, Data{Application: "other", Label: "seal", Value: []byte{1}}, true))
	data, err := token.Data(ctx, "yinxin")
	w.must(err)
	if len(data) != 1 || !bytes.Equal(data[0].Value, seal) || data[0].Label != "seal" {
		t.Errorf("%d data objects", len(data))
	}
	w.want(token.StoreData(ctx, Data{Label: "seal", Value: make([]byte, maxValue+1)}, false), ErrObjectSize)
	w.want(token.StoreData(ctx, Data{Label: "seal"}, false), ErrObject)
	w.must(token.RemoveData(ctx, "yinxin", "seal"))
	w.must(token.RemoveCertificate(ctx, []byte("one"), ""))
	all, err := token.Data(ctx, "")
	w.must(err)
	if list, err = token.Certificates(ctx); len(all) != 1 || len(list) != 0 || err != nil {
		t.Errorf("%d data objects, %d certificates, %v", len(all), len(list), err)
	}
}

func TestModulesAreLoadedOnce(t *testing.T) {
	path := tokentest.Module(t)
	folder := tokentest.NewFolder(t, "slots = 2")
	folder.Ready(t, 0, "seal")
	link := filepath.Join(t.TempDir(), "link.so")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	a, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(link)
	if err != nil || a != b {
		t.Fatalf("loaded twice: %v", err)
	}
	if a.Info().Cryptoki != "2.40" || a.Info().Manufacturer == "" {
		t.Errorf("%+v", a.Info())
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	slots, err := a.Slots()
	if err != nil || len(slots) != 2 || slots[0].Token == nil || slots[0].Token.Label != "seal" || !slots[0].Token.Initialised || !slots[0].Token.PINSet {
		t.Errorf("%+v, %v", slots, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); codeOf(err) != ErrClosed.Code {
		t.Errorf("closed twice: %v", err)
	}
	for name, path := range map[string]string{"missing": filepath.Join(t.TempDir(), "x.so"), "a folder": t.TempDir(), "no library": os.Args[0]} {
		if _, err := Open(path); codeOf(err) != ErrModule.Code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A module that was closed is not called any more: its library is not in memory.
func TestAClosedModuleAnswersNothing(t *testing.T) {
	w := newWorld(t, "sansec")
	w.must(w.module.Close())
	_, err := w.module.Slots()
	w.want(err, ErrClosed)
	_, err = Activate(context.Background(), w.module, w.config)
	w.want(err, ErrClosed)
	w.want(w.module.Close(), ErrClosed)
}
