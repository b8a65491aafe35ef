package ca

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tjfoc "github.com/tjfoc/gmsm/x509"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/ocsp"
	"yinxin/ca/tsa"
	"yinxin/internal/oid"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/internal/tooltest"
)

// twoIssuers are the issuing CAs of the tests: one for institutions and services, one for persons.
func twoIssuers() []IssuingCeremony {
	return []IssuingCeremony{
		{Profiles: []Profile{ProfileInstitution, ProfileSealMaker, ProfileTSA}},
		{ID: "person", Name: "某某省档案馆个人签发证书", Years: 8, Profiles: []Profile{ProfilePersonal, ProfileEncryption}},
	}
}

func divided(t testing.TB, db *store.DB) *world {
	t.Helper()
	w, c := found(t, db)
	c.Issuing = twoIssuers()
	var err error
	w.made, err = Establish(t.Context(), c)
	must(t, err)
	w.Authority = w.open()
	return w
}

func eachDivided(t *testing.T, fn func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(t, divided(t, db)) })
}

func sqliteDivided(t testing.TB) *world {
	return divided(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
}

// statusUnder asks the responder about a serial number of an issuer, without a nonce, so that kept answers are used; the
// answer must be signed by that issuer's responder.
func (w *world) statusUnder(t *testing.T, issuer *chain.Certificate, serial *big.Int) ocsp.Single {
	t.Helper()
	r := w.answer(t, issuer, serial)
	must(t, r.Verify(issuer, w.time()))
	return r.Singles[0]
}

func (w *world) answer(t *testing.T, issuer *chain.Certificate, serial *big.Int) *ocsp.Response {
	t.Helper()
	id, err := ocsp.NewCertID(oid.SHA1, issuer, serial)
	must(t, err)
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
	must(t, err)
	r, err := ocsp.ParseResponse(w.OCSP(t.Context(), request))
	must(t, err)
	return r
}

func (w *world) listOf(t *testing.T, id string, shard int, delta bool) *chain.CRL {
	t.Helper()
	p, err := w.List(t.Context(), id, shard, delta)
	must(t, err)
	crl, err := chain.ParseCRL(p.DER)
	must(t, err)
	return crl
}

func TestEachProfileIsIssuedByItsCA(t *testing.T) {
	eachDivided(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		pair := person(t)
		pair.Profile = ProfileEncryption
		units, persons := w.made.Issuing[0], w.made.Issuing[1]
		anchors, err := w.Anchors(ctx)
		must(t, err)
		v := &chain.Verifier{Anchors: anchors, Revocation: w.Authority}
		renewed := w.issue(t, person(t))
		renewal, err := w.Renew(ctx, renewed.Serial, newKey(t))
		must(t, err)
		for name, c := range map[string]struct {
			certificate *chain.Certificate
			by          EstablishedIssuer
			usage       chain.Usage
		}{
			"institution": {w.issue(t, institution(t)), units, chain.UsageSign},
			"person":      {w.issue(t, person(t)), persons, chain.UsageSign},
			"encryption":  {w.issue(t, pair), persons, chain.UsageAny},
			"renewal":     {renewal, persons, chain.UsageSign},
			"seal maker":  {w.made.SealMaker, units, chain.UsageSealMaker},
			"TSA":         {w.made.TSA, units, chain.UsageTimeStamp},
			"OCSP":        {units.OCSP, units, chain.UsageAny},
			"OCSP person": {persons.OCSP, persons, chain.UsageAny},
		} {
			of := c.by.Certificate
			if !bytes.Equal(c.certificate.RawIssuer, of.RawSubject) || !bytes.Equal(c.certificate.AuthorityKeyID, of.SubjectKeyID) || w.IssuerOf(c.certificate) != of && w.IssuerOf(c.certificate).Fingerprint() != of.Fingerprint() {
				t.Errorf("%s: issued by %s", name, c.certificate.Issuer)
			}
			if urls := c.certificate.CRLURLs; len(urls) != 1 || !strings.HasPrefix(urls[0], testBase+"/pki/"+c.by.ID) ||
				!bytes.Contains(c.certificate.Raw, []byte(testBase+"/pki/"+c.by.ID+".cer")) {
				t.Errorf("%s: points to %v", name, urls)
			}
			if r := v.Verify(ctx, c.certificate, w.time(), c.usage); !r.Good() {
				t.Errorf("%s: %+v", name, r)
			}
			record, err := w.Certificate(ctx, c.certificate.Serial)
			if err != nil || record.Issuer != c.by.ID {
				t.Errorf("%s: on record as of %q, %v", name, record.Issuer, err)
			}
			// Under the other CA it is not known.
			other := units.Certificate
			if other.Fingerprint() == of.Fingerprint() {
				other = persons.Certificate
			}
			if s, err := w.Status(ctx, c.certificate, other, w.time()); err != nil || s.State != chain.StateUnknown {
				t.Errorf("%s under the other CA: %+v, %v", name, s, err)
			}
		}
		if got := w.Issuers(); len(got) != 2 || got[0].ID != FirstIssuer || got[1].ID != "person" || len(got[0].Profiles) != 3 || len(got[1].Profiles) != 2 {
			t.Errorf("%+v", got)
		}
		raw, err := w.Stamp(ctx, cms.SM3, cms.SM3.Sum([]byte("data")))
		must(t, err)
		token, err := tsa.Parse(raw)
		must(t, err)
		if !bytes.Contains(raw, units.Certificate.Raw) || token.Info.Time.IsZero() {
			t.Error("a time stamp without the certificate of its authority's issuer")
		}
		// A reading authority answers the same.
		config := w.config()
		config.Keys = nil
		reading, err := Open(ctx, config)
		must(t, err)
		if got := reading.Issuers(); len(got) != 2 || !slices.Equal(got[1].Profiles, w.Issuers()[1].Profiles) {
			t.Errorf("%+v", got)
		}
	})
}

