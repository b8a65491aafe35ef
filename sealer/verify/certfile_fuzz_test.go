package verify_test

import (
	"testing"
	"time"

	"github.com/emmansun/gmsm/pkcs7"

	"yinxin/ca/chain/chaintest"
	"yinxin/internal/fault"
	"yinxin/sealer/verify"
)

// FuzzCertificates: whatever the file is, it is judged or refused with a code of this package.
func FuzzCertificates(f *testing.F) {
	root := chaintest.Root(f, "根").Certificate.Raw
	bundle, err := pkcs7.DegenerateCertificate(root)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, root, bundle, root[:40], append(root[:len(root):len(root)], root...), []byte("-----BEGIN CERTIFICATE-----\nMII"), []byte("MIIB"),
		{0x30, 0x80}, {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x02, 0x01, 0x00}, {0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		verify.LooksLikeCertificates("a", data)
		r, err := verify.Certificates(t.Context(), "a", data, time.Time{}, verify.Options{At: time.Now()})
		if err == nil && len(r.Certificates) == 0 {
			t.Error("neither a certificate nor an error")
		}
		if _, known := fault.Of(err); err != nil && !known {
			t.Errorf("an error without code: %v", err)
		}
		if err == nil && r.Certificates[0].Now.State == verify.CertificateGood {
			t.Error("good without any anchor")
		}
	})
}
