package ca

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/keystore"
)

func TestNothingOutlivesItsIssuer(t *testing.T) {
	w := sqliteWorld(t)
	r := institution(t)
	w.pass(w.first().Certificate.NotAfter.Sub(w.time()).Truncate(time.Second) - 365*24*time.Hour)
	id := w.approve(t, access.KindIssueCertificate, r.Subject())
	w.pass(24 * time.Hour)
	_, err := w.Issue(t.Context(), id, r)
	wantCode(t, err, ErrValidity)
	w.pass(-48 * time.Hour)
	if _, err := w.Issue(t.Context(), id, r); err != nil {
		t.Error(err)
	}
}

func TestACeremonyTakesTwoOfficersAndHappensOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		w, good := found(t, db)
		_, err := Open(ctx, w.config())
		wantCode(t, err, ErrNotEstablished)
		for name, k := range map[string]struct {
			change func(c *Ceremony)
			want   fault.Spec
		}{
			"one officer twice":          {func(c *Ceremony) { c.Officers[1] = c.Officers[0] }, ErrOfficers},
			"an unknown officer":         {func(c *Ceremony) { c.Officers[1] = "nobody" }, access.ErrActorNotFound},
			"somebody who is no officer": {func(c *Ceremony) { c.Officers[1] = "operator" }, ErrOfficers},
			"no organisation":            {func(c *Ceremony) { c.Organisation = "" }, ErrCeremony},
			"a long organisation":        {func(c *Ceremony) { c.Organisation = strings.Repeat("馆", 62) }, ErrCeremony},
			"one name for both CAs":      {func(c *Ceremony) { c.RootName, c.Issuing = "CA", []IssuingCeremony{{Name: "CA"}} }, ErrCeremony},
			"no address":                 {func(c *Ceremony) { c.BaseURL = "" }, ErrCeremony},
			"an address of a file":       {func(c *Ceremony) { c.BaseURL = "file:///etc" }, ErrCeremony},
			"an address in Chinese":      {func(c *Ceremony) { c.BaseURL = "http://档案.cn" }, ErrCeremony},
			"a root for too long":        {func(c *Ceremony) { c.RootYears = MaxRootYears + 1 }, ErrCeremony},
			"an issuing CA for too long": {func(c *Ceremony) { c.RootYears, c.Issuing = 30, []IssuingCeremony{{Years: MaxIssuingYears + 1}} }, ErrCeremony},
			"too short for its members":  {func(c *Ceremony) { c.Issuing = []IssuingCeremony{{Years: MinIssuingYears - 1}} }, ErrCeremony},
			"an issuing CA as old":       {func(c *Ceremony) { c.RootYears, c.Issuing = 12, []IssuingCeremony{{Years: 12}} }, ErrCeremony},
			"a ring without the root":    {func(c *Ceremony) { c.Root = c.Keys }, ErrKey},
		} {
			c := good
			k.change(&c)
			if _, err := Establish(ctx, c); !fault.Has(err, k.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		errs := make([]error, 3)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = Establish(context.Background(), good) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			}
		}
		if n := w.count(t, `SELECT COUNT(*) FROM ca_certificate`); won > 1 || won == 1 && n != 5 {
			t.Errorf("%d ceremonies, %d certificates", won, n)
		}
		if won == 0 { // each stumbled over a key that another was just making
			_, err = Establish(ctx, good)
			must(t, err)
		}
		_, err = Establish(ctx, good)
		wantCode(t, err, ErrEstablished)
		w.Authority = w.open()
		w.issue(t, institution(t))
	})
}

func TestACeremonyKeepsToTheYearsOfItsPlan(t *testing.T) {
	w, c := found(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")))
	c.RootYears, c.Issuing, c.PlanDigest = 25, []IssuingCeremony{{Years: MinIssuingYears}}, "5c"
	made, err := Establish(t.Context(), c)
	must(t, err)
	for name, e := range map[string]struct {
		certificate *chain.Certificate
		years       int
	}{"root": {made.Root, 25}, "issuing": {made.Issuing[0].Certificate, 5}, "maker": {made.SealMaker, 5}, "ocsp": {made.Issuing[0].OCSP, 2}} {
		if want := e.certificate.NotBefore.AddDate(e.years, 0, 0).Add(-time.Second); !e.certificate.NotAfter.Equal(want) {
			t.Errorf("%s ends %v, want %v", name, e.certificate.NotAfter, want)
		}
	}
	if n := w.count(t, `SELECT COUNT(*) FROM ledger_event WHERE kind = 'ceremony.held' AND entry LIKE '%"plan":"5c"%'`); n != 1 {
		t.Errorf("%d events name the plan", n)
	}
}

func TestOpenRefusesAnotherIssuingKey(t *testing.T) {
	w := sqliteWorld(t)
	other, err := keystore.Create(filepath.Join(t.TempDir(), "other"), keystore.Options{Passphrase: []byte("test"), Iterations: 1})
	must(t, err)
	c := w.config()
	c.Keys = other.Ring(keystore.PurposeIssuing)
	_, err = Open(t.Context(), c)
	wantCode(t, err, ErrKey)
	_, err = c.Keys.Generate(t.Context(), KeyIssuing, keystore.PurposeIssuing)
	must(t, err)
	_, err = Open(t.Context(), c)
	wantCode(t, err, ErrKey)
}

func TestTheRootIsNotNeededOnceEstablished(t *testing.T) {
	w := sqliteWorld(t)
	if list, err := w.config().Keys.List(t.Context()); err != nil || slices.ContainsFunc(list, func(i keystore.Info) bool { return i.Purpose == keystore.PurposeRoot }) {
		t.Errorf("keys %v, %v", list, err)
	}
	w.issue(t, institution(t))
	before, err := w.RootCRL(t.Context())
	must(t, err)
	w.pass(time.Hour)
	must(t, w.PublishRootCRL(t.Context(), w.rootKeys.Ring(keystore.PurposeRoot)))
	after, err := w.RootCRL(t.Context())
	must(t, err)
	old, err := chain.ParseCRL(before)
	must(t, err)
	crl, err := chain.ParseCRL(after)
	must(t, err)
	if old.Number.Int64() != 1 || crl.Number.Int64() != 2 || crl.NextUpdate.Sub(crl.ThisUpdate) != RootCRLValidity {
		t.Errorf("numbers %v %v", old.Number, crl.Number)
	}
	wantCode(t, w.PublishRootCRL(t.Context(), w.keys.Ring(keystore.PurposeIssuing)), ErrKey)
}
