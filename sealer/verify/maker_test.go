package verify

import (
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain/chaintest"
	"yinxin/sealer/ses"
)

// TestASealNeedsAMakerWhoCanBeBelieved: what a stolen key or the signer's own has made proves nothing.
func TestASealNeedsAMakerWhoCanBeBelieved(t *testing.T) {
	revokedFor := func(reason int) func(h *house) Options {
		return func(h *house) Options {
			o := h.options(t)
			o.Chain = h.trust(t, h.current(t, smx509.RevocationListEntry{SerialNumber: h.maker.X509.SerialNumber, RevocationTime: signed.Add(-time.Hour), ReasonCode: reason}))
			return o
		}
	}
	plain := func(h *house) Options { return h.options(t) }
	for _, c := range []struct {
		name    string
		version int
		change  func(h *house)
		options func(h *house) Options
		verdict Verdict
		reason  string
	}{
		{"version 5, the maker's key stolen before signing", ses.Version5, nil, revokedFor(1), Undetermined, "key was compromised"},
		{"version 5, the maker replaced before signing", ses.Version5, nil, revokedFor(4), Valid, "revoked after the seal was made"},
		{"version 4, the maker's key stolen before signing", ses.Version4, nil, revokedFor(1), Invalid, "revoked before signing"},
		{"made by the signer", ses.Version4, func(h *house) { h.maker = h.institution }, plain, Undetermined, "was made by the signer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			if c.change != nil {
				c.change(h)
			}
			h.makeSeal(t, c.version, chaintest.Start.Add(time.Hour), chaintest.Start.Add(chaintest.Year))
			want(t, judged(newFile().seal(t, h).data, c.options(h)), c.verdict, c.reason)
		})
	}
}
