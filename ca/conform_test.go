package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"testing"

	"yinxin/internal/oid"
)

// conforms holds a list against RFC 5280 by the reader of crypto/x509, which knows nothing of SM2 and does not need to.
func conforms(t *testing.T, p Published, shard int, delta bool) {
	t.Helper()
	list, err := x509.ParseRevocationList(p.DER)
	if err != nil {
		t.Fatal(err)
	}
	// 5.1.2: version 2, UTCTime, a number, an authority key identifier; 5.2: which extensions, and which are critical.
	critical := map[string]bool{oid.AuthorityKeyID.String(): false, oid.CRLNumber.String(): false}
	if shard > 0 {
		critical[oid.IssuingDistributionPt.String()] = true
	}
	if delta {
		critical[oid.DeltaCRLIndicator.String()] = true // 5.2.4: always critical
	} else {
		critical[oid.FreshestCRL.String()] = false // 5.2.6: must not be, and not in a delta list
	}
	if list.Number.Int64() != p.Number || len(list.AuthorityKeyId) != 20 || !list.NextUpdate.Equal(p.NextUpdate) || len(list.Extensions) != len(critical) {
		t.Errorf("shard %d, delta %v: number %v, %d extensions", shard, delta, list.Number, len(list.Extensions))
	}
	for _, e := range list.Extensions {
		want, known := critical[e.Id.String()]
		if !known || e.Critical != want {
			t.Errorf("shard %d, delta %v: extension %v, critical %v", shard, delta, e.Id, e.Critical)
		}
		if e.Id.Equal(oid.IssuingDistributionPt) {
			var point struct {
				Name struct {
					Full []asn1.RawValue `asn1:"tag:0"`
				} `asn1:"tag:0"`
				Users bool `asn1:"tag:1,optional"`
			}
			if rest, err := asn1.Unmarshal(e.Value, &point); err != nil || len(rest) > 0 || !point.Users || len(point.Name.Full) != 1 || string(point.Name.Full[0].Bytes) != testBase+PathShard(FirstIssuer, shard, false) {
				t.Errorf("issuing distribution point %+v, %v", point, err)
			}
		}
	}
	var reasons []int
	for _, e := range list.RevokedCertificateEntries {
		reasons = append(reasons, e.ReasonCode)
		if e.RevocationTime.After(list.ThisUpdate) || len(e.Extensions) != 1 || e.Extensions[0].Critical {
			t.Errorf("entry %x: %+v", e.SerialNumber, e)
		}
	}
	if slices.Contains(reasons, 0) || !delta && slices.Contains(reasons, 8) {
		t.Errorf("shard %d, delta %v: reasons %v", shard, delta, reasons) // 5.3.1
	}
}
