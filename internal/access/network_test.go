package access

import (
	"context"
	"testing"

	"yinxin/internal/fault"
)

func TestAKeyCountsOnItsNetworksAlone(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		key := func(networks ...string) string {
			secret, err := r.IssueKey(ctx, "machine", r.registrar.ID, KeyTerms{Label: "a key", Only: Only{Networks: networks}})
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		inside, both, any := key(GovernmentNetwork), key(GovernmentNetwork, Internet), key()
		for _, c := range []struct {
			network, secret string
			counts          bool
		}{
			{GovernmentNetwork, inside, true}, {Internet, inside, false}, {"", inside, false},
			{GovernmentNetwork, both, true}, {Internet, both, true}, {"", both, false},
			{GovernmentNetwork, any, true}, {Internet, any, true}, {"", any, true},
		} {
			from := ctx
			if c.network != "" {
				from = WithNetwork(ctx, c.network)
			}
			if _, err := r.Authenticate(from, c.secret); c.counts && err != nil || !c.counts && !fault.Has(err, ErrKeyNetwork) {
				t.Errorf("over %q: %v, want %v", c.network, err, c.counts)
			}
		}
		keys, err := r.Keys(ctx, r.registrar.ID)
		if err != nil || len(keys) != 3 || len(keys[0].Networks)+len(keys[1].Networks)+len(keys[2].Networks) != 3 {
			t.Errorf("%+v %v", keys, err)
		}
		if _, err := r.IssueKey(ctx, "machine", r.registrar.ID, KeyTerms{Label: "a key", Only: Only{Networks: []string{"内网"}}}); !fault.Has(err, ErrKeyTerms) {
			t.Error(err)
		}
		// Whoever does not have the secret learns nothing of the limits.
		if _, err := r.Authenticate(WithNetwork(ctx, Internet), inside[:len(inside)-1]+"_"); !fault.Has(err, ErrUnknownKey) {
			t.Error(err)
		}
	})
}