func TestARevocationIsKnownUnderItsCAAndNoOther(t *testing.T) {
	eachDivided(t, func(t *testing.T, w *world) {
		units, persons := w.made.Issuing[0].Certificate, w.made.Issuing[1].Certificate
		unit, user := w.issue(t, institution(t)), w.issue(t, person(t))
		must(t, w.PublishCRL(t.Context()))
		for _, c := range []struct {
			issuer *chain.Certificate
			serial *big.Int
			want   ocsp.Status
		}{{units, unit.Serial, ocsp.Good}, {persons, user.Serial, ocsp.Good}, {units, user.Serial, ocsp.Unknown}, {persons, unit.Serial, ocsp.Unknown}} {
			for range 2 { // the second answer is a kept one
				if got := w.statusUnder(t, c.issuer, c.serial); got.Status != c.want {
					t.Errorf("%x is %v under %s", c.serial, got.Status, c.issuer.Subject)
				}
			}
		}
		w.pass(10 * time.Second)
		w.revoke(t, user.Serial, ReasonCessationOfOperation)
		w.pass(lookInterval)
		if got := w.statusUnder(t, persons, user.Serial); got.Status != ocsp.Revoked || got.Reason != int(ReasonCessationOfOperation) {
			t.Errorf("%+v", got)
		}
		if got := w.statusUnder(t, units, user.Serial); got.Status != ocsp.Unknown {
			t.Errorf("under the other CA %+v", got)
		}
		before := w.listOf(t, FirstIssuer, 0, false)
		w.pass(time.Second)
		must(t, w.PublishIfDue(t.Context()))
		for _, shard := range []int{0, w.shardOf(user.Serial)} {
			for _, delta := range []bool{false, true} {
				list := w.listOf(t, "person", shard, delta)
				must(t, list.CheckIssuer(persons))
				if _, there := list.Lookup(user.Serial); !there || list.CheckIssuer(units) == nil {
					t.Errorf("shard %d, delta %v of persons: listed %v", shard, delta, there)
				}
				other := w.listOf(t, FirstIssuer, shard, delta)
				must(t, other.CheckIssuer(units))
				if _, there := other.Lookup(user.Serial); there {
					t.Errorf("shard %d of the units names it", shard)
				}
			}
		}
		if after := w.listOf(t, FirstIssuer, 0, false); after.Number.Cmp(before.Number) != 0 {
			t.Error("the list of the other CA was made anew for nothing")
		}
		if o, err := w.Overview(t.Context()); err != nil || o.Waiting != 0 {
			t.Errorf("%+v, %v", o, err)
		}
		lists, err := w.Lists(t.Context())
		must(t, err)
		if len(lists) != 3 || lists[0].Issuer != "root" || lists[1].Issuer != FirstIssuer || lists[2].Issuer != "person" || lists[1].Entries != 0 || lists[2].Entries != 1 {
			t.Errorf("%+v", lists)
		}
		for _, c := range []struct{ certificate, issuer *chain.Certificate }{{unit, units}, {user, persons}} {
			crls, answers, err := w.Evidence(t.Context(), c.certificate, c.issuer)
			must(t, err)
			list, err := chain.ParseCRL(crls[0])
			must(t, err)
			must(t, list.CheckIssuer(c.issuer))
			answer, err := ocsp.ParseResponse(answers[0])
			must(t, err)
			must(t, answer.Verify(c.issuer, w.time()))
		}
	})
}

