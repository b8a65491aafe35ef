package ca

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"
	tjfoc "github.com/tjfoc/gmsm/x509"

	"yinxin/ca/conform"
	"yinxin/internal/access"
	"yinxin/internal/oid"
	"yinxin/internal/tooltest"
	"yinxin/keystore"
)

// testIdentity is made up: no city has the number 2271.
const testIdentity = "22710219900307001X"

func person(t testing.TB) Request {
	return Request{Profile: ProfilePersonal, Public: newKey(t), Organisation: testName, CommonName: "王五"}
}

func blind(n byte) []byte { return bytes.Repeat([]byte{n}, BlindSize) }

func TestThePersonalCertificateHasExactlyItsProfile(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		r := person(t)
		ours := w.issue(t, r)
		c, err := smx509.ParseCertificate(ours.Raw)
		must(t, err)
		wantNames(t, c.RawSubject, "2.5.4.6 printable CN", "2.5.4.10 utf8 "+testName, "2.5.4.3 utf8 王五")
		if c.KeyUsage != smx509.KeyUsage(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) || c.IsCA || len(c.ExtKeyUsage) != 0 || len(c.Extensions) != 7 {
			t.Errorf("usage %b, %d extensions", c.KeyUsage, len(c.Extensions))
		}
		if want := time.Date(2027, 3, 5, 7, 59, 59, 0, time.UTC); !c.NotAfter.Equal(want) {
			t.Errorf("notAfter %v", c.NotAfter)
		}
		if bytes.Contains(ours.Raw, []byte(testIdentity)) || conform.Identity(ours.Raw) != "" {
			t.Error("an identity number that nobody asked for")
		}
	})
}

func TestAnEncryptionCertificateHasTheSubjectOfTheSigningOne(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		for _, signing := range []Request{institution(t), person(t)} {
			pair := signing
			pair.Profile, pair.Public = ProfileEncryption, newKey(t)
			first, second := w.issue(t, signing), w.issue(t, pair)
			if !bytes.Equal(first.RawSubject, second.RawSubject) || first.OrganisationCode != second.OrganisationCode {
				t.Errorf("%s and %s", first.Subject, second.Subject)
			}
			if second.KeyUsage != x509.KeyUsageKeyEncipherment|x509.KeyUsageDataEncipherment|x509.KeyUsageKeyAgreement {
				t.Errorf("usage %b", second.KeyUsage)
			}
			if !bytes.Equal(second.AuthorityKeyID, first.AuthorityKeyID) || fmt.Sprint(second.OCSPURLs, second.IssuerURLs) != fmt.Sprint(first.OCSPURLs, first.IssuerURLs) ||
				fmt.Sprint(second.CRLURLs) != fmt.Sprint([]string{w.crlURL(FirstIssuer, w.shardOf(second.Serial))}) { // each is in a shard of its own

				t.Error("other pointers")
			}
			same := signing
			same.Profile = ProfileEncryption
			_, err := w.Issue(t.Context(), w.approve(t, access.KindIssueCertificate, same.Subject()), same)
			wantCode(t, err, ErrKeyInUse)
			foreign, err := tjfoc.ParseCertificate(second.Raw)
			must(t, err)
			issuer, err := tjfoc.ParseCertificate(w.made.Issuing[0].Certificate.Raw)
			must(t, err)
			must(t, foreign.CheckSignatureFrom(issuer))
		}
	})
}

func TestTwoPeopleOfOneUnitDoNotShareAKey(t *testing.T) {
	w := sqliteWorld(t)
	r := person(t)
	w.issue(t, r)
	r.CommonName = "赵六"
	_, err := w.Issue(t.Context(), w.approve(t, access.KindIssueCertificate, r.Subject()), r)
	wantCode(t, err, ErrKeyInUse)
}

