package register_test

import (
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer/register"
)

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := fault.CodeOf(err); err == nil || got != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func TestGrantsAreAskedForListedAndEnded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		admin, err := h.access.CreateActor(ctx, access.Actor{ID: "admin", Name: "admin", Roles: []access.Role{access.RoleAdministrator}})
		must(t, err)
		h.make(h.order())
		wish := register.Grant{SealCode: code, Actor: h.operator.ID, From: h.now, Until: h.now.Add(time.Hour), Quota: 2}
		for field, spoil := range map[string]func(*register.Grant){
			"until": func(g *register.Grant) { g.Until = g.From }, "quota": func(g *register.Grant) { g.Quota = -1 }, "from": func(g *register.Grant) { g.From = time.Time{} },
			"actor": func(g *register.Grant) { g.Actor = h.approver.ID }, // nobody who seals
		} {
			g := wish
			spoil(&g)
			_, err := h.register.AskGrant(ctx, admin, g, "")
			f, ok := fault.Of(err)
			if !ok || f.Code != "seal.grant-terms" || f.Place.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		other := wish
		other.SealCode = "29010000000099"
		_, err = h.register.AskGrant(ctx, admin, other, "")
		wantCode(t, err, "seal.not-found")
		_, err = h.register.AskGrant(ctx, h.operator, wish, "")
		wantCode(t, err, "access.role")

		// Two people make it, and exactly what was asked for.
		id, err := h.register.AskGrant(ctx, admin, wish, "年度用印")
		must(t, err)
		asked, err := h.access.Pending(ctx, id)
		must(t, err)
		if g, err := register.ParseGrant(asked.Subject); err != nil || g.SealCode != code || g.Quota != 2 || !g.Until.Equal(wish.Until) {
			t.Errorf("%+v, %v", g, err)
		}
		_, err = h.register.MakeGrant(ctx, admin, id)
		wantCode(t, err, "access.not-approved")
		must(t, h.access.Approve(ctx, h.approver, id))
		_, err = h.register.MakeGrant(ctx, h.approver, id)
		wantCode(t, err, "seal.role-missing")
		g, err := h.register.MakeGrant(ctx, admin, id)
		must(t, err)
		_, err = h.register.MakeGrant(ctx, admin, id)
		wantCode(t, err, "access.used")
		// What is part of a plan is made in its turn.
		plan, err := h.access.RequestPlan(ctx, h.requester, access.KindSuspendSeal, []byte("a plan"), []access.Part{{Kind: access.KindGrant, Subject: wish.Subject()}})
		must(t, err)
		must(t, h.access.Approve(ctx, h.approver, plan))
		parts, err := h.access.Parts(ctx, plan)
		must(t, err)
		_, err = h.register.MakeGrant(ctx, admin, parts[0].ID)
		wantCode(t, err, "access.part")
		h.now = h.now.Add(time.Second)
		later := h.allow(0)
		list, err := h.register.Grants(ctx, admin, register.GrantFilter{})
		must(t, err)
		if len(list) != 2 || list[0].ID != later.ID || list[1].ID != g.ID || list[1].Requester != "admin" || list[1].Approver != "approver" || list[1].SealName != "云山市档案馆" || list[1].State != register.GrantRuns || list[1].Left() != 2 {
			t.Fatalf("%+v", list)
		}
		for _, f := range []register.GrantFilter{{Limit: 1}, {After: later.ID}, {State: register.GrantExpired}, {Text: "100%"}, {Text: "operator", Limit: 1}} {
			found, err := h.register.Grants(ctx, h.requester, f)
			must(t, err)
			want := 1
			if f.State != "" || f.Text == "100%" {
				want = 0
			}
			if len(found) != want || f.After != "" && found[0].ID != g.ID {
				t.Errorf("%+v: %+v", f, found)
			}
		}
		_, err = h.register.Grants(ctx, h.operator, register.GrantFilter{})
		wantCode(t, err, "seal.role-missing")
		_, err = h.register.GrantCard(ctx, h.operator, g.ID)
		wantCode(t, err, "seal.role-missing")

		// All uses spent, time over: told apart.
		must(t, h.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE seal_grant SET used = 2 WHERE id = $1`, g.ID)
			return err
		}))
		if c, err := h.register.GrantCard(ctx, admin, g.ID); err != nil || c.State != register.GrantUsedUp || c.Left() != 0 {
			t.Errorf("%+v, %v", c, err)
		}
		// One person ends it, who says why; it does not end twice.
		wantCode(t, h.register.EndGrant(ctx, h.operator, later.ID, "调离"), "seal.role-missing")
		wantCode(t, h.register.EndGrant(ctx, admin, later.ID, ""), "enroll.reason")
		wantCode(t, h.register.EndGrant(ctx, admin, "g_none", "调离"), "seal.grant-not-found")
		must(t, h.register.EndGrant(ctx, admin, later.ID, "调离"))
		wantCode(t, h.register.EndGrant(ctx, admin, later.ID, "调离"), "seal.grant-ended")
		h.refusal("seal.quota-exhausted") // what is left is the spent one
		c, err := h.register.GrantCard(ctx, admin, later.ID)
		if err != nil || c.State != register.GrantEnded || c.EndedBy != "admin" || c.EndReason != "调离" || !c.Ended.Equal(h.now) {
			t.Errorf("%+v, %v", c, err)
		}
		h.now = h.now.Add(2 * time.Hour)
		wantCode(t, h.register.EndGrant(ctx, admin, g.ID, "调离"), "seal.grant-ended")
	})
}
