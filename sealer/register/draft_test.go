package register_test

import (
	"os"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
	"yinxin/sealer/register"
)

// write runs fn in a transaction.
func (h *house) write(fn func(tx *store.Tx) error) error {
	return h.db.Write(h.t.Context(), fn)
}

// issue takes a draft through the steps of the issuance of a certificate.
func (h *house) issue(d *register.Draft, der []byte) (register.Instance, error) {
	h.t.Helper()
	ctx := h.t.Context()
	c, err := chain.ParseCertificate(der)
	must(h.t, err)
	if err := h.write(func(tx *store.Tx) error { return d.Intend(ctx, tx) }); err != nil {
		return register.Instance{}, err
	}
	if err := d.Make(ctx, c); err != nil {
		return register.Instance{}, err
	}
	err = h.write(func(tx *store.Tx) error { return d.Complete(ctx, tx, c) })
	return d.Instance(), err
}

func (h *house) activate(id string) error {
	return h.write(func(tx *store.Tx) error { return h.register.Activate(h.t.Context(), tx, id) })
}

// later is an order before its certificate is issued.
func (h *house) later() register.Order {
	o := h.order()
	o.Certificate = nil
	return o
}

func TestASealThatWaitsIsUsedOnlyAfterItWasPutIntoUse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.later()
		d, err := h.register.Prepare(h.approved(access.KindMakeSeal, o.Terms()), o)
		must(t, err)
		in, err := h.issue(d, h.holder)
		must(t, err)
		h.allow(0)
		h.refusal("seal.not-ready")
		must(t, h.activate(in.ID))
		if used := h.usable(); used.ID != in.ID || len(used.Seal) == 0 {
			t.Errorf("%+v", used)
		}
		must(t, h.activate(in.ID))
	})
}

func TestARenewedInstanceStandsOnTheOriginalApproval(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		o := h.later()
		d, err := h.register.Prepare(h.approved(access.KindMakeSeal, o.Terms()), o)
		must(t, err)
		first, err := h.issue(d, h.holder)
		must(t, err)
		_, err = h.register.PrepareRenewal(ctx, first.ID, "seal-2")
		if fault.CodeOf(err) != "seal.superseded" {
			t.Errorf("renewing what waits: %v", err)
		}
		must(t, h.activate(first.ID))
		h.allow(0)
		d, err = h.register.PrepareRenewal(ctx, first.ID, "seal-2")
		must(t, err)
		again, err := h.register.PrepareRenewal(ctx, first.ID, "seal-3")
		must(t, err)
		second, err := h.issue(d, selfSigned(t, code, h.now))
		must(t, err)
		if _, err := h.issue(again, selfSigned(t, code, h.now)); fault.CodeOf(err) != "seal.superseded" {
			t.Errorf("a second renewal: %v", err)
		}
		if h.usable().ID != first.ID {
			t.Error("the renewal is used before it was put into use")
		}
		must(t, h.activate(second.ID))
		if in := h.usable(); in.ID != second.ID || in.KeyName != "seal-2" || in.Width != 42 {
			t.Errorf("%+v", in)
		}
		h.now = h.now.AddDate(5, 0, 0)
		d, err = h.register.PrepareRenewal(ctx, second.ID, "seal-4")
		must(t, err)
		if _, err := h.issue(d, selfSigned(t, code, h.now)); !fault.Has(err, access.ErrExpired) {
			t.Errorf("after five years: %v", err)
		}
		h.now = h.now.Add(-time.Second)
		d, err = h.register.PrepareRenewal(ctx, second.ID, "seal-4")
		must(t, err)
		_, err = h.issue(d, selfSigned(t, code, h.now))
		must(t, err)
	})
}

func TestANewNameComesWithTheInstanceThatCarriesIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		old := h.make(h.order())
		o := h.later()
		o.Name, o.Organisation = "云山市档案和史志馆", "云山市档案和史志馆"
		d, err := h.register.Prepare(h.approved(access.KindMakeSeal, o.Terms()), o)
		must(t, err)
		if _, err := h.issue(d, h.holder); fault.CodeOf(err) != "seal.exists" {
			t.Errorf("another name without saying the old one: %v", err)
		}
		o.FormerName = "云山市档案馆"
		d, err = h.register.Prepare(h.approved(access.KindMakeSeal, o.Terms()), o)
		must(t, err)
		in, err := h.issue(d, h.holder)
		must(t, err)
		h.allow(0)
		if h.usable().SealName != "云山市档案馆" {
			t.Error("the name changed before the new instance was put into use")
		}
		must(t, h.activate(in.ID))
		if now := h.usable(); now.SealName != o.Name {
			t.Errorf("%+v", now)
		}
		was, err := h.register.Instance(ctx, old.ID)
		must(t, err)
		var former string
		must(t, h.db.Read().QueryRowContext(ctx, `SELECT name FROM seal_former_name WHERE seal_code = $1`, code).Scan(&former))
		if was.SealName != "云山市档案馆" || former != "云山市档案馆" {
			t.Errorf("the old instance is called %s, the former name %s", was.SealName, former)
		}
		if made, _, err := h.register.Made(ctx, code, old.Seal); err != nil || !made {
			t.Errorf("the seal under the old name: %v, %v", made, err)
		}
		d, err = h.register.PrepareRenewal(ctx, in.ID, "seal-2")
		must(t, err)
		_, err = h.issue(d, selfSigned(t, code, h.now))
		must(t, err)
	})
}

