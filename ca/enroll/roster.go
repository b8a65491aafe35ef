package enroll

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
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
	sealed, err := s.sealRoster(filledOn, persons)
	if err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepEdit, "", func(a *act) error {
		before, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		if err := s.insertRoster(ctx, a, sealed); err != nil {
			return err
		}
		a.data["what"], a.data["persons"] = "roster", itoa(len(persons))
		return s.edited(ctx, a, before.form, sealed.id)
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

// sealedRoster is a roster whose persons are sealed already, so that the transaction, for which others wait, is short.
type sealedRoster struct {
	id       string
	filledOn string
	persons  []sealedPerson
}

func (s *Service) sealRoster(filledOn string, persons []Person) (sealedRoster, error) {
	r := sealedRoster{id: store.NewID("ros_"), filledOn: filledOn}
	for _, p := range persons {
		sealed, err := s.sealPerson(r.id, p)
		if err != nil {
			return r, err
		}
		r.persons = append(r.persons, sealed)
	}
	return r, nil
}

// insert records a roster, and persons who are new to the unit.
func (s *Service) insertRoster(ctx context.Context, a *act, r sealedRoster) error {
	known, err := s.knownHolders(ctx, a.tx, a.r.unit)
	if err != nil {
		return err
	}
	slices.SortFunc(r.persons, func(a, b sealedPerson) int { return a.Row - b.Row })
	whole := sm3.New()
	rows := make([][]byte, len(r.persons))
	for i := range r.persons {
		p := r.persons[i]
		if p.Holder, err = s.holder(ctx, a.tx, known, a.r.unit, p.Person); err != nil {
			return err
		}
		if rows[i], err = p.public(); err != nil {
			return err
		}
		r.persons[i].Holder = p.Holder
		whole.Write(append(rows[i], '\n'))
	}
	_, err = a.tx.ExecContext(ctx, `INSERT INTO enroll_roster (id, application, filled_on, persons, digest, created, by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.id, a.r.id, r.filledOn, len(r.persons), hex.EncodeToString(whole.Sum(nil)), store.Time(a.now), a.v.ID)
	if err != nil {
		return err
	}
	for i, p := range r.persons {
		_, err := a.tx.ExecContext(ctx, `INSERT INTO enroll_person (roster, row, holder, status, content, sealed) VALUES ($1, $2, $3, $4, $5, $6)`,
			r.id, p.Row, p.Holder, string(p.Status), rows[i], p.sealed)
		if err != nil {
			return err
		}
	}
	return nil
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
	err := s.show(ctx, by, id, func(q store.Querier, _ viewer, r *record) error {
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
	ID        string
	Unit      string
	Name      string
	Identity  string // masked
	Suspended bool   // until two people have decided: see Suspension
}

// Holders lists the users of a unit's seals that the actor may know of, by name.
func (s *Service) Holders(ctx context.Context, by access.Actor, unit string) ([]Holder, error) {
	var list []Holder
	err := s.DB.Snapshot(ctx, func(q store.Querier) error {
		v, err := s.viewer(ctx, q, by)
		if err != nil {
			return err
		}
		u, err := readUnit(ctx, q, unit)
		if err != nil {
			return err
		}
		if !v.seesUnit(u.ID, u.Area, u.Direct) {
			return ErrUnit.New()
		}
		list, err = s.readHolders(ctx, q, unit)
		return err
	})
	return list, err
}

func (s *Service) readHolders(ctx context.Context, q store.Querier, unit string) ([]Holder, error) {
	rows, err := q.QueryContext(ctx, `SELECT h.id, h.name, h.sealed,
		EXISTS (SELECT 1 FROM enroll_suspension x WHERE x.holder = h.id AND x.state = 'open') FROM enroll_holder h WHERE h.unit = $1 ORDER BY h.name, h.id`, unit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Holder
	for rows.Next() {
		h := Holder{Unit: unit}
		var sealed []byte
		if err := rows.Scan(&h.ID, &h.Name, &sealed, &h.Suspended); err != nil {
			return nil, err
		}
		key, err := s.Safe.Open(sealed, holderContext(h.ID)...)
		if err != nil {
			return nil, err
		}
		_, identity, _ := strings.Cut(string(key), ":")
		h.Identity = number.MaskIdentity(identity)
		list = append(list, h)
	}
	return list, rows.Err()
}

const identityLabel = "enroll identity"

func holderContext(id string) []string { return []string{"enroll_holder", id, "sealed"} }

// HolderIn finds a person of a unit by 居民身份证号, empty when nobody with it was ever on a roster of the unit: for callers
// inside the process.
func (s *Service) HolderIn(ctx context.Context, q store.Querier, unit, identity string) (string, error) {
	return s.findHolder(ctx, q, unit, idCard+":"+identity)
}

// findHolder looks for a person under every version of the index.
func (s *Service) findHolder(ctx context.Context, q store.Querier, unit, key string) (id string, err error) {
	indexes, err := s.Safe.Indexes(identityLabel, key)
	if err != nil {
		return "", err
	}
	for _, index := range indexes {
		err := q.QueryRowContext(ctx, `SELECT id FROM enroll_holder WHERE unit = $1 AND identity_index = $2`, unit, index).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, err
		}
	}
	return "", nil
}

// knownHolder is what a roster needs to know of a holder.
type knownHolder struct{ id, name string }

// knownHolders are the holders of a unit by their index.
func (s *Service) knownHolders(ctx context.Context, q store.Querier, unit string) (map[string]knownHolder, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, identity_index FROM enroll_holder WHERE unit = $1`, unit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]knownHolder{}
	for rows.Next() {
		var h knownHolder
		var index []byte
		if err := rows.Scan(&h.id, &h.name, &index); err != nil {
			return nil, err
		}
		known[string(index)] = h
	}
	return known, rows.Err()
}

// holder finds the person among those of the unit by the blind index, or records them.
func (s *Service) holder(ctx context.Context, tx *store.Tx, known map[string]knownHolder, unit string, p Person) (string, error) {
	key := p.IDType + ":" + p.Identity
	indexes, err := s.Safe.Indexes(identityLabel, key)
	if err != nil {
		return "", err
	}
	for _, index := range indexes {
		h, ok := known[string(index)]
		if !ok {
			continue
		}
		if h.name != p.Name {
			_, err = tx.ExecContext(ctx, `UPDATE enroll_holder SET name = $1 WHERE id = $2`, p.Name, h.id)
		}
		return h.id, err
	}
	id := store.NewID("hol_")
	sealed, err := s.Safe.Seal([]byte(key), holderContext(id)...)
	if err != nil {
		return "", err
	}
	known[string(indexes[0])] = knownHolder{id, p.Name} // who stands on the roster twice
	_, err = tx.ExecContext(ctx, `INSERT INTO enroll_holder (id, unit, name, identity_index, sealed, created) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, unit, p.Name, indexes[0], sealed, store.Time(s.Clock()))
	return id, err
}
