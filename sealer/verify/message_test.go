package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/internal/tooltest"
	"yinxin/sealer/ses"
)

// message signs what is covered in a profile of CMS as the house's institution, with the seal inside.
func (h *house) message(t testing.TB, profile cms.Profile, changes ...func(*cms.Template)) func(p *parts) {
	return func(p *parts) {
		p.filter, p.subFilter = "Adobe.PPKLite", "ETSI.CAdES.detached"
		p.typeEntry += " /M (D:20260201030405Z)"
		p.make = func(covered []byte) []byte {
			template := cms.Template{Profile: profile, Certificate: h.institution.Certificate, Seal: h.seal}
			for _, change := range changes {
				change(&template)
			}
			return assembleMessage(t, template, h.institution, func(w *cms.Writer) *cms.Pending { return w.Prepare(sm3.Sum(covered), p.time) }, nil)
		}
	}
}

// assembleMessage signs with a holder's key; token, if not nil, makes a time stamp over the value.
func assembleMessage(t testing.TB, template cms.Template, by *chaintest.Holder, prepare func(*cms.Writer) *cms.Pending, token func(value []byte) []byte) []byte {
	t.Helper()
	w, err := cms.NewWriter(template)
	if err != nil {
		t.Fatal(err)
	}
	pending := prepare(w)
	e, err := pending.Digest()
	if err != nil {
		t.Fatal(err)
	}
	value, err := by.SignDigest(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	var stamp []byte
	if token != nil {
		stamp = token(value)
	}
	der, err := pending.Assemble(value, stamp)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSM2MessagesWithASealAreVerified(t *testing.T) {
	for _, profile := range []cms.Profile{cms.ProfileCMS, cms.ProfileGM} {
		h := newHouse(t)
		f := newFile().seal(t, h, h.message(t, profile))
		r := f.verify(t, h.options(t))
		want(t, r, Valid, "sealed by 云岭省档案馆")
		s := r.Signatures[0]
		if s.Kind != KindCMS || s.Profile != string(profile) || s.Seal != "云岭省档案馆档案证明专用章" || len(s.Picture) != 900 ||
			s.Time != rfc3339(signed) || s.TimeSource != TimeSourceSignature || s.Algorithm != "SM2 / SM3" || s.Coverage != CoverageWhole {
			t.Errorf("%s: %+v", profile, s)
		}
		for _, name := range []string{CheckFormat, CheckIdentity, CheckAttributes, CheckContentType, CheckDigest, CheckAlgorithms, CheckSignatureValue,
			CheckCertificateList, CheckSigner, CheckSealValue, CheckMaker, CheckSealPeriod} {
			if got := resultOfCheck(s, name); got != OK {
				t.Errorf("%s: check %s is %q", profile, name, got)
			}
		}
		want(t, f.clone().replaceLast(t, "Grade: 85", "Grade: 99").verify(t, h.options(t)), Modified, "does not match the digest")
		want(t, f.clone().update("", map[int]string{contentObject: forgedPage}).verify(t, h.options(t)), Modified, "content of page 1")
		want(t, f.verify(t, Options{At: now, Language: "en"}), Undetermined, "not among the trusted ones")
	}
}

func resultOfCheck(s Signature, name string) Result {
	for _, c := range s.Checks {
		if c.Name == name {
			return c.Result
		}
	}
	return ""
}

// TestEachRuleOfAMessageCounts has one wrong thing in each message.
func TestEachRuleOfAMessageCounts(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(h *house) func(*parts)
		verdict Verdict
		reason  string
	}{
		{"the value is wrong", func(h *house) func(*parts) {
			return h.remake(t, func(der []byte) []byte { der[len(der)-1] ^= 1; return der })
		}, Invalid, "does not match the content"},
		{"the digest is of other bytes", func(h *house) func(*parts) {
			return func(p *parts) {
				h.message(t, cms.ProfileCMS)(p)
				made := p.make
				p.make = func(covered []byte) []byte { return made(append(covered, 'x')) }
			}
		}, Modified, "does not match the digest"},
		{"the seal lists another certificate", func(h *house) func(*parts) {
			h.institution = h.issuing.Issue(t, "53000000000002")
			return h.message(t, cms.ProfileCMS)
		}, Invalid, "does not list"},
		{"the seal was made by someone else", func(h *house) func(*parts) {
			h.maker.Key = h.institution.Key
			h.makeSeal(t, ses.Version4, chaintest.Start, chaintest.Start.Add(chaintest.Year))
			return h.message(t, cms.ProfileCMS)
		}, Invalid, "maker's signature on the seal is wrong"},
		{"the seal is no seal", func(h *house) func(*parts) {
			return h.message(t, cms.ProfileCMS, func(c *cms.Template) { c.Seal = []byte{0x30, 3, 2, 1, 1} })
		}, Invalid, "seal in the signature is malformed"},
		{"the seal had expired", func(h *house) func(*parts) {
			h.makeSeal(t, ses.Version4, chaintest.Start.Add(time.Hour), signed.Add(-time.Second))
			return h.message(t, cms.ProfileCMS)
		}, Invalid, "seal was not valid at the time of signing"},
		{"the content is inside", func(h *house) func(*parts) {
			return func(p *parts) {
				p.make = func(covered []byte) []byte {
					return assembleMessage(t, cms.Template{Profile: cms.ProfileCMS, Certificate: h.institution.Certificate}, h.institution,
						func(w *cms.Writer) *cms.Pending { return w.PrepareEmbedded([]byte("another text"), signed) }, nil)
				}
			}
		}, Invalid, "brings its own content"},
		{"no seal at all", func(h *house) func(*parts) {
			return h.message(t, cms.ProfileCMS, func(c *cms.Template) { c.Seal = nil })
		}, Valid, "was signed by 云岭省档案馆"},
		{"nothing but a header", func(h *house) func(*parts) {
			return h.remake(t, func([]byte) []byte {
				return append([]byte{0x30, 0x0f}, append(bytes.Clone(oidSignedData), 0xa0, 0x02, 0x30, 0x00)...)
			})
		}, Invalid, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			change := c.change(h)
			want(t, newFile().seal(t, h, change).verify(t, h.options(t)), c.verdict, c.reason)
		})
	}
}

