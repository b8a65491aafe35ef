package ca

import (
	"crypto/ecdsa"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestTheRootCertifiesAnyIssuingCAAnew(t *testing.T) {
	eachDivided(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.pass(24 * time.Hour)
		o, err := w.RootOrder(ctx)
		must(t, err)
		wantCode(t, w.OrderIssuing(&o, "nobody", 10), ErrNoIssuer)
		w.issue(t, Request{Profile: ProfileOCSP, Public: w.made.Issuing[1].OCSP.PublicKey.(*ecdsa.PublicKey), Organisation: "某某省档案馆", CommonName: "OCSP"})
		for _, id := range []string{"person", ""} {
			der, err := SignIssuing(ctx, w.rootKey(t), w.orderOf(t, id), w.time())
			must(t, err)
			must(t, w.ImportIssuing(ctx, [2]string{"zhang", "li"}, der))
			before := w.Issuers()
			w.Authority = w.open()
			for i, s := range w.Issuers() {
				changed := s.Certificate.Fingerprint() != before[i].Certificate.Fingerprint()
				if want := id == s.ID || id == "" && i == 0; changed != want {
					t.Errorf("ordered for %q: %s changed: %v", id, s.ID, changed)
				}
			}
			// They stay apart in the list of what ends.
			list, err := w.Expiring(ctx, w.time(), w.time().AddDate(50, 0, 0))
			must(t, err)
			names := map[string]int{}
			for _, e := range list {
				names[string(e.Profile)+" "+e.CommonName]++
			}
			if names["issuing 某某省档案馆签发证书"] != 1 || names["issuing 某某省档案馆个人签发证书"] != 1 || names["ocsp OCSP"] != 2 {
				t.Errorf("%v", names)
			}
		}
	})
}

func (w *world) orderOf(t *testing.T, id string) []byte {
	t.Helper()
	return w.issuingOrder(t, 12, func(o *RootOrder) { must(t, w.OrderIssuing(o, id, 12)) })
}

func TestARestoreKeepsWhatEveryCARevoked(t *testing.T) {
	w := sqliteDivided(t)
	ctx := t.Context()
	unit, user := w.issue(t, institution(t)), w.issue(t, person(t))
	must(t, w.PublishCRL(ctx))
	w.pass(time.Hour)
	w.revoke(t, unit.Serial, ReasonKeyCompromise)
	w.revoke(t, user.Serial, ReasonSuperseded)
	var known [][]byte
	highest := map[string]int64{}
	for _, s := range w.Issuers() {
		der, err := w.CRL(ctx, s.ID)
		must(t, err)
		known = append(known, der)
		highest[s.ID] = w.listOf(t, s.ID, 0, false).Number.Int64()
	}
	for _, c := range []*chain.Certificate{unit, user} {
		w.forget(t, c.Serial, 1)
	}
	must(t, w.exec(`DELETE FROM ca_crl WHERE issuer = 'person' AND number > 1`))
	w.pass(time.Hour)
	out, err := w.restoration(known...).Mark(ctx)
	must(t, err)
	if out.Lost != 2 || len(out.Hold) != 0 {
		t.Errorf("%+v", out)
	}
	w.Authority = w.open()
	must(t, w.PublishCRL(ctx))
	for i, c := range []*chain.Certificate{unit, user} {
		s, other := w.made.Issuing[i], w.made.Issuing[1-i]
		list := w.listOf(t, s.ID, 0, false)
		if _, there := list.Lookup(c.Serial); !there || list.Len() != 1 || list.Number.Int64() <= highest[s.ID] {
			t.Errorf("%s: listed %v among %d, number %v after %d", s.ID, there, list.Len(), list.Number, highest[s.ID])
		}
		if got := w.statusUnder(t, s.Certificate, c.Serial); got.Status != ocsp.Revoked {
			t.Errorf("%s: %v", s.ID, got.Status)
		}
		if got := w.statusUnder(t, other.Certificate, c.Serial); got.Status != ocsp.Unknown {
			t.Errorf("%s: %v", other.ID, got.Status)
		}
	}
	if next := w.issue(t, person(t)); !strings.HasPrefix(SerialText(next.Serial), out.NewPrefix) {
		t.Errorf("serial %x, prefix %s", next.Serial, out.NewPrefix)
	}
}

func TestHalfIssuedCertificatesOfEveryCAAreVoided(t *testing.T) {
	w := sqliteDivided(t)
	for _, r := range []Request{institution(t), person(t)} {
		w.interrupt = func(step string) {
			if step == "signed" {
				panic("the power went")
			}
		}
		func() {
			defer func() { recover() }()
			_, _ = w.Issue(t.Context(), w.approve(t, access.KindIssueCertificate, r.Subject()), r)
		}()
	}
	w.Authority = w.open()
	w.pass(time.Second)
	for _, s := range w.Issuers() {
		if list := w.listOf(t, s.ID, 0, false); list.Len() != 1 {
			t.Errorf("%s lists %d", s.ID, list.Len())
		}
	}
}

