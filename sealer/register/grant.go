package register

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Grant lets one actor use one seal from a time until another, at most Quota times (0: no limit) (用印授权).
type Grant struct {
	ID       string    `json:"-"`
	SealCode string    `json:"seal"`
	Actor    string    `json:"actor"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Quota    int       `json:"quota"`
	Used     int       `json:"-"`
}

// Subject is what two people approve before Allow: every field of the grant.
func (g Grant) Subject() []byte {
	g.From, g.Until = g.From.UTC().Truncate(time.Microsecond), g.Until.UTC().Truncate(time.Microsecond)
	b, err := json.Marshal(g)
	if err != nil {
		panic("register: a grant always marshals: " + err.Error())
	}
	return b
}

// Allow records a grant under an approval of kind access.KindGrant over g.Subject.
func (r *Register) Allow(ctx context.Context, approvalID string, g Grant) (Grant, error) {
	err := r.DB.Write(ctx, func(tx *store.Tx) (err error) {
		g, err = r.AllowIn(ctx, tx, approvalID, g)
		return err
	})
	return g, err
}

// AllowIn is Allow in a transaction of the caller.
func (r *Register) AllowIn(ctx context.Context, tx *store.Tx, approvalID string, g Grant) (Grant, error) {
	g.ID = store.NewID("g_")
	if !g.Until.After(g.From) || g.Quota < 0 {
		return Grant{}, errOrder.Saying("授权的期限或次数", "grant period or quota")
	}
	approval, err := r.Access.Redeem(ctx, tx, approvalID, access.KindGrant, g.Subject())
	if err != nil {
		return Grant{}, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO seal_grant (id, seal_code, actor_id, valid_from, valid_until, quota, used, approval_id, approval_kind, approval_used)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, 1)`,
		g.ID, g.SealCode, g.Actor, store.Time(g.From), store.Time(g.Until), g.Quota, approval.ID(), string(approval.Kind())); err != nil {
		if store.IsForeignKey(err) {
			return Grant{}, errNoSeal.With("%s", g.SealCode)
		}
		return Grant{}, err
	}
	_, err = r.Ledger.Append(ctx, tx, ledger.Event{Time: r.Clock(), Kind: "grant.allowed", Actor: approval.Approver(), Subject: g.SealCode,
		Data: map[string]string{"grant": g.ID, "to": g.Actor, "approval": approval.ID()}})
	return g, err
}

// WithdrawGrants ends what an actor may do with a seal; an empty code means all seals. One person does it, since it only
// narrows what is possible; the caller says who may. The number of grants that ended comes back.
func (r *Register) WithdrawGrants(ctx context.Context, tx *store.Tx, by access.Actor, actorID, code, reason string) (int, error) {
	return r.endGrants(ctx, tx, by, reason, `actor_id = $4 AND (seal_code = $5 OR $5 = '')`, actorID, code)
}

// endGrants ends the grants that where names, whose parameters begin with $4.
func (r *Register) endGrants(ctx context.Context, tx *store.Tx, by access.Actor, reason, where string, args ...any) (int, error) {
	now := r.Clock()
	rows, err := tx.QueryContext(ctx, `UPDATE seal_grant SET withdrawn = 1, ended = $1, ended_by = $2, end_reason = $3 WHERE withdrawn = 0 AND `+where+
		` RETURNING id, seal_code, actor_id`, append([]any{store.Time(now), by.ID, reason}, args...)...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var ended []Grant
	for rows.Next() {
		var g Grant
		if err := rows.Scan(&g.ID, &g.SealCode, &g.Actor); err != nil {
			return 0, err
		}
		ended = append(ended, g)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	for _, g := range ended {
		_, err := r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "grant.withdrawn", Actor: by.ID, Subject: g.SealCode,
			Data: map[string]string{"grant": g.ID, "from": g.Actor, "reason": reason}})
		if err != nil {
			return 0, err
		}
	}
	return len(ended), nil
}

