package chain_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"
	tjx509 "github.com/tjfoc/gmsm/x509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/oid"
)

func entry(serial *big.Int, at time.Time, reason int) smx509.RevocationListEntry {
	return smx509.RevocationListEntry{SerialNumber: serial, RevocationTime: at, ReasonCode: reason}
}

const day = 24 * time.Hour

func TestACRLOfTenThousandEntriesFindsEachAndNoOther(t *testing.T) {
	root := chaintest.Root(t, "Root")
	revoked := chaintest.Start.Add(day)
	var entries []smx509.RevocationListEntry
	for i := range 10_000 {
		serial := new(big.Int).Lsh(big.NewInt(int64(i)*7919%10_007+1), 90)
		entries = append(entries, entry(serial, revoked.Add(time.Duration(i)*time.Second), i%5+1))
	}
	list := root.ParsedCRL(t, 12, revoked, revoked.Add(day), entries...)
	if list.Len() != len(entries) || list.Number.Int64() != 12 || !list.ThisUpdate.Equal(revoked) {
		t.Fatalf("%d entries, number %v, this update %v", list.Len(), list.Number, list.ThisUpdate)
	}
	for _, e := range entries {
		found, ok := list.Lookup(e.SerialNumber)
		if !ok || !found.Time.Equal(e.RevocationTime) || found.Reason != e.ReasonCode {
			t.Fatalf("serial %v: %v %v", e.SerialNumber, found, ok)
		}
		if _, ok := list.Lookup(new(big.Int).Add(e.SerialNumber, big.NewInt(1))); ok {
			t.Fatalf("serial %v + 1 is not listed", e.SerialNumber)
		}
	}
	for _, absent := range []*big.Int{nil, big.NewInt(0), big.NewInt(-1), new(big.Int).Lsh(big.NewInt(1), 400)} {
		if _, ok := list.Lookup(absent); ok {
			t.Errorf("%v is not listed", absent)
		}
	}
	if err := list.CheckIssuer(root.Certificate); err != nil {
		t.Error(err)
	}
	theirs, err := tjx509.ParseDERCRL(list.Raw)
	if err != nil || len(theirs.TBSCertList.RevokedCertificates) != len(entries) {
		t.Errorf("the other implementation: %v", err)
	}
}

func TestACRLPrintsTheSameWithOpenSSL(t *testing.T) {
	root := chaintest.Root(t, "Root")
	raw := root.CRL(t, 77, chaintest.Start, chaintest.Start.Add(day), entry(big.NewInt(0x5eed), chaintest.Start, 1))
	command := exec.Command("openssl", "crl", "-inform", "DER", "-noout", "-text")
	command.Stdin = bytes.NewReader(raw)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Skipf("openssl: %v", err)
	}
	for _, want := range []string{"5EED", "Key Compromise", "77"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("openssl does not print %q:\n%s", want, out)
		}
	}
}