// TestAChangeIsSeenWhileAnotherCAPublishes: one change more under one CA and one less under another must not look like none.
func TestAChangeIsSeenWhileAnotherCAPublishes(t *testing.T) {
	w := sqliteDivided(t)
	units := w.made.Issuing[0].Certificate
	unit, user := w.issue(t, institution(t)), w.issue(t, person(t))
	must(t, w.PublishCRL(t.Context()))
	w.revoke(t, user.Serial, ReasonSuperseded)
	w.pass(time.Second)
	if got := w.statusUnder(t, units, unit.Serial); got.Status != ocsp.Good {
		t.Fatalf("%+v", got)
	}
	must(t, w.PublishShard(t.Context(), "person", 0))
	w.revoke(t, unit.Serial, ReasonSuperseded)
	w.pass(lookInterval)
	if got := w.statusUnder(t, units, unit.Serial); got.Status != ocsp.Revoked {
		t.Errorf("%+v", got)
	}
}

func TestOneResponderAnswersForOneCA(t *testing.T) {
	w := sqliteDivided(t)
	units, persons := w.made.Issuing[0].Certificate, w.made.Issuing[1].Certificate
	unit, user := w.issue(t, institution(t)), w.issue(t, person(t))
	ask := func(ids ...ocsp.CertID) *ocsp.Response {
		request, err := ocsp.CreateRequest(ids, nil)
		must(t, err)
		r, err := ocsp.ParseResponse(w.OCSP(t.Context(), request))
		must(t, err)
		return r
	}
	id := func(issuer, c *chain.Certificate) ocsp.CertID {
		id, err := ocsp.NewCertID(oid.SM3, issuer, c.Serial)
		must(t, err)
		return id
	}
	for name, order := range map[string][]ocsp.CertID{"units first": {id(units, unit), id(persons, user)}, "persons first": {id(w.root, units), id(persons, user), id(units, unit)}} {
		r := ask(order...)
		issuer := units
		if name == "persons first" {
			issuer = persons
		}
		must(t, r.Verify(issuer, w.time()))
		for i, single := range r.Singles {
			want := ocsp.Unknown
			if order[i].Matches(issuer) {
				want = ocsp.Good
			}
			if single.Status != want {
				t.Errorf("%s: %d is %v", name, i, single.Status)
			}
		}
	}
	if r := ask(id(w.root, persons)); r.Status != ocsp.Unauthorized {
		t.Errorf("about the root's: %+v", r)
	}
	if r := ask(id(sqliteWorld(t).first().Certificate, user)); r.Status != ocsp.Unauthorized {
		t.Errorf("about a foreign CA's: %+v", r)
	}
	// A responder whose certificate is revoked does not speak; the other goes on.
	w.revoke(t, w.made.Issuing[1].OCSP.Serial, ReasonKeyCompromise)
	w.pass(time.Minute)
	if r := ask(id(persons, user)); r.Status != ocsp.TryLater {
		t.Errorf("%+v", r)
	}
	if got := w.statusUnder(t, units, unit.Serial); got.Status != ocsp.Good {
		t.Errorf("%+v", got)
	}
	// Its next certificate comes from the CA for which it answers: the key says which one that is.
	r := Request{Profile: ProfileOCSP, Public: w.made.Issuing[1].OCSP.PublicKey.(*ecdsa.PublicKey), Organisation: "某某省档案馆", CommonName: "OCSP"}
	next := w.issue(t, r)
	if w.IssuerOf(next).Fingerprint() != persons.Fingerprint() {
		t.Errorf("issued by %s", next.Issuer)
	}
	w.pass(time.Minute)
	if got := w.statusUnder(t, persons, user.Serial); got.Status != ocsp.Good {
		t.Errorf("%+v", got)
	}
	current, err := w.Responder(t.Context(), "person")
	must(t, err)
	if current.Fingerprint() != next.Fingerprint() {
		t.Error("another responder is current")
	}
}