// TestAnIdentityNumberStandsInTheCertificateAlone: where it is configured; in approvals, records and ledger stands its
// seal.
func TestAnIdentityNumberStandsInTheCertificateAlone(t *testing.T) {
	w := sqliteWorld(t)
	r := person(t)
	r.Identity = Identity{Number: testIdentity, Blind: blind(1)}
	c := w.issue(t, r)
	if conform.Identity(c.Raw) != testIdentity {
		t.Fatal("the number is not in the certificate")
	}
	x, err := smx509.ParseCertificate(c.Raw)
	must(t, err)
	last := x.Extensions[len(x.Extensions)-1]
	if !last.Id.Equal(oid.IdentityCode) || last.Critical || !bytes.Equal(last.Value, append([]byte{0x80, 18}, testIdentity...)) {
		t.Errorf("extension %v", last)
	}
	for _, query := range []string{
		`SELECT COUNT(*) FROM ca_certificate WHERE CAST(request AS TEXT) LIKE '%' || $1 || '%' OR organisation LIKE '%' || $1 || '%' OR common_name LIKE '%' || $1 || '%'`,
		`SELECT COUNT(*) FROM access_request WHERE CAST(subject AS TEXT) LIKE '%' || $1 || '%'`,
		`SELECT COUNT(*) FROM ledger_event WHERE entry LIKE '%' || $1 || '%'`,
	} {
		if n := w.count(t, query, testIdentity); n != 0 {
			t.Errorf("%d rows have it in clear: %s", n, query)
		}
	}
	if n := w.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE CAST(request AS TEXT) LIKE '%hmac-sm3:%'`); n != 1 {
		t.Errorf("%d records have its seal", n)
	}
	for _, text := range []string{string(r.Subject()), string(r.Terms()), fmt.Sprintf("%v %+v %#v %s", r.Identity, r, r, r.Identity)} {
		if strings.Contains(text, testIdentity) {
			t.Errorf("it stands in %s", text)
		}
	}
	renewed, err := w.Renew(t.Context(), c.Serial, newKey(t))
	must(t, err)
	if conform.Identity(renewed.Raw) != testIdentity {
		t.Error("the renewal lost it")
	}
}

func TestTheSealOfAnIdentityNumberIsPartOfWhatIsApproved(t *testing.T) {
	base := person(t)
	seen := map[string]string{string(base.Terms()): "none"}
	for name, i := range map[string]Identity{
		"a number": {Number: testIdentity, Blind: blind(1)}, "another blind": {Number: testIdentity, Blind: blind(2)},
		"another number": {Number: "11010519491231002X", Blind: blind(1)},
	} {
		r := base
		r.Identity = i
		if other, ok := seen[string(r.Terms())]; ok {
			t.Errorf("%s has the terms of %s", name, other)
		}
		seen[string(r.Terms())] = name
	}
}

func TestRequestsOfPersonsAreChecked(t *testing.T) {
	at := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	good := person(t)
	good.Identity = Identity{Number: testIdentity, Blind: blind(1)}
	must(t, good.Check(at))
	pair := good
	pair.Profile = ProfileEncryption
	must(t, pair.Check(at))
	for name, change := range map[string]func(r *Request){
		"no name":                             func(r *Request) { r.CommonName = "" },
		"a seal code as name":                 func(r *Request) { r.CommonName = testSealCode },
		"an identity number in the name":      func(r *Request) { r.CommonName = "王五" + testIdentity },
		"an identity number in the unit":      func(r *Request) { r.Organisation = "单位" + testIdentity },
		"a credit code before the unit":       func(r *Request) { r.Organisation = testCode + testName },
		"a credit code":                       func(r *Request) { r.CreditCode = testCode },
		"a seal code":                         func(r *Request) { r.SealCode = testSealCode },
		"a wrong check character":             func(r *Request) { r.Identity.Number = testIdentity[:17] + "#" },
		"no blind":                            func(r *Request) { r.Identity.Blind = nil },
		"a short blind":                       func(r *Request) { r.Identity.Blind = r.Identity.Blind[1:] },
		"a blind without number":              func(r *Request) { r.Identity.Number = "" },
		"an institution with it":              func(r *Request) { *r = institution(t); r.Identity = good.Identity },
		"a TSA with it":                       func(r *Request) { r.Profile = ProfileTSA },
		"a name of 65 characters":             func(r *Request) { r.CommonName = strings.Repeat("王", 65) },
		"an encryption certificate of a CA":   func(r *Request) { r.Profile, r.CommonName = ProfileEncryption, "" },
		"an encryption certificate in a half": func(r *Request) { r.Profile, r.SealCode = ProfileEncryption, testSealCode },
	} {
		r := good
		change(&r)
		err := r.Check(at)
		wantCode(t, err, ErrRequest)
		if err != nil && strings.Contains(err.Error(), testIdentity) {
			t.Errorf("%s: the number stands in the error", name)
		}
	}
}

func TestOpenSSLReadsThePair(t *testing.T) {
	w := sqliteWorld(t)
	r := person(t)
	pair := r
	pair.Profile, pair.Public = ProfileEncryption, newKey(t)
	issuing := inPEM(t, w.made.Issuing[0].Certificate)
	for usage, request := range map[string]Request{"Digital Signature, Non Repudiation": r, "Key Encipherment, Data Encipherment, Key Agreement": pair} {
		file := inPEM(t, w.issue(t, request))
		if text := tooltest.Run(t, "openssl", "x509", "-in", file, "-noout", "-text", "-nameopt", "utf8"); !strings.Contains(text, usage) || !strings.Contains(text, "王五") {
			t.Errorf("%s", text)
		}
		out := tooltest.Run(t, "openssl", "verify", "-vfyopt", "distid:1234567812345678", "-attime", fmt.Sprint(w.time().Unix()), "-partial_chain", "-x509_strict", "-CAfile", issuing, file)
		if !strings.Contains(out, ": OK") {
			t.Errorf("%s", out)
		}
	}
}

// lyingKey signs the digest of something else.
type lyingKey struct{ keystore.Key }

func (k lyingKey) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	e[7] ^= 1
	return k.Key.SignDigest(ctx, e)
}

// otherKey signs what it is given, but is another key than it says.
type otherKey struct {
	keystore.Key
	public *ecdsa.PublicKey
}

func (k otherKey) Public() *ecdsa.PublicKey { return k.public }

func TestAKeyThatSignsSomethingElseReleasesNothing(t *testing.T) {
	for name, change := range map[string]func(w *world){
		"another digest": func(w *world) { w.first().key = lyingKey{w.first().key} },
		"another key":    func(w *world) { w.first().key = otherKey{w.first().key, newKey(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			w := sqliteWorld(t)
			change(w)
			r := institution(t)
			_, err := w.Issue(t.Context(), w.approve(t, access.KindIssueCertificate, r.Subject()), r)
			wantCode(t, err, ErrSigning)
			list, err := w.Certificates(t.Context(), Filter{Public: keystore.Point(r.Public)})
			must(t, err)
			if len(list) != 1 || list[0].State != RecordFailed || list[0].Certificate != nil {
				t.Fatalf("%+v", list)
			}
			if n := w.count(t, `SELECT COUNT(*) FROM ca_status WHERE serial = $1`, SerialText(list[0].Serial)); n != 1 {
				t.Error("the serial number is not revoked")
			}
		})
	}
}

// TestWhenNothingCanBeWrittenAtTheEndTheNextStartRevokes makes the final write fail by a trigger, and the one that voids
// with it: what is left is an intent, which the next start finds.
func TestWhenNothingCanBeWrittenAtTheEndTheNextStartRevokes(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		postgres := w.db.Dialect() == "postgres"
		r := institution(t)
		id := w.approve(t, access.KindIssueCertificate, r.Subject())
		w.interrupt = func(step string) {
			if step != "signed" {
				return
			}
			if postgres {
				must(t, w.exec(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''full''; END'`))
				must(t, w.exec(`CREATE TRIGGER full_disk BEFORE UPDATE ON ca_certificate FOR EACH ROW EXECUTE FUNCTION full_disk()`))
				return
			}
			must(t, w.exec(`CREATE TRIGGER full_disk BEFORE UPDATE ON ca_certificate BEGIN SELECT RAISE(ABORT, 'full'); END`))
		}
		if _, err := w.Issue(t.Context(), id, r); err == nil {
			t.Fatal("it was released")
		}
		list, err := w.Certificates(t.Context(), Filter{Public: keystore.Point(r.Public)})
		must(t, err)
		if len(list) != 1 || list[0].State != RecordPending {
			t.Fatalf("%+v", list)
		}
		if postgres {
			must(t, w.exec(`DROP TRIGGER full_disk ON ca_certificate`))
		} else {
			must(t, w.exec(`DROP TRIGGER full_disk`))
		}
		w.pass(time.Second)
		again := w.open()
		record, err := again.Certificate(t.Context(), list[0].Serial)
		must(t, err)
		if _, listed := w.crl(t).Lookup(record.Serial); record.State != RecordFailed || !listed {
			t.Errorf("%+v, on the CRL: %v", record, listed)
		}
	})
}