func TestTheStatusFromACRLIsJudgedAtTheTimeAskedFor(t *testing.T) {
	root := chaintest.Root(t, "Root")
	good, gone, held := root.Issue(t, "good"), root.Issue(t, "gone"), root.Issue(t, "held")
	short := root.Issue(t, "short", chaintest.Valid(chaintest.Start, chaintest.Start.Add(5*day)))
	revoked, this := chaintest.Start.Add(10*day), chaintest.Start.Add(20*day)
	next := this.Add(7 * day)
	source := chain.NewCRLSource(root.ParsedCRL(t, 1, this, next,
		entry(gone.Certificate.Serial, revoked, 1), entry(held.Certificate.Serial, revoked, 6)))
	for _, test := range []struct {
		name   string
		holder *chaintest.Holder
		at     time.Time
		state  chain.State
		later  bool
	}{
		{"not listed, within the list's time", good, this, chain.StateGood, false},
		{"not listed, in the list's last second", good, next, chain.StateGood, false},
		{"not listed, a second after the list ended", good, next.Add(time.Second), chain.StateUnknown, false},
		{"not listed, before the list was made", good, chaintest.Start, chain.StateGood, false},
		{"not listed, but expired before the list was made", short, chaintest.Start, chain.StateUnknown, false},
		{"revoked in that second", gone, revoked, chain.StateRevoked, false},
		{"revoked a second later", gone, revoked.Add(-time.Second), chain.StateGood, true},
		{"revoked, and the list has ended since", gone, next.Add(day), chain.StateRevoked, false},
		{"on hold", held, revoked, chain.StateRevoked, false},
		{"on hold a second later", held, revoked.Add(-time.Second), chain.StateGood, true},
		{"on hold by a list that has ended since", held, next.Add(time.Second), chain.StateUnknown, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, err := source.Status(context.Background(), test.holder.Certificate, root.Certificate, test.at)
			if err != nil || status.State != test.state || status.RevokedLater != test.later {
				t.Fatalf("%v %+v, want %v", err, status, test.state)
			}
			if (test.later || test.state == chain.StateRevoked) && !status.At.Equal(revoked) {
				t.Errorf("revoked at %v, want %v", status.At, revoked)
			}
			if test.state == chain.StateUnknown && status.Detail == "" {
				t.Error("no detail says why it is not known")
			}
		})
	}
}

func TestACRLThatTheIssuerDidNotSignSaysNothing(t *testing.T) {
	root, namesake := chaintest.Root(t, "Root"), chaintest.Root(t, "Root")
	leaf := root.Issue(t, "leaf")
	this := chaintest.Start.Add(day)
	forged := namesake.ParsedCRL(t, 1, this, this.Add(day), entry(leaf.Certificate.Serial, this, 1))
	status, err := chain.NewCRLSource(forged).Status(context.Background(), leaf.Certificate, root.Certificate, this)
	if err != nil || status.State != chain.StateUnknown {
		t.Errorf("%v %+v", err, status)
	}
	// Next to the right list the forged one changes nothing.
	right := root.ParsedCRL(t, 2, this, this.Add(day))
	status, err = chain.NewCRLSource(forged, right).Status(context.Background(), leaf.Certificate, root.Certificate, this)
	if err != nil || status.State != chain.StateGood {
		t.Errorf("%v %+v", err, status)
	}
}

func TestAPartialCRLSpeaksOnlyForCertificatesThatNameIt(t *testing.T) {
	root := chaintest.Root(t, "Root")
	point := func(url string) chaintest.Change {
		return func(c *smx509.Certificate) { c.CRLDistributionPoints = []string{url} }
	}
	here := root.Issue(t, "here", point("http://ca.example/1.crl"))
	there := root.Issue(t, "there", point("http://ca.example/2.crl"))
	// IssuingDistributionPoint { distributionPoint [0] { fullName [0] { uniformResourceIdentifier [6] } } }
	url := []byte("http://ca.example/1.crl")
	wrap := func(tag byte, content []byte) []byte { return append([]byte{tag, byte(len(content))}, content...) }
	value := wrap(0x30, wrap(0xa0, wrap(0xa0, wrap(0x86, url))))
	this := chaintest.Start.Add(day)
	made, err := smx509.CreateRevocationList(rand.Reader, &smx509.RevocationList{Number: big.NewInt(1), ThisUpdate: this,
		NextUpdate:      this.Add(day),
		ExtraExtensions: []pkix.Extension{{Id: oid.IssuingDistributionPt, Critical: true, Value: value}}}, root.X509, root.Key)
	if err != nil {
		t.Fatal(err)
	}
	list, err := chain.ParseCRL(made)
	if err != nil {
		t.Fatal(err)
	}
	source := chain.NewCRLSource(list)
	for holder, want := range map[*chaintest.Holder]chain.State{here: chain.StateGood, there: chain.StateUnknown} {
		status, err := source.Status(context.Background(), holder.Certificate, root.Certificate, this)
		if err != nil || status.State != want {
			t.Errorf("%s: %v %+v", holder.Certificate.Subject, err, status)
		}
	}
}

