package verify

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/ca/ocsp"
	"yinxin/ca/tsa"
	"yinxin/internal/oid"
	"yinxin/internal/tooltest"
)

const oneDay = 24 * time.Hour

// clock is a time-stamp authority of which the tests choose the time.
type clock struct {
	*chaintest.Holder
}

func newClock(t testing.TB, issuer *chaintest.Holder, until time.Time) *clock {
	t.Helper()
	purpose, err := asn1.Marshal([]asn1.ObjectIdentifier{oid.EKUTimeStamping})
	if err != nil {
		t.Fatal(err)
	}
	return &clock{Holder: issuer.Issue(t, "云岭时间戳", chaintest.Usage(smx509.KeyUsageDigitalSignature), chaintest.Valid(chaintest.Start, until),
		chaintest.Extension(pkix.Extension{Id: oid.ExtKeyUsage, Critical: true, Value: purpose}))}
}

// stamp makes a token over content at a time.
func (c *clock) stamp(t testing.TB, content []byte, at time.Time) []byte {
	t.Helper()
	authority, err := tsa.New(tsa.Config{Certificate: c.Certificate, Key: c.Holder, Clock: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	digest := sm3.Sum(content)
	token, err := authority.Stamp(context.Background(), cms.SM3, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// document makes the update of a document time stamp.
func (c *clock) document(t testing.TB, at time.Time) func(*parts) {
	return func(p *parts) {
		p.filter, p.subFilter, p.typeEntry = "Adobe.PPKLite", "ETSI.RFC3161", "/Type /DocTimeStamp"
		p.rect, p.appearance = "0 0 0 0", ""
		p.make = func(covered []byte) []byte { return c.stamp(t, covered, at) }
	}
}

// late is when the institution's certificate has expired.
var late = chaintest.Start.Add(chaintest.Year + 10*oneDay)

// lateOptions are in the present of late, with the lists of the time of signing and current ones.
func (h *house) lateOptions(t testing.TB, at time.Time, entries ...smx509.RevocationListEntry) Options {
	lists := []*chain.CRL{
		h.issuing.ParsedCRL(t, 1, signed.Add(-oneDay), signed.Add(oneDay)), h.root.ParsedCRL(t, 1, signed.Add(-oneDay), signed.Add(oneDay)),
		h.issuing.ParsedCRL(t, 2, at.Add(-oneDay), at.Add(oneDay), entries...), h.root.ParsedCRL(t, 2, at.Add(-oneDay), at.Add(oneDay)),
	}
	return Options{At: at, Language: "en", Chain: &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate),
		Intermediates: []*chain.Certificate{h.issuing.Certificate}, Revocation: chain.NewCRLSource(lists...)}}
}

func TestATimeStampProvesTheTimeOfASignature(t *testing.T) {
	profiles := map[string]func(h *house, token func([]byte) []byte) func(*parts){
		"seal": func(h *house, token func([]byte) []byte) func(*parts) {
			h.token = token
			return func(*parts) {}
		},
		"cms": func(h *house, token func([]byte) []byte) func(*parts) {
			return func(p *parts) {
				h.message(t, cms.ProfileCMS)(p)
				p.make = func(covered []byte) []byte {
					return assembleMessage(t, cms.Template{Profile: cms.ProfileCMS, Certificate: h.institution.Certificate, Seal: h.seal}, h.institution,
						func(w *cms.Writer) *cms.Pending { return w.Prepare(sm3.Sum(covered), p.time) }, token)
				}
			}
		},
	}
	stampedAt := signed.Add(time.Minute)
	for profile, make := range profiles {
		for _, c := range []struct {
			name    string
			token   func(h *house) func([]byte) []byte
			options func(h *house) Options
			verdict Verdict
			source  string
			reason  string
		}{
			{"the certificate expired since", honest(t, stampedAt), func(h *house) Options { return h.lateOptions(t, late) }, Valid, TimeSourceTimeStamp, "proved by its time stamp"},
			{"the certificate was revoked since", honest(t, stampedAt), func(h *house) Options {
				return h.lateOptions(t, now, revoked(h.institution, signed.Add(oneDay)))
			}, Valid, TimeSourceTimeStamp, "revoked after signing"},
			{"revoked between the claim and the stamp", honest(t, signed.Add(2*time.Hour)), func(h *house) Options {
				return h.lateOptions(t, now, revoked(h.institution, signed.Add(time.Hour)))
			}, Undetermined, TimeSourceTimeStamp, "nothing proves that the signature is older"},
			{"revoked before the claim", honest(t, stampedAt), func(h *house) Options {
				return h.lateOptions(t, now, revoked(h.institution, signed.Add(-time.Hour)))
			}, Invalid, TimeSourceTimeStamp, "revoked before signing"},
			{"the stamp came after the certificate had expired", honest(t, late), func(h *house) Options { return h.lateOptions(t, late.Add(time.Hour)) }, Undetermined, TimeSourceTimeStamp, "had expired at the proved time"},
			{"the stamp is about something else", func(h *house) func([]byte) []byte {
				c := newClock(t, h.issuing, late.Add(chaintest.Year))
				return func(value []byte) []byte { return c.stamp(t, append(value, 1), stampedAt) }
			}, func(h *house) Options { return h.options(t) }, Undetermined, TimeSourceSignature, "about something else"},
			{"a stranger's stamp proves nothing", func(*house) func([]byte) []byte {
				c := newClock(t, chaintest.Root(t, "Stranger"), late.Add(chaintest.Year))
				return func(value []byte) []byte { return c.stamp(t, value, stampedAt) }
			}, func(h *house) Options { return h.options(t) }, Valid, TimeSourceSignature, "proves nothing: The issuer of the time-stamp authority"},
			{"a stranger's stamp and an expired certificate", func(*house) func([]byte) []byte {
				c := newClock(t, chaintest.Root(t, "Stranger"), late.Add(chaintest.Year))
				return func(value []byte) []byte { return c.stamp(t, value, stampedAt) }
			}, func(h *house) Options { return h.lateOptions(t, late) }, Undetermined, TimeSourceSignature, "has expired since"},
			{"the authority expired since", func(h *house) func([]byte) []byte {
				c := newClock(t, h.issuing, signed.Add(2*oneDay))
				return func(value []byte) []byte { return c.stamp(t, value, stampedAt) }
			}, func(h *house) Options { return h.lateOptions(t, now) }, Valid, TimeSourceSignature, "authority's certificate has expired"},
			{"a token that is none", func(*house) func([]byte) []byte {
				return func([]byte) []byte { return []byte{0x30, 3, 2, 1, 1} }
			}, func(h *house) Options { return h.options(t) }, Undetermined, TimeSourceSignature, "malformed"},
		} {
			t.Run(profile+": "+c.name, func(t *testing.T) {
				h := newHouse(t)
				f := newFile().seal(t, h, make(h, c.token(h)))
				r := f.verify(t, c.options(h))
				want(t, r, c.verdict, c.reason)
				if s := r.Signatures[0]; s.TimeSource != c.source {
					t.Errorf("time source %s", s.TimeSource)
				}
			})
		}
	}
}

func honest(t *testing.T, at time.Time) func(*house) func([]byte) []byte {
	return func(h *house) func([]byte) []byte {
		c := newClock(t, h.issuing, late.Add(chaintest.Year))
		return func(value []byte) []byte { return c.stamp(t, value, at) }
	}
}

// TestDocumentTimeStampsProveWhatTheyCover includes renewal: each is proved by the next.
func TestDocumentTimeStampsProveWhatTheyCover(t *testing.T) {
	h := newHouse(t)
	good := newClock(t, h.issuing, late.Add(2*chaintest.Year))
	short := newClock(t, h.issuing, signed.Add(100*oneDay))
	sealed := newFile().seal(t, h)

	f := sealed.clone().seal(t, h, good.document(t, signed.Add(time.Hour)))
	r := f.verify(t, h.lateOptions(t, late))
	want(t, r, Valid, "Verified: this document was sealed by 云岭省档案馆 and was not changed since.")
	want(t, r, Valid, "proved by a document time stamp")
	s, d := r.Signatures[0], r.Signatures[1]
	if s.TimeSource != TimeSourceDocumentTimeStamp || s.Time != rfc3339(signed.Add(time.Hour)) || s.ClaimedTime != rfc3339(signed) || len(s.TimeStamps) != 1 || !s.TimeStamps[0].Proves {
		t.Errorf("%+v", s)
	}
	if d.Kind != KindTimeStamp || d.Verdict != Valid || d.Profile != "time-stamp" || d.Algorithm != "SM2 / SM3" {
		t.Errorf("%+v", d)
	}

	// What the stamp does not cover it does not prove.
	want(t, newFile().seal(t, h, good.document(t, signed.Add(time.Hour))).seal(t, h).verify(t, h.lateOptions(t, late)), Undetermined, "has expired since")

	// The authority has expired: worth nothing, unless another stamp came in time.
	f = sealed.clone().seal(t, h, short.document(t, signed.Add(time.Hour)))
	r = f.verify(t, h.lateOptions(t, late))
	want(t, r, Undetermined, "authority's certificate has expired")
	f.seal(t, h, good.document(t, signed.Add(50*oneDay)))
	r = f.verify(t, h.withList(t, h.lateOptions(t, late), signed.Add(50*oneDay)))
	want(t, r, Valid, "")
	if got := r.Signatures[0].Time; got != rfc3339(signed.Add(time.Hour)) {
		t.Errorf("proved time %s, not that of the first stamp", got)
	}

	// One that came too late does not help.
	f = sealed.clone().seal(t, h, short.document(t, signed.Add(time.Hour))).seal(t, h, good.document(t, signed.Add(200*oneDay)))
	r = f.verify(t, h.withList(t, h.lateOptions(t, late), signed.Add(200*oneDay)))
	if v := r.Signatures[1].Verdict; v != Undetermined {
		t.Errorf("a stamp renewed too late is %s", v)
	}

	// The authority's key was stolen after the renewal, or before.
	for _, c := range []struct {
		at      time.Duration
		verdict Verdict
	}{{60 * oneDay, Valid}, {40 * oneDay, Undetermined}} {
		f = sealed.clone().seal(t, h, short.document(t, signed.Add(time.Hour))).seal(t, h, good.document(t, signed.Add(50*oneDay)))
		o := h.withList(t, h.lateOptions(t, late, revoked(short.Holder, signed.Add(c.at))), signed.Add(50*oneDay))
		if v := f.verify(t, o).Signatures[1].Verdict; v != c.verdict {
			t.Errorf("revoked after %v: %s, want %s", c.at, v, c.verdict)
		}
	}
}

// withList adds lists of a time.
func (h *house) withList(t testing.TB, o Options, at time.Time) Options {
	o.Chain = o.Chain.With(nil, chain.NewCRLSource(h.issuing.ParsedCRL(t, 3, at.Add(-oneDay), at.Add(oneDay)), h.root.ParsedCRL(t, 3, at.Add(-oneDay), at.Add(oneDay))))
	return o
}

// TestDocumentTimeStampsMustBeSound has one wrong thing in each.
func TestDocumentTimeStampsMustBeSound(t *testing.T) {
	h := newHouse(t)
	good := newClock(t, h.issuing, late)
	at := signed.Add(time.Hour)
	for _, c := range []struct {
		name    string
		change  func(p *parts)
		verdict Verdict
		reason  string
	}{
		{"a good one, but nobody sealed", func(*parts) {}, Unsealed, "not who issued it"},
		{"over other bytes", func(p *parts) {
			p.make = func(covered []byte) []byte { return good.stamp(t, append(covered, 1), at) }
		}, Modified, "does not match its digest"},
		{"a damaged value", func(p *parts) {
			p.contents = func(der []byte) []byte { der[len(der)-1] ^= 1; return der }
		}, Invalid, "not acceptable"},
		{"an institution that is no authority", func(p *parts) {
			p.make = func(covered []byte) []byte {
				return assembleMessage(t, cms.Template{Profile: cms.ProfileCMS, Certificate: h.institution.Certificate, ContentType: cms.TypeTSTInfo}, h.institution,
					func(w *cms.Writer) *cms.Pending { return w.PrepareEmbedded(infoOf(t, good, covered, at), at) }, nil)
			}
		}, Invalid, "key usage"},
		{"in the future", func(p *parts) {
			p.make = func(covered []byte) []byte { return good.stamp(t, covered, now.Add(time.Hour)) }
		}, Unsealed, "future"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newFile().seal(t, h, good.document(t, at), c.change).verify(t, h.options(t))
			want(t, r, c.verdict, c.reason)
		})
	}
}

// infoOf takes the time-stamp info out of a good token.
func infoOf(t testing.TB, c *clock, content []byte, at time.Time) []byte {
	t.Helper()
	token, err := tsa.Parse(c.stamp(t, content, at))
	if err != nil {
		t.Fatal(err)
	}
	return token.Data.Content
}

// TestTheFileMayCarryItsProofs takes intermediates, lists and answers from the document security store.
func TestTheFileMayCarryItsProofs(t *testing.T) {
	h := newHouse(t)
	responder := h.issuing.Issue(t, "云岭OCSP", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageOCSPSigning),
		chaintest.Extension(pkix.Extension{Id: oid.OCSPNoCheck, Value: []byte{5, 0}}))
	answer := func(by *chaintest.Holder, about ...*chaintest.Holder) []byte {
		var singles []ocsp.Single
		for _, c := range about {
			id, err := ocsp.NewCertID(oid.SHA1, h.issuing.Certificate, c.Certificate.Serial)
			if err != nil {
				t.Fatal(err)
			}
			singles = append(singles, ocsp.Single{CertID: id, Status: ocsp.Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)})
		}
		der, err := ocsp.CreateResponse(context.Background(), singles, nil, now.Add(-time.Hour), by.Certificate, by)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	stranger := chaintest.Root(t, "Stranger")
	strangerResponder := stranger.Issue(t, "云岭OCSP", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageOCSPSigning))
	lists := func(by *chaintest.Holder) []byte { return by.CRL(t, 1, now.Add(-time.Hour), now.Add(time.Hour)) }
	bare := Options{At: now, Language: "en", Chain: &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate)}}
	sealed := newFile().seal(t, h)
	want(t, sealed.verify(t, bare), Undetermined, "not among the trusted ones")
	for _, c := range []struct {
		name                         string
		certificates, lists, answers [][]byte
		vri                          bool
		verdict                      Verdict
		reason                       string
	}{
		{"all with lists", [][]byte{h.issuing.Certificate.Raw}, [][]byte{lists(h.issuing), lists(h.root)}, nil, false, Valid, ""},
		{"all with answers", [][]byte{h.issuing.Certificate.Raw}, [][]byte{lists(h.root)}, [][]byte{answer(responder, h.institution, h.maker)}, false, Valid, ""},
		{"under VRI only", [][]byte{h.issuing.Certificate.Raw}, [][]byte{lists(h.issuing), lists(h.root)}, nil, true, Valid, ""},
		{"an answer of the issuer itself", [][]byte{h.issuing.Certificate.Raw}, [][]byte{lists(h.root)}, [][]byte{answer(h.issuing, h.institution, h.maker)}, false, Valid, ""},
		{"no lists", [][]byte{h.issuing.Certificate.Raw}, nil, nil, false, Undetermined, "not known"},
		{"lists and answers of strangers", [][]byte{h.issuing.Certificate.Raw}, [][]byte{lists(stranger), lists(h.root)}, [][]byte{answer(strangerResponder, h.institution, h.maker)}, false, Undetermined, "not known"},
		{"a root is no anchor because a file carries it", [][]byte{h.issuing.Certificate.Raw, h.root.Certificate.Raw}, [][]byte{lists(h.issuing), lists(h.root)}, nil, false, Valid, ""},
		{"nonsense", [][]byte{{0x30, 0}, []byte("x")}, [][]byte{{1}}, [][]byte{{0x30, 0x80}}, false, Undetermined, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFile()
			objects := map[int]string{}
			array := func(all [][]byte) string {
				var b strings.Builder
				for _, data := range all {
					num := 100 + len(objects)
					objects[num] = stream("", string(data))
					fmt.Fprintf(&b, "%d 0 R ", num)
				}
				return "[" + b.String() + "]"
			}
			store := fmt.Sprintf("/DSS << /Certs %s /CRLs %s /OCSPs %s >>", array(c.certificates), array(c.lists), array(c.answers))
			if c.vri {
				store = fmt.Sprintf("/DSS << /VRI << /AAAA << /Cert %s /CRL %s /OCSP %s >> >> >>", array(c.certificates), array(c.lists), array(c.answers))
			}
			f.root += store
			f.update("", objects).seal(t, h)
			want(t, f.verify(t, bare), c.verdict, c.reason)
			none := Options{At: now, Language: "en"}
			want(t, f.verify(t, none), Undetermined, "not among the trusted ones")
		})
	}
}

