package ses_test

import (
	"bytes"
	"encoding/asn1"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer/ses"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a committed file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the golden file:\n%x\n%x", name, got, want)
	}
}

func TestSealsAreWrittenByteForByte(t *testing.T) {
	for _, c := range []struct {
		name    string
		version byte
		given   int
		stamp   []byte
		size    bool
	}{
		{"seal-v4.der", 4, 4, nil, true},
		{"seal-v4-default.der", 4, 0, nil, false},
		{"seal-v5.der", 5, 5, nil, true},
		{"seal-v5-stamped.der", 5, 5, token, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := newLayout(c.version)
			given := info(c.given)
			if c.size {
				want.sealExtensions = trueSize()
			} else {
				given.TrueWidth, given.TrueHeight = 0, 0
			}
			written := must[[]byte](t)(given.Marshal())
			if !bytes.Equal(written, want.sealInfo()) {
				t.Fatalf("SES_SealInfo\n%x\nwant\n%x", written, want.sealInfo())
			}
			var seal []byte
			if c.stamp == nil {
				seal = must[[]byte](t)(ses.AssembleSeal(written, makerCertificate, shortValue))
			} else {
				want.sealTS = zero(bits(c.stamp))
				seal = must[[]byte](t)(ses.AssembleStampedSeal(written, makerCertificate, shortValue, c.stamp))
			}
			if !bytes.Equal(seal, want.seal()) {
				t.Errorf("SESeal\n%x\nwant\n%x", seal, want.seal())
			}
			golden(t, c.name, seal)
			asn1parse(t, seal)
		})
	}
}

func TestSignaturesAreWrittenByteForByte(t *testing.T) {
	for _, c := range []struct {
		name    string
		version byte
		value   []byte
		stamp   []byte
	}{
		{"signature-v4.der", 4, longValue, nil},
		{"signature-v4-stamped.der", 4, shortValue, token},
		{"signature-v5.der", 5, longValue, nil},
		{"signature-v5-stamped.der", 5, longValue, token},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := newLayout(c.version)
			want.value = bits(c.value)
			if c.stamp != nil {
				want.timeStamp = zero(bits(c.stamp))
			}
			f := must[*ses.Form](t)(ses.NewForm(want.seal(), len(property)))
			suffix := must[[]byte](t)(f.Suffix(signedAt, dataHash, property))
			if tbs := append(bytes.Clone(f.Prefix()), suffix...); !bytes.Equal(tbs, want.tbs()) {
				t.Errorf("TBS_Sign\n%x\nwant\n%x", tbs, want.tbs())
			}
			signature := must[[]byte](t)(f.Assemble(suffix, signerCertificate, c.value, c.stamp))
			if !bytes.Equal(signature, want.signature()) {
				t.Errorf("SES_Signature\n%x\nwant\n%x", signature, want.signature())
			}
			golden(t, c.name, signature)
			asn1parse(t, signature)
		})
	}
}

// asn1parse has OpenSSL walk through the structure.
func asn1parse(t *testing.T, der []byte) {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("no openssl: its reading is not checked")
		return
	}
	command := exec.Command(openssl, "asn1parse", "-inform", "DER")
	command.Stdin = bytes.NewReader(der)
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "SM2-with-SM3") && !strings.Contains(string(out), "1.2.156.10197.1.501") {
		t.Errorf("openssl asn1parse: %v\n%s", err, out)
	}
}

func TestTheStandardLibraryReadsWhatIsWritten(t *testing.T) {
	type extension struct {
		ID    asn1.RawValue
		Value []byte
	}
	var seal struct {
		Info struct {
			Header struct {
				ID      string `asn1:"ia5"`
				Version int
				Vendor  string `asn1:"ia5"`
			}
			ID       string `asn1:"ia5"`
			Property struct {
				Type, Name         asn1.RawValue
				ListType           int
				Certificates       [][]byte
				Create, Start, End time.Time `asn1:"generalized"`
			}
			Picture struct {
				Type          string `asn1:"ia5"`
				Data          []byte
				Width, Height int
			}
			Extensions []extension
		}
		Certificate []byte
		Algorithm   asn1.ObjectIdentifier
		Value       asn1.BitString
	}
	der := must[[]byte](t)(ses.AssembleSeal(must[[]byte](t)(info(4).Marshal()), makerCertificate, shortValue))
	rest, err := asn1.Unmarshal(der, &seal)
	if err != nil || len(rest) != 0 {
		t.Fatal(err, len(rest))
	}
	if seal.Info.Header.Version != 4 || seal.Info.ID != "37010000000123" || !seal.Info.Property.Create.Equal(created.Truncate(time.Second)) ||
		seal.Info.Picture.Width != 42 || len(seal.Info.Extensions) != 1 || !bytes.Equal(seal.Value.RightAlign(), shortValue) {
		t.Errorf("read %+v", seal)
	}
}

