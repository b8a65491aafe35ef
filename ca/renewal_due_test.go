package ca

import (
	"context"
	"math/big"
	"slices"
	"testing"
	"time"

	"yinxin/internal/access"
)

func TestExpiringListsWhatEndsAndHasNoSuccessor(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		plain := w.issue(t, institution(t))
		w.pass(24 * time.Hour)
		renewed, held, revoked := w.issue(t, institution(t)), w.issue(t, institution(t)), w.issue(t, institution(t))
		successor, err := w.Renew(ctx, renewed.Serial, newKey(t))
		must(t, err)
		must(t, w.SuspendAtOnce(ctx, w.registrar, held.Serial, "lost"))
		must(t, w.Revoke(ctx, w.approve(t, access.KindRevokeCertificate, RevokeSubject(revoked.Serial, ReasonSuperseded)), revoked.Serial, ReasonSuperseded))

		serials := func(list []Expiry) (found []string) {
			for _, e := range list {
				if e.Profile == ProfileInstitution {
					found = append(found, e.Serial.String())
				}
			}
			return found
		}
		at := func(list ...*big.Int) (text []string) {
			for _, s := range list {
				text = append(text, s.String())
			}
			return text
		}
		list, err := w.Expiring(ctx, w.time(), w.time().AddDate(2, 0, 0))
		must(t, err)
		got := serials(list)
		if len(got) != 3 || got[0] != plain.Serial.String() || !slices.Contains(got, held.Serial.String()) || !slices.Contains(got, successor.Serial.String()) {
			t.Errorf("%v", got)
		}
		for _, e := range list {
			if e.Profile != ProfileInstitution {
				continue
			}
			if e.Held != (e.Serial.Cmp(held.Serial) == 0) || e.Organisation != testName || e.RenewableUntil.Year() != 2031 {
				t.Errorf("%+v", e)
			}
		}
		// To the second: the end itself is within, and no longer after it.
		list, err = w.Expiring(ctx, plain.NotAfter.Add(-time.Second), plain.NotAfter)
		must(t, err)
		if got := serials(list); !slices.Equal(got, at(plain.Serial)) {
			t.Errorf("%v", got)
		}
		list, err = w.Expiring(ctx, plain.NotAfter, plain.NotAfter.Add(time.Second))
		must(t, err)
		if got := serials(list); len(got) != 0 {
			t.Errorf("%v", got)
		}

		// The holder objected: the successor is taken back, and the certificate is without one again.
		must(t, w.SuspendAtOnce(ctx, w.registrar, successor.Serial, "wrong name"))
		back, err := w.Expiry(ctx, renewed.Serial)
		must(t, err)
		if back.Held {
			t.Errorf("%+v", back)
		}
		must(t, w.Resume(ctx, w.approve(t, access.KindResumeCertificate, ResumeSubject(successor.Serial)), successor.Serial))

		e, err := w.Expiry(ctx, plain.Serial)
		must(t, err)
		if !e.NotAfter.Equal(plain.NotAfter) || !e.NotBefore.Equal(plain.NotBefore) {
			t.Errorf("%+v", e)
		}
		for _, gone := range []*big.Int{renewed.Serial, revoked.Serial, big.NewInt(7), nil} {
			_, err := w.Expiry(ctx, gone)
			wantCode(t, err, ErrNotFound)
		}
	})
}

func TestServiceCertificatesAreDueOnlyWhereTheyAreTheLastOfTheirKind(t *testing.T) {
	w := sqliteWorld(t)
	ctx := context.Background()
	profiles := func() map[Profile]int {
		list, err := w.Expiring(ctx, w.time(), w.time().AddDate(50, 0, 0))
		must(t, err)
		n := map[Profile]int{}
		for _, e := range list {
			n[e.Profile]++
			if !e.RenewableUntil.IsZero() {
				t.Errorf("%+v", e)
			}
		}
		return n
	}
	if n := profiles(); n[ProfileOCSP] != 1 || n[ProfileTSA] != 1 || n[ProfileRoot] != 1 || n[ProfileIssuing] != 1 {
		t.Fatalf("%v", n)
	}
	// A second certificate of the kind, later than the first, takes its place in the list.
	w.pass(48 * time.Hour)
	before, err := w.Current(ctx, ProfileOCSP)
	must(t, err)
	r := Request{Profile: ProfileOCSP, Public: newKey(t), Organisation: testName, CommonName: "OCSP 2"}
	_, err = w.Issue(ctx, w.approve(t, access.KindIssueCertificate, r.Subject()), r)
	must(t, err)
	list, err := w.Expiring(ctx, w.time(), w.time().AddDate(50, 0, 0))
	must(t, err)
	n := 0
	for _, e := range list {
		if e.Profile == ProfileOCSP {
			n++
			if e.Serial.Cmp(before.Serial) == 0 {
				t.Error("the earlier one is still listed")
			}
		}
	}
	if n != 1 {
		t.Errorf("%d", n)
	}
}
