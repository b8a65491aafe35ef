package enroll

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Area is what one city bureau gathers: a city or prefecture, by its region code (GB/T 2260).
type Area struct {
	Code string `json:"code"` // six digits
	Name string `json:"name"`
}

// Unit is an archive or another body that is expected to apply.
type Unit struct {
	ID         string `json:"id"` // empty: given by the service
	Name       string `json:"name"`
	CreditCode string `json:"creditCode"` // may be empty as long as it is not known
	Area       string `json:"area"`
	Direct     bool   `json:"direct"` // hands in to the province itself
	Expected   bool   `json:"expected"`
	// Telephone is where anyone may ask: verifiers and holders of paper copies are shown it. A number of the fixed network or a
	// service number, or empty.
	Telephone string `json:"telephone"`
}

// SetAreas records the areas of the province; one that is there gets the new name. A registrar or administrator does it.
func (s *Service) SetAreas(ctx context.Context, by access.Actor, areas []Area) error {
	return s.asOfficer(ctx, by, func(tx *store.Tx, v viewer) error {
		for _, a := range areas {
			if len(a.Code) != 6 || strings.Trim(a.Code, "0123456789") != "" || !validText(a.Name, 100) {
				return ErrField.At(fault.Field("area")).With("%.10q", a.Code)
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO enroll_area (code, name) VALUES ($1, $2)
				ON CONFLICT (code) DO UPDATE SET name = excluded.name`, a.Code, a.Name)
			if err != nil {
				return err
			}
			if err := s.note(ctx, tx, v, "registration.area", a.Code, map[string]string{"name": a.Name}); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetUnits records units, each new one with an identifier that is returned in its place. A registrar or administrator
// does it. Errors: enroll.field, enroll.unit-not-found for an unknown area.
func (s *Service) SetUnits(ctx context.Context, by access.Actor, units []Unit) ([]Unit, error) {
	units = append([]Unit(nil), units...)
	for i, u := range units {
		if u.ID == "" {
			units[i].ID = store.NewID("unit_")
		} else if !validText(u.ID, 64) {
			return nil, ErrField.At(fault.Field("id"))
		}
		if !validText(u.Name, 100) {
			return nil, ErrField.At(fault.Field("name"))
		}
		if u.CreditCode != "" && !validText(u.CreditCode, 18) {
			return nil, ErrField.At(fault.Field("creditCode"))
		}
		if u.Telephone != "" && !form.Landline(u.Telephone) {
			return nil, ErrTelephone.At(fault.Field("telephone"))
		}
	}
	err := s.asOfficer(ctx, by, func(tx *store.Tx, v viewer) error {
		for _, u := range units {
			_, err := tx.ExecContext(ctx, `INSERT INTO enroll_unit (id, name, credit_code, area, direct, expected, telephone) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (id) DO UPDATE SET name = excluded.name, credit_code = excluded.credit_code, area = excluded.area,
				direct = excluded.direct, expected = excluded.expected, telephone = excluded.telephone`,
				u.ID, u.Name, u.CreditCode, key(u.Area), bit(u.Direct), bit(u.Expected), u.Telephone)
			if store.IsForeignKey(err) {
				return ErrUnit.With("%.10q", u.Area)
			}
			if err != nil {
				return err
			}
			if err := s.note(ctx, tx, v, "registration.unit", u.ID, map[string]string{"name": u.Name, "area": u.Area,
				"credit_code": u.CreditCode, "direct": strconv.FormatBool(u.Direct), "telephone": u.Telephone}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return units, nil
}

// Units lists the units that the actor may see, by area and name.
func (s *Service) Units(ctx context.Context, by access.Actor) ([]Unit, error) {
	v, err := s.viewer(ctx, s.DB.Read(), by)
	if err != nil {
		return nil, err
	}
	all, err := readUnits(ctx, s.DB.Read(), "")
	return slices.DeleteFunc(all, func(u Unit) bool { return !v.seesUnit(u.ID, u.Area, u.Direct) }), err
}

// readUnits lists the units with a property, by area and name.
func readUnits(ctx context.Context, q store.Querier, where string, args ...any) ([]Unit, error) {
	var list []Unit
	err := store.Each(ctx, q, func(scan func(...any) error) error {
		var u Unit
		err := scan(&u.ID, &u.Name, &u.CreditCode, &u.Area, &u.Direct, &u.Expected, &u.Telephone)
		list = append(list, u)
		return err
	}, `SELECT id, name, credit_code, area, direct = 1, expected = 1, telephone FROM enroll_unit `+where+` ORDER BY area, name, id`, args...)
	return list, err
}

func readUnit(ctx context.Context, q store.Querier, id string) (Unit, error) {
	u := Unit{ID: id}
	err := q.QueryRowContext(ctx, `SELECT name, credit_code, area, direct = 1, expected = 1, telephone FROM enroll_unit WHERE id = $1`, key(id)).
		Scan(&u.Name, &u.CreditCode, &u.Area, &u.Direct, &u.Expected, &u.Telephone)
	if errors.Is(err, sql.ErrNoRows) {
		return u, ErrUnit.New()
	}
	return u, err
}

// Telephone is where anyone may ask at the unit with a full name; empty where none is recorded, or where two units of the
// name say different ones.
func (s *Service) Telephone(ctx context.Context, name string) (string, error) {
	units, err := readUnits(ctx, s.DB.Read(), `WHERE name = $1 AND telephone <> ''`, name)
	if err != nil || len(units) == 0 || slices.ContainsFunc(units, func(u Unit) bool { return u.Telephone != units[0].Telephone }) {
		return "", err
	}
	return units[0].Telephone, nil
}

// AssignUnit says for which unit an applicant acts. A registrar does it, once: somebody who moves gets a new account, so
// that nobody carries one unit's applications to another.
func (s *Service) AssignUnit(ctx context.Context, by access.Actor, actorID, unit string) error {
	return s.assign(ctx, by, actorID, access.RoleApplicant, unit, "")
}

// AssignArea says for which area a city bureau acts. A registrar does it, once.
func (s *Service) AssignArea(ctx context.Context, by access.Actor, actorID, area string) error {
	return s.assign(ctx, by, actorID, access.RoleCity, "", area)
}

func (s *Service) assign(ctx context.Context, by access.Actor, actorID string, role access.Role, unit, area string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		if err := v.need(access.RoleRegistrar); err != nil {
			return err
		}
		if key(unit+area) == "" {
			return ErrUnit.New()
		}
		member, err := s.Access.ActorIn(ctx, tx, actorID)
		if err != nil {
			return err
		}
		if !member.Has(role) {
			return access.ErrRole.With("%s", role)
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO enroll_member (actor, unit, area, since, by) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (actor) DO NOTHING`, actorID, orNull(key(unit)), orNull(key(area)), store.Time(s.Clock()), by.ID)
		if store.IsForeignKey(err) {
			return ErrUnit.New()
		}
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = ErrMember.New()
			}
			return err
		}
		return s.note(ctx, tx, v, "registration.member", actorID, map[string]string{"unit": unit, "area": area})
	})
}

// asOfficer runs a change of what registration works with, by a registrar or administrator.
func (s *Service) asOfficer(ctx context.Context, by access.Actor, fn func(tx *store.Tx, v viewer) error) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		if err := v.need(access.RoleRegistrar, access.RoleAdministrator); err != nil {
			return err
		}
		return fn(tx, v)
	})
}

func (s *Service) note(ctx context.Context, tx *store.Tx, v viewer, kind, subject string, data map[string]string) error {
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: kind, Actor: v.ID, Subject: subject, Data: data})
	return err
}

// bit is how a boolean stands in the database.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
