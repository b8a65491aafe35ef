package verify

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/fixtures"
)

// sealSigner signs the attacks' victims with the seal of a house.
func sealSigner(t testing.TB, h *house) fixtures.Signer {
	return fixtures.Signer{Profile: "seal", Filter: "GM.PKILite", SubFilter: "GM.sm2seal", Room: contentsRoom,
		Certificates: [][]byte{h.institution.Certificate.Raw, h.issuing.Certificate.Raw},
		Stamp:        stamper(t, h),
		Sign: func(before, after []byte, byteRange string) ([]byte, error) {
			return h.signature(t, sm3.Sum(slices.Concat(before, after)), signed, byteRange), nil
		}}
}

// stamper makes time-stamp tokens an hour after the signatures.
func stamper(t testing.TB, h *house) func(before, after []byte) ([]byte, error) {
	authority := newClock(t, h.issuing, chaintest.Start.Add(3*chaintest.Year))
	return func(before, after []byte) ([]byte, error) {
		return authority.stamp(t, slices.Concat(before, after), signed.Add(time.Hour)), nil
	}
}

// messageSigner signs in a profile of CMS, with the seal inside.
func messageSigner(t testing.TB, h *house, p cms.Profile) fixtures.Signer {
	by := func(holder *chaintest.Holder, template cms.Template) func(before, after []byte, byteRange string) ([]byte, error) {
		return func(before, after []byte, _ string) ([]byte, error) {
			return assembleMessage(t, template, holder, func(w *cms.Writer) *cms.Pending { return w.Prepare(sm3.Sum(slices.Concat(before, after)), signed) }, nil), nil
		}
	}
	twin := h.issuing.Issue(t, "53000000000001", func(template *smx509.Certificate) { template.SerialNumber = h.institution.X509.SerialNumber })
	unfit := h.issuing.Issue(t, "53000000000001", chaintest.Usage(smx509.KeyUsageKeyEncipherment|smx509.KeyUsageDataEncipherment))
	return fixtures.Signer{Profile: string(p), Filter: "Adobe.PPKLite", SubFilter: map[cms.Profile]string{cms.ProfileCMS: "ETSI.CAdES.detached", cms.ProfileGM: "adbe.pkcs7.detached"}[p],
		Entries: "/M (D:20260201030405Z)", Room: contentsRoom,
		Certificates: [][]byte{h.institution.Certificate.Raw, h.issuing.Certificate.Raw},
		Stamp:        stamper(t, h),
		Sign:         by(h.institution, cms.Template{Profile: p, Certificate: h.institution.Certificate, Seal: h.seal}),
		CMS: &fixtures.CMSKeys{
			Resign: func(attributes []byte) ([]byte, error) {
				return h.institution.Key.Sign(rand.Reader, attributes, sm2.DefaultSM2SignerOpts)
			},
			ResignAs: func(attributes []byte) ([]byte, error) {
				return h.institution.Key.Sign(rand.Reader, attributes, sm2.NewSM2SignerOption(true, []byte("ALICE123@YAHOO.COM")))
			},
			Twin:    twin.Certificate.Raw,
			Misused: by(unfit, cms.Template{Profile: p, Certificate: unfit.Certificate}),
		}}
}

// attackSigner signs with openssl, as an office elsewhere does.
func (o *office) attackSigner(t testing.TB, key *rsa.PrivateKey) fixtures.Signer {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(serial int64, usage x509.KeyUsage, key crypto.PublicKey) *x509.Certificate {
		return o.issue(t, &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Clerk", Organization: []string{"Other Office"}},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(chaintest.Year), KeyUsage: usage}, o.root, key)
	}
	unfit := *o
	unfit.signerPEM = o.write(t, "unfit.pem", "CERTIFICATE", certificate(3, x509.KeyUsageKeyEncipherment, key.Public()).Raw)
	by := func(o *office) func(before, after []byte, byteRange string) ([]byte, error) {
		return func(before, after []byte, _ string) ([]byte, error) {
			return o.openssl(t, slices.Concat(before, after), "-md", "sha256"), nil
		}
	}
	return fixtures.Signer{Profile: "rsa", Filter: "Adobe.PPKLite", SubFilter: "adbe.pkcs7.detached", Room: contentsRoom,
		Certificates: [][]byte{o.signer.Raw, o.root.Raw},
		Sign:         by(o),
		CMS: &fixtures.CMSKeys{
			Resign: func(attributes []byte) ([]byte, error) {
				digest := sha256.Sum256(attributes)
				return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
			},
			ResignWeak: func(attributes []byte) ([]byte, error) {
				digest := sha1.Sum(attributes)
				return rsa.SignPKCS1v15(nil, key, crypto.SHA1, digest[:])
			},
			Twin:    certificate(2, x509.KeyUsageDigitalSignature, other.Public()).Raw,
			Misused: by(&unfit),
		}}
}
