package verify

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/ocsp"
)

// network answers for addresses, and counts.
type network struct {
	answers map[string]func(body []byte) []byte
	asked   map[string]int
}

func (n *network) fetch(_ context.Context, address, contentType string, body []byte) ([]byte, error) {
	n.asked[address]++
	answer := n.answers[address]
	if answer == nil || (body != nil) != (contentType == "application/ocsp-request") {
		return nil, errors.New("nobody there")
	}
	return answer(body), nil
}

// TestOnlineRevocationIsAskedBelowAnAnchorOnly has lists and OCSP behind addresses in certificates.
func TestOnlineRevocationIsAskedBelowAnAnchorOnly(t *testing.T) {
	naming := func(ocspURL, crlURL string) chaintest.Change {
		return func(c *smx509.Certificate) {
			if ocspURL != "" {
				c.OCSPServer = []string{ocspURL}
			}
			c.CRLDistributionPoints = []string{crlURL}
		}
	}
	h := newHouse(t)
	h.issuing = h.root.Issue(t, "云岭签发CA", chaintest.CA(0), naming("", "http://ca/root.crl"))
	h.maker = h.issuing.Issue(t, "云岭制章", naming("", "http://ca/issuing.crl"))
	h.institution = h.issuing.Issue(t, "53000000000001", naming("http://ca/ocsp", "http://ca/issuing.crl"))
	h.makeSeal(t, 4, chaintest.Start, chaintest.Start.Add(chaintest.Year))
	sealed := newFile().seal(t, h)

	respond := func(status ocsp.Status, by *chaintest.Holder) func([]byte) []byte {
		return func(body []byte) []byte {
			request, err := ocsp.ParseRequest(body)
			if err != nil {
				t.Fatal(err)
			}
			var singles []ocsp.Single
			for _, id := range request.CertIDs {
				singles = append(singles, ocsp.Single{CertID: id, Status: status, RevokedAt: signed.Add(-time.Hour), Reason: 1, ThisUpdate: now, NextUpdate: now.Add(time.Hour)})
			}
			der, err := ocsp.CreateResponse(context.Background(), singles, nil, now, by.Certificate, by)
			if err != nil {
				t.Fatal(err)
			}
			return der
		}
	}
	list := func(by *chaintest.Holder, entries ...smx509.RevocationListEntry) func([]byte) []byte {
		return func([]byte) []byte { return by.CRL(t, 1, now.Add(-time.Hour), now.Add(time.Hour), entries...) }
	}
	stranger := chaintest.Root(t, "云岭签发CA")
	for _, c := range []struct {
		name    string
		answers map[string]func([]byte) []byte
		verdict Verdict
		reason  string
	}{
		{"OCSP and lists", map[string]func([]byte) []byte{"http://ca/ocsp": respond(ocsp.Good, h.issuing), "http://ca/issuing.crl": list(h.issuing), "http://ca/root.crl": list(h.root)}, Valid, ""},
		{"lists only", map[string]func([]byte) []byte{"http://ca/issuing.crl": list(h.issuing), "http://ca/root.crl": list(h.root)}, Valid, ""},
		{"revoked by OCSP", map[string]func([]byte) []byte{"http://ca/ocsp": respond(ocsp.Revoked, h.issuing), "http://ca/issuing.crl": list(h.issuing), "http://ca/root.crl": list(h.root)}, Invalid, "revoked before signing"},
		{"revoked by a list", map[string]func([]byte) []byte{"http://ca/issuing.crl": list(h.issuing, revoked(h.institution, signed.Add(-time.Hour))), "http://ca/root.crl": list(h.root)}, Invalid, "revoked before signing"},
		{"a stranger answers", map[string]func([]byte) []byte{"http://ca/ocsp": respond(ocsp.Good, stranger), "http://ca/issuing.crl": list(stranger), "http://ca/root.crl": list(h.root)}, Undetermined, "not known"},
		{"a stranger says revoked", map[string]func([]byte) []byte{"http://ca/ocsp": respond(ocsp.Revoked, stranger), "http://ca/issuing.crl": list(h.issuing), "http://ca/root.crl": list(h.root)}, Valid, ""},
		{"nobody answers", nil, Undetermined, "gave no answer that counts"},
		{"nonsense", map[string]func([]byte) []byte{"http://ca/ocsp": func([]byte) []byte { return []byte("<html>") }, "http://ca/issuing.crl": func([]byte) []byte { return nil }}, Undetermined, "not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &network{answers: c.answers, asked: map[string]int{}}
			o := Options{At: now, Language: "en", Chain: &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate), Intermediates: []*chain.Certificate{h.issuing.Certificate}, Revocation: NewOnline(n.fetch, now)}}
			want(t, sealed.verify(t, o), c.verdict, c.reason)
			want(t, sealed.verify(t, o), c.verdict, c.reason)
			for address, times := range n.asked {
				if times > 2 || times > 1 && !strings.HasSuffix(address, "ocsp") {
					t.Errorf("%s was asked %d times", address, times)
				}
			}
			if len(n.asked) == 0 {
				t.Error("nobody was asked")
			}
			// Without an anchor nobody is asked.
			n.asked = map[string]int{}
			o.Chain = &chain.Verifier{Anchors: chain.NewAnchors(), Intermediates: []*chain.Certificate{h.issuing.Certificate}, Revocation: NewOnline(n.fetch, now)}
			want(t, sealed.verify(t, o), Undetermined, "not among the trusted ones")
			if len(n.asked) > 0 {
				t.Errorf("without an anchor %v were asked", n.asked)
			}
		})
	}
}