// TestTimeStampsOfOpensslAreVerified has document time stamps that openssl ts made with RSA.
func TestTimeStampsOfOpensslAreVerified(t *testing.T) {
	tooltest.Find(t, "openssl")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, key)
	authority := o.issue(t, &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "Clock", Organization: []string{"Other Clock"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(chaintest.Year), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oid.ExtKeyUsage, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}}}}, o.root, key.Public())
	certificate := o.write(t, "clock.pem", "CERTIFICATE", authority.Raw)
	path := func(name string) string { return filepath.Join(o.folder, name) }
	config := "[tsa]\ndefault_tsa = t\n[t]\nserial = " + path("serial") + "\ndefault_policy = 1.2.3.4\ndigests = sha256, sha384\nsigner_digest = sha256\ness_cert_id_alg = sha256\n"
	if err := os.WriteFile(path("ts.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		t.Helper()
		if said, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, said)
		}
	}
	stamped := func(change []byte) *file {
		return newFile().seal(t, newHouse(t)).seal(t, newHouse(t), func(p *parts) {
			p.filter, p.subFilter, p.typeEntry, p.rect, p.appearance = "Adobe.PPKLite", "ETSI.RFC3161", "/Type /DocTimeStamp", "0 0 0 0", ""
			p.make = func(covered []byte) []byte {
				if err := os.WriteFile(path("data"), append(covered, change...), 0o600); err != nil {
					t.Fatal(err)
				}
				run("ts", "-query", "-data", path("data"), "-sha384", "-cert", "-out", path("query"))
				run("ts", "-reply", "-config", path("ts.conf"), "-queryfile", path("query"), "-signer", certificate, "-inkey", o.file, "-token_out", "-out", path("token"))
				token, err := os.ReadFile(path("token"))
				if err != nil {
					t.Fatal(err)
				}
				return token
			}
		})
	}
	present := time.Now().Add(time.Minute)
	options := Options{Chain: o.trust(t, present), At: present, Language: "en"}
	r := stamped(nil).verify(t, options)
	s := r.Signatures[1]
	if s.Verdict != Valid || s.Kind != KindTimeStamp || s.Signer != "Other Clock" || s.Algorithm != "RSA 2048 / SHA-256" || resultOfCheck(s, CheckDigest) != OK {
		t.Errorf("%+v", s)
	}
	if r.Signatures[0].TimeSource != TimeSourceDocumentTimeStamp {
		t.Errorf("%+v", r.Signatures[0])
	}
	if v := stamped([]byte("x")).verify(t, options).Signatures[1].Verdict; v != Modified {
		t.Errorf("a stamp over other bytes is %s", v)
	}
}
