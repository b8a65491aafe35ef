package sealer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/store"
)

// Filter picks sealings. Empty fields pick all.
type Filter struct {
	Seal        string
	State       string // intended, released, failed, abandoned
	Caller      string // for auditors
	From, Until time.Time
	After       string // the identifier of the last one seen
	Limit       int
}

// Log lists sealings without their details (用印记录), the newest first: the actor's own, or those of everybody to an auditor. next, if not empty, is the
// After of the rows that follow. Error: sealing.not-found for an After that is none.
func (s *Service) Log(ctx context.Context, by access.Actor, f Filter) (list []Recorded, next string, err error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, condition)
	}
	if !by.Has(access.RoleAuditor) {
		add("s.caller = ?", by.ID)
	} else if f.Caller != "" {
		add("s.caller = ?", f.Caller)
	}
	if f.Seal != "" {
		add("s.seal_code = ?", f.Seal)
	}
	if f.State != "" {
		add("s.state = ?", f.State)
	}
	if !f.From.IsZero() {
		add("s.intended_at >= ?", store.Time(f.From))
	}
	if !f.Until.IsZero() {
		add("s.intended_at < ?", store.Time(f.Until))
	}
	if f.After != "" {
		last, err := s.Recorded(ctx, by, f.After)
		if err != nil {
			return nil, "", err
		}
		at := store.Time(last.Intended)
		add("(s.intended_at < ? OR s.intended_at = ? AND s.id < ?)", at, at, f.After)
	}
	limit := min(max(f.Limit, 1), 1000)
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT s.id, s.caller, s.seal_code, s.document_id, s.state, s.failure, COALESCE(s.result_id, ''), s.signing_time,
		s.intended_at, COALESCE(s.finished_at, ''), d.name, d.sm3, COALESCE(r.sm3, '') FROM sealing s JOIN document d ON d.id = s.document_id
		LEFT JOIN document r ON r.id = s.result_id WHERE `+strings.Join(where, " AND ")+fmt.Sprintf(` ORDER BY s.intended_at DESC, s.id DESC LIMIT %d`, limit+1), args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	for rows.Next() {
		var l Recorded
		var signed, intended, finished string
		if err := rows.Scan(&l.ID, &l.Caller, &l.Seal, &l.Document, &l.State, &l.Failure, &l.Result, &signed, &intended, &finished, &l.Name, &l.Original, &l.Sealed); err != nil {
			return nil, "", err
		}
		if err := l.times(signed, intended, finished); err != nil {
			return nil, "", err
		}
		list = append(list, l)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, rows.Err()
}

// times reads the times of a row; those that are empty are not known.
func (r *Recorded) times(signed, intended, finished string) error {
	for to, text := range map[*time.Time]string{&r.Time: signed, &r.Intended: intended, &r.Finished: finished} {
		if text == "" {
			continue
		}
		var err error
		if *to, err = store.ParseTime(text); err != nil {
			return err
		}
	}
	return nil
}

// Uses is how often a seal was used in a month.
type Uses struct {
	Month string // 2026-11, of China's time
	Seal  string
	Count int
}

// Uses counts what was sealed from one moment until another, by month and seal, for an auditor. Error: access.role.
func (s *Service) Uses(ctx context.Context, by access.Actor, from, until time.Time) (list []Uses, err error) {
	if !by.Has(access.RoleAuditor) {
		return nil, access.ErrRole.With("%s", access.RoleAuditor)
	}
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT substr(intended_at, 1, 13), seal_code, COUNT(*) FROM sealing
		WHERE intended_at >= $1 AND intended_at < $2 AND state = 'released' GROUP BY substr(intended_at, 1, 13), seal_code`, store.Time(from), store.Time(until))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counted := map[Uses]int{}
	for rows.Next() {
		var hour, seal string
		var n int
		if err := rows.Scan(&hour, &seal, &n); err != nil {
			return nil, err
		}
		at, err := time.Parse("2006-01-02T15", hour)
		if err != nil {
			return nil, err
		}
		counted[Uses{Month: civil.Day(at)[:7], Seal: seal}] += n
	}
	for u, n := range counted {
		u.Count = n
		list = append(list, u)
	}
	return list, rows.Err()
}
