package trustlist

import (
	"bytes"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/internal/fault"
)

// scene is an authority with a responder, an institution that holds a certificate of it, and another authority.
type scene struct {
	root, issuing, responder, institution, other *chaintest.Holder
}

func newScene(t testing.TB) scene {
	root := chaintest.Root(t, "临江省根证书")
	issuing := root.Issue(t, "临江省签发证书", chaintest.CA(0))
	return scene{root: root, issuing: issuing, other: chaintest.Root(t, "别省根证书"),
		responder:   issuing.Issue(t, "OCSP", chaintest.Usage(smx509.KeyUsageDigitalSignature, smx509.ExtKeyUsageOCSPSigning)),
		institution: issuing.Issue(t, "29010000000017")}
}

func (s scene) list(t testing.TB, issued time.Time) List {
	l := sample()
	l.Issued, l.NextUpdate = issued, issued.AddDate(0, 0, 7)
	l.Authorities = [][]byte{s.root.Certificate.Raw, s.issuing.Certificate.Raw}
	l.CRLs = [][]byte{s.issuing.CRL(t, 1, issued, issued.AddDate(0, 0, 7))}
	return l
}

func signed(t testing.TB, by *chaintest.Holder, above *chaintest.Holder, l List) []byte {
	t.Helper()
	b, err := Sign(t.Context(), l, by.Certificate, by, above.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signedBy(t testing.TB, s scene, l List) []byte {
	l.Authorities, l.CRLs = s.list(t, l.Issued).Authorities, nil
	return signed(t, s.responder, s.issuing, l)
}

// TestOnlyAListOfItsAuthorityIsOpened: whoever may not speak, or speaks of others or of another time, is refused with a code.
func TestOnlyAListOfItsAuthorityIsOpened(t *testing.T) {
	s := newScene(t)
	now := chaintest.Start.Add(30 * 24 * time.Hour)
	for _, c := range []struct {
		name   string
		change func(l *List)
		by     *chaintest.Holder
		trust  *chaintest.Holder
		also   *chaintest.Holder
		at     time.Time
		want   fault.Spec
	}{
		{name: "a good one"},
		{name: "of the time before it was issued", at: now.AddDate(0, 0, -2)},
		{name: "signed by an institution", by: s.institution, want: ErrUntrusted},
		{name: "under a root that is not trusted", trust: s.other, want: ErrUntrusted},
		{name: "too old", at: now.AddDate(0, 0, 8), want: ErrExpired},
		{name: "of tomorrow", change: func(l *List) { l.Issued = now.Add(24 * time.Hour) }, want: ErrFuture},
		{name: "with the CA of somebody else", change: func(l *List) { l.Authorities = append(l.Authorities, s.other.Certificate.Raw) }, want: ErrUntrusted},
		{name: "with the CA of somebody else who is trusted, too", also: s.other, change: func(l *List) { l.Authorities = append(l.Authorities, s.other.Certificate.Raw) }, want: ErrUntrusted},
		{name: "with revocations by somebody else", change: func(l *List) { l.CRLs = [][]byte{s.other.CRL(t, 1, now, now.Add(time.Hour))} }, want: ErrUntrusted},
		{name: "with an institution as CA", change: func(l *List) { l.Authorities = append(l.Authorities, s.institution.Certificate.Raw) }, want: ErrMalformed},
		{name: "with what is no CRL", change: func(l *List) { l.CRLs = [][]byte{{0x30, 0}} }, want: ErrMalformed},
		{name: "whose signer is revoked by itself", change: func(l *List) {
			l.CRLs = [][]byte{s.issuing.CRL(t, 2, now, now.AddDate(0, 0, 7), revoked(s.responder, now.Add(-time.Minute)))}
		}, want: ErrUntrusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, by, trust, at := s.list(t, now), s.responder, s.root, now
			if c.change != nil {
				c.change(&l)
			}
			if c.by != nil {
				by = c.by
			}
			if c.trust != nil {
				trust = c.trust
			}
			if !c.at.IsZero() {
				at = c.at
			}
			anchors := chain.NewAnchors(trust.Certificate)
			if c.also != nil {
				anchors = chain.NewAnchors(trust.Certificate, c.also.Certificate)
			}
			o, err := Open(t.Context(), signed(t, by, s.issuing, l), Check{Chain: &chain.Verifier{Anchors: anchors}, At: at, Now: now})
			if c.want.Code == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := o.StateAt("29010000000017", nil, sample().Issued); !got.Known || got.Made || got.State != "suspended" || !got.Stale {
					t.Fatalf("%+v", got)
				}
				if !o.Speaks(s.issuing.Certificate.SubjectKeyID) || o.Speaks(s.other.Certificate.SubjectKeyID) || o.Speaks(nil) {
					t.Fatal("speaks for the wrong keys")
				}
				return
			}
			if !fault.Has(err, c.want) {
				t.Fatalf("%v, want %s", err, c.want.Code)
			}
		})
	}
}

