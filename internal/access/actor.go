package access

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Role is what an actor may do.
type Role string

// The roles.
const (
	RoleRegistrar     Role = "registrar"     // makes requests
	RoleApprover      Role = "approver"      // decides on requests of others
	RoleOperator      Role = "operator"      // uses seals by hand
	RolePlatform      Role = "platform"      // a program that calls the API
	RoleAuditor       Role = "auditor"       // reads the ledger
	RoleAdministrator Role = "administrator" // runs the service
	RoleApplicant     Role = "applicant"     // handler of a unit: sees and files the applications of that unit
	RoleCity          Role = "city"          // city bureau: sees and gathers the applications of its area
	RoleRequester     Role = "requester"     // another installation: orders certificates here, and sees those alone
)

func (r Role) known() bool {
	switch r {
	case RoleRegistrar, RoleApprover, RoleOperator, RolePlatform, RoleAuditor, RoleAdministrator, RoleApplicant, RoleCity, RoleRequester:
		return true
	}
	return false
}

// Actor is a person or program known to the service. The ID is lower-case letters, digits, '-', '_' and '.', at most
// 64 characters; Name and Organisation have at most 200 characters.
type Actor struct {
	ID           string
	Name         string
	Organisation string
	Roles        []Role // ordered by name when read
	Only                // what the key allows through which the actor came; empty when read from the database
	Key          string // identifier of that key; empty without one
}

// Has reports whether the actor held the role when it was read.
func (a Actor) Has(r Role) bool { return slices.Contains(a.Roles, r) }

// Person says that the actor has no role that only programs have.
func (a Actor) Person() bool { return !a.Has(RolePlatform) && !a.Has(RoleRequester) }

const maxText = 200

func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func validText(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// CreateActor records an actor; an empty ID is filled in. With roles it belongs to the founding of an installation and
// is refused (access.founding-closed) after CloseFounding: roles are then granted with GrantRole. Other errors:
// access.actor, access.actor-exists, access.separated.
func (s *Service) CreateActor(ctx context.Context, a Actor) (made Actor, err error) {
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		made, err = s.CreateActorIn(ctx, tx, a)
		return err
	})
	return made, err
}

// CreateActorIn is CreateActor in a transaction of the caller.
func (s *Service) CreateActorIn(ctx context.Context, tx *store.Tx, a Actor) (Actor, error) {
	if a.ID == "" {
		a.ID = store.NewID("act_")
	}
	if !validID(a.ID) {
		return Actor{}, ErrActor.At(fault.Field("id"))
	}
	if a.Name == "" || !validText(a.Name) {
		return Actor{}, ErrActor.At(fault.Field("name"))
	}
	if !validText(a.Organisation) {
		return Actor{}, ErrActor.At(fault.Field("organisation"))
	}
	a.Roles = slices.Clone(a.Roles)
	slices.Sort(a.Roles)
	a.Roles = slices.Compact(a.Roles)
	for _, r := range a.Roles {
		if !r.known() {
			return Actor{}, ErrActor.At(fault.Field("roles"))
		}
	}
	if err := separated(a.ID, a.Roles...); err != nil {
		return Actor{}, err
	}
	now := s.clock()
	_, err := tx.ExecContext(ctx, `INSERT INTO access_actor (id, name, organisation, created) VALUES ($1, $2, $3, $4)`,
		a.ID, a.Name, a.Organisation, store.Time(now))
	if store.IsUnique(err) {
		return Actor{}, ErrActorExists.With("%s", a.ID)
	}
	if err != nil {
		return Actor{}, err
	}
	if err := s.found(ctx, tx, a, now); err != nil {
		return Actor{}, err
	}
	return a, s.record(ctx, tx, now, "actor.created", a.ID, a.ID, map[string]string{"roles": joinRoles(a.Roles)})
}

// found gives founding roles while that is allowed.
func (s *Service) found(ctx context.Context, tx *store.Tx, a Actor, now time.Time) error {
	if len(a.Roles) == 0 {
		return nil
	}
	var closed int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM access_founding`).Scan(&closed); err != nil {
		return err
	}
	if closed > 0 {
		return ErrFoundingClosed.New()
	}
	for _, r := range a.Roles {
		if err := stand(ctx, tx, a.ID, r); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO access_role (actor, role, granted, founding, side) VALUES ($1, $2, $3, 1, $4)`,
			a.ID, string(r), store.Time(now), string(r.Side()))
		if err != nil {
			return err
		}
	}
	return nil
}