func TestWhatTheStandardForbidsIsNotWritten(t *testing.T) {
	for _, c := range []struct {
		name   string
		field  string
		change func(*ses.SealInfo)
	}{
		{"version 1 is only read", "version", func(i *ses.SealInfo) { i.Version = 1 }},
		{"a vendor must be named", "vid", func(i *ses.SealInfo) { i.VendorID = "" }},
		{"a vendor is ASCII", "vid", func(i *ses.SealInfo) { i.VendorID = "印信" }},
		{"the code of the seal is ASCII", "esID", func(i *ses.SealInfo) { i.ID = "一" }},
		{"a line feed is no part of a code", "esID", func(i *ses.SealInfo) { i.ID = "1\n" }},
		{"the type is 1 or more", "type", func(i *ses.SealInfo) { i.Type = 0 }},
		{"a seal has a name", "name", func(i *ses.SealInfo) { i.Name = "" }},
		{"a name is UTF-8", "name", func(i *ses.SealInfo) { i.Name = "\xff" }},
		{"someone may use the seal", "certList", func(i *ses.SealInfo) { i.Certificates = nil }},
		{"a certificate is DER", "certList", func(i *ses.SealInfo) { i.Certificates = [][]byte{[]byte("-----BEGIN")} }},
		{"a certificate ends where it ends", "certList", func(i *ses.SealInfo) { i.Certificates = [][]byte{append(bytes.Clone(signerCertificate), 0)} }},
		{"a seal was made at some time", "createDate", func(i *ses.SealInfo) { i.CreateDate = time.Time{} }},
		{"validity begins", "validStart", func(i *ses.SealInfo) { i.ValidStart = time.Time{} }},
		{"validity ends after it begins", "validEnd", func(i *ses.SealInfo) { i.ValidEnd = i.ValidStart }},
		{"a year has four digits", "validEnd", func(i *ses.SealInfo) { i.ValidEnd = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"a picture type is upper case", "picture.type", func(i *ses.SealInfo) { i.Picture.Type = "png" }},
		{"a seal has a picture", "picture.data", func(i *ses.SealInfo) { i.Picture.Data = nil }},
		{"a picture has a width", "picture.width", func(i *ses.SealInfo) { i.Picture.Width = 0 }},
		{"a picture has a height", "picture.height", func(i *ses.SealInfo) { i.Picture.Height = -1 }},
		{"the exact width agrees with the picture", "trueWidth", func(i *ses.SealInfo) { i.TrueWidth = 43 }},
		{"the exact height agrees with the picture", "trueHeight", func(i *ses.SealInfo) { i.TrueHeight = 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := info(4)
			c.change(&i)
			_, err := i.Marshal()
			refused(t, err, "ses.not-writable", c.field)
		})
	}
}

func TestSealsAreAssembledOnlyFromWholeParts(t *testing.T) {
	good := must[[]byte](t)(info(4).Marshal())
	raw := bytes.Repeat([]byte{1}, 64)
	for _, c := range []struct {
		name               string
		info, maker, value []byte
		field              string
	}{
		{"raw r and s are never written", good, makerCertificate, raw, "signature"},
		{"no value is no signature", good, makerCertificate, nil, "signature"},
		{"a value ends where it ends", good, makerCertificate, append(bytes.Clone(shortValue), 0), "signature"},
		{"a negative INTEGER is no signature", good, makerCertificate, seq(tlv(2, []byte{0x80}), small(1)), "signature"},
		{"a needless zero is never written", good, makerCertificate, seq(tlv(2, []byte{0, 1}), small(1)), "signature"},
		{"a maker has a certificate", good, nil, shortValue, "cert"},
		{"information is SES_SealInfo", makerCertificate, makerCertificate, shortValue, "eSealInfo"},
		{"information ends where it ends", append(bytes.Clone(good), 5, 0), makerCertificate, shortValue, "eSealInfo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ses.AssembleSeal(c.info, c.maker, c.value)
			refused(t, err, "ses.not-writable", c.field)
		})
	}
	t.Run("version 4 has no time stamp", func(t *testing.T) {
		_, err := ses.AssembleStampedSeal(good, makerCertificate, shortValue, token)
		refused(t, err, "ses.not-writable", "eSealInfo")
	})
	t.Run("a time stamp is a token", func(t *testing.T) {
		_, err := ses.AssembleStampedSeal(must[[]byte](t)(info(5).Marshal()), makerCertificate, shortValue, []byte{1, 2, 3})
		refused(t, err, "ses.not-writable", "timeStamp")
	})
}

// refused demands an error with the code that speaks of the field.
func refused(t *testing.T, err error, code, field string) {
	t.Helper()
	f, ok := fault.Of(err)
	if !ok || f.Code != code || f.Place.Field != field {
		t.Errorf("error is %v, want %s at %s", err, code, field)
	}
}
