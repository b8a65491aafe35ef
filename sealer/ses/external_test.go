package ses_test

import (
	"bytes"
	"crypto/ecdsa"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/internal/oid"
	"yinxin/sealer/ses"
)

// external reads a file made by another implementation (see SOURCES.txt beside them), and skips where the folder of
// such files is absent.
func external(t testing.TB, name string) []byte {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "shared", "testdata", "ses")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("no folder of foreign seals")
	}
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func publicKey(t testing.TB, certificate []byte) *ecdsa.PublicKey {
	t.Helper()
	c, err := smx509.ParseCertificate(certificate)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		t.Fatalf("public key is %T", c.PublicKey)
	}
	return key
}

func verifies(t testing.TB, certificate, signed, value []byte) bool {
	t.Helper()
	return sm2.VerifyASN1WithSM2(publicKey(t, certificate), nil, signed, value)
}

func TestSealsOfAnotherImplementationAreRead(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		file             string
		version, kind    int
		id, vendor, name string
		create, end      time.Time
		timeStamp        string
	}{
		{"UserV1.esl", 1, 1, "40C8CDD24DEF43388B86E62CCE1D6832", "OFDR&WTest", "OFDRW测试用印章",
			at("2020-04-22T02:18:07Z"), at("2022-04-22T02:18:07Z"), ""},
		{"UserV4.esl", 4, 3, "51f044b76510434e9bc67a1185c2fba5", "OFDR&WTest", "OFD R&W 测试用印章",
			at("2020-04-22T02:09:00Z"), at("2022-04-22T02:09:00Z"), ""},
		{"UserV5.esl", 5, 3, "09aaf39291e049e4b3d716414590937e", "OFDR&WTestV5", "OFD R&W V5测试用印章",
			at("2026-04-24T08:53:23Z"), at("2028-04-24T08:53:23Z"), ""},
		{"UserV5_ts.esl", 5, 3, "55a4a957189a48f596706fb431e962c5", "OFDR&WTestV5", "OFD R&W V5测试用印章",
			at("2026-04-24T08:53:22Z"), at("2028-04-24T08:53:22Z"), "dummy"},
	} {
		t.Run(c.file, func(t *testing.T) {
			der := external(t, c.file)
			s, err := ses.ParseSeal(der)
			if err != nil {
				t.Fatal(err)
			}
			if s.Version != c.version || s.HeaderVersion != c.version || s.Type != c.kind || s.ID != c.id ||
				s.VendorID != c.vendor || s.Name != c.name {
				t.Errorf("read version %d (%d), type %d, %q, %q, %q", s.Version, s.HeaderVersion, s.Type, s.ID, s.VendorID, s.Name)
			}
			if !s.CreateDate.Equal(c.create) || !s.ValidStart.Equal(c.create) || !s.ValidEnd.Equal(c.end) {
				t.Errorf("read times %v, %v, %v", s.CreateDate, s.ValidStart, s.ValidEnd)
			}
			if s.Picture.Type != "PNG" || s.Picture.Width != 40 || s.Picture.Height != 40 || !bytes.HasPrefix(s.Picture.Data, []byte("\x89PNG")) {
				t.Errorf("read picture %q, %d x %d mm, %x…", s.Picture.Type, s.Picture.Width, s.Picture.Height, s.Picture.Data[:4])
			}
			if w, h := s.TrueSize(); w != 40 || h != 40 {
				t.Errorf("true size is %v x %v mm", w, h)
			}
			if len(s.Certificates) != 1 || !s.Lists(s.Certificates[0]) || s.Lists(s.MakerCertificate) {
				t.Error("the list does not hold exactly the user's certificate")
			}
			if !s.Algorithm.Equal(oid.SM2WithSM3) || len(s.Notes) != 0 || !bytes.Equal(s.Raw, der) {
				t.Errorf("algorithm %v, notes %q", s.Algorithm, s.Notes)
			}
			if (c.timeStamp == "") != (s.TimeStamp == nil) || (s.TimeStamp != nil && len(s.TimeStamp) != 3) {
				t.Errorf("time stamp is %x", s.TimeStamp)
			}
			signed := bytes.Clone(s.SignedBytes())
			if !verifies(t, s.MakerCertificate, signed, s.Value) {
				t.Error("the maker's signature does not verify")
			}
			signed[len(signed)/2] ^= 1
			if verifies(t, s.MakerCertificate, signed, s.Value) {
				t.Error("the maker's signature verifies over other bytes")
			}
		})
	}
}

func TestSealSignaturesOfAnotherImplementationAreRead(t *testing.T) {
	for _, c := range []struct {
		file    string
		version int
		time    string
	}{
		{"SignedValueV4.dat", 4, "20201012111403Z"},
		{"SignedValueV5.dat", 5, "20260424085326Z"},
	} {
		t.Run(c.file, func(t *testing.T) {
			der := external(t, c.file)
			s, err := ses.ParseSignature(der)
			if err != nil {
				t.Fatal(err)
			}
			if s.Version != c.version || s.Seal.Version != c.version || s.TimeText != c.time || s.Time.Format("20060102150405Z") != c.time {
				t.Errorf("read version %d, seal %d, time %q %v", s.Version, s.Seal.Version, s.TimeText, s.Time)
			}
			if s.PropertyInfo != "/Doc_0/Signs/Sign_0/Signature.xml" || len(s.DataHash) != 32 || s.TimeStamp != nil || len(s.Notes) != 0 {
				t.Errorf("read %q, %x, %x, %q", s.PropertyInfo, s.DataHash, s.TimeStamp, s.Notes)
			}
			if !s.Seal.Lists(s.Certificate) || !ses.IsSignature(der) {
				t.Error("the signer is not listed, or the shape is not recognised")
			}
			if !verifies(t, s.Certificate, s.RawTBS, s.Value) {
				t.Error("the signature does not verify")
			}
			if !verifies(t, s.Seal.MakerCertificate, s.Seal.SignedBytes(), s.Seal.Value) {
				t.Error("the maker's signature does not verify")
			}
		})
	}
}
