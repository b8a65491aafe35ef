package enroll

import (
	"context"
	"database/sql"
	"errors"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// viewer is an actor with the roles held now, and the unit or area for which they stand.
type viewer struct {
	access.Actor
	unit, area string
}

// viewer reads who acts: what a caller's Actor claims does not count.
func (s *Service) viewer(ctx context.Context, q store.Querier, by access.Actor) (viewer, error) {
	actor, err := s.Access.ActorIn(ctx, q, by.ID)
	if err != nil {
		return viewer{}, err
	}
	v := viewer{Actor: actor}
	err = q.QueryRowContext(ctx, `SELECT COALESCE(unit, ''), COALESCE(area, '') FROM enroll_member WHERE actor = $1`, by.ID).Scan(&v.unit, &v.area)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return viewer{}, err
	}
	if !v.Has(access.RoleApplicant) {
		v.unit = ""
	}
	if !v.Has(access.RoleCity) {
		v.area = ""
	}
	return v, nil
}

// officer reports whether the viewer belongs to the registration authority, which sees everything; so does an auditor.
func (v viewer) officer() bool { return v.Has(access.RoleRegistrar) || v.Has(access.RoleApprover) }

func (v viewer) seesAll() bool { return v.officer() || v.Has(access.RoleAuditor) }

// seesUnit is the one rule of who may know of anything that belongs to a unit.
func (v viewer) seesUnit(unit, area string, direct bool) bool {
	return v.seesAll() || v.unit != "" && v.unit == unit || v.area != "" && v.area == area && !direct
}

func (v viewer) sees(r *record) bool { return v.seesUnit(r.unit, r.area, r.direct) }

// parties are the capacities in which the viewer may act on an application.
func (v viewer) parties(r *record) []party {
	var list []party
	if v.unit != "" && v.unit == r.unit {
		list = append(list, partyUnit)
	}
	if v.area != "" && v.area == r.area && !r.direct {
		list = append(list, partyCity)
	}
	if v.Has(access.RoleRegistrar) {
		list = append(list, partyRegistrar)
	}
	if v.Has(access.RoleApprover) {
		list = append(list, partyApprover)
	}
	return list
}

// loadFor reads an application that the viewer may see; any other does not exist.
func loadFor(ctx context.Context, q store.Querier, v viewer, id string) (*record, error) {
	r, err := load(ctx, q, id)
	if err != nil {
		return nil, err
	}
	if !v.sees(r) {
		return nil, ErrNotFound.New()
	}
	return r, nil
}

// show reads about an application that the actor may see, all of it at one moment.
func (s *Service) show(ctx context.Context, by access.Actor, id string, fn func(q store.Querier, v viewer, r *record) error) error {
	return s.DB.Snapshot(ctx, func(q store.Querier) error {
		v, err := s.viewer(ctx, q, by)
		if err != nil {
			return err
		}
		r, err := loadFor(ctx, q, v, id)
		if err != nil {
			return err
		}
		return fn(q, v, r)
	})
}

// need refuses an actor who holds none of the roles.
func (v viewer) need(roles ...access.Role) error {
	for _, r := range roles {
		if v.Has(r) {
			return nil
		}
	}
	return access.ErrRole.With("%s", roles[0])
}
