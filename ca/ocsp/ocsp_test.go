package ocsp_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"
	xocsp "golang.org/x/crypto/ocsp"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/ocsp"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

const day = 24 * time.Hour

var noCheck = chaintest.Extension(pkix.Extension{Id: oid.OCSPNoCheck, Value: []byte{5, 0}})

var answers = chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageOCSPSigning)

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

// scene is a CA with a responder, and a certificate to ask about.
type scene struct {
	ca, responder, leaf *chaintest.Holder
	now                 time.Time
}

func newScene(t testing.TB) scene {
	ca := chaintest.Root(t, "云岭省电子印章签发 CA")
	return scene{ca, ca.Issue(t, "OCSP 1", answers, noCheck), ca.Issue(t, "53010000000012"), chaintest.Start.Add(day)}
}

func (s scene) id(t testing.TB, hash asn1.ObjectIdentifier) ocsp.CertID {
	t.Helper()
	id, err := ocsp.NewCertID(hash, s.ca.Certificate, s.leaf.Certificate.Serial)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (s scene) good(t testing.TB) ocsp.Single {
	return ocsp.Single{CertID: s.id(t, oid.SM3), Status: ocsp.Good, ThisUpdate: s.now, NextUpdate: s.now.Add(time.Hour)}
}

// respond makes a response signed by a holder.
func respond(t testing.TB, by *chaintest.Holder, producedAt time.Time, nonce []byte, singles ...ocsp.Single) []byte {
	t.Helper()
	raw, err := ocsp.CreateResponse(context.Background(), singles, nonce, producedAt, by.Certificate, by)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func parse(t testing.TB, raw []byte) *ocsp.Response {
	t.Helper()
	r, err := ocsp.ParseResponse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARequestComesBackAsItWasMade(t *testing.T) {
	s := newScene(t)
	other := s.ca.Issue(t, "another").Certificate
	renamed := chaintest.SelfSigned(t, "the same key under another name", s.ca.Key).Certificate
	nonce := []byte("0123456789abcdef")
	ids := []ocsp.CertID{s.id(t, oid.SHA1), s.id(t, oid.SHA256), s.id(t, oid.SM3)}
	raw, err := ocsp.CreateRequest(ids, nonce)
	if err != nil {
		t.Fatal(err)
	}
	request, err := ocsp.ParseRequest(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(request.Nonce, nonce) || len(request.CertIDs) != 3 {
		t.Fatalf("%+v", request)
	}
	for i, id := range request.CertIDs {
		if !bytes.Equal(id.Raw, ids[i].Raw) || id.Serial.Cmp(s.leaf.Certificate.Serial) != 0 || !id.Matches(s.ca.Certificate) {
			t.Errorf("%d: %+v", i, id)
		}
		if id.Matches(other) || id.Matches(renamed) || id.Matches(nil) {
			t.Errorf("%d names another issuer", i)
		}
	}
	theirs, err := xocsp.ParseRequest(raw)
	if err != nil || theirs.HashAlgorithm != crypto.SHA1 || theirs.SerialNumber.Cmp(s.leaf.Certificate.Serial) != 0 {
		t.Errorf("another reader: %v %+v", err, theirs)
	}
}

func TestTheStatusesAreAnsweredWithTimesReasonAndNonce(t *testing.T) {
	s := newScene(t)
	revokedAt := s.now.Add(-time.Hour)
	nonce := bytes.Repeat([]byte{7}, 32)
	for _, test := range []struct {
		name   string
		single ocsp.Single
	}{
		{"good", ocsp.Single{Status: ocsp.Good, ThisUpdate: s.now, NextUpdate: s.now.Add(time.Hour)}},
		{"good without an end", ocsp.Single{Status: ocsp.Good, ThisUpdate: s.now}},
		{"good, keeping the expired", ocsp.Single{Status: ocsp.Good, ThisUpdate: s.now, ArchiveCutoff: chaintest.Start}},
		{"revoked", ocsp.Single{Status: ocsp.Revoked, RevokedAt: revokedAt, Reason: 1, ThisUpdate: s.now}},
		{"revoked without a reason", ocsp.Single{Status: ocsp.Revoked, RevokedAt: revokedAt, ThisUpdate: s.now}},
		{"unknown", ocsp.Single{Status: ocsp.Unknown, ThisUpdate: s.now}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.single.CertID = s.id(t, oid.SHA1)
			r := parse(t, respond(t, s.responder, s.now, nonce, test.single))
			if err := r.Verify(s.ca.Certificate, s.now); err != nil {
				t.Fatal(err)
			}
			got, ok := r.Find(s.leaf.Certificate, s.ca.Certificate)
			if !ok || got.Status != test.single.Status || !got.RevokedAt.Equal(test.single.RevokedAt) ||
				got.Reason != test.single.Reason || !got.ThisUpdate.Equal(test.single.ThisUpdate) ||
				!got.NextUpdate.Equal(test.single.NextUpdate) || !got.ArchiveCutoff.Equal(test.single.ArchiveCutoff) {
				t.Errorf("%+v, want %+v", got, test.single)
			}
			if !bytes.Equal(got.CertID.Raw, test.single.CertID.Raw) || !bytes.Equal(r.Nonce, nonce) || !r.ProducedAt.Equal(s.now) {
				t.Errorf("identifier %x, nonce %x, produced at %v", got.CertID.Raw, r.Nonce, r.ProducedAt)
			}
		})
	}
}

func TestOnlyTheIssuerOrItsOwnResponderIsBelieved(t *testing.T) {
	s := newScene(t)
	stranger := chaintest.Root(t, "云岭省电子印章签发 CA")
	sub := s.ca.Issue(t, "sub CA", chaintest.CA(0))
	short := chaintest.Valid(chaintest.Start, s.now.Add(time.Hour))
	for _, test := range []struct {
		name string
		by   *chaintest.Holder
		at   time.Time
		want string
	}{
		{"the delegated responder", s.responder, s.now, ""},
		{"the issuer itself", s.ca, s.now, ""},
		{"a responder without ocsp-nocheck", s.ca.Issue(t, "OCSP 2", answers), s.now, "ocsp.responder-unchecked"},
		{"a seal certificate of the same issuer", s.leaf, s.now, "ocsp.bad-responder"},
		{"a responder of a CA below", sub.Issue(t, "OCSP 1", answers, noCheck), s.now, "ocsp.bad-responder"},
		{"a responder of a namesake", stranger.Issue(t, "OCSP 1", answers, noCheck), s.now, "ocsp.bad-responder"},
		{"a forged responder certificate", s.ca.Forge(t, "OCSP 1", answers, noCheck), s.now, "ocsp.bad-responder"},
		{"a namesake of the issuer", stranger, s.now, "ocsp.bad-responder"},
		{"a responder in its last second", s.ca.Issue(t, "OCSP 3", answers, noCheck, short), s.now.Add(time.Hour), ""},
		{"a responder a second after its end", s.ca.Issue(t, "OCSP 3", answers, noCheck, short), s.now.Add(time.Hour + time.Second), "ocsp.bad-time"},
		{"a response from the future", s.responder, s.now.Add(-10 * time.Minute), "ocsp.bad-time"},
		{"a response a little ahead", s.responder, s.now.Add(-5 * time.Minute), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := parse(t, respond(t, test.by, s.now, nil, s.good(t)))
			if err := r.Verify(s.ca.Certificate, test.at); codeOf(err) != test.want {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
	r := parse(t, respond(t, s.responder, s.now, nil, s.good(t)))
	if err := r.Verify(nil, s.now); codeOf(err) != "ocsp.bad-responder" {
		t.Errorf("no issuer: %v", err)
	}
	ahead := parse(t, respond(t, s.responder, s.now.Add(time.Hour), nil, s.good(t)))
	if err := ahead.Verify(s.ca.Certificate, s.now); codeOf(err) != "ocsp.bad-time" {
		t.Errorf("produced in the future: %v", err)
	}
	other := s.ca.Issue(t, "another")
	if _, ok := r.Find(other.Certificate, s.ca.Certificate); ok {
		t.Error("the answer is taken for another certificate")
	}
	if status := r.StatusOf(other.Certificate, s.ca.Certificate, s.now); status.State != chain.StateUnknown {
		t.Errorf("the status of another certificate: %+v", status)
	}
	unchecked := parse(t, respond(t, s.ca.Issue(t, "OCSP 2", answers), s.now, nil, s.good(t)))
	if responder, err := unchecked.Responder(s.ca.Certificate, s.now); err != nil || !responder.Delegated || responder.NoCheck {
		t.Errorf("%+v %v", responder, err)
	}
}

func TestAChangedOctetOfAResponseIsNeverBelieved(t *testing.T) {
	s := newScene(t)
	raw := respond(t, s.responder, s.now, []byte("nonce"), s.good(t))
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 0x04
		r, err := ocsp.ParseResponse(changed)
		if err != nil || r.Verify(s.ca.Certificate, s.now) != nil {
			continue
		}
		// Only what is not signed may change, and then nothing of what is said.
		single, ok := r.Find(s.leaf.Certificate, s.ca.Certificate)
		if !ok || single.Status != ocsp.Good || !single.ThisUpdate.Equal(s.now) || string(r.Nonce) != "nonce" {
			t.Errorf("octet %d changed: %+v", i, single)
		}
	}
}

func TestErrorResponsesSayTheirCodeAndAreNeverBelieved(t *testing.T) {
	s := newScene(t)
	for code, want := range map[int]int{
		ocsp.MalformedRequest: 1, ocsp.InternalError: 2, ocsp.TryLater: 3, ocsp.SigRequired: 5, ocsp.Unauthorized: 6,
		0: 2, 4: 2, 99: 2,
	} {
		raw := ocsp.ErrorResponse(code)
		r := parse(t, raw)
		if r.Status != want {
			t.Errorf("code %d gives %d, want %d", code, r.Status, want)
		}
		if err := r.Verify(s.ca.Certificate, s.now); codeOf(err) != "ocsp.unsuccessful" {
			t.Errorf("code %d: %v", code, err)
		}
		var theirs xocsp.ResponseError
		if _, err := xocsp.ParseResponse(raw, nil); !errors.As(err, &theirs) || int(theirs.Status) != want {
			t.Errorf("another reader: %v", err)
		}
	}
}

func TestAResponseIsNotSignedWithAKeyThatIsNotTheResponders(t *testing.T) {
	s := newScene(t)
	_, err := ocsp.CreateResponse(context.Background(), []ocsp.Single{s.good(t)}, nil, s.now, s.responder.Certificate, s.leaf)
	if codeOf(err) != "ocsp.cannot-sign" {
		t.Error(err)
	}
	for name, single := range map[string]ocsp.Single{
		"no status":     {CertID: s.id(t, oid.SM3), ThisUpdate: s.now},
		"no identifier": {Status: ocsp.Good, ThisUpdate: s.now},
		"no digest":     {CertID: ocsp.CertID{Serial: big.NewInt(1)}, Status: ocsp.Good, ThisUpdate: s.now},
	} {
		if _, err := ocsp.CreateResponse(context.Background(), []ocsp.Single{single}, nil, s.now, s.responder.Certificate,
			s.responder); codeOf(err) != "ocsp.cannot-sign" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeptResponsesAnswerForTheTimeAskedFor(t *testing.T) {
	s := newScene(t)
	at := s.now.Add(-time.Hour)
	revoked := s.good(t)
	revoked.Status, revoked.RevokedAt, revoked.Reason = ocsp.Revoked, at, 1
	unknown := s.good(t)
	unknown.Status = ocsp.Unknown
	gone := parse(t, respond(t, s.responder, s.now, nil, revoked))
	good := parse(t, respond(t, s.responder, s.now, nil, s.good(t)))
	silent := parse(t, respond(t, s.responder, s.now, nil, unknown))
	forged := parse(t, respond(t, s.leaf, s.now, nil, s.good(t)))
	for _, test := range []struct {
		name      string
		responses []*ocsp.Response
		at        time.Time
		want      chain.State
		later     bool
	}{
		{"nothing kept", nil, s.now, chain.StateUnknown, false},
		{"good while it is current", []*ocsp.Response{good}, s.now.Add(time.Hour), chain.StateGood, false},
		{"good, a second after its end", []*ocsp.Response{good}, s.now.Add(time.Hour + time.Second), chain.StateUnknown, false},
		{"good, asked for a time before", []*ocsp.Response{good}, chaintest.Start, chain.StateGood, false},
		{"revoked in that second", []*ocsp.Response{good, gone}, at, chain.StateRevoked, false},
		{"revoked a second later", []*ocsp.Response{good, gone}, at.Add(-time.Second), chain.StateGood, true},
		{"not known to the responder", []*ocsp.Response{silent}, s.now, chain.StateUnknown, false},
		{"signed by someone else", []*ocsp.Response{forged, nil}, s.now, chain.StateUnknown, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, err := ocsp.NewSource(test.responses...).Status(context.Background(), s.leaf.Certificate, s.ca.Certificate, test.at)
			if err != nil || status.State != test.want || status.RevokedLater != test.later {
				t.Errorf("%v %+v, want %v", err, status, test.want)
			}
		})
	}
}

func TestDamagedMessagesAreRefused(t *testing.T) {
	s := newScene(t)
	request, err := ocsp.CreateRequest([]ocsp.CertID{s.id(t, oid.SM3)}, []byte("n"))
	if err != nil {
		t.Fatal(err)
	}
	response := respond(t, s.responder, s.now, nil, s.good(t))
	for cut := range request {
		if _, err := ocsp.ParseRequest(request[:cut]); codeOf(err) != "ocsp.bad-request" {
			t.Fatalf("request cut at %d: %v", cut, err)
		}
	}
	for cut := range response {
		if _, err := ocsp.ParseResponse(response[:cut]); codeOf(err) != "ocsp.bad-response" {
			t.Fatalf("response cut at %d: %v", cut, err)
		}
	}
	if _, err := ocsp.ParseRequest(append(request, 0)); codeOf(err) != "ocsp.bad-request" {
		t.Errorf("trailing octet: %v", err)
	}
	if _, err := ocsp.ParseRequest(make([]byte, ocsp.MaxRequest+1)); codeOf(err) != "ocsp.too-large" {
		t.Errorf("too large: %v", err)
	}
	var ids []ocsp.CertID
	for range ocsp.MaxCertIDs + 1 {
		ids = append(ids, s.id(t, oid.SM3))
	}
	if _, err := ocsp.CreateRequest(ids, nil); err == nil {
		t.Error("more identifiers than the limit")
	}
	if _, err := ocsp.CreateRequest(ids[:1], make([]byte, ocsp.MaxNonce+1)); err == nil {
		t.Error("a nonce over the limit")
	}
}

func BenchmarkCreateResponse(b *testing.B) {
	s := newScene(b)
	single := s.good(b)
	for b.Loop() {
		respond(b, s.responder, s.now, nil, single)
	}
}

func BenchmarkVerifyResponse(b *testing.B) {
	s := newScene(b)
	raw := respond(b, s.responder, s.now, nil, s.good(b))
	for b.Loop() {
		if err := parse(b, raw).Verify(s.ca.Certificate, s.now); err != nil {
			b.Fatal(err)
		}
	}
}
