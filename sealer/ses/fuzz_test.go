package ses_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"yinxin/sealer/ses"
)

// seeds are the golden files and some layouts that readers trip over.
func seeds(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.der"))
	if err != nil || len(files) == 0 {
		f.Fatal("no golden files", err)
	}
	for _, name := range files {
		f.Add(must[[]byte](f)(os.ReadFile(name)))
	}
	one := newLayout(1)
	one.timeInfo = bits(timeToken())
	one.certList = seq(signerCertificate, small(1))
	f.Add(one.signature())
	f.Add(one.seal())
}

func FuzzParseSeal(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := ses.ParseSeal(der)
		if err != nil {
			return
		}
		exercise(s)
		if !bytes.Equal(s.Raw, der) || !bytes.Contains(der, s.RawInfo) || len(s.SignedBytes()) < len(s.RawInfo) {
			t.Error("the seal is not made of its input")
		}
		form, err := ses.NewForm(der, 10)
		if err != nil {
			if s.Version != 1 {
				t.Error("a seal that is read makes no form:", err)
			}
			return
		}
		suffix := must[[]byte](t)(form.Suffix(signedAt, dataHash, "[0 1 2 34]"))
		signature := must[*ses.Signature](t)(ses.ParseSignature(must[[]byte](t)(form.Assemble(suffix, signerCertificate, longValue, nil))))
		if !bytes.Equal(signature.Seal.Raw, der) || signature.Version != s.Version || len(signature.Notes) != 0 {
			t.Error("a signature with the seal is read differently")
		}
	})
}

func FuzzParseSignature(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := ses.ParseSignature(der)
		if err != nil {
			return
		}
		exercise(s.Seal)
		if !ses.IsSignature(der) {
			t.Error("a signature is read whose shape is not recognised")
		}
		if !bytes.Equal(s.Raw, der) || !bytes.Contains(der, s.RawTBS) || !bytes.Contains(s.RawTBS, s.Seal.Raw) {
			t.Error("the signature is not made of its input")
		}
		seal, err := ses.ParseSeal(s.Seal.Raw)
		if err != nil || seal.Version != s.Version {
			t.Error("the seal in a signature is not read by itself:", err)
		}
		alone, err := ses.ParseToSign(s.RawTBS)
		if (err == nil) != (s.Version != ses.Version1) {
			t.Error("what is signed is not read by itself:", err)
		}
		if err == nil && (!alone.Time.Equal(s.Time) || !bytes.Equal(alone.DataHash, s.DataHash) || alone.PropertyInfo != s.PropertyInfo || !bytes.Equal(alone.Seal.Raw, s.Seal.Raw)) {
			t.Error("what is signed is read differently by itself")
		}
	})
}
