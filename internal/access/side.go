package access

import (
	"context"
	"strings"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Side is one of the three sides of an installation, of which nobody stands on two: who runs it, who works in it, and who
// looks what the others did (三员分立; GB/T 22239-2019 8.1.5 asks for separate administrators and auditors).
type Side string

// The sides.
const (
	SideManagement Side = "management" // 管理
	SideUse        Side = "use"        // 使用
	SideAudit      Side = "audit"      // 审计
)

// Side is where a role stands.
func (r Role) Side() Side {
	switch r {
	case RoleAdministrator:
		return SideManagement
	case RoleAuditor:
		return SideAudit
	}
	return SideUse
}

// ErrSeparated refuses somebody roles of two sides.
var ErrSeparated = fault.Spec{Kind: fault.Refused, Code: "access.separated",
	ZH: "管理、使用、审计三类角色须分别由不同的人担任。", EN: "Roles of management, use and audit are held by different people."}

// separated refuses roles of more than one side.
func separated(actorID string, roles ...Role) error {
	for _, r := range roles {
		if r.Side() != roles[0].Side() {
			return ErrSeparated.With("%s: %s", actorID, joinRoles([]Role{roles[0], r}))
		}
	}
	return nil
}

// stand puts an actor on the side of a role, or refuses it: access.separated.
func stand(ctx context.Context, tx *store.Tx, actorID string, r Role) error {
	var mixed int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM access_role WHERE actor = $1 AND mixed = 1`, actorID).Scan(&mixed); err != nil {
		return err
	}
	if mixed > 0 {
		return ErrSeparated.With("%s", actorID)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO access_side (actor, side) VALUES ($1, $2) ON CONFLICT (actor) DO NOTHING`, actorID, string(r.Side()))
	if err != nil {
		return err
	}
	var side Side
	if err := tx.QueryRowContext(ctx, `SELECT side FROM access_side WHERE actor = $1`, actorID).Scan((*string)(&side)); err != nil {
		return err
	}
	if side != r.Side() {
		return ErrSeparated.With("%s: %s", actorID, r)
	}
	return nil
}

// settle follows a role that was withdrawn: who has none left may stand anywhere, and who held roles of two sides and does
// no longer is marked no longer.
func settle(ctx context.Context, tx *store.Tx, actorID string) error {
	a, err := rolesOf(ctx, tx, actorID)
	if err != nil {
		return err
	}
	if len(a) == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM access_side WHERE actor = $1`, actorID)
		return err
	}
	if separated(actorID, a...) != nil {
		return nil
	}
	side := string(a[0].Side())
	if _, err := tx.ExecContext(ctx, `INSERT INTO access_side (actor, side) VALUES ($1, $2) ON CONFLICT (actor) DO NOTHING`, actorID, side); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE access_role SET side = $2, mixed = 0 WHERE actor = $1 AND mixed = 1`, actorID, side)
	return err
}

// askedSeparated refuses to ask for a role that could not be given.
func askedSeparated(ctx context.Context, tx *store.Tx, subject []byte) error {
	actorID, r, ok := ParseGrantSubject(subject)
	if !ok {
		return nil // GrantRole will not find it approved
	}
	roles, err := rolesOf(ctx, tx, actorID)
	if err != nil {
		return err
	}
	return separated(actorID, append(roles, r)...)
}

// ParseGrantSubject reads what GrantSubject wrote.
func ParseGrantSubject(subject []byte) (actorID string, r Role, ok bool) {
	text, ok := strings.CutPrefix(string(subject), "yinxin role grant 1\nactor ")
	if !ok {
		return "", "", false
	}
	actorID, rest, ok := strings.Cut(text, "\nrole ")
	role, last, ended := strings.Cut(rest, "\n")
	r = Role(role)
	return actorID, r, ok && ended && last == "" && validID(actorID) && r.known()
}

// Mixed lists those in service who hold roles of two sides, which an older version let them: an administrator withdraws
// what is too much.
func (s *Service) Mixed(ctx context.Context) ([]Actor, error) {
	ids, err := store.Column[string](s.db.Read().QueryContext(ctx, `SELECT r.actor FROM access_role r JOIN access_actor a ON a.id = r.actor
		WHERE a.retired IS NULL GROUP BY r.actor
		HAVING COUNT(DISTINCT CASE r.role WHEN 'administrator' THEN 'management' WHEN 'auditor' THEN 'audit' ELSE 'use' END) > 1 ORDER BY r.actor`))
	if err != nil {
		return nil, err
	}
	list := make([]Actor, len(ids))
	for i, id := range ids {
		if list[i], err = s.Actor(ctx, id); err != nil {
			return nil, err
		}
	}
	return list, nil
}