// TestEveryByteCounts: a list that differs in any place from what was signed is not opened.
func TestEveryByteCounts(t *testing.T) {
	s := newScene(t)
	now := chaintest.Start.Add(30 * 24 * time.Hour)
	check := Check{Chain: &chain.Verifier{Anchors: chain.NewAnchors(s.root.Certificate)}, At: now, Now: now}
	good := signed(t, s.responder, s.issuing, s.list(t, now))
	if _, err := Open(t.Context(), good, check); err != nil {
		t.Fatal(err)
	}
	content, err := Encode(s.list(t, now))
	if err != nil {
		t.Fatal(err)
	}
	start, refused := bytes.Index(good, []byte(`{"authorities"`)), 0
	for i := 0; i < len(good); i += 5 {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		o, err := Open(t.Context(), bad, check)
		if err == nil { // in what is around the signature, such as the copy of a certificate that is known from elsewhere
			again, err := Encode(o.List)
			if err != nil || !bytes.HasPrefix(again, content[:20]) || i >= start && i < start+len(content) {
				t.Fatalf("byte %d was changed and the list opened", i)
			}
		} else {
			refused++
		}
		if _, err := Open(t.Context(), good[:i], check); !fault.Has(err, ErrMalformed) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if refused < len(content)/5 {
		t.Fatalf("%d refused", refused)
	}
}

func revoked(h *chaintest.Holder, at time.Time) smx509.RevocationListEntry {
	return smx509.RevocationListEntry{SerialNumber: h.Certificate.Serial, RevocationTime: at, ReasonCode: 1}
}

// TestOneWayToWriteAList: what is not canonical is refused, also where a reader of JSON would take it.
func TestOneWayToWriteAList(t *testing.T) {
	plain, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	if l, err := Decode(plain); err != nil || l.Seals[0].Name != "云山市档案馆<印>" {
		t.Fatal(l, err)
	}
	for name, bad := range map[string]string{
		"white space":       " " + string(plain),
		"something after":   string(plain) + "{}",
		"a second member":   `{"version":1,` + string(plain[1:]),
		"an unknown member": string(plain[:len(plain)-1]) + `,"x":1}`,
		"nothing":           "",
		"another type":      `{"type":"x","version":1}`,
	} {
		if _, err := Decode([]byte(bad)); !fault.Has(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(l *List){
		"no authority":     func(l *List) { l.Authorities = nil },
		"a seal twice":     func(l *List) { l.Seals = append(l.Seals, l.Seals[0]) },
		"an unknown state": func(l *List) { l.Seals[0].States[0].State = "lost" },
		"no digest":        func(l *List) { l.Seals[0].Instances[0].Seal = "00" },
		"ends at once":     func(l *List) { l.NextUpdate = l.Issued },
	} {
		l := sample()
		change(&l)
		if _, err := Encode(l); !fault.Has(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l := sample()
	l.CRLs = make([][]byte, maxCRLs+1)
	if _, err := Encode(l); !fault.Has(err, ErrTooLarge) {
		t.Errorf("too many CRLs: %v", err)
	}
	if _, err := Open(t.Context(), make([]byte, MaxSize+1), Check{}); !fault.Has(err, ErrTooLarge) {
		t.Errorf("too long: %v", err)
	}
}

// TestWhomNobodyTrustsIsNotRead: the content of a list is looked at only when its signer is trusted.
func TestWhomNobodyTrustsIsNotRead(t *testing.T) {
	s := newScene(t)
	w, err := cms.NewWriter(cms.Template{Profile: cms.ProfileCMS, Certificate: s.responder.Certificate, Chain: []*chain.Certificate{s.issuing.Certificate}})
	if err != nil {
		t.Fatal(err)
	}
	now := chaintest.Start.Add(time.Hour)
	p := w.PrepareEmbedded([]byte("{}"), now)
	e, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	value, err := s.responder.SignDigest(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := p.Assemble(value, nil)
	if err != nil {
		t.Fatal(err)
	}
	for trusted, want := range map[*chaintest.Holder]fault.Spec{s.root: ErrMalformed, s.other: ErrUntrusted} {
		_, err := Open(t.Context(), signed, Check{Chain: &chain.Verifier{Anchors: chain.NewAnchors(trusted.Certificate)}, At: now, Now: now})
		if !fault.Has(err, want) {
			t.Errorf("%v, want %s", err, want.Code)
		}
	}
}