// remake changes the structure of a good message.
func (h *house) remake(t testing.TB, change func(der []byte) []byte) func(*parts) {
	return func(p *parts) {
		h.message(t, cms.ProfileCMS)(p)
		p.contents = change
	}
}

// office is a certificate authority of another world: RSA or ECDSA, certificates and lists by crypto/x509.
type office struct {
	root, signer    *x509.Certificate
	rootKey, key    crypto.Signer
	folder          string
	signerPEM, file string
}

func newOffice(t testing.TB, key crypto.Signer) *office {
	t.Helper()
	o := &office{key: key, folder: t.TempDir()}
	rootKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o.rootKey = rootKey
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Other Root"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(chaintest.Year), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	o.root = o.issue(t, template, template, rootKey.Public())
	o.signer = o.issue(t, &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Clerk", Organization: []string{"Other Office"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(chaintest.Year), KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: []byte{1, 2, 3, 4}}, o.root, key.Public())
	o.signerPEM = o.write(t, "signer.pem", "CERTIFICATE", o.signer.Raw)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	o.file = o.write(t, "key.pem", "PRIVATE KEY", encoded)
	return o
}

func (o *office) issue(t testing.TB, template, parent *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, o.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (o *office) write(t testing.TB, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(o.folder, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openssl signs content with openssl cms and gives the DER.
func (o *office) openssl(t testing.TB, content []byte, args ...string) []byte {
	t.Helper()
	in, out := filepath.Join(o.folder, "content"), filepath.Join(o.folder, "out.der")
	if err := os.WriteFile(in, content, 0o600); err != nil {
		t.Fatal(err)
	}
	all := append([]string{"cms", "-sign", "-binary", "-in", in, "-out", out, "-outform", "DER", "-signer", o.signerPEM, "-inkey", o.file}, args...)
	if said, err := exec.Command("openssl", all...).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, said)
	}
	der, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestSignaturesOfOpensslAreVerified has files signed by a program that nobody here wrote, and pdfsig as a second judge.
func TestSignaturesOfOpensslAreVerified(t *testing.T) {
	tooltest.Find(t, "openssl")
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	house := newHouse(t)
	for _, c := range []struct {
		name, subFilter string
		key             crypto.Signer
		args            []string
		verdict         Verdict
		algorithm       string
		pdfsig          string
	}{
		{"RSA with SHA-256", "adbe.pkcs7.detached", rsaKey, []string{"-md", "sha256"}, Valid, "RSA 2048 / SHA-256", "Signature is Valid"},
		{"RSA with SHA-384, PAdES", "ETSI.CAdES.detached", rsaKey, []string{"-md", "sha384", "-cades"}, Valid, "RSA 2048 / SHA-384", "Signature is Valid"},
		{"RSA with SHA-512 named by key", "adbe.pkcs7.detached", rsaKey, []string{"-md", "sha512", "-keyid"}, Valid, "RSA 2048 / SHA-512", ""},
		{"RSA-PSS", "adbe.pkcs7.detached", rsaKey, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss"}, Valid, "RSA-PSS 2048 / SHA-256", ""},
		{"ECDSA P-256", "adbe.pkcs7.detached", p256, []string{"-md", "sha256"}, Valid, "ECDSA P-256 / SHA-256", "Signature is Valid"},
		{"ECDSA P-384", "adbe.pkcs7.detached", p384, []string{"-md", "sha384"}, Valid, "ECDSA P-384 / SHA-384", ""},
		{"RSA without attributes", "adbe.pkcs7.detached", rsaKey, []string{"-md", "sha256", "-noattr"}, Valid, "RSA 2048 / SHA-256", ""},
		{"RSA with SHA-1", "adbe.pkcs7.detached", rsaKey, []string{"-md", "sha1"}, Undetermined, "RSA 2048 / SHA-1", ""},
		{"adbe.pkcs7.sha1", "adbe.pkcs7.sha1", rsaKey, []string{"-md", "sha256", "-nodetach"}, Undetermined, "RSA 2048 / SHA-256", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t, c.key)
			f := newFile().seal(t, house, func(p *parts) {
				p.filter, p.subFilter = "Adobe.PPKLite", c.subFilter
				p.signature = "/M (" + time.Now().In(time.FixedZone("", 8*60*60)).Format("D:20060102150405-07'00'") + ")"
				p.make = func(covered []byte) []byte {
					if c.subFilter == "adbe.pkcs7.sha1" {
						sum := sha1.Sum(covered)
						covered = sum[:]
					}
					return o.openssl(t, covered, c.args...)
				}
			})
			// openssl writes the time of its clock, so that is the present here.
			present := time.Now().Add(time.Minute)
			options := Options{Chain: o.trust(t, present), At: present, Language: "en"}
			r := f.verify(t, options)
			want(t, r, c.verdict, "")
			s := r.Signatures[0]
			if s.Algorithm != c.algorithm || s.Signer != "Other Office" || s.Profile != "pkcs7" || s.Seal != "" {
				t.Errorf("%+v", s)
			}
			changed := Modified
			if strings.Contains(strings.Join(c.args, " "), "-noattr") {
				changed = Invalid // the value is over the content: what is wrong cannot be told apart
			}
			want(t, f.clone().replaceLast(t, "Grade: 85", "Grade: 99").verify(t, options), changed, "")
			if c.pdfsig == "" {
				return
			}
			if _, err := exec.LookPath("pdfsig"); err != nil {
				t.Log("pdfsig is not installed")
				return
			}
			path := filepath.Join(o.folder, "signed.pdf")
			if err := os.WriteFile(path, f.data, 0o600); err != nil {
				t.Fatal(err)
			}
			said, _ := exec.Command("pdfsig", "-nocert", path).CombinedOutput()
			if !bytes.Contains(said, []byte(c.pdfsig)) {
				t.Errorf("pdfsig says otherwise:\n%s", said)
			}
		})
	}
}

// trust trusts the root, with a list that is current at a time.
func (o *office) trust(t testing.TB, at time.Time) *chain.Verifier {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(2), ThisUpdate: at.Add(-time.Hour), NextUpdate: at.Add(time.Hour)}, o.root, o.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	list, err := chain.ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	root, _ := chain.ParseCertificate(o.root.Raw)
	return &chain.Verifier{Anchors: chain.NewAnchors(root), Revocation: chain.NewCRLSource(list)}
}

func TestTheOldRSATypeIsUndetermined(t *testing.T) {
	h := newHouse(t)
	f := newFile().seal(t, h, func(p *parts) {
		p.filter, p.subFilter = "Adobe.PPKLite", "adbe.x509.rsa_sha1"
		p.make = func([]byte) []byte { return append([]byte{4, 128}, bytes.Repeat([]byte{7}, 128)...) }
	})
	want(t, f.verify(t, h.options(t)), Undetermined, "adbe.x509.rsa_sha1")
	want(t, f.clone().update("", map[int]string{contentObject: forgedPage}).verify(t, h.options(t)), Modified, "content of page 1")
}

// TestAMessageWithoutATimeIsJudgedNow: it exists now, so that is when its certificate must be good.
func TestAMessageWithoutATimeIsJudgedNow(t *testing.T) {
	h := newHouse(t)
	timeless := func(p *parts) {
		h.message(t, cms.ProfileCMS)(p)
		p.typeEntry = "/Type /Sig"
	}
	f := newFile().seal(t, h, timeless)
	r := f.verify(t, h.options(t))
	want(t, r, Valid, "does not say when it was made")
	if s := r.Signatures[0]; s.Time != "" || s.TimeSource != TimeSourceNone {
		t.Errorf("%+v", s)
	}
	want(t, f.verify(t, h.lateOptions(t, late)), Invalid, "had expired")
	o := h.options(t)
	o.At = time.Time{}
	want(t, f.verify(t, o), Undetermined, "signing time cannot be read")
	good := newClock(t, h.issuing, late.Add(chaintest.Year))
	want(t, f.seal(t, h, good.document(t, signed.Add(time.Hour))).verify(t, h.lateOptions(t, late)), Valid, "proved by a document time stamp")
}

func TestDatesAreRead(t *testing.T) {
	for written, want := range map[string]string{
		"D:20260201110405+08'00'": "2026-02-01T03:04:05Z", "D:20260201030405Z": "2026-02-01T03:04:05Z", "D:20260201030405Z00'00'": "2026-02-01T03:04:05Z",
		"D:2026": "2026-01-01T00:00:00Z", "20260201": "2026-02-01T00:00:00Z", "D:20260201030405-03'30": "2026-02-01T06:34:05Z",
		"D:20261301": "", "yesterday": "", "": "", "D:202": "",
	} {
		at, ok := parseDate(written)
		if ok != (want != "") || ok && rfc3339(at) != want {
			t.Errorf("%q: %v %v, want %q", written, at, ok, want)
		}
	}
}