// CloseFounding ends the founding of the installation: from now on no role is granted without two people. Closing it
// again does nothing.
func (s *Service) CloseFounding(ctx context.Context) error {
	now := s.clock()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO access_founding (id, closed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING`, store.Time(now))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, now, "founding.closed", "", "", nil)
	})
}

// GrantSubject is what is approved when a role is granted (KindGrantRole).
func GrantSubject(actorID string, r Role) []byte {
	return []byte("yinxin role grant 1\nactor " + actorID + "\nrole " + string(r) + "\n")
}

// GrantRole gives an actor a role by an approval of kind KindGrantRole over GrantSubject. Granting a role that the
// actor has already uses the approval and changes nothing. Errors: those of Redeem, access.separated.
func (s *Service) GrantRole(ctx context.Context, approvalID, actorID string, r Role) error {
	return s.db.Write(ctx, func(tx *store.Tx) error { return s.GrantRoleIn(ctx, tx, approvalID, actorID, r) })
}

// GrantRoleIn is GrantRole in a transaction of the caller.
func (s *Service) GrantRoleIn(ctx context.Context, tx *store.Tx, approvalID, actorID string, r Role) error {
	if !r.known() {
		return ErrActor.At(fault.Field("role"))
	}
	now := s.clock()
	approval, err := s.Redeem(ctx, tx, approvalID, KindGrantRole, GrantSubject(actorID, r))
	if err != nil {
		return err
	}
	if _, err := readActor(ctx, tx, actorID); err != nil {
		return err
	}
	if err := stand(ctx, tx, actorID, r); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO access_role (actor, role, granted, founding, approval, approval_kind, approval_used, side)
		VALUES ($1, $2, $3, 0, $4, $5, 1, $6) ON CONFLICT (actor, role) DO NOTHING`,
		actorID, string(r), store.Time(now), approval.ID(), string(approval.Kind()), string(r.Side()))
	if err != nil {
		return err
	}
	return s.record(ctx, tx, now, "role.granted", approval.Requester(), actorID, map[string]string{"role": string(r), "approval": approval.ID()})
}

// WithdrawRole takes a role away. That needs one person, since it only narrows what is possible: an administrator.
func (s *Service) WithdrawRole(ctx context.Context, by Actor, actorID string, r Role) error {
	now := s.clock()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.Acting(ctx, tx, by, RoleAdministrator); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM access_role WHERE actor = $1 AND role = $2`, actorID, string(r))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := settle(ctx, tx, actorID); err != nil {
			return err
		}
		return s.record(ctx, tx, now, "role.withdrawn", by.ID, actorID, map[string]string{"role": string(r)})
	})
}

// RetireActor ends an actor for good: no role counts and no API key opens any more. The actor stays on record, since
// approvals and ledger entries name it. An administrator does it, and not to themselves.
func (s *Service) RetireActor(ctx context.Context, by Actor, actorID string) error {
	if by.ID == actorID {
		return ErrSamePerson.New()
	}
	now := s.clock()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.Acting(ctx, tx, by, RoleAdministrator); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE access_actor SET retired = $1 WHERE id = $2 AND retired IS NULL`, store.Time(now), actorID)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrActorNotFound.New()); err != nil {
			return err
		}
		return s.record(ctx, tx, now, "actor.retired", by.ID, actorID, nil)
	})
}

// Actor reads an actor with the roles held now: access.actor-not-found.
func (s *Service) Actor(ctx context.Context, id string) (Actor, error) {
	return readActor(ctx, s.db.Read(), id)
}

// ActorIn is Actor as the caller's transaction sees it: what a room asks before it lets somebody act.
func (s *Service) ActorIn(ctx context.Context, q store.Querier, id string) (Actor, error) {
	return readActor(ctx, q, id)
}