func TestOnePersonTakesInstancesAndGrantsAway(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		in := h.make(h.order())
		h.allow(0)
		h.allow(3)
		var ended int
		must(t, h.write(func(tx *store.Tx) (err error) {
			ended, err = h.register.WithdrawGrants(ctx, tx, h.requester, h.operator.ID, code, "US02")
			return err
		}))
		if ended != 2 {
			t.Errorf("%d grants ended", ended)
		}
		h.refusal("seal.not-granted")
		h.allow(0)
		for range 2 {
			must(t, h.write(func(tx *store.Tx) error { return h.register.Withdraw(ctx, tx, h.requester, in.ID, "US02") }))
		}
		h.refusal("seal.not-ready")
		if err := h.activate(in.ID); fault.CodeOf(err) != "seal.superseded" {
			t.Errorf("putting a withdrawn instance into use: %v", err)
		}
	})
}

// TestTheDatabaseRefusesFalseInstances writes past the code.
func TestTheDatabaseRefusesFalseInstances(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		in := h.make(h.order())
		insert := func(name, renews, approved, created string) error {
			return h.write(func(tx *store.Tx) error {
				var renewed any
				if renews != "" {
					renewed = renews
				}
				_, err := tx.ExecContext(ctx, `INSERT INTO seal_instance (id, seal_code, template_version, name, organisation, credit_code, custody, holder, key_name, certificate,
					certificate_hash, approval_id, approval_kind, approval_used, approved, renews, state, seal, valid_from, valid_until, created_at)
					SELECT 's_x', seal_code, template_version, $1, organisation, credit_code, custody, holder, key_name, certificate,
					certificate_hash, approval_id, approval_kind, approval_used, COALESCE($2, approved), $3, 'waiting', seal, valid_from, valid_until, $4
					FROM seal_instance WHERE id = $5`, name, nullable(approved), renewed, created, in.ID)
				return err
			})
		}
		now := store.Time(h.now)
		for name, c := range map[string]struct {
			err  error
			want func(error) bool
		}{
			"a second one by the same approval": {insert(in.SealName, "", "", now), store.IsUnique},
			"a renewal with another name":       {insert("别的名称", in.ID, "", now), store.IsForeignKey},
			"a renewal of nothing":              {insert(in.SealName, "s_none", "", now), store.IsForeignKey},
			"a renewal after five years":        {insert(in.SealName, in.ID, "", store.Time(h.now.AddDate(5, 0, 0))), store.IsCheck},
			"an approval said to be younger":    {insert(in.SealName, in.ID, store.Time(h.now.AddDate(1, 0, 0)), now), store.IsForeignKey},
		} {
			if !c.want(c.err) {
				t.Errorf("%s: %v", name, c.err)
			}
		}
	})
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// TestAnEarlierDatabaseIsBroughtUpToDate fills the tables of the first migration and runs the later ones.
func TestAnEarlierDatabaseIsBroughtUpToDate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		must(t, ledger.Migrate(ctx, db))
		must(t, access.Migrate(ctx, db))
		storetest.Before(t, db, "register", os.DirFS("."), "00002")
		must(t, db.Write(ctx, func(tx *store.Tx) error {
			for _, query := range []string{
				`INSERT INTO access_actor VALUES ('a', 'a', '', '', NULL), ('b', 'b', '', '', NULL)`,
				`INSERT INTO access_request (id, kind, subject, digest, requester, state, created, expires, decider, decided, reason)
					SELECT 'q', 'seal.make', CAST('x' AS BYTEA), 'd', 'a', 'approved', '', '', 'b', '', ''`,
				`INSERT INTO access_approval (id, kind, digest, requester, approver, request_state, approved, expires, used, used_at)
					VALUES ('q', 'seal.make', 'd', 'a', 'b', 'approved', '2026-01-01', '', 1, '')`,
				`INSERT INTO seal VALUES ('1', '馆', '馆', 'c', 1, '')`,
				`INSERT INTO seal_template SELECT '1', 1, 1, 1, subject, subject, 'd', '' FROM access_request`,
				`INSERT INTO seal_instance (id, seal_code, template_version, custody, holder, key_name, certificate, certificate_hash, approval_id, approval_kind, approval_used, state, seal, valid_from, valid_until, created_at)
					SELECT 's', '1', 1, 'central', '', 'k', subject, '', 'q', 'seal.make', 1, 'active', subject, '', '', '' FROM access_request`,
			} {
				if _, err := tx.ExecContext(ctx, query); err != nil {
					return err
				}
			}
			return nil
		}))
		must(t, register.Migrate(ctx, db))
		var name, approved, state string
		must(t, db.Read().QueryRowContext(ctx, `SELECT name, approved, state FROM seal_instance WHERE id = 's'`).Scan(&name, &approved, &state))
		if name != "馆" || approved != "2026-01-01" || state != "active" {
			t.Errorf("%s %s %s", name, approved, state)
		}
	})
}