func TestACRLSpeaksOnlyWithinItsScope(t *testing.T) {
	root := chaintest.Root(t, "Root")
	leaf, ca := root.Issue(t, "leaf"), root.Issue(t, "ca", chaintest.CA(0))
	gone := root.Issue(t, "gone")
	this := chaintest.Start.Add(day)
	flag := func(tag byte) []byte { return tlv(0x30, tlv(0x80|tag, []byte{0xff})) }
	for _, test := range []struct {
		name                   string
		id                     asn1.ObjectIdentifier
		value                  []byte
		onLeaf, onCA, onListed chain.State
	}{
		{"only user certificates", oid.IssuingDistributionPt, flag(1), chain.StateGood, chain.StateUnknown, chain.StateRevoked},
		{"only CA certificates", oid.IssuingDistributionPt, flag(2), chain.StateUnknown, chain.StateGood, chain.StateRevoked},
		{"only some reasons", oid.IssuingDistributionPt, tlv(0x30, tlv(0x83, []byte{6, 0x40})), chain.StateUnknown, chain.StateUnknown, chain.StateRevoked},
		{"an indirect list", oid.IssuingDistributionPt, flag(4), chain.StateUnknown, chain.StateUnknown, chain.StateUnknown},
		{"only attribute certificates", oid.IssuingDistributionPt, flag(5), chain.StateUnknown, chain.StateUnknown, chain.StateUnknown},
		{"a delta list without its base", oid.DeltaCRLIndicator, tlv(2, []byte{1}), chain.StateUnknown, chain.StateUnknown, chain.StateRevoked},
	} {
		t.Run(test.name, func(t *testing.T) {
			made, err := smx509.CreateRevocationList(rand.Reader, &smx509.RevocationList{Number: big.NewInt(2), ThisUpdate: this,
				NextUpdate:                this.Add(day),
				RevokedCertificateEntries: []smx509.RevocationListEntry{entry(gone.Certificate.Serial, this, 1)},
				ExtraExtensions:           []pkix.Extension{{Id: test.id, Critical: true, Value: test.value}}}, root.X509, root.Key)
			if err != nil {
				t.Fatal(err)
			}
			list, err := chain.ParseCRL(made)
			if err != nil {
				t.Fatal(err)
			}
			source := chain.NewCRLSource(list)
			for holder, want := range map[*chaintest.Holder]chain.State{leaf: test.onLeaf, ca: test.onCA, gone: test.onListed} {
				status, err := source.Status(context.Background(), holder.Certificate, root.Certificate, this)
				if err != nil || status.State != want {
					t.Errorf("%s: %v %+v, want %v", holder.Certificate.Subject.CommonName, err, status, want)
				}
			}
		})
	}
}

func TestARepeatedOrUnreadableEntryCountsAsTheWorse(t *testing.T) {
	root := chaintest.Root(t, "Root")
	serial := big.NewInt(0x112233)
	list := root.ParsedCRL(t, 1, chaintest.Start, chaintest.Start.Add(day), entry(serial, chaintest.Start, 6),
		entry(serial, chaintest.Start.Add(time.Hour), 1))
	if found, ok := list.Lookup(serial); !ok || found.Reason != 1 {
		t.Errorf("on hold and revoked: %v %+v", ok, found)
	}
	// A date of revocation that is none, in a list whose frame is sound: month 13.
	raw := root.CRL(t, 1, chaintest.Start, chaintest.Start.Add(day), entry(serial, chaintest.Start.Add(time.Hour), 1))
	broken := bytes.Replace(raw, []byte("260102040405Z"), []byte("261302040405Z"), 1)
	unreadable, err := chain.ParseCRL(broken)
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := unreadable.Lookup(serial); !ok || !found.Time.IsZero() {
		t.Errorf("an unreadable date: %v %+v", ok, found)
	}
}