// TestACertificateOfOtherBytesIsNotReleased: signed by the right key, but not what was linted.
func TestACertificateOfOtherBytesIsNotReleased(t *testing.T) {
	w := sqliteWorld(t)
	token := func() *issuanceToken {
		i, err := w.prepare(t.Context(), person(t))
		must(t, err)
		made, err := lint(i.tbs, w.throwaway, expected{request: i.request, profile: i.request.Profile, serial: i.draft.serial, from: i.created, issuer: w.first().Certificate, urls: i.draft.issuer})
		must(t, err)
		return made
	}
	first, second := token(), token()
	der, err := first.sign(t.Context(), w.first().key)
	must(t, err)
	if _, err := first.released(der, w.first().Certificate.PublicKey); err != nil {
		t.Error(err)
	}
	_, err = second.released(der, w.first().Certificate.PublicKey)
	wantCode(t, err, ErrSigning)
}

// zeros is a source of randomness that broke.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestTheRulesAreAskedBeforeTheKeySigns: a serial number without randomness is in order for the code that writes and
// compares, and only the rules know better.
func TestTheRulesAreAskedBeforeTheKeySigns(t *testing.T) {
	w := sqliteWorld(t)
	w.Random = zeros{}
	r := institution(t)
	_, err := w.Issue(t.Context(), w.approve(t, access.KindIssueCertificate, r.Subject()), r)
	wantCode(t, err, ErrLint)
	if !strings.Contains(err.Error(), "serial-entropy") {
		t.Errorf("%v", err)
	}
	list, err := w.Certificates(t.Context(), Filter{Public: keystore.Point(r.Public)})
	must(t, err)
	if len(list) != 1 || list[0].State != RecordFailed || w.count(t, `SELECT COUNT(*) FROM ca_status`) != 0 {
		t.Errorf("%+v", list)
	}
}
