package register

import (
	"context"
	"database/sql"
	"errors"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Granted is a grant with the approval under which it was given and what became of it.
type Granted struct {
	Grant
	Approval  string
	Withdrawn bool
}

// Granted gives a grant by its identifier, for officers and auditors. Error: seal.not-granted.
func (r *Register) Granted(ctx context.Context, by access.Actor, id string) (g Granted, err error) {
	if err := r.oversees(ctx, by); err != nil {
		return Granted{}, err
	}
	var from, until string
	var withdrawn int
	err = r.DB.Read().QueryRowContext(ctx, `SELECT id, seal_code, actor_id, valid_from, valid_until, quota, used, approval_id, withdrawn FROM seal_grant WHERE id = $1`, id).
		Scan(&g.ID, &g.SealCode, &g.Actor, &from, &until, &g.Quota, &g.Used, &g.Approval, &withdrawn)
	if errors.Is(err, sql.ErrNoRows) {
		return Granted{}, errNotGranted.With("%s", id)
	}
	if err == nil {
		g.From, err = store.ParseTime(from)
	}
	if err == nil {
		g.Until, err = store.ParseTime(until)
	}
	g.Withdrawn = withdrawn != 0
	return g, err
}