func TestACeremonyDividesTheProfiles(t *testing.T) {
	w, good := found(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
	for name, c := range map[string]struct {
		change func(list []IssuingCeremony) []IssuingCeremony
		field  string
	}{
		"one profile twice": {func(l []IssuingCeremony) []IssuingCeremony {
			l[1].Profiles = append(l[1].Profiles, ProfileTSA)
			return l
		}, "issuing[1].profiles"},
		"a profile of nobody":      {func(l []IssuingCeremony) []IssuingCeremony { l[1].Profiles = l[1].Profiles[:1]; return l }, "issuing"},
		"a CA for nothing":         {func(l []IssuingCeremony) []IssuingCeremony { l[1].Profiles = nil; return l }, "issuing[1].profiles"},
		"a CA for CAs":             {func(l []IssuingCeremony) []IssuingCeremony { l[0].Profiles[0] = ProfileIssuing; return l }, "issuing[0].profiles"},
		"responders of another CA": {func(l []IssuingCeremony) []IssuingCeremony { l[0].Profiles[0] = ProfileOCSP; return l }, "issuing[0].profiles"},
		"one id twice":             {func(l []IssuingCeremony) []IssuingCeremony { l[1].ID = FirstIssuer; return l }, "issuing[1].id"},
		"the id of the root":       {func(l []IssuingCeremony) []IssuingCeremony { l[1].ID = "root"; return l }, "issuing[1].id"},
		"an id with a hyphen":      {func(l []IssuingCeremony) []IssuingCeremony { l[1].ID = "issuing-delta"; return l }, "issuing[1].id"},
		"an id in capitals":        {func(l []IssuingCeremony) []IssuingCeremony { l[1].ID = "Person"; return l }, "issuing[1].id"},
		"a path as an id":          {func(l []IssuingCeremony) []IssuingCeremony { l[1].ID = "../x"; return l }, "issuing[1].id"},
		"no id":                    {func(l []IssuingCeremony) []IssuingCeremony { l[1].ID = ""; return l }, "issuing[1].id"},
		"one name twice":           {func(l []IssuingCeremony) []IssuingCeremony { l[0].Name = l[1].Name; return l }, "issuing[1].name"},
		"too many": {func(l []IssuingCeremony) []IssuingCeremony {
			for n := range MaxIssuers {
				l = append(l, IssuingCeremony{ID: fmt.Sprint("x", n), Name: fmt.Sprint(n), Profiles: []Profile{ProfileTSA}})
			}
			return l
		}, "issuing"},
	} {
		ceremony := good
		ceremony.Issuing = c.change(twoIssuers())
		_, err := Establish(t.Context(), ceremony)
		if f, ok := fault.Of(err); !ok || f.Code != ErrCeremony.Code || f.Place.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The database holds it, too: a profile has one issuer, and only an issuing CA.
	good.Issuing = twoIssuers()
	_, err := Establish(t.Context(), good)
	must(t, err)
	if err := w.exec(`INSERT INTO ca_profile (profile, issuer) VALUES ('tsa', 'person')`); !store.IsUnique(err) {
		t.Errorf("a second issuer: %v", err)
	}
	if err := w.exec(`UPDATE ca_profile SET issuer = 'root' WHERE profile = 'tsa'`); !store.IsCheck(err) {
		t.Errorf("the root as issuer: %v", err)
	}
	if err := w.exec(`UPDATE ca_certificate SET issuer = 'nobody'`); !store.IsForeignKey(err) {
		t.Errorf("certificates of nobody: %v", err)
	}
	if n := w.count(t, `SELECT COUNT(*) FROM ca_certificate WHERE issuer IS NULL`); n != 0 {
		t.Errorf("%d certificates without an issuer", n)
	}
}

func TestPathsOfIssuersAreReadAsTheyAreWritten(t *testing.T) {
	for _, id := range []string{FirstIssuer, "person", "a", "x1"} {
		for shard := range 3 {
			for _, delta := range []bool{false, true} {
				path := PathShard(id, shard, delta)
				if i, s, d, ok := ParsePathShard(path); i != id || s != shard || d != delta || !ok {
					t.Errorf("%s: %s %d %v %v", path, i, s, d, ok)
				}
			}
		}
		if got, ok := ParsePathIssuerCertificate(PathIssuerCertificate(id)); got != id || !ok {
			t.Errorf("%s", got)
		}
	}
	for _, path := range []string{"/pki/root.crl", "/pki/A.crl", "/pki/.crl", "/pki/a-b.crl", "/pki/a/b/1.crl", "/pki/-delta.crl", "/pki/../a.crl", "/pki/" + strings.Repeat("a", 21) + ".crl", "pki/a.crl"} {
		if id, _, _, ok := ParsePathShard(path); ok {
			t.Errorf("%s is read as of %s", path, id)
		}
	}
	for _, path := range []string{"/pki/root.cer", "/pki/a/1.cer", "/pki/a-delta.cer", "/pki/.cer", "/pki/a.crl"} {
		if id, ok := ParsePathIssuerCertificate(path); ok {
			t.Errorf("%s is read as of %s", path, id)
		}
	}
}
