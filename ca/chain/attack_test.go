package chain_test

import (
	"context"
	"crypto/x509/pkix"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/oid"
)

// removeFromCRL belongs into delta lists (RFC 5280 5.3.1). In a complete list it makes nothing good that the list does not
// speak for.
func TestAnEntryThatRemovesProvesNothingInACompleteList(t *testing.T) {
	root := chaintest.Root(t, "Root")
	shard := func(url string) func(c *smx509.Certificate) {
		return func(c *smx509.Certificate) { c.CRLDistributionPoints = []string{url} }
	}
	own, other := root.Issue(t, "own", shard("http://ca.example/1.crl")), root.Issue(t, "other", shard("http://ca.example/2.crl"))
	at := func(days int) time.Time { return chaintest.Start.Add(time.Duration(days) * day) }
	point := pkix.Extension{Id: oid.IssuingDistributionPt, Critical: true, Value: pointValue("http://ca.example/1.crl")}
	list := special(t, root, 5, at(1), at(9), []pkix.Extension{point}, entry(own.Certificate.Serial, at(1), 8), entry(other.Certificate.Serial, at(1), 8))
	for holder, want := range map[*chaintest.Holder]chain.State{own: chain.StateGood, other: chain.StateUnknown} {
		status, err := chain.NewCRLSource(list).Status(context.Background(), holder.Certificate, root.Certificate, at(2))
		if err != nil || status.State != want {
			t.Errorf("%s: %+v, %v", holder.Certificate.Subject, status, err)
		}
	}
}
