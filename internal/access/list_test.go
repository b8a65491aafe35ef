package access

import (
	"context"
	"slices"
	"testing"
	"time"
)

func TestOpenRequestsAndPartsAreReadPieceByPiece(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		var want []string
		for _, subject := range []string{"one", "two", "three"} {
			want = append(want, r.request(t, r.registrar, subject))
			r.pass(time.Second)
		}
		id, parts := r.plan(t, "a", "b", "c")
		want = append(want, id)
		for by, want := range map[string]int{r.approver.ID: 4, r.registrar.ID: 0} { // one's own wait for somebody else
			if n, err := r.CountOpen(ctx, Actor{ID: by}); err != nil || n != want {
				t.Errorf("%d wait for %s, %v", n, by, err)
			}
		}
		ids := func(list []Pending, err error) (found []string) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range list {
				found = append(found, p.ID)
			}
			return found
		}
		first := ids(r.ListOpen(ctx, Filter{Limit: 3}))
		rest := ids(r.ListOpen(ctx, Filter{Limit: 3, After: first[2]}))
		if !slices.Equal(append(first, rest...), want) {
			t.Errorf("%v and %v, want %v", first, rest, want)
		}
		if list := ids(r.ListOpen(ctx, Filter{Kind: kindPlan, Limit: 10})); !slices.Equal(list, []string{id}) {
			t.Errorf("of one kind %v", list)
		}
		for _, none := range []Filter{{Requester: "nobody", Limit: 10}, {After: "req_none", Limit: 10}, {After: id, Limit: 10}} {
			if list := ids(r.ListOpen(ctx, none)); len(list) != 0 {
				t.Errorf("%+v gives %v", none, list)
			}
		}
		if list := ids(r.ListParts(ctx, id, parts[0].ID, 1)); !slices.Equal(list, []string{parts[1].ID}) {
			t.Errorf("behind the first part %v", list)
		}
		if list := ids(r.ListParts(ctx, id, "", 10)); len(list) != 3 || list[2] != parts[2].ID {
			t.Errorf("parts %v", list)
		}
		if list := ids(r.ListParts(ctx, id, want[0], 10)); len(list) != 0 {
			t.Errorf("behind what is no part %v", list)
		}
	})
}
