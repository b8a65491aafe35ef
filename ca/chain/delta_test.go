package chain_test

import (
	"context"
	"crypto/rand"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/oid"
)

// pointValue is IssuingDistributionPoint with one address.
func pointValue(url string) []byte {
	return tlv(0x30, tlv(0xa0, tlv(0xa0, tlv(0x86, []byte(url)))))
}

// special makes a list with further critical extensions.
func special(t testing.TB, by *chaintest.Holder, number int64, this, next time.Time, extensions []pkix.Extension, entries ...smx509.RevocationListEntry) *chain.CRL {
	t.Helper()
	made, err := smx509.CreateRevocationList(rand.Reader, &smx509.RevocationList{Number: big.NewInt(number), ThisUpdate: this, NextUpdate: next,
		RevokedCertificateEntries: entries, ExtraExtensions: extensions}, by.X509, by.Key)
	if err != nil {
		t.Fatal(err)
	}
	list, err := chain.ParseCRL(made)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func deltaTo(base byte) pkix.Extension {
	return pkix.Extension{Id: oid.DeltaCRLIndicator, Critical: true, Value: tlv(2, []byte{base})}
}

func TestADeltaListIsReadOnTopOfTheListsThatItContinues(t *testing.T) {
	root := chaintest.Root(t, "Root")
	shard := func(c *smx509.Certificate) { c.CRLDistributionPoints = []string{"http://ca.example/1.crl"} }
	good, gone, held, freed := root.Issue(t, "good", shard), root.Issue(t, "gone", shard), root.Issue(t, "held", shard), root.Issue(t, "freed", shard)
	elsewhere := root.Issue(t, "elsewhere", func(c *smx509.Certificate) { c.CRLDistributionPoints = []string{"http://ca.example/2.crl"} })
	at := func(days int) time.Time { return chaintest.Start.Add(time.Duration(days) * day) }
	point := pkix.Extension{Id: oid.IssuingDistributionPt, Critical: true, Value: pointValue("http://ca.example/1.crl")}
	other := pkix.Extension{Id: oid.IssuingDistributionPt, Critical: true, Value: pointValue("http://ca.example/2.crl")}
	base := special(t, root, 5, at(1), at(3), []pkix.Extension{point},
		entry(held.Certificate.Serial, at(1), 6), entry(freed.Certificate.Serial, at(1), 6))
	changes := []smx509.RevocationListEntry{entry(gone.Certificate.Serial, at(2), 1), entry(freed.Certificate.Serial, at(2), 8)}
	delta := special(t, root, 7, at(2), at(9), []pkix.Extension{point, deltaTo(4)}, changes...)
	if base.BaseNumber != nil || delta.BaseNumber.Int64() != 4 {
		t.Fatalf("base numbers %v, %v", base.BaseNumber, delta.BaseNumber)
	}
	states := func(t *testing.T, source chain.RevocationSource, when time.Time, want map[*chaintest.Holder]chain.State) {
		t.Helper()
		for holder, state := range want {
			status, err := source.Status(context.Background(), holder.Certificate, root.Certificate, when)
			if err != nil || status.State != state || state == chain.StateUnknown && status.Detail == "" {
				t.Errorf("%s: %v %+v, want %v", holder.Certificate.Subject, err, status, state)
			}
		}
	}
	t.Run("together", func(t *testing.T) {
		states(t, chain.NewCRLSource(base, delta), at(5), map[*chaintest.Holder]chain.State{good: chain.StateGood, gone: chain.StateRevoked,
			held: chain.StateRevoked, freed: chain.StateGood, elsewhere: chain.StateUnknown})
	})
	t.Run("in the last second of the delta and after it", func(t *testing.T) {
		source := chain.NewCRLSource(base, delta)
		states(t, source, at(9), map[*chaintest.Holder]chain.State{good: chain.StateGood})
		states(t, source, at(9).Add(time.Second), map[*chaintest.Holder]chain.State{good: chain.StateUnknown, gone: chain.StateRevoked, held: chain.StateUnknown})
	})
	t.Run("before the hold was lifted", func(t *testing.T) {
		states(t, chain.NewCRLSource(base, delta), at(2).Add(-time.Second), map[*chaintest.Holder]chain.State{freed: chain.StateRevoked, gone: chain.StateGood})
	})
	t.Run("without the delta", func(t *testing.T) {
		states(t, chain.NewCRLSource(base), at(5), map[*chaintest.Holder]chain.State{good: chain.StateUnknown, gone: chain.StateUnknown, freed: chain.StateUnknown})
	})
	t.Run("without the base", func(t *testing.T) {
		states(t, chain.NewCRLSource(delta), at(5), map[*chaintest.Holder]chain.State{good: chain.StateUnknown, gone: chain.StateRevoked, held: chain.StateUnknown, freed: chain.StateUnknown})
	})
	stranger := chaintest.Root(t, "Root")
	for name, unfit := range map[string]*chain.CRL{
		"a base that the list has not reached": special(t, root, 7, at(2), at(9), []pkix.Extension{point, deltaTo(6)}, changes...),
		"nothing newer than the list":          special(t, root, 5, at(2), at(9), []pkix.Extension{point, deltaTo(4)}, changes...),
		"another scope":                        special(t, root, 7, at(2), at(9), []pkix.Extension{other, deltaTo(4)}, changes...),
		"no scope":                             special(t, root, 7, at(2), at(9), []pkix.Extension{deltaTo(4)}, changes...),
		"older than the list":                  special(t, root, 7, at(1).Add(-time.Second), at(9), []pkix.Extension{point, deltaTo(4)}, changes...),
		"another signer":                       special(t, stranger, 7, at(2), at(9), []pkix.Extension{point, deltaTo(4)}, changes...),
		"indirect": special(t, root, 7, at(2), at(9), []pkix.Extension{{Id: oid.IssuingDistributionPt, Critical: true,
			Value: tlv(0x30, append(tlv(0xa0, tlv(0xa0, tlv(0x86, []byte("http://ca.example/1.crl")))), tlv(0x84, []byte{0xff})...))}, deltaTo(4)}, changes...),
	} {
		t.Run("not with "+name, func(t *testing.T) {
			states(t, chain.NewCRLSource(base, unfit), at(5), map[*chaintest.Holder]chain.State{good: chain.StateUnknown, freed: chain.StateUnknown})
		})
	}
}

func TestAListSaysWhereItsDeltasAre(t *testing.T) {
	root := chaintest.Root(t, "Root")
	value := tlv(0x30, tlv(0x30, tlv(0xa0, tlv(0xa0, tlv(0x86, []byte("http://ca.example/d.crl"))))))
	list := special(t, root, 1, chaintest.Start, chaintest.Start.Add(day), []pkix.Extension{{Id: oid.FreshestCRL, Value: value}})
	if len(list.DeltaURLs) != 1 || list.DeltaURLs[0] != "http://ca.example/d.crl" || len(list.UnhandledCritical) != 0 {
		t.Errorf("%v, %v", list.DeltaURLs, list.UnhandledCritical)
	}
}
