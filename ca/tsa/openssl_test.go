package tsa_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/internal/tooltest"
)

// workshop is a folder in which openssl works.
type workshop struct {
	t   testing.TB
	dir string
}

func newWorkshop(t testing.TB) workshop {
	t.Helper()
	tooltest.Find(t, "openssl")
	return workshop{t, t.TempDir()}
}

func (w workshop) try(args string) (string, error) {
	command := exec.Command("openssl", strings.Fields(args)...)
	command.Dir = w.dir
	out, err := command.CombinedOutput()
	return string(out), err
}

func (w workshop) run(args string) string {
	w.t.Helper()
	out, err := w.try(args)
	if err != nil {
		w.t.Fatalf("openssl %s: %v\n%s", args, err, out)
	}
	return out
}

func (w workshop) write(name string, data []byte) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), data, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w workshop) read(name string) []byte {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

func (w workshop) certificate(name string) *chain.Certificate {
	w.t.Helper()
	block, _ := pem.Decode(w.read(name))
	if block == nil {
		w.t.Fatal("no PEM")
	}
	c, err := chain.ParseCertificate(block.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// foreign founds a CA with a time-stamp authority that openssl runs.
func (w workshop) foreign(newKey, digest string) {
	w.write("tsa.cnf", fmt.Appendf(nil, `
[tsa_ext]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[careless_ext]
keyUsage = critical,digitalSignature
extendedKeyUsage = timeStamping
[req]
distinguished_name = dn
[dn]
[tsa]
default_tsa = it
[it]
serial = serial
signer_digest = %s
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ess_cert_id_chain = no
ess_cert_id_alg = %s
clock_precision_digits = 3
ordering = yes
tsa_name = yes
`, digest, digest))
	w.write("serial", []byte("0123456789ABCDEF01\n"))
	w.run("req -x509 -nodes -newkey " + newKey + " -subj /CN=ca -days 300 -keyout ca.key -out ca.pem")
	w.run("req -new -nodes -newkey " + newKey + " -subj /CN=tsa -keyout tsa.key -out tsa.csr -config tsa.cnf")
	w.run("x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 200 -extfile tsa.cnf -extensions tsa_ext -out tsa.pem")
}

// What a foreign authority stamps is verified, and refused for other data; we ask it as a client does.
func TestTokensOfOpensslAreVerified(t *testing.T) {
	for _, test := range []struct {
		name, key, digest string
		hash              cms.Hash
		want              string
	}{
		{"RSA", "rsa:2048", "sha256", cms.SHA256, ""},
		{"RSA with SHA-512", "rsa:2048", "sha512", cms.SHA384, ""},
		{"ECDSA", "ec -pkeyopt ec_paramgen_curve:P-256", "sha256", cms.SHA512, ""},
		{"RSA with SHA-1", "rsa:2048", "sha1", cms.SHA256, "chain.weak-algorithm"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorkshop(t)
			w.foreign(test.key, test.digest)
			raw, err := tsa.CreateRequest(tsa.Request{Imprint: imprint(test.hash), Certificates: true})
			if err != nil {
				t.Fatal(err)
			}
			w.write("request", raw)
			if text := w.run("ts -query -in request -text"); !strings.Contains(text, "Certificate required: yes") {
				t.Error(text)
			}
			w.run("ts -reply -queryfile request -config tsa.cnf -signer tsa.pem -inkey tsa.key -out response")
			response, err := tsa.ParseResponse(w.read("response"))
			if err != nil || response.Status != tsa.Granted {
				t.Fatalf("%+v, %v", response, err)
			}
			token := parse(t, response.Token)
			v := &chain.Verifier{Anchors: chain.NewAnchors(w.certificate("ca.pem"))}
			r := token.Verify(t.Context(), test.hash.Sum(stamped), v)
			if codeOf(r.Err) != test.want || !r.Chain.Trusted {
				t.Fatalf("%v, %+v", r.Err, r.Chain)
			}
			if token.Info.Accuracy != 1500*time.Millisecond+100*time.Microsecond || !token.Info.Ordering || token.Info.Policy.String() != "1.2.3.4.1" ||
				token.Info.Serial.Text(16) != "123456789abcdef02" || token.Info.Nonce != nil {
				t.Errorf("%+v", token.Info)
			}
			// The time is to the millisecond: openssl's own reading of it is the same.
			text := w.run("ts -reply -in response -text")
			if at := token.Info.Time.Format("Jan _2 15:04:05"); !strings.Contains(text, at) {
				t.Errorf("%s is not in\n%s", at, text)
			}
			if r := token.Verify(t.Context(), test.hash.Sum([]byte("another")), v); codeOf(r.Err) != "tsa.imprint" {
				t.Errorf("other data: %v", r.Err)
			}
		})
	}
}

// Signed data with a TSTInfo that does not name its certificate by digest, as RFC 3161 asks, is no token.
func TestATokenMustNameItsCertificate(t *testing.T) {
	w := newWorkshop(t)
	w.foreign("rsa:2048", "sha256")
	w.write("info", parse(t, newScene(t).stamp(t, cms.SM3)).Data.Content)
	for args, want := range map[string]string{"-cades": "", "": "cms.attribute-missing"} {
		w.run("cms -sign -binary -in info -nodetach -econtent_type 1.2.840.113549.1.9.16.1.4 -md sha256 -signer tsa.pem -inkey tsa.key -outform DER -out token " + args)
		if r := parse(t, w.read("token")).Check(cms.SM3.Sum(stamped)); codeOf(r.Err) != want {
			t.Errorf("%q: %v, want %q", args, r.Err, want)
		}
	}
}

// The same client that asks ours asks openssl.
func TestTheClientAsksOpenssl(t *testing.T) {
	w := newWorkshop(t)
	w.foreign("rsa:2048", "sha256")
	client := &tsa.Client{Send: func(_ context.Context, request []byte) ([]byte, error) {
		w.write("request", request)
		w.run("ts -reply -queryfile request -config tsa.cnf -signer tsa.pem -inkey tsa.key -out response")
		return w.read("response"), nil
	}}
	digest := cms.SHA256.Sum(stamped)
	raw, err := client.Stamp(t.Context(), cms.SHA256, digest)
	if err != nil {
		t.Fatal(err)
	}
	if r := parse(t, raw).Check(digest); r.Err != nil {
		t.Error(r.Err)
	}
	if _, err := client.Stamp(t.Context(), cms.SM3, cms.SM3.Sum(stamped)); codeOf(err) != "tsa.refused" {
		t.Errorf("a digest that it does not stamp: %v", err)
	}
}

// OpenSSL cannot check SM2 with an ID in a token; it reads every field of ours, and checks it up to the signature.
func TestOpensslReadsOurToken(t *testing.T) {
	w := newWorkshop(t)
	s := newScene(t)
	w.write("data", stamped)
	w.run("ts -query -data data -sha256 -cert -out request")
	w.write("response", s.authority.Answer(t.Context(), w.read("request")))
	text := w.run("ts -reply -in response -text")
	for _, want := range []string{"Status: Granted.", "Policy OID: " + tsa.Policy.String(), "Hash Algorithm: sha256", "Accuracy: 0x01 seconds",
		"Time stamp: " + s.now.Format("Jan _2 15:04:05 2006 GMT"), "Ordering: no", "Nonce: 0x"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	w.run("ts -reply -in response -token_out -out token")
	w.run("asn1parse -inform DER -in token")
	if raw := w.read("token"); !parse(t, raw).Verify(t.Context(), cms.SHA256.Sum(stamped), s.verifier(t)).Good() {
		t.Error("not good any more")
	}
	if text := w.run("pkcs7 -inform DER -in token -print_certs -noout"); strings.Count(text, "subject=") != 2 {
		t.Error(text)
	}
	// Its verification begins with the certificates, whose SM2 signatures it checks without an ID: there it ends.
	w.write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.Certificate.Raw}))
	text, err := w.try("ts -verify -queryfile request -in response -CAfile ca.pem -attime " + strconv.FormatInt(s.now.Unix(), 10))
	if err == nil || !strings.Contains(text, "certificate signature failure") {
		t.Errorf("%v %s", err, text)
	}
}

// A refusal is read by openssl with the reason that we gave.
func TestOpensslReadsOurRefusal(t *testing.T) {
	w := newWorkshop(t)
	s := newScene(t)
	w.write("data", stamped)
	for args, want := range map[string]string{
		"-sha1":                     "unrecognized or unsupported algorithm identifier",
		"-sha256 -tspolicy 1.2.3.4": "the requested TSA policy is not supported by the TSA",
	} {
		w.run("ts -query -data data -out request " + args)
		w.write("response", s.authority.Answer(t.Context(), w.read("request")))
		if text := w.run("ts -reply -in response -text"); !strings.Contains(text, "Status: Rejected.") || !strings.Contains(text, want) {
			t.Errorf("%s:\n%s", args, text)
		}
	}
}
