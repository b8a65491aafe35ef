package enroll

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// TestOneUnitDoesNotKnowOfAnothersApplications tries every call with an identifier that somebody learned.
func TestOneUnitDoesNotKnowOfAnothersApplications(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.draft(unitA)
		d := w.draft(unitDirect)
		holder := w.holderOf(unitA)
		x, err := w.SuspendAtOnce(ctx, w.registrar, holder, "Key 遗失")
		w.must(err)
		batch, err := w.OpenBatch(ctx, w.city, areaOne, "三月", w.time().Add(time.Hour))
		w.must(err)
		calls := func(by access.Actor, a Application) map[string]error {
			ref := a.Ref()
			_, e1 := w.Application(ctx, by, a.ID)
			_, e2 := w.ByNumber(ctx, by, a.Number)
			_, e3 := w.Edit(ctx, by, ref, w.filled(unitA))
			_, e4 := w.Submit(ctx, by, ref)
			_, e5 := w.Findings(ctx, by, a.ID)
			_, e6 := w.History(ctx, by, a.ID)
			_, e7 := w.Persons(ctx, by, a.ID)
			_, e8 := w.ForPrint(ctx, by, a.ID, "核对原件")
			_, e9 := w.Unmask(ctx, by, a.ID, "核对")
			_, _, e10 := w.OpenAttachment(ctx, by, a.ID, a.Attachments[0].ID, "核对")
			_, e11 := w.AddAttachment(ctx, by, ref, Scan{Kind: AttachOther, Content: scanJPEG})
			_, e12 := w.RemoveAttachment(ctx, by, ref, a.Attachments[0].ID)
			_, e13 := w.AttachRoster(ctx, by, ref, "2026-03-05", []Person{w.person(unitA, 1, userPerson, StatusActive)})
			_, e14 := w.Withdraw(ctx, by, ref, "不再申请")
			_, e15 := w.AcceptAgreement(ctx, by, ref, "2026-01")
			_, e16 := w.Gather(ctx, by, ref, batch.ID)
			_, e17 := w.Approve(ctx, by, ref)
			_, _, e18 := w.ImportRoster(ctx, by, ref, nil)
			_, e19 := w.Recall(ctx, by, ref)
			return map[string]error{"Application": e1, "ByNumber": e2, "Edit": e3, "Submit": e4, "Findings": e5, "History": e6, "Persons": e7, "ForPrint": e8,
				"Unmask": e9, "OpenAttachment": e10, "AddAttachment": e11, "RemoveAttachment": e12, "AttachRoster": e13, "Withdraw": e14,
				"AcceptAgreement": e15, "Gather": e16, "Approve": e17, "ImportRoster": e18, "Recall": e19}
		}
		for name, c := range map[string]struct {
			by access.Actor
			a  Application
		}{
			"another unit of the same city": {w.handler[unitB], a}, "a unit elsewhere": {w.handler[unitFar], a}, "another city": {w.otherCity, a},
			"the city of a direct unit": {w.city, d}, "an operator": {w.operator, a}, "an administrator": {w.admin, a},
		} {
			for call, err := range calls(c.by, c.a) {
				if err == nil {
					t.Errorf("%s: %s went through", name, call)
					continue
				}
				wantCode(t, err, ErrNotFound) // and not that it is denied, which would tell that there is one
			}
			if list, err := w.List(ctx, c.by, Filter{}); err != nil || slices.ContainsFunc(list, func(s Summary) bool { return s.ID == c.a.ID }) {
				t.Errorf("%s lists it: %v", name, err)
			}
			if list, err := w.List(ctx, c.by, Filter{Unit: c.a.Unit, Text: c.a.Number}); err != nil || len(list) != 0 {
				t.Errorf("%s finds it: %v %v", name, list, err)
			}
		}
		_, err = w.Create(ctx, w.handler[unitB], unitA, w.filled(unitA))
		wantCode(t, err, ErrUnit)
		_, err = w.Create(ctx, w.city, unitA, w.filled(unitA))
		wantCode(t, err, ErrDenied) // it sees the unit
		for _, by := range []access.Actor{w.handler[unitB], w.otherCity, w.operator} {
			_, err := w.SuspendAtOnce(ctx, by, holder, "报告")
			wantCode(t, err, ErrHolder)
			_, err = w.RequestDecision(ctx, by, x.Ref(), true)
			wantCode(t, err, ErrSuspension)
			if list, err := w.Suspensions(ctx, by, ""); err != nil || len(list) != 0 {
				t.Errorf("%s lists %v, %v", by.ID, list, err)
			}
			_, err = w.Progress(ctx, by, batch.ID)
			wantCode(t, err, ErrBatch)
			_, err = w.HandIn(ctx, by, batch.Ref())
			wantCode(t, err, ErrBatch)
			if list, err := w.Batches(ctx, by); err != nil || len(list) != 0 {
				t.Errorf("%s lists %v, %v", by.ID, list, err)
			}
		}
		for _, odd := range []string{"", "\x00", "\xff", "app_\x00", strings.Repeat("a", 1<<20), "' OR 1=1"} {
			_, err := w.Application(ctx, w.registrar, odd)
			wantCode(t, err, ErrNotFound)
			_, err = w.ByNumber(ctx, w.registrar, odd)
			wantCode(t, err, ErrNotFound)
			_, err = w.Submit(ctx, w.registrar, Ref{ID: odd})
			wantCode(t, err, ErrNotFound)
			_, _, err = w.OpenAttachment(ctx, w.registrar, a.ID, odd, "核对")
			wantCode(t, err, ErrAttachment)
			_, err = w.Progress(ctx, w.registrar, odd)
			wantCode(t, err, ErrBatch)
			_, err = w.Holders(ctx, w.registrar, odd)
			wantCode(t, err, ErrUnit)
			_, err = w.SuspendAtOnce(ctx, w.registrar, odd, "报告")
			wantCode(t, err, ErrHolder)
			_, err = w.RequestDecision(ctx, w.registrar, Ref{ID: odd}, true)
			wantCode(t, err, ErrSuspension)
			if list, err := w.List(ctx, w.registrar, Filter{Text: "x" + odd, Unit: odd + "x", Batch: odd, Before: odd}); err != nil || len(list) != 0 {
				t.Errorf("%.10q: %v, %v", odd, list, err)
			}
		}
		// An attachment of one application does not open through another.
		_, _, err = w.OpenAttachment(ctx, w.handler[unitDirect], d.ID, a.Attachments[0].ID, "核对")
		wantCode(t, err, ErrAttachment)
		_, err = w.RemoveAttachment(ctx, w.handler[unitDirect], d.Ref(), a.Attachments[0].ID)
		wantCode(t, err, ErrAttachment)
	})
}