func TestOthersReadAndVerifyWhatTwoCAsMade(t *testing.T) {
	w := sqliteDivided(t)
	unit, user := w.issue(t, institution(t)), w.issue(t, person(t))
	w.revoke(t, unit.Serial, ReasonSuperseded)
	w.revoke(t, user.Serial, ReasonKeyCompromise)
	w.pass(time.Second)
	for i, leaf := range []*chain.Certificate{unit, user} {
		by, other := w.made.Issuing[i], w.made.Issuing[1-i]
		issuer, err := tjfoc.ParseCertificate(by.Certificate.Raw)
		must(t, err)
		stranger, err := tjfoc.ParseCertificate(other.Certificate.Raw)
		must(t, err)
		parsed, err := tjfoc.ParseCertificate(leaf.Raw)
		must(t, err)
		must(t, parsed.CheckSignatureFrom(issuer))
		crl, err := w.CRL(t.Context(), by.ID)
		must(t, err)
		list, err := tjfoc.ParseDERCRL(crl)
		must(t, err)
		must(t, issuer.CheckCRLSignature(list))
		if entries := list.TBSCertList.RevokedCertificates; stranger.CheckCRLSignature(list) == nil || len(entries) != 1 || entries[0].SerialNumber.Cmp(leaf.Serial) != 0 {
			t.Errorf("%s: entries %v", by.ID, entries)
		}
		verify := func(anchor, subject *chain.Certificate, more ...string) error {
			args := append([]string{"verify", "-vfyopt", "distid:1234567812345678", "-attime", fmt.Sprint(w.time().Unix()), "-x509_strict", "-CAfile", inPEM(t, anchor)}, more...)
			out := tooltest.Run(t, "openssl", append(args, inPEM(t, subject))...)
			if !strings.Contains(out, ": OK") {
				return fmt.Errorf("%s", out)
			}
			return nil
		}
		must(t, verify(w.made.Root, by.Certificate)) // openssl takes the identifier for one certificate of a path
		must(t, verify(by.Certificate, leaf, "-partial_chain"))
		text := tooltest.Run(t, "openssl", "crl", "-inform", "DER", "-in", tooltest.File(t, "list.crl", crl), "-noout", "-text")
		if !strings.Contains(text, strings.ToUpper(leaf.Serial.Text(16))) || strings.Count(text, "Serial Number:") != 1 {
			t.Errorf("openssl crl shows\n%s", text)
		}
		id, err := ocsp.NewCertID(oid.SHA1, by.Certificate, leaf.Serial)
		must(t, err)
		request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
		must(t, err)
		text = tooltest.Run(t, "openssl", "ocsp", "-respin", tooltest.File(t, "response.der", w.OCSP(t.Context(), request)), "-resp_text", "-noverify")
		if !strings.Contains(text, "Cert Status: revoked") || !strings.Contains(text, "CA Issuers - URI:"+testBase+"/pki/"+by.ID+".cer") {
			t.Errorf("openssl ocsp shows\n%s", text)
		}
	}
}
