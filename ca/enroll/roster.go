package enroll

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/number"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// MaxPersons is the largest roster.
const MaxPersons = 5000

// RosterInfo describes the roster of an application without its persons.
type RosterInfo struct {
	ID       string
	FilledOn string // 填报日期, YYYY-MM-DD
	Persons  int
	Digest   string // SM3, hexadecimal
}

// AttachRoster puts a roster in the place of the one that the application had, which makes another version. The rows have
// passed the checks of package roster already; those that the certificates stand on are made again. Errors: enroll.roster
// and those of package number, with the row.
func (s *Service) AttachRoster(ctx context.Context, by access.Actor, ref Ref, filledOn string, persons []Person) (Application, error) {
	if err := s.checkRoster(filledOn, persons); err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepEdit, "", func(a *act) error {
		before, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		id, err := s.insertRoster(ctx, a, filledOn, persons)
		if err != nil {
			return err
		}
		a.data["what"], a.data["persons"] = "roster", itoa(len(persons))
		return s.edited(ctx, a, before.form, id)
	})
}

func (s *Service) checkRoster(filledOn string, persons []Person) error {
	if _, err := time.Parse(time.DateOnly, filledOn); err != nil {
		return ErrRoster.At(fault.Field("filledOn"))
	}
	if len(persons) == 0 || len(persons) > MaxPersons {
		return ErrRoster.With("1 … %d", MaxPersons)
	}
	seen := map[int]bool{}
	for _, p := range persons {
		if seen[p.Row] {
			return ErrRoster.At(fault.Place{Row: p.Row})
		}
		seen[p.Row] = true
		if err := p.check(s.Clock()); err != nil {
			if f, ok := fault.Of(err); ok {
				return f.At(fault.Place{Row: p.Row, Field: f.Place.Field})
			}
			return err
		}
	}
	return nil
}

func (p Person) check(now time.Time) error {
	for field, text := range map[string]string{"姓名": p.Name, "所属单位名称": p.Unit, "职务": p.Post, "用途（应用系统）": p.Use, "需使用印章名称": p.SealName} {
		if !validText(text, 200) {
			return ErrRoster.At(fault.Field(field))
		}
		if err := checkImpersonal(field, text); err != nil {
			return err
		}
	}
	switch {
	case p.Status != StatusActive && p.Status != StatusWithdrawn:
		return ErrRoster.At(fault.Field("人员状态"))
	case p.IDType == "" || len(p.IDType) > 8:
		return ErrRoster.At(fault.Field("证件类型"))
	case p.Row < 1 || p.Row > 1<<20:
		return ErrRoster.New()
	}
	if p.IDType == idCard {
		bearer, err := number.Identity(p.Identity, now)
		if err != nil {
			return err
		}
		if bearer.Sex.String() != p.Sex {
			return ErrRoster.At(fault.Field("性别"))
		}
	} else if !validText(p.Identity, 40) || p.Sex != "1-男" && p.Sex != "2-女" {
		return ErrRoster.At(fault.Field("身份证号"))
	}
	return number.Mobile(p.Mobile)
}

// idCard is 111-居民身份证.
const idCard = "111"

func (s *Service) insertRoster(ctx context.Context, a *act, filledOn string, persons []Person) (string, error) {
	id := newID("ros_")
	whole := sm3.New()
	type row struct {
		Person
		public, sealed []byte
	}
	var rows []row
	for _, p := range persons {
		holder, err := s.holder(ctx, a.tx, a.r.unit, p)
		if err != nil {
			return "", err
		}
		p.Holder = holder
		public, personal, err := p.split(s.Random)
		if err != nil {
			return "", err
		}
		sealed, err := s.Safe.Seal(personal, personContext(id, p.Row)...)
		clear(personal)
		if err != nil {
			return "", err
		}
		whole.Write(append(public, '\n'))
		rows = append(rows, row{p, public, sealed})
	}
	_, err := a.tx.ExecContext(ctx, `INSERT INTO enroll_roster (id, application, filled_on, persons, digest, created, by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, a.r.id, filledOn, len(persons), hex.EncodeToString(whole.Sum(nil)), store.Time(a.now), a.v.ID)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		_, err := a.tx.ExecContext(ctx, `INSERT INTO enroll_person (roster, row, holder, status, content, sealed) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, r.Row, r.Holder, string(r.Status), r.public, r.sealed)
		if err != nil {
			return "", err
		}
	}
	return id, nil
}

