package cms_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/cms"
	"yinxin/internal/tooltest"
)

// OpenSSL makes signed data in every way that PDF producers do; we verify it, and refuse it over other content.
func TestWhatOpensslSignsIsVerified(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("content"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string][]string{
		"rsa":  {"rsa:2048"},
		"weak": {"rsa:1024"},
		"p256": {"ec", "-pkeyopt", "ec_paramgen_curve:P-256"},
		"p384": {"ec", "-pkeyopt", "ec_paramgen_curve:P-384"},
	} {
		tooltest.Run(t, "openssl", slices.Concat([]string{"req", "-x509", "-nodes", "-subj", "/CN=" + name, "-days", "30", "-keyout", file(name + ".key"),
			"-out", file(name + ".crt"), "-newkey"}, key)...)
	}
	for _, test := range []struct {
		name, key string
		args      string
		embedded  bool
		want      string
	}{
		{"RSA v1.5", "rsa", "-md sha256", false, ""},
		{"RSA v1.5 with SHA-384", "rsa", "-md sha384", false, ""},
		{"RSA v1.5 with SHA-512", "rsa", "-md sha512", false, ""},
		{"RSA v1.5 without attributes", "rsa", "-md sha256 -noattr", false, ""},
		{"RSA v1.5, embedded", "rsa", "-md sha256 -nodetach", true, ""},
		{"RSA v1.5, embedded, without attributes", "rsa", "-md sha256 -nodetach -noattr", true, ""},
		{"RSA v1.5, embedded, indefinite length", "rsa", "-md sha256 -nodetach -stream", true, ""},
		{"RSA v1.5, key identifier", "rsa", "-md sha256 -keyid", false, ""},
		{"RSA v1.5, signing certificate", "rsa", "-md sha256 -cades", false, ""},
		{"PSS", "rsa", "-md sha256 -keyopt rsa_padding_mode:pss", false, ""},
		{"PSS with SHA-512 and a salt", "rsa", "-md sha512 -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20", false, ""},
		{"PSS without attributes", "rsa", "-md sha256 -keyopt rsa_padding_mode:pss -noattr", false, ""},
		{"ECDSA P-256", "p256", "-md sha256", false, ""},
		{"ECDSA P-256 without attributes", "p256", "-md sha256 -noattr", false, ""},
		{"ECDSA P-384", "p384", "-md sha384", false, ""},
		{"ECDSA P-384, embedded", "p384", "-md sha512 -nodetach", true, ""},
		{"no certificate", "rsa", "-md sha256 -nocerts", false, "cms.certificate-missing"},
		{"SHA-1", "rsa", "-md sha1", false, "chain.weak-algorithm"},
		{"SHA-1 without attributes", "rsa", "-md sha1 -noattr", false, "chain.weak-algorithm"},
		{"ECDSA with SHA-1", "p256", "-md sha1", false, "chain.weak-algorithm"},
		{"MD5", "rsa", "-md md5", false, "chain.weak-algorithm"},
		{"RSA of 1024 bits", "weak", "-md sha256", false, "chain.weak-algorithm"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tooltest.Run(t, "openssl", slices.Concat([]string{"cms", "-sign", "-binary", "-in", file("content"), "-outform", "DER", "-out", file("out"),
				"-signer", file(test.key + ".crt"), "-inkey", file(test.key + ".key")}, strings.Fields(test.args))...)
			raw, err := os.ReadFile(file("out"))
			if err != nil {
				t.Fatal(err)
			}
			outside := content
			if test.embedded {
				outside = nil
			}
			if _, err := verify(raw, outside); codeOf(err) != test.want {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if test.embedded {
				if d := parse(t, raw); string(d.Content) != string(content) {
					t.Errorf("content %q", d.Content)
				}
				i := strings.Index(string(raw), string(content))
				raw[i] ^= 1
			} else {
				outside = append(slices.Clone(content), ' ')
			}
			if _, err := verify(raw, outside); err == nil || cms.Undecided(err) && test.want != "cms.certificate-missing" {
				t.Errorf("other content: %v", err)
			}
		})
	}
}

// Every certificate that OpenSSL calls a signer's is the one that we find.
func TestOpensslFindsTheSameSigner(t *testing.T) {
	s := newScene(t)
	raw := s.sign(t, cms.ProfileCMS)
	out := filepath.Join(t.TempDir(), "signer.pem")
	// It cannot verify SM2 with an ID; it can say which certificate it would use.
	text := tooltest.Run(t, "openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", tooltest.File(t, "x.der", raw), "-out", out)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err, text)
	}
	count := 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		count++
	}
	if count != 2 {
		t.Errorf("%d certificates", count)
	}
}

// OpenSSL signs SM2 with an empty ID where it is told none; nobody accepts that, and neither do we. With the default ID
// it is a second implementation that signs what we read.
func TestOpensslSignsWithAnID(t *testing.T) {
	s := newScene(t)
	key, err := smx509.MarshalSM2PrivateKey(s.signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	name := tooltest.File(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key}))
	for _, test := range []struct{ option, want string }{
		{"", "chain.bad-signature"},
		{"distid:1234567812345678", ""},
		{"distid:8765432187654321", "chain.bad-signature"},
	} {
		d := newDraft(t, s)
		d.sign = func(octets []byte) []byte {
			args := []string{"dgst", "-sm3", "-sign", name, "-out", name + ".sig"}
			if test.option != "" {
				args = append(args, "-sigopt", test.option)
			}
			tooltest.Run(t, "openssl", append(args, tooltest.File(t, "octets", octets))...)
			made, err := os.ReadFile(name + ".sig")
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		if _, err := verify(d.bytes(), content); codeOf(err) != test.want {
			t.Errorf("%q: %v, want %q", test.option, err, test.want)
		}
	}
}
