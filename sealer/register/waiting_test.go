package register_test

import (
	"testing"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer/register"
)

// waiting has an instance of an order wait for its use.
func (h *house) waiting(o register.Order, der []byte) register.Instance {
	h.t.Helper()
	d, err := h.register.Prepare(h.approved(access.KindMakeSeal, o.Terms()), o)
	must(h.t, err)
	in, err := h.issue(d, der)
	must(h.t, err)
	return in
}

func TestAnInstanceThatRepeatsOneOfYesterdayIsNotUsed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := h.waiting(h.later(), h.holder)
		must(t, h.activate(first.ID))
		d, err := h.register.PrepareRenewal(t.Context(), first.ID, "seal-2")
		must(t, err)
		renewal, err := h.issue(d, selfSigned(t, code, h.now))
		must(t, err)
		anew := h.waiting(h.later(), h.holder)
		must(t, h.activate(anew.ID))
		if err := h.activate(renewal.ID); fault.CodeOf(err) != "seal.superseded" {
			t.Errorf("%v", err)
		}
	})
}

func TestACancelledSealEndsWithAllItsInstances(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		first := h.waiting(h.later(), h.holder)
		must(t, h.activate(first.ID))
		h.waiting(h.later(), h.holder)
		must(t, h.register.Cancel(ctx, h.approved(access.KindCancelSeal, register.CancelSubject(code)), code))
		var left int
		must(t, h.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM seal_instance WHERE state IN ('waiting', 'active')`).Scan(&left))
		if left != 0 {
			t.Errorf("%d instances are left", left)
		}
		late := h.waiting(h.later(), h.holder) // it was on its way
		if err := h.activate(late.ID); fault.CodeOf(err) != "seal.cancelled" {
			t.Errorf("%v", err)
		}
	})
}

func TestAnInstanceTakesThePlaceOfItsHoldersAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var list []register.Instance
		for _, holder := range []string{"wang", "zhao", "wang"} {
			o := h.later()
			o.Custody, o.Holder, o.KeyName = register.UserKey, holder, ""
			in := h.waiting(o, h.holder)
			must(t, h.activate(in.ID))
			list = append(list, in)
		}
		for i, want := range []string{"superseded", "active", "active"} {
			var state string
			must(t, h.db.Read().QueryRowContext(t.Context(), `SELECT state FROM seal_instance WHERE id = $1`, list[i].ID).Scan(&state))
			if state != want {
				t.Errorf("instance %d is %s", i, state)
			}
		}
	})
}

func TestEveryFormerNameIsKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := h.waiting(h.later(), h.holder)
		must(t, h.activate(first.ID))
		for _, name := range []string{"云山市档案和史志馆", "云山市综合档案馆"} {
			o := h.later()
			o.FormerName, o.Organisation = o.Name, name // the text of the imprint stays, the unit is called otherwise
			must(t, h.activate(h.waiting(o, h.holder).ID))
		}
		var names int
		must(t, h.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(DISTINCT organisation) FROM seal_former_name`).Scan(&names))
		if names != 2 {
			t.Errorf("%d former names", names)
		}
	})
}

func TestACertificateForAnotherSealIsRefusedBeforeItsApprovalIsUsed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.later()
		id := h.approved(access.KindMakeSeal, o.Terms())
		d, err := h.register.Prepare(id, o)
		must(t, err)
		other, err := chain.ParseCertificate(selfSigned(t, "22000000000001", h.now))
		must(t, err)
		if err := d.Fits(other); fault.CodeOf(err) != "seal.invalid-order" {
			t.Errorf("%v", err)
		}
		if err := d.Make(t.Context(), other); fault.CodeOf(err) != "seal.invalid-order" {
			t.Errorf("made: %v", err)
		}
		must(t, h.write(func(tx *store.Tx) error { return d.Intend(t.Context(), tx) }))
	})
}
