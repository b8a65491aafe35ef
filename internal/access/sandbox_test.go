package access

import (
	"context"
	"testing"

	"yinxin/internal/fault"
)

func TestASandboxKeyIsOneWhereverItIsRead(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		for _, sandbox := range []bool{true, false} {
			secret, err := r.IssueKey(ctx, "machine", r.registrar.ID, KeyTerms{Label: "a key", Only: Only{Sandbox: sandbox}})
			if err != nil {
				t.Fatal(err)
			}
			a, err := r.Authenticate(ctx, secret)
			if err != nil || a.Sandbox != sandbox || a.Key == "" || a.Key != secret[len(keyPrefix):len(keyPrefix)+len(a.Key)] {
				t.Fatalf("%+v, %v", a, err)
			}
			keys, err := r.Keys(ctx, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				if k.ID == a.Key && k.Sandbox != sandbox {
					t.Errorf("listed as %+v", k)
				}
			}
			// An officer who comes with one neither asks for anything nor decides.
			if _, err := r.Request(ctx, a, KindMakeSeal, []byte("a subject")); fault.Has(err, ErrKeySandbox) != sandbox {
				t.Errorf("a request with sandbox %v: %v", sandbox, err)
			}
		}
	})
}