// rosterDigest is empty where there is no roster.
func rosterDigest(ctx context.Context, q store.Querier, id string) (string, error) {
	info, err := readRosterInfo(ctx, q, id)
	if err != nil || info == nil {
		return "", err
	}
	return info.Digest, nil
}

func readRosterInfo(ctx context.Context, q store.Querier, id string) (*RosterInfo, error) {
	if id == "" {
		return nil, nil
	}
	r := RosterInfo{ID: id}
	err := q.QueryRowContext(ctx, `SELECT filled_on, persons, digest FROM enroll_roster WHERE id = $1`, id).Scan(&r.FilledOn, &r.Persons, &r.Digest)
	return &r, err
}

// Persons lists the roster of an application, with masked numbers.
func (s *Service) Persons(ctx context.Context, by access.Actor, id string) ([]Person, error) {
	var list []Person
	err := s.DB.Snapshot(ctx, func(q store.Querier) error {
		v, err := s.viewer(ctx, q, by)
		if err != nil {
			return err
		}
		r, err := loadFor(ctx, q, v, id)
		if err != nil {
			return err
		}
		ver, err := s.loadVersion(ctx, q, r)
		if err != nil {
			return err
		}
		persons, err := s.readPersons(ctx, q, ver.roster)
		for _, p := range persons {
			list = append(list, p.masked())
		}
		return err
	})
	return list, err
}

// Holder is somebody who is or was to use a seal of a unit: the same person is the same holder in every roster.
type Holder struct {
	ID       string
	Unit     string
	Name     string
	Identity string // masked
}

const identityLabel = "enroll identity"

func holderContext(id string) []string { return []string{"enroll_holder", id, "sealed"} }

// HolderIn finds a person of a unit by 居民身份证号, empty when nobody with it was ever on a roster of the unit: for callers
// inside the process.
func (s *Service) HolderIn(ctx context.Context, q store.Querier, unit, identity string) (string, error) {
	id, _, err := s.findHolder(ctx, q, unit, "111:"+identity)
	return id, err
}

// findHolder looks for a person under every version of the index; the index for a new row comes first.
func (s *Service) findHolder(ctx context.Context, q store.Querier, unit, key string) (id string, indexes [][]byte, err error) {
	if indexes, err = s.Safe.Indexes(identityLabel, key); err != nil {
		return "", nil, err
	}
	for _, index := range indexes {
		err := q.QueryRowContext(ctx, `SELECT id FROM enroll_holder WHERE unit = $1 AND identity_index = $2`, unit, index).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, indexes, err
		}
	}
	return "", indexes, nil
}

// holder finds the person among those of the unit by the blind index, or records them.
func (s *Service) holder(ctx context.Context, tx *store.Tx, unit string, p Person) (string, error) {
	key := p.IDType + ":" + p.Identity
	id, indexes, err := s.findHolder(ctx, tx, unit, key)
	if err != nil {
		return "", err
	}
	if id != "" {
		_, err = tx.ExecContext(ctx, `UPDATE enroll_holder SET name = $1 WHERE id = $2`, p.Name, id)
		return id, err
	}
	id = newID("hol_")
	sealed, err := s.Safe.Seal([]byte(key), holderContext(id)...)
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO enroll_holder (id, unit, name, identity_index, sealed, created) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, unit, p.Name, indexes[0], sealed, store.Time(s.Clock()))
	return id, err
}