// Named reads who stands in a record: also somebody who is retired, who keeps the name and has no role any more. Whoever is
// not known is called by the identifier.
func (s *Service) Named(ctx context.Context, id string) (Actor, error) {
	a := Actor{ID: id}
	var retired bool
	err := s.db.Read().QueryRowContext(ctx, `SELECT name, organisation, retired IS NOT NULL FROM access_actor WHERE id = $1`, id).Scan(&a.Name, &a.Organisation, &retired)
	if errors.Is(err, sql.ErrNoRows) {
		return Actor{ID: id, Name: id}, nil
	}
	if err == nil && !retired {
		a.Roles, err = rolesOf(ctx, s.db.Read(), id)
	}
	return a, err
}

// WithRole lists the identifiers of those who hold a role now.
func (s *Service) WithRole(ctx context.Context, q store.Querier, r Role) ([]string, error) {
	return store.Column[string](q.QueryContext(ctx, `SELECT a.id FROM access_actor a JOIN access_role r ON r.actor = a.id
		WHERE r.role = $1 AND a.retired IS NULL ORDER BY a.id`, string(r)))
}

// Actors lists everybody who is not retired, with their roles, by identifier: behind the actor after, at most limit.
func (s *Service) Actors(ctx context.Context, after string, limit int) ([]Actor, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT a.id, a.name, a.organisation, COALESCE(r.role, '')
		FROM (SELECT id, name, organisation FROM access_actor WHERE retired IS NULL AND id > $1 ORDER BY id LIMIT $2) a
		LEFT JOIN access_role r ON r.actor = a.id ORDER BY a.id, r.role`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Actor
	for rows.Next() {
		var a Actor
		var role Role
		if err := rows.Scan(&a.ID, &a.Name, &a.Organisation, &role); err != nil {
			return nil, err
		}
		if n := len(list); n == 0 || list[n-1].ID != a.ID {
			list = append(list, a)
		}
		if last := &list[len(list)-1]; role != "" {
			last.Roles = append(last.Roles, role)
		}
	}
	return list, rows.Err()
}

func readActor(ctx context.Context, q store.Querier, id string) (Actor, error) {
	a := Actor{ID: id}
	err := q.QueryRowContext(ctx, `SELECT name, organisation FROM access_actor WHERE id = $1 AND retired IS NULL`, id).Scan(&a.Name, &a.Organisation)
	if errors.Is(err, sql.ErrNoRows) {
		return Actor{}, ErrActorNotFound.With("%s", id)
	}
	if err != nil {
		return Actor{}, err
	}
	a.Roles, err = rolesOf(ctx, q, id)
	return a, err
}

func rolesOf(ctx context.Context, q store.Querier, id string) ([]Role, error) {
	return store.Column[Role](q.QueryContext(ctx, `SELECT role FROM access_role WHERE actor = $1 ORDER BY role`, id))
}

// Organisations lists the organisations that have somebody in a role now, by name.
func (s *Service) Organisations(ctx context.Context, q store.Querier, r Role) ([]string, error) {
	return store.Column[string](q.QueryContext(ctx, `SELECT DISTINCT a.organisation FROM access_actor a JOIN access_role r ON r.actor = a.id
		WHERE r.role = $1 AND a.retired IS NULL AND a.organisation <> '' ORDER BY a.organisation`, string(r)))
}

// Acting reads the actor who acts, as a transaction sees it, and refuses one who holds none of the roles now, or acts with a
// sandbox key: what a room asks before it does something. Errors: access.role, access.actor-not-found, access.key-sandbox.
func (s *Service) Acting(ctx context.Context, q store.Querier, by Actor, need ...Role) (Actor, error) {
	if err := by.CheckReal(); err != nil {
		return Actor{}, err
	}
	a, err := readActor(ctx, q, by.ID)
	if err != nil {
		return Actor{}, err
	}
	if !slices.ContainsFunc(need, a.Has) {
		return Actor{}, ErrRole.With("%s", joinRoles(need))
	}
	return a, nil
}

func (s *Service) record(ctx context.Context, tx *store.Tx, at time.Time, kind, actor, subject string, data map[string]string) error {
	_, err := s.ledger.Append(ctx, tx, ledger.Event{Time: at, Kind: kind, Actor: actor, Subject: subject, Data: data})
	return err
}

func joinRoles(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, " ")
}
