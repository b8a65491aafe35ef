package verify

import (
	"crypto/rand"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/oid"
)

// TestADeltaListIsFetchedAndMustFitItsBase has a list that names where its changes are.
func TestADeltaListIsFetchedAndMustFitItsBase(t *testing.T) {
	root, stranger := chaintest.Root(t, "Root"), chaintest.Root(t, "Root")
	naming := func(c *smx509.Certificate) { c.CRLDistributionPoints = []string{"http://ca/base.crl"} }
	holder := root.Issue(t, "holder", naming)
	tlv := func(tag byte, content []byte) []byte { return append([]byte{tag, byte(len(content))}, content...) }
	freshest := pkix.Extension{Id: oid.FreshestCRL, Value: tlv(0x30, tlv(0x30, tlv(0xa0, tlv(0xa0, tlv(0x86, []byte("http://ca/delta.crl"))))))}
	list := func(by *chaintest.Holder, number, base int64, this time.Time, entries ...smx509.RevocationListEntry) func([]byte) []byte {
		extension := freshest
		if base > 0 {
			extension = pkix.Extension{Id: oid.DeltaCRLIndicator, Critical: true, Value: []byte{2, 1, byte(base)}}
		}
		made, err := smx509.CreateRevocationList(rand.Reader, &smx509.RevocationList{Number: big.NewInt(number), ThisUpdate: this, NextUpdate: now.Add(time.Hour),
			RevokedCertificateEntries: entries, ExtraExtensions: []pkix.Extension{extension}}, by.X509, by.Key)
		if err != nil {
			t.Fatal(err)
		}
		return func([]byte) []byte { return made }
	}
	damaged := func(list func([]byte) []byte) func([]byte) []byte {
		data := append([]byte(nil), list(nil)...)
		data[len(data)-1] ^= 1
		return func([]byte) []byte { return data }
	}
	gone := revoked(holder, now.Add(-time.Minute))
	early, late := now.Add(-time.Hour), now.Add(-time.Minute)
	for name, c := range map[string]struct {
		delta  func([]byte) []byte
		state  chain.State
		detail string
	}{
		"nothing there":           {nil, chain.StateGood, ""},
		"nothing newer":           {list(root, 5, 4, early), chain.StateGood, ""},
		"newer":                   {list(root, 7, 4, late), chain.StateGood, ""},
		"revoked since":           {list(root, 7, 4, late, gone), chain.StateRevoked, ""},
		"a base not reached":      {list(root, 7, 6, late), chain.StateUnknown, "does not fit"},
		"older, of higher number": {list(root, 7, 4, early.Add(-time.Second)), chain.StateUnknown, "does not fit"},
		"no delta list":           {list(root, 7, 0, late), chain.StateUnknown, "no delta list"},
		"nonsense":                {func([]byte) []byte { return []byte("<html>") }, chain.StateUnknown, "cannot be read"},
		"a wrong signature":       {damaged(list(root, 7, 4, late)), chain.StateUnknown, "not signed"},
		"another signer":          {list(stranger, 7, 4, late), chain.StateUnknown, "does not fit"},
	} {
		n := &network{answers: map[string]func([]byte) []byte{"http://ca/base.crl": list(root, 5, 0, early)}, asked: map[string]int{}}
		if c.delta != nil {
			n.answers["http://ca/delta.crl"] = c.delta
		}
		online := NewOnline(n.fetch, now)
		for range 2 {
			got, err := online.Status(t.Context(), holder.Certificate, root.Certificate, now)
			if err != nil || got.State != c.state || !strings.Contains(got.Detail, c.detail) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		if n.asked["http://ca/base.crl"] != 1 || n.asked["http://ca/delta.crl"] != 1 {
			t.Errorf("%s: asked %v", name, n.asked)
		}
	}
}