func TestRolesAreReadWhenTheyMatter(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.draft(unitA)
		w.must(w.Access.WithdrawRole(ctx, w.admin, "handler-"+unitA, access.RoleApplicant))
		_, err := w.Application(ctx, w.handler[unitA], a.ID) // the Actor still claims the role
		wantCode(t, err, ErrNotFound)
		w.must(w.Access.RetireActor(ctx, w.admin, "registrar"))
		_, err = w.Application(ctx, w.registrar, a.ID)
		wantCode(t, err, access.ErrActorNotFound)
	})
}

func TestNobodyStandsForTwoUnits(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		wantCode(t, w.AssignUnit(ctx, w.registrar, "handler-"+unitA, unitB), ErrMember)
		wantCode(t, w.AssignArea(ctx, w.registrar, "operator", areaOne), access.ErrRole)
		wantCode(t, w.AssignUnit(ctx, w.admin, "handler-"+unitA, unitB), access.ErrRole)
		_, err := w.SetUnits(ctx, w.handler[unitA], []Unit{{Name: "x", Area: areaOne}})
		wantCode(t, err, access.ErrRole)
		_, err = w.SetUnits(ctx, w.admin, []Unit{{Name: "x", Area: "000000"}})
		wantCode(t, err, ErrUnit)
		wantCode(t, w.SetAreas(ctx, w.admin, []Area{{"22", "x"}}), ErrField)
		for _, odd := range []string{"", "\x00", "none"} {
			wantCode(t, w.AssignUnit(ctx, w.registrar, "handler-"+unitA, odd), map[bool]fault.Spec{true: ErrUnit, false: ErrMember}[odd != "none"])
			_, err = w.SetUnits(ctx, w.admin, []Unit{{Name: "x", Area: odd}})
			wantCode(t, err, ErrUnit)
		}
	})
}