// Authorise says with which central instance the actor may use the seal now, or why not: seal.not-found,
// seal.not-granted, seal.quota-exhausted, seal.suspended, seal.cancelled, seal.not-ready, seal.expired. Whether the
// certificate is good is for the sealer to ask.
func (r *Register) Authorise(ctx context.Context, actor access.Actor, code string) (Instance, error) {
	return r.authorise(ctx, r.DB.Read(), actor, code, "")
}

// AuthoriseSigner is Authorise for a signature that is made outside the service: with the instance on the actor's own
// USB Key where there is one, else the central instance.
func (r *Register) AuthoriseSigner(ctx context.Context, actor access.Actor, code string) (Instance, error) {
	return r.authorise(ctx, r.DB.Read(), actor, code, actor.ID)
}

// AuthoriseHolder is Authorise with the instance on the actor's own USB Key alone: seal.no-key-instance where there is none.
func (r *Register) AuthoriseHolder(ctx context.Context, actor access.Actor, code string) (Instance, error) {
	in, err := r.AuthoriseSigner(ctx, actor, code)
	if err == nil && in.Custody != UserKey {
		err = errNoKeyInstance.With("%s", code)
	}
	return in, err
}

func (r *Register) authorise(ctx context.Context, q store.Querier, actor access.Actor, code, holder string) (Instance, error) {
	now := r.Clock()
	force := inForce(ctx, q, code, now)
	if fault.Has(force, errNoSeal) { // the one thing to be said before whether the actor may know
		return Instance{}, force
	}
	if err := actor.CheckSeal(code); err != nil {
		return Instance{}, err
	}
	if _, err := usableGrant(ctx, q, actor.ID, code, now); err != nil {
		return Instance{}, err
	}
	if force != nil {
		return Instance{}, force
	}
	if err := onNetwork(ctx, q, code); err != nil {
		return Instance{}, err
	}
	var in Instance
	var err error = errNotReady.With("%s", code)
	if holder != "" {
		in, err = r.instance(ctx, q, code, UserKey, holder)
	}
	if fault.Has(err, errNotReady) {
		in, err = r.instance(ctx, q, code, Central, "")
	}
	if err != nil {
		return Instance{}, err
	}
	return in, in.current(now)
}

// Use counts one use against the actor's grant, in the transaction that records the intent, after checking once more
// that the actor may use the seal with the same instance: what was allowed when a request came may have ended since.
// The grant's id comes back for GiveBack.
func (r *Register) Use(ctx context.Context, tx *store.Tx, actor access.Actor, code, instanceID string) (grantID string, err error) {
	now := r.Clock()
	g, err := usableGrant(ctx, tx, actor.ID, code, now) // before the seal's state, which is not for everyone to know
	if err != nil {
		return "", err
	}
	if err := inForce(ctx, tx, code, now); err != nil {
		return "", err
	}
	if err := r.stillFor(ctx, tx, actor, code, instanceID, now); err != nil {
		return "", err
	}
	if actor.Sandbox { // for trial: not counted, and not given back
		return g.ID, nil
	}
	done, err := tx.ExecContext(ctx, `UPDATE seal_grant SET used = used + 1 WHERE id = $1 AND withdrawn = 0 AND (quota = 0 OR used < quota)`, g.ID)
	if err != nil {
		return "", err
	}
	if n, err := done.RowsAffected(); err != nil {
		return "", err
	} else if n != 1 {
		return "", errQuota.With("%s", code)
	}
	return g.ID, nil
}

// stillFor says whether an instance is still the one that an order of the actor's is sealed with: the newest active
// central one, or that on the actor's own USB Key. What it does not read are the seal and its pictures.
func (r *Register) stillFor(ctx context.Context, q store.Querier, actor access.Actor, code, instanceID string, now time.Time) error {
	var from, until string
	err := q.QueryRowContext(ctx, `SELECT i.valid_from, i.valid_until FROM seal_instance i
		WHERE i.id = $1 AND i.seal_code = $2 AND i.state = 'active' AND (i.custody = $3 AND i.holder = '' OR i.custody = $4 AND i.holder = $5)
		AND NOT EXISTS (SELECT 1 FROM seal_instance n WHERE n.seal_code = i.seal_code AND n.custody = i.custody AND n.holder = i.holder
			AND n.state = 'active' AND n.created_at > i.created_at)`,
		instanceID, code, string(Central), string(UserKey), actor.ID).Scan(&from, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return errSuperseded.With("%s", code)
	}
	if err != nil {
		return err
	}
	var in Instance
	if in.ValidFrom, err = store.ParseTime(from); err != nil {
		return err
	}
	if in.ValidUntil, err = store.ParseTime(until); err != nil {
		return err
	}
	return in.current(now)
}

