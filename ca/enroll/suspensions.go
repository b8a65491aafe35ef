package enroll

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

const selectSuspension = `SELECT x.id, x.holder, h.name, x.unit, x.seal_name, x.cause, COALESCE(x.application, ''), x.reason, x.opened, x.by, x.state, x.revision,
	COALESCE(x.request, ''), x.decided, u.area, u.direct = 1
	FROM enroll_suspension x JOIN enroll_holder h ON h.id = x.holder JOIN enroll_unit u ON u.id = x.unit`

func scanSuspension(row scanner) (x Suspension, area string, direct bool, err error) {
	var opened string
	var decided sql.NullString
	err = row.Scan(&x.ID, &x.Holder, &x.Name, &x.Unit, &x.SealName, &x.Cause, &x.Application, &x.Reason, &opened, &x.By, &x.State, &x.Revision,
		&x.Request, &decided, &area, &direct)
	if errors.Is(err, sql.ErrNoRows) {
		return x, "", false, ErrSuspension.New()
	}
	if err != nil {
		return x, "", false, err
	}
	return x, area, direct, parseTimes(map[*time.Time]sql.NullString{&x.Opened: given(opened), &x.Decided: decided})
}

// Suspensions lists those that the actor may see, the newest first; of one state, or of all when it is empty.
func (s *Service) Suspensions(ctx context.Context, by access.Actor, state SuspensionState) ([]Suspension, error) {
	v, err := s.viewer(ctx, s.DB.Read(), by)
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.Read().QueryContext(ctx, selectSuspension+` WHERE ($1 = 1 OR x.unit = $2 OR (u.area = $3 AND u.direct = 0))
		AND ($4 = '' OR x.state = $4) ORDER BY x.opened DESC, x.id LIMIT 1000`, bit(v.seesAll()), v.unit, v.area, key(string(state)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Suspension
	for rows.Next() {
		x, _, _, err := scanSuspension(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, rows.Err()
}

// readUser reads a holder with their unit.
func readUser(ctx context.Context, q store.Querier, holder string) (User, error) {
	u := User{Holder: holder}
	var unit string
	err := q.QueryRowContext(ctx, `SELECT name, unit FROM enroll_holder WHERE id = $1`, key(holder)).Scan(&u.Name, &unit)
	if errors.Is(err, sql.ErrNoRows) {
		return u, ErrHolder.New()
	}
	if err != nil {
		return u, err
	}
	u.Unit, err = readUnit(ctx, q, unit)
	return u, err
}
