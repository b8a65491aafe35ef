package access

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// TestEachFactIsCompared forges what the database itself holds together by foreign keys and checks: whoever writes into its
// file is not kept from it.
func TestEachFactIsCompared(t *testing.T) {
	made, given, used := time.Unix(1, 0), time.Unix(2, 0), time.Unix(3, 0)
	text := func(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }
	events := func() []ledger.Entry {
		event := func(kind, actor string, at time.Time, data map[string]string) ledger.Entry {
			return ledger.Entry{Event: ledger.Event{Time: at, Kind: kind, Actor: actor, Subject: "r", Data: data}}
		}
		return []ledger.Entry{
			event("approval.requested", "zhang", made, map[string]string{"kind": "k", "digest": digestText([]byte("s")), "plan": "p"}),
			event("approval.granted", "li", given, map[string]string{"kind": "k", "requester": "zhang"}),
			event("approval.used", "zhang", used, map[string]string{"kind": "k", "approver": "li"})}
	}
	whole := row{id: "r", kind: "k", requester: "zhang", state: "approved", created: store.Time(made), parent: "p", subject: []byte("s"), digest: digestText([]byte("s")),
		given: true, used: true, approvalKind: text("k"), approvalDigest: text(digestText([]byte("s"))), approvalRequester: text("zhang"), approver: text("li"),
		approved: text(store.Time(given)), when: text(store.Time(used))}
	for name, c := range map[string]struct {
		forge func(r *row)
		tell  func(list []ledger.Entry) []ledger.Entry
		want  []DifferenceCode
	}{
		"nothing": {},
		"content and digest": {forge: func(r *row) {
			r.subject = []byte("x")
			r.digest = digestText(r.subject)
			r.approvalDigest = text(r.digest)
		}, want: []DifferenceCode{RequestChanged}},
		"the plan":                      {forge: func(r *row) { r.parent = "" }, want: []DifferenceCode{RequestChanged}},
		"the approval's kind":           {forge: func(r *row) { r.approvalKind = text("x") }, want: []DifferenceCode{ApprovalChanged, UseChanged}},
		"the approval's requester":      {forge: func(r *row) { r.approvalRequester = text("x") }, want: []DifferenceCode{ApprovalChanged, UseChanged}},
		"the approver":                  {forge: func(r *row) { r.approver = text("x") }, want: []DifferenceCode{ApprovalChanged, UseChanged}},
		"the approval's digest":         {forge: func(r *row) { r.approvalDigest = text("x") }, want: []DifferenceCode{ApprovalChanged}},
		"an approval without the state": {forge: func(r *row) { r.state = "open" }, want: []DifferenceCode{ApprovalChanged}},
		"the requester in all places": {forge: func(r *row) { r.requester = "x"; r.approvalRequester = text("x") },
			want: []DifferenceCode{RequestChanged, ApprovalChanged, UseChanged}},
		"who used it, by the ledger":                {tell: func(l []ledger.Entry) []ledger.Entry { l[2].Actor = "x"; return l }, want: []DifferenceCode{UseChanged}},
		"who approved what was used, by the ledger": {tell: func(l []ledger.Entry) []ledger.Entry { l[2].Data["approver"] = "x"; return l }, want: []DifferenceCode{UseChanged}},
		"who asked for what was given, by the ledger": {tell: func(l []ledger.Entry) []ledger.Entry { l[1].Data["requester"] = "x"; return l },
			want: []DifferenceCode{ApprovalChanged}},
		"what was given, by the ledger":  {tell: func(l []ledger.Entry) []ledger.Entry { l[1].Data["kind"] = "x"; return l }, want: []DifferenceCode{ApprovalChanged}},
		"what was used, by the ledger":   {tell: func(l []ledger.Entry) []ledger.Entry { l[2].Data["kind"] = "x"; return l }, want: []DifferenceCode{UseChanged}},
		"a second request of that name":  {tell: func(l []ledger.Entry) []ledger.Entry { return append(l, l[0]) }, want: []DifferenceCode{RequestChanged}},
		"a second consent":               {tell: func(l []ledger.Entry) []ledger.Entry { return append(l, l[1]) }, want: []DifferenceCode{ApprovalChanged}},
		"a second use":                   {tell: func(l []ledger.Entry) []ledger.Entry { return append(l, l[2]) }, want: []DifferenceCode{UseChanged}},
		"a use that is not in the table": {forge: func(r *row) { r.used = false }, want: []DifferenceCode{UseUndone}},
	} {
		r, list := whole, events()
		if c.forge != nil {
			c.forge(&r)
		}
		if c.tell != nil {
			list = c.tell(list)
		}
		compare := comparer{told: map[string]*story{}}
		for _, e := range list {
			compare.hear(e)
		}
		compare.row(r)
		var got []DifferenceCode
		for _, d := range compare.found {
			got = append(got, d.Code)
		}
		slices.Sort(got)
		got = slices.Compact(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