// Confirm checks once more what Use allowed, before a signature made elsewhere is released: the grant whose use was
// counted, which may be its last, still runs, the seal is in force, and the instance was not superseded. Errors:
// seal.not-granted, seal.suspended, seal.cancelled, seal.expired, seal.superseded.
func (r *Register) Confirm(ctx context.Context, actor access.Actor, in Instance, grantID string) error {
	q, now := r.DB.Read(), r.Clock()
	if err := inForce(ctx, q, in.SealCode, now); err != nil {
		return err
	}
	at := store.Time(now)
	var runs, active int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM seal_grant WHERE id = $1 AND actor_id = $2 AND seal_code = $3 AND withdrawn = 0
		AND valid_from <= $4 AND valid_until > $4`, grantID, actor.ID, in.SealCode, at).Scan(&runs)
	if err != nil {
		return err
	}
	if runs == 0 {
		return errNotGranted.With("%s", in.SealCode)
	}
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM seal_instance WHERE id = $1 AND state = 'active'`, in.ID).Scan(&active); err != nil {
		return err
	}
	if active == 0 {
		return errSuperseded.With("%s", in.SealCode)
	}
	return in.current(now)
}

// inForce says why a seal is not in force.
func inForce(ctx context.Context, q store.Querier, code string, now time.Time) error {
	s, err := standing(ctx, q, code, now)
	if err != nil {
		return err
	}
	switch s.State {
	case Active:
		return nil
	case Suspended:
		return errSuspended.With("%s", code)
	case Collected, Cancelled:
		return errCancelled.With("%s", code)
	}
	return errNotReady.With("%s", code)
}

// current says why an instance is not within its validity.
func (in Instance) current(now time.Time) error {
	if now.Before(in.ValidFrom) || now.After(in.ValidUntil) {
		return errExpired.With("%s … %s", store.Time(in.ValidFrom), store.Time(in.ValidUntil))
	}
	return nil
}

// GiveBack takes back one counted use that led to no released document.
func (r *Register) GiveBack(ctx context.Context, tx *store.Tx, grantID string) error {
	_, err := tx.ExecContext(ctx, `UPDATE seal_grant SET used = used - 1 WHERE id = $1 AND used > 0`, grantID)
	return err
}

// usableGrant prefers a grant with uses left; among those the one that ends first.
func usableGrant(ctx context.Context, q store.Querier, actorID, code string, now time.Time) (Grant, error) {
	at := store.Time(now)
	var g Grant
	var from, until string
	err := q.QueryRowContext(ctx, `SELECT id, quota, used, valid_from, valid_until FROM seal_grant
		WHERE actor_id = $1 AND seal_code = $2 AND withdrawn = 0 AND valid_from <= $3 AND valid_until > $3
		ORDER BY CASE WHEN quota = 0 OR used < quota THEN 0 ELSE 1 END, valid_until, id LIMIT 1`, actorID, code, at).
		Scan(&g.ID, &g.Quota, &g.Used, &from, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return Grant{}, errNotGranted.With("%s", code)
	}
	if err != nil {
		return Grant{}, err
	}
	if g.Quota > 0 && g.Used >= g.Quota {
		return Grant{}, errQuota.With("%d/%d", g.Used, g.Quota)
	}
	if g.From, err = store.ParseTime(from); err != nil {
		return Grant{}, err
	}
	g.Until, err = store.ParseTime(until)
	return g, err
}
