package enroll

import (
	"context"
	"slices"
	"strings"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Summary is an application as a list shows it.
type Summary struct {
	ID         string
	Number     string
	Unit       string
	UnitName   string // as on the form
	SealName   string
	Businesses []form.Business
	State      State
	Since      time.Time
	Created    time.Time
	Revision   int64
	Batch      string
}

func (r *record) summary() Summary {
	return Summary{ID: r.id, Number: r.number, Unit: r.unit, UnitName: r.unitName, SealName: r.sealName, Businesses: splitBusinesses(r.businesses),
		State: r.state, Since: r.since, Created: r.created, Revision: r.revision, Batch: r.batch}
}

// Filter narrows a list; zero fields do not.
type Filter struct {
	States []State
	Unit   string
	Area   string
	Batch  string
	// Text stands in the number, the unit's or the seal's name.
	Text string
	// Business is one of those that the form is for.
	Business form.Business
	// From and Until bound when an application was begun: from the one, before the other.
	From, Until time.Time
	// Before continues a list behind the application with this identifier.
	Before string
	Limit  int // 1 … MaxList; 0 is MaxList
}

// MaxList is the longest list in one answer.
const MaxList = 200

// List gives the applications that the actor may see and that pass the filter, the newest first.
func (s *Service) List(ctx context.Context, by access.Actor, f Filter) ([]Summary, error) {
	v, err := s.viewer(ctx, s.DB.Read(), by)
	if err != nil {
		return nil, err
	}
	query, args := f.query(v)
	records, err := scanRecords(s.DB.Read().QueryContext(ctx, query, args...))
	if err != nil {
		return nil, err
	}
	list := make([]Summary, len(records))
	for i, r := range records {
		list[i] = r.summary()
	}
	return list, nil
}

// letters keeps what stands in the name of a business, and nothing that LIKE reads in another way.
func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r == '-' {
		return r
	}
	return -1
}

func (f Filter) query(v viewer) (string, []any) {
	args := []any{bit(v.seesAll()), v.unit, v.area}
	where := []string{`($1 = 1 OR a.unit = $2 OR (u.area = $3 AND u.direct = 0))`}
	add := func(condition string, values ...any) {
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "?", "$"+itoa(len(args)), 1)
		}
		where = append(where, condition)
	}
	var states []any
	for _, state := range f.States[:min(len(f.States), len(everyState))] {
		states = append(states, key(string(state)))
	}
	if len(states) > 0 {
		add(`a.state IN (?`+strings.Repeat(`, ?`, len(states)-1)+`)`, states...)
	}
	for _, equal := range []struct{ column, value string }{{"a.unit", f.Unit}, {"u.area", f.Area}, {"a.batch", f.Batch}} {
		if equal.value != "" {
			add(equal.column+` = ?`, key(equal.value))
		}
	}
	if f.Text != "" {
		like := "%" + store.LikeText(f.Text[:min(len(f.Text), 300)]) + "%"
		like = strings.ReplaceAll(strings.ToValidUTF8(like, ""), "\x00", "")
		// Both sides in capitals: the engines differ in what LIKE makes of small ones.
		add(`(UPPER(a.number) LIKE UPPER(?) ESCAPE '\' OR UPPER(a.unit_name) LIKE UPPER(?) ESCAPE '\' OR UPPER(a.seal_name) LIKE UPPER(?) ESCAPE '\')`, like, like, like)
	}
	if f.Business != "" {
		add(`(' ' || a.businesses || ' ') LIKE ?`, "% "+key(strings.Map(letters, string(f.Business)))+" %")
	}
	if !f.From.IsZero() {
		add(`a.created >= ?`, store.Time(f.From))
	}
	if !f.Until.IsZero() {
		add(`a.created < ?`, store.Time(f.Until))
	}
	if f.Before != "" {
		add(`(a.created, a.id) < (SELECT b.created, b.id FROM enroll_application b WHERE b.id = ?)`, key(f.Before))
	}
	limit := f.Limit
	if limit < 1 || limit > MaxList {
		limit = MaxList
	}
	args = append(args, limit)
	return selectRecord + ` WHERE ` + strings.Join(where, ` AND `) + ` ORDER BY a.created DESC, a.id DESC LIMIT $` + itoa(len(args)), slices.Clip(args)
}
