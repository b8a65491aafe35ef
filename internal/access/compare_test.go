package access

import (
	"context"
	"strings"
	"testing"

	"yinxin/internal/store"
)

// TestEveryForgedRowDiffersFromTheLedger changes rows behind the service's back, as somebody with the database could.
func TestEveryForgedRowDiffersFromTheLedger(t *testing.T) {
	const moment = "'2026-01-02T03:04:05.000Z'"
	type end int
	const (
		open end = iota
		rejected
		voided
		given
		used
	)
	cases := []struct {
		name  string
		state end
		forge string // $ID is the request
		want  DifferenceCode
	}{
		{"an open request", open, "", ""},
		{"a rejected one", rejected, "", ""},
		{"a void one", voided, "", ""},
		{"an approved one", given, "", ""},
		{"one that was used", used, "", ""},
		{"a request that nobody made", open, `INSERT INTO access_request (id, kind, subject, digest, requester, state, created, expires, reason)
			SELECT 'forged', kind, subject, digest, requester, state, created, expires, reason FROM access_request WHERE id = '$ID'`, RequestUnrecorded},
		{"a request that is gone", open, "DELETE FROM access_request WHERE id = '$ID'", RequestMissing},
		{"another content", open, "UPDATE access_request SET subject = (SELECT o.subject FROM access_request o WHERE o.id <> '$ID' LIMIT 1) WHERE id = '$ID'", RequestChanged},
		{"another digest", open, "UPDATE access_request SET digest = 'x' WHERE id = '$ID'", RequestChanged},
		{"another kind", open, "UPDATE access_request SET kind = 'x' WHERE id = '$ID'", RequestChanged},
		{"another requester", open, "UPDATE access_request SET requester = 'both' WHERE id = '$ID'", RequestChanged},
		{"another moment", open, "UPDATE access_request SET created = " + moment + " WHERE id = '$ID'", RequestChanged},
		{"a consent that was not", open, `UPDATE access_request SET state = 'approved', decider = 'approver', decided = created WHERE id = '$ID'; INSERT INTO
			access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used)
			SELECT id, kind, digest, requester, 'approver', 'approved', created, expires, 0 FROM access_request WHERE id = '$ID'`, ApprovalUnrecorded},
		{"a state without consent", open, "UPDATE access_request SET state = 'approved', decider = 'approver' WHERE id = '$ID'", ApprovalMissing},
		{"a consent taken away", given, "DELETE FROM access_approval WHERE id = '$ID'", ApprovalMissing},
		{"another approver", given, "UPDATE access_approval SET approver = 'both' WHERE id = '$ID'", ApprovalChanged},
		{"another moment of consent", given, "UPDATE access_approval SET approved = " + moment + " WHERE id = '$ID'", ApprovalChanged},
		{"a use that was not", given, "UPDATE access_approval SET used = 1, used_at = approved WHERE id = '$ID'", UseUnrecorded},
		{"a use taken back", used, "UPDATE access_approval SET used = 0, used_at = NULL WHERE id = '$ID'", UseUndone},
		{"another moment of use", used, "UPDATE access_approval SET used_at = " + moment + " WHERE id = '$ID'", UseChanged},
		{"a rejection that was not", open, "UPDATE access_request SET state = 'rejected', decider = 'approver' WHERE id = '$ID'", RejectionUnrecorded},
		{"a rejection taken back", rejected, "UPDATE access_request SET state = 'open', decider = NULL WHERE id = '$ID'", RejectionUndone},
		{"void without a word", given, "UPDATE access_request SET voided = created WHERE id = '$ID'", VoidUnrecorded},
		{"void no more", voided, "UPDATE access_request SET voided = NULL WHERE id = '$ID'", VoidUndone},
	}
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		must := func(name string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		whole, parts := r.plan(t, "one", "two")
		must("plan", r.Approve(ctx, r.approver, whole))
		_, err := r.redeem(whole, kindPlan, "an application")
		must("plan", err)
		_, err = r.redeem(parts[0].ID, KindMakeSeal, "one")
		must("plan", err)
		for _, end := range []func(id string) error{func(id string) error { return r.void(t, id) }, func(id string) error { return r.Reject(ctx, r.approver, id, "no") }} {
			id, _ := r.plan(t, "three")
			must("plan", end(id))
		}
		ids := make([]string, len(cases))
		for i, c := range cases {
			ids[i] = r.request(t, r.registrar, c.name)
			switch c.state {
			case rejected:
				must(c.name, r.Reject(ctx, r.approver, ids[i], "no"))
			case voided:
				must(c.name, r.void(t, ids[i]))
			case given, used:
				must(c.name, r.Approve(ctx, r.approver, ids[i]))
			}
			if c.state == used {
				_, err := r.redeem(ids[i], KindMakeSeal, c.name)
				must(c.name, err)
			}
		}
		if found, err := Compare(ctx, r.db); err != nil || len(found.Differences) != 0 || found.Requests != int64(len(cases))+7 {
			t.Fatalf("before: %+v, %v", found, err)
		}
		for i, c := range cases {
			for statement := range strings.SplitSeq(c.forge, ";") {
				if statement == "" {
					continue
				}
				must(c.name, r.db.Write(ctx, func(tx *store.Tx) error {
					_, err := tx.ExecContext(ctx, strings.ReplaceAll(statement, "$ID", ids[i]))
					return err
				}))
			}
		}
		found, err := Compare(ctx, r.db)
		must("after", err)
		got := map[string][]DifferenceCode{}
		for _, d := range found.Differences {
			got[d.Request] = append(got[d.Request], d.Code)
		}
		for i, c := range cases {
			id := ids[i]
			if c.want == RequestUnrecorded {
				id = "forged"
			}
			if list := got[id]; c.want == "" && len(list) > 0 || c.want != "" && (len(list) != 1 || list[0] != c.want) {
				t.Errorf("%s: %v, want %s", c.name, list, c.want)
			}
			delete(got, id)
		}
		if len(got) > 0 {
			t.Errorf("also %v", got)
		}
	})
}