func TestACRLWithACriticalExtensionThatIsNotKnownStillProvesRevocation(t *testing.T) {
	root := chaintest.Root(t, "Root")
	good, gone := root.Issue(t, "good"), root.Issue(t, "gone")
	this := chaintest.Start.Add(day)
	made, err := smx509.CreateRevocationList(rand.Reader, &smx509.RevocationList{Number: big.NewInt(1), ThisUpdate: this,
		NextUpdate:                this.Add(day),
		RevokedCertificateEntries: []smx509.RevocationListEntry{entry(gone.Certificate.Serial, this, 1)},
		ExtraExtensions:           []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}},
	}, root.X509, root.Key)
	if err != nil {
		t.Fatal(err)
	}
	list, err := chain.ParseCRL(made)
	if err != nil {
		t.Fatal(err)
	}
	source := chain.NewCRLSource(list)
	for holder, want := range map[*chaintest.Holder]chain.State{good: chain.StateUnknown, gone: chain.StateRevoked} {
		status, err := source.Status(context.Background(), holder.Certificate, root.Certificate, this)
		if err != nil || status.State != want {
			t.Errorf("%s: %v %+v", holder.Certificate.Subject, err, status)
		}
	}
}

type fixed struct {
	status chain.Status
	err    error
}

func (f fixed) Status(context.Context, *chain.Certificate, *chain.Certificate, time.Time) (chain.Status, error) {
	return f.status, f.err
}

func TestMergeLetsARevocationWinAndAHoldBeLifted(t *testing.T) {
	at := chaintest.Start.Add(30 * day)
	good := func(when time.Time) fixed {
		return fixed{status: chain.Status{State: chain.StateGood, ThisUpdate: when}}
	}
	held := func(when time.Time) fixed {
		return fixed{status: chain.Status{State: chain.StateRevoked, Reason: 6, ThisUpdate: when}}
	}
	revoked := fixed{status: chain.Status{State: chain.StateRevoked, Reason: 1, ThisUpdate: at.Add(-20 * day)}}
	silent := fixed{status: chain.Status{Detail: "does not know"}}
	failing := fixed{err: errors.New("down")}
	for _, test := range []struct {
		name    string
		sources []chain.RevocationSource
		want    chain.State
	}{
		{"nobody is asked", nil, chain.StateUnknown},
		{"nobody knows", []chain.RevocationSource{silent, failing}, chain.StateUnknown},
		{"one knows", []chain.RevocationSource{silent, failing, good(at)}, chain.StateGood},
		{"an old revocation beats a new good", []chain.RevocationSource{good(at), revoked}, chain.StateRevoked},
		{"a hold lifted before the time", []chain.RevocationSource{held(at.Add(-2 * day)), good(at.Add(-day))}, chain.StateGood},
		{"a hold after a good", []chain.RevocationSource{good(at.Add(-2 * day)), held(at.Add(-day))}, chain.StateRevoked},
		{"a hold lifted only after the time", []chain.RevocationSource{held(at.Add(-day)), good(at.Add(day))}, chain.StateRevoked},
		{"a hold seen after the time", []chain.RevocationSource{good(at), held(at.Add(day))}, chain.StateRevoked},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, err := chain.Merge(test.sources...).Status(context.Background(), nil, nil, at)
			if err != nil || status.State != test.want {
				t.Errorf("%v %+v, want %v", err, status, test.want)
			}
		})
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := chain.Merge(silent).Status(ended, nil, nil, at); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}

func TestDamagedListsAreRefusedWithoutPanic(t *testing.T) {
	root := chaintest.Root(t, "Root")
	raw := root.CRL(t, 1, chaintest.Start, chaintest.Start.Add(day), entry(big.NewInt(300), chaintest.Start, 1))
	for cut := range raw {
		if _, err := chain.ParseCRL(raw[:cut]); codeOf(err) != "chain.bad-crl" {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	if _, err := chain.ParseCRL(append(bytes.Clone(raw), 0)); codeOf(err) != "chain.bad-crl" {
		t.Errorf("trailing octet: %v", err)
	}
	original, err := chain.ParseCRL(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 0x01
		list, err := chain.ParseCRL(changed)
		if err == nil && list.CheckIssuer(root.Certificate) == nil && !bytes.Equal(list.RawTBS, original.RawTBS) {
			t.Fatalf("octet %d changed and still signed", i)
		}
	}
}
