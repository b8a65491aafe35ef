package register

import (
	"context"
	"database/sql"
	"errors"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Activate puts an instance that waits into use: it supersedes the active one of the same holder, a seal that was being
// made becomes active, and one whose name changes takes the name of the instance and keeps the old one on record. An
// instance that is in use already stays so. Errors: seal.not-found, seal.cancelled, seal.superseded for one that was
// withdrawn, or that repeats an instance which is in use no more: its picture and name may be of yesterday.
func (r *Register) Activate(ctx context.Context, tx *store.Tx, instanceID string) error {
	now := r.Clock()
	var code, name, organisation, creditCode, custody, holder, state, approval, repeated string
	err := tx.QueryRowContext(ctx, `SELECT i.seal_code, i.name, i.organisation, i.credit_code, i.custody, i.holder, i.state, i.approval_id, COALESCE(o.state, 'active')
		FROM seal_instance i LEFT JOIN seal_instance o ON o.id = i.renews WHERE i.id = $1`, instanceID).
		Scan(&code, &name, &organisation, &creditCode, &custody, &holder, &state, &approval, &repeated)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errNoSeal.With("%s", instanceID)
	case err != nil:
		return err
	case state == "active":
		return nil
	case state != "waiting" || repeated != "active":
		return errSuperseded.With("%s", code)
	}
	s, err := standing(ctx, tx, code, now)
	if err != nil {
		return err
	}
	if s.State == Cancelled {
		return errCancelled.With("%s", code)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE seal_instance SET state = 'superseded' WHERE seal_code = $1 AND custody = $2 AND holder = $3 AND state = 'active'`,
		code, custody, holder); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE seal_instance SET state = 'active' WHERE id = $1`, instanceID); err != nil {
		return err
	}
	if err := rename(ctx, tx, renaming{code, name, organisation, creditCode, instanceID, store.Time(now)}); err != nil {
		return err
	}
	if _, err := r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "seal.put-into-use", Subject: code,
		Data: map[string]string{"instance": instanceID, "approval": approval}}); err != nil {
		return err
	}
	if s.State != Making {
		return nil
	}
	return r.move(ctx, tx, code, step{to: Active, actor: "seal-maker", reason: "instance " + instanceID,
		approval: approval, kind: access.KindMakeSeal}, Making)
}

// renaming is the name that a seal takes with an instance.
type renaming struct{ code, name, organisation, creditCode, instance, now string }

func rename(ctx context.Context, tx *store.Tx, to renaming) error {
	var number int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM seal_former_name WHERE seal_code = $1`, to.code).Scan(&number); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `INSERT INTO seal_former_name (seal_code, number, name, organisation, credit_code, until, instance)
		SELECT code, $2, name, organisation, credit_code, $3, $4 FROM seal WHERE code = $1 AND (name <> $5 OR organisation <> $6 OR credit_code <> $7)`,
		to.code, number+1, to.now, to.instance, to.name, to.organisation, to.creditCode)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE seal SET name = $1, organisation = $2, credit_code = $3 WHERE code = $4`, to.name, to.organisation, to.creditCode, to.code)
	return err
}

// Withdraw ends an instance that waits or is in use: nothing is sealed with it any more, and its seal goes on with the
// others. One person does it, since it only narrows what is possible. Error: seal.not-found. Withdrawing again does
// nothing.
func (r *Register) Withdraw(ctx context.Context, tx *store.Tx, by access.Actor, instanceID, reason string) error {
	var code string
	err := tx.QueryRowContext(ctx, `SELECT seal_code FROM seal_instance WHERE id = $1`, instanceID).Scan(&code)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoSeal.With("%s", instanceID)
	}
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `UPDATE seal_instance SET state = 'withdrawn' WHERE id = $1 AND state IN ('waiting', 'active')`, instanceID)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	_, err = r.Ledger.Append(ctx, tx, ledger.Event{Time: r.Clock(), Kind: "seal.withdrawn", Actor: by.ID, Subject: code,
		Data: map[string]string{"instance": instanceID, "reason": reason}})
	return err
}

// WithdrawListing ends, as Withdraw does, the instances that list a certificate (DER), which is revoked.
func (r *Register) WithdrawListing(ctx context.Context, tx *store.Tx, by access.Actor, certificate []byte, reason string) error {
	return r.withdrawAll(ctx, tx, by, "certificate_hash", digest(certificate), reason)
}

// withdrawAll ends the instances with a value in a column.
func (r *Register) withdrawAll(ctx context.Context, tx *store.Tx, by access.Actor, column, value, reason string) error {
	list, err := store.Column[string](tx.QueryContext(ctx, `SELECT id FROM seal_instance WHERE `+column+` = $1 AND state IN ('waiting', 'active') ORDER BY id`, value))
	if err != nil {
		return err
	}
	for _, id := range list {
		if err := r.Withdraw(ctx, tx, by, id, reason); err != nil {
			return err
		}
	}
	return nil
}
