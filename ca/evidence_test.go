package ca

import (
	"testing"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/fault"
)

func TestEvidenceProvesTheStateOfACertificate(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		good, revoked := w.issue(t, institution(t)), w.issue(t, institution(t))
		w.revoke(t, revoked.Serial, ReasonKeyCompromise)
		for _, c := range []struct {
			name        string
			certificate *chain.Certificate
			status      ocsp.Status
			listed      bool
		}{{"good", good, ocsp.Good, false}, {"revoked", revoked, ocsp.Revoked, true}} {
			crls, answers, err := w.Evidence(t.Context(), c.certificate, w.first().Certificate)
			must(t, err)
			if len(crls) != 1 || len(answers) != 1 {
				t.Fatalf("%s: %d lists, %d answers", c.name, len(crls), len(answers))
			}
			list, err := chain.ParseCRL(crls[0])
			must(t, err)
			must(t, list.CheckIssuer(w.first().Certificate))
			if _, listed := list.Lookup(c.certificate.Serial); listed != c.listed {
				t.Errorf("%s: on the list: %v", c.name, listed)
			}
			answer, err := ocsp.ParseResponse(answers[0])
			must(t, err)
			must(t, answer.Verify(w.first().Certificate, w.time()))
			if single, ok := answer.Find(c.certificate, w.first().Certificate); !ok || single.Status != c.status {
				t.Errorf("%s: the answer says %v", c.name, single.Status)
			}
		}
		// The root keeps a list of its own, and no responder.
		crls, answers, err := w.Evidence(t.Context(), w.first().Certificate, w.root)
		must(t, err)
		if len(crls) != 1 || len(answers) != 0 {
			t.Fatalf("of the root: %d lists, %d answers", len(crls), len(answers))
		}
		list, err := chain.ParseCRL(crls[0])
		must(t, err)
		must(t, list.CheckIssuer(w.root))
	})
}

func TestEvidenceOfOthersIsNotGiven(t *testing.T) {
	w, other := sqliteWorld(t), sqliteWorld(t)
	stranger := other.issue(t, institution(t))
	for _, issuer := range []*chain.Certificate{other.first().Certificate, other.root} {
		crls, answers, err := w.Evidence(t.Context(), stranger, issuer)
		if len(crls)+len(answers) != 0 || err != nil {
			t.Errorf("%d lists, %d answers, %v", len(crls), len(answers), err)
		}
	}
}

func TestEvidenceThatIsMissingIsAnError(t *testing.T) {
	w := sqliteWorld(t)
	c := w.issue(t, institution(t))
	config := w.config()
	config.Keys = nil // nothing can be signed: the list that is out still serves, an answer there is none
	reading, err := Open(t.Context(), config)
	must(t, err)
	must(t, w.PublishCRL(t.Context()))
	_, _, err = reading.Evidence(t.Context(), c, w.first().Certificate)
	if code := fault.CodeOf(err); code != ocsp.ErrUnsuccessful.Code {
		t.Errorf("no answer: %v", err)
	}
	must(t, w.exec(`DELETE FROM ca_crl WHERE issuer = 'root'`))
	_, _, err = w.Evidence(t.Context(), w.first().Certificate, w.root)
	wantCode(t, err, ErrNoCRL)
	must(t, w.exec(`DELETE FROM ca_crl`))
	_, _, err = reading.Evidence(t.Context(), c, w.first().Certificate)
	wantCode(t, err, ErrKey)
}
