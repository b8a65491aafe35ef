package access

import (
	"context"
	"strings"
	"testing"
	"time"

	"yinxin/internal/fault"
)

func (r *room) person(t *testing.T, name string, role Role) Actor {
	t.Helper()
	a, err := r.CreateActor(context.Background(), Actor{ID: name, Name: name + " 某", Roles: []Role{role}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestARequestKeepsWhoAskedAndWhoDecidedWithTheirReasons(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		operator := r.person(t, "operator", RoleOperator)
		id, err := r.RequestBecause(ctx, r.registrar, KindGrantRole, GrantSubject(operator.ID, RoleApplicant), "接替")
		if err != nil {
			t.Fatal(err)
		}
		asked := r.time()
		open, err := r.Pending(ctx, id)
		if err != nil || open.Why != "接替" || open.Decider != "" || !open.Decided.IsZero() || !open.Used.IsZero() {
			t.Errorf("%+v %v", open, err)
		}
		r.pass(time.Hour)
		if err := r.ApproveBecause(ctx, r.approver, id, "已核对"); err != nil {
			t.Fatal(err)
		}
		decided := r.time()
		r.pass(time.Hour)
		if err := r.GrantRole(ctx, id, operator.ID, RoleApplicant); err != nil {
			t.Fatal(err)
		}
		done, err := r.Pending(ctx, id)
		if err != nil || done.Requester != r.registrar.ID || !done.Created.Equal(asked) || done.Decider != r.approver.ID || !done.Decided.Equal(decided) || done.Reason != "已核对" || !done.Used.Equal(r.time()) {
			t.Errorf("%+v %v", done, err)
		}
		for _, bad := range []string{strings.Repeat("长", 201), "一行\n又一行"} {
			if _, err := r.RequestBecause(ctx, r.registrar, KindGrantRole, GrantSubject(operator.ID, RoleApplicant), bad); !fault.Has(err, ErrSubject) {
				t.Errorf("a reason %.10q: %v", bad, err)
			}
			if err := r.ApproveBecause(ctx, r.approver, id, bad); !fault.Has(err, ErrSubject) {
				t.Errorf("a remark %.10q: %v", bad, err)
			}
		}
	})
}

func TestWhoIsRetiredKeepsTheNameInRecords(t *testing.T) {
	eachRoom(t, func(t *testing.T, r *room) {
		ctx := context.Background()
		operator, administrator := r.person(t, "operator", RoleOperator), r.person(t, "administrator", RoleAdministrator)
		before, err := r.Named(ctx, operator.ID)
		if err != nil || before.Name != operator.Name || !before.Has(RoleOperator) {
			t.Errorf("%+v %v", before, err)
		}
		if err := r.RetireActor(ctx, administrator, operator.ID); err != nil {
			t.Fatal(err)
		}
		if after, err := r.Named(ctx, operator.ID); err != nil || after.Name != operator.Name || len(after.Roles) != 0 {
			t.Errorf("%+v %v", after, err)
		}
		if nobody, err := r.Named(ctx, "nobody"); err != nil || nobody.Name != "nobody" {
			t.Errorf("%+v %v", nobody, err)
		}
	})
}
