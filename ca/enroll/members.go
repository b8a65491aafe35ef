package enroll

import (
	"context"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Areas lists the areas of the province, by code.
func (s *Service) Areas(ctx context.Context) ([]Area, error) {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT code, name FROM enroll_area ORDER BY code`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Area
	for rows.Next() {
		var a Area
		if err := rows.Scan(&a.Code, &a.Name); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// Member is somebody who acts for a unit or an area.
type Member struct {
	Actor        string
	Name         string
	Organisation string
	Unit         string // its identifier; empty for a member of a city bureau
	Area         string // its code; empty for a unit's handler
	Since        time.Time
	By           string
}

// Members lists who acts for which unit or area, by actor, behind the actor after and at most limit: for registrars,
// approvers, auditors and administrators. Error: access.role.
func (s *Service) Members(ctx context.Context, by access.Actor, after string, limit int) ([]Member, error) {
	v, err := s.viewer(ctx, s.DB.Read(), by)
	if err != nil {
		return nil, err
	}
	if err := v.need(access.RoleRegistrar, access.RoleApprover, access.RoleAuditor, access.RoleAdministrator); err != nil {
		return nil, err
	}
	if limit < 1 || limit > MaxList {
		limit = MaxList
	}
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT m.actor, a.name, a.organisation, COALESCE(m.unit, ''), COALESCE(m.area, ''), m.since, m.by
		FROM enroll_member m JOIN access_actor a ON a.id = m.actor WHERE m.actor > $1 ORDER BY m.actor LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Member
	for rows.Next() {
		var m Member
		var since string
		if err := rows.Scan(&m.Actor, &m.Name, &m.Organisation, &m.Unit, &m.Area, &since, &m.By); err != nil {
			return nil, err
		}
		if m.Since, err = store.ParseTime(since); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, rows.Err()
}