func TestListsAreOrderedFilteredAndContinued(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		var ids []string
		for _, unit := range []string{unitA, unitDirect, unitB, unitA, unitFar} {
			f := w.filled(unit)
			f.Seal.Name += "100%_章"
			ids = append(ids, w.with(w.Create(ctx, w.handler[unit], unit, f)).ID)
			w.pass(time.Second)
		}
		slices.Reverse(ids) // the newest first
		names := func(list []Summary, err error) []string {
			w.must(err)
			var got []string
			for _, s := range list {
				got = append(got, s.ID)
			}
			return got
		}
		for name, c := range map[string]struct {
			by   access.Actor
			f    Filter
			want []string
		}{
			"everything":           {w.registrar, Filter{}, ids},
			"the first two":        {w.auditor, Filter{Limit: 2}, ids[:2]},
			"those behind":         {w.approver, Filter{Before: ids[1], Limit: 2}, ids[2:4]},
			"behind the last":      {w.approver, Filter{Before: ids[4]}, nil},
			"one unit":             {w.registrar, Filter{Unit: unitA}, []string{ids[1], ids[4]}},
			"one area":             {w.registrar, Filter{Area: areaTwo}, ids[:1]},
			"the city's":           {w.city, Filter{}, []string{ids[1], ids[2], ids[4]}},
			"a handler's":          {w.handler[unitA], Filter{}, []string{ids[1], ids[4]}},
			"in a state":           {w.registrar, Filter{States: []State{StateDraft, StateClosed}}, ids},
			"in no such state":     {w.registrar, Filter{States: []State{StateClosed, "'; DROP"}}, nil},
			"a text":               {w.registrar, Filter{Text: "100%_章"}, ids},
			"a text with wildcard": {w.registrar, Filter{Text: "1%章"}, nil},
			"a backslash":          {w.registrar, Filter{Text: `\`}, nil},
		} {
			if got := names(w.List(ctx, c.by, c.f)); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		if list, _ := w.List(ctx, w.registrar, Filter{Limit: 1}); list[0].Businesses[0] != form.New || list[0].UnitName != w.units[unitFar].Name {
			t.Errorf("%+v", list[0])
		}
	})
}

func TestTheLedgerTellsWhatAUnitWasSetTo(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		told := func(id string) map[string]string {
			t.Helper()
			var entry string
			w.must(w.db.Read().QueryRowContext(ctx, `SELECT entry FROM ledger_event WHERE kind = 'registration.unit' AND subject = $1`, id).Scan(&entry))
			var e struct {
				Actor string            `json:"actor"`
				Data  map[string]string `json:"data"`
			}
			w.must(json.Unmarshal([]byte(entry), &e))
			if e.Actor != "registrar" {
				t.Errorf("actor %s", e.Actor)
			}
			return e.Data
		}
		for _, u := range []Unit{{Name: "甲馆", CreditCode: "12220000412345670E", Area: areaOne}, {Name: "乙馆", Area: areaTwo, Direct: true}} {
			list, err := w.SetUnits(ctx, w.registrar, []Unit{u})
			w.must(err)
			want := map[string]string{"name": u.Name, "area": u.Area, "credit_code": u.CreditCode, "direct": strconv.FormatBool(u.Direct), "telephone": u.Telephone}
			if got := told(list[0].ID); !maps.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		}
	})
}
