package ca

import (
	"encoding/json"
	"testing"
	"time"

	"yinxin/ca/chain"
)

// issuingOrder is an order with a new certificate of the issuing CA.
func (w *world) issuingOrder(t *testing.T, years int, change func(o *RootOrder)) []byte {
	t.Helper()
	o, err := w.RootOrder(t.Context())
	must(t, err)
	must(t, w.OrderIssuing(&o, "", years))
	change(&o)
	data, err := json.Marshal(o)
	must(t, err)
	return data
}

func TestTheIssuingCAGetsALaterCertificateFromTheOfflineRoot(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first := w.first().Certificate
		old := w.issue(t, institution(t))
		w.pass(7 * 365 * 24 * time.Hour)
		der, err := SignIssuing(ctx, w.rootKey(t), w.issuingOrder(t, 10, func(*RootOrder) {}), w.time())
		must(t, err)
		wantCode(t, w.ImportIssuing(ctx, [2]string{"zhang", "zhang"}, der), ErrOfficers)
		wantCode(t, w.ImportIssuing(ctx, [2]string{"zhang", "operator"}, der), ErrOfficers)
		wantCode(t, w.ImportIssuing(ctx, [2]string{"zhang", "li"}, first.Raw), ErrIssuing)
		wantCode(t, w.ImportIssuing(ctx, [2]string{"zhang", "li"}, w.root.Raw), ErrIssuing)
		must(t, w.ImportIssuing(ctx, [2]string{"zhang", "li"}, der))
		w.Authority = w.open()
		if want := w.time().Truncate(time.Second).AddDate(10, 0, 0).Add(-time.Second); !w.first().Certificate.NotAfter.Equal(want) {
			t.Errorf("it ends %v, want %v", w.first().Certificate.NotAfter, want)
		}
		wantCode(t, w.ImportIssuing(ctx, [2]string{"zhang", "li"}, der), ErrIssuing)
		// What was issued before and what is issued now stands below it, and its state is known by either certificate.
		next := w.issue(t, institution(t))
		anchors, err := w.Anchors(ctx)
		must(t, err)
		v := &chain.Verifier{Anchors: anchors, Intermediates: []*chain.Certificate{first}, Revocation: w.Authority}
		for name, c := range map[string]*chain.Certificate{"old": old, "new": next} {
			at := c.NotBefore.Add(time.Hour)
			if r := v.Verify(ctx, c, at, chain.UsageSign); !r.Good() {
				t.Errorf("%s: %+v", name, r)
			}
			s, err := w.Status(ctx, c, first, at)
			if err != nil || s.State != chain.StateGood {
				t.Errorf("%s under the first certificate: %+v, %v", name, s, err)
			}
		}
		must(t, w.PublishCRL(ctx))
	})
}

func TestAnOrderForAnIssuingCAThatIsNotRightIsNotSigned(t *testing.T) {
	w := sqliteWorld(t)
	ctx := t.Context()
	w.pass(time.Hour)
	leaf := w.issue(t, institution(t))
	for name, change := range map[string]func(o *RootOrder){
		"none":                 func(o *RootOrder) { o.Issuing = nil },
		"no certificate":       func(o *RootOrder) { o.Issuing.Certificate = nil },
		"an institution":       func(o *RootOrder) { o.Issuing.Certificate = leaf.Raw },
		"no serial number":     func(o *RootOrder) { o.Issuing.Serial = "" },
		"a long serial number": func(o *RootOrder) { o.Issuing.Serial += o.Issuing.Serial },
		"too many years":       func(o *RootOrder) { o.Issuing.Years = MaxIssuingYears + 1 },
		"an address of a file": func(o *RootOrder) { o.Issuing.BaseURL = "file:///x" },
	} {
		_, err := SignIssuing(ctx, w.rootKey(t), w.issuingOrder(t, 10, change), w.time())
		t.Log(name)
		wantCode(t, err, ErrRootOrder)
	}
	_, err := SignIssuing(ctx, w.first().key, w.issuingOrder(t, 10, func(*RootOrder) {}), w.time())
	wantCode(t, err, ErrKey)
	w.pass(8 * 365 * 24 * time.Hour)
	_, err = SignIssuing(ctx, w.rootKey(t), w.issuingOrder(t, 13, func(*RootOrder) {}), w.time())
	wantCode(t, err, ErrValidity)
}
