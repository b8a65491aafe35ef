package enroll

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/internal/store"
)

// record is a row of enroll_application with what the register says of its unit.
type record struct {
	id, number, unit        string
	area                    string // of the unit
	direct                  bool   // the unit hands in to the province itself
	state                   State
	since                   time.Time
	revision                int64
	version                 int
	unitName, sealName      string // as in the form, for lists
	businesses              string
	created                 time.Time
	by                      string
	batch                   string
	original                string // YYYY-MM-DD
	originalNumber          string // 机要 number
	originalBy              string
	inkVersion              int
	inkBy                   string
	reading                 form.Reading // what that officer read off the original
	examination             string
	examinationVersion      int
	examinationDigest       string
	approval                string
	approved, issued, until time.Time // until: the end of the term for objections
	aborted                 bool
}

const selectRecord = `SELECT a.id, a.number, a.unit, u.area, u.direct = 1, a.state, a.since, a.revision, a.version, a.unit_name, a.seal_name, a.businesses,
	a.created, a.by, COALESCE(a.batch, ''), COALESCE(a.original, ''), COALESCE(a.original_number, ''), COALESCE(a.original_by, ''),
	COALESCE(a.ink_version, 0), COALESCE(a.ink_by, ''), COALESCE(a.ink_reading, ''), COALESCE(a.examination, ''), COALESCE(a.examination_version, 0),
	COALESCE(a.examination_digest, ''), COALESCE(a.approval, ''), a.approved, a.issued, a.accept_by, a.aborted = 1
	FROM enroll_application a JOIN enroll_unit u ON u.id = a.unit`

// load reads one application: enroll.not-found.
func load(ctx context.Context, q store.Querier, id string) (*record, error) {
	r, err := scanRecord(q.QueryRowContext(ctx, selectRecord+` WHERE a.id = $1`, key(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound.New()
	}
	return r, err
}

type scanner interface{ Scan(...any) error }

func scanRecord(row scanner) (*record, error) {
	var r record
	var since, created, reading string
	var approved, issued, until sql.NullString
	err := row.Scan(&r.id, &r.number, &r.unit, &r.area, &r.direct, &r.state, &since, &r.revision, &r.version, &r.unitName, &r.sealName, &r.businesses,
		&created, &r.by, &r.batch, &r.original, &r.originalNumber, &r.originalBy, &r.inkVersion, &r.inkBy, &reading, &r.examination,
		&r.examinationVersion, &r.examinationDigest, &r.approval, &approved, &issued, &until, &r.aborted)
	if err != nil {
		return nil, err
	}
	if reading != "" {
		if err := json.Unmarshal([]byte(reading), &r.reading); err != nil {
			return nil, err
		}
	}
	return &r, parseTimes(map[*time.Time]sql.NullString{&r.since: given(since), &r.created: given(created),
		&r.approved: approved, &r.issued: issued, &r.until: until})
}

func scanRecords(rows *sql.Rows, err error) ([]*record, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []*record
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

func given(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }

// parseTimes reads the times that are there.
func parseTimes(times map[*time.Time]sql.NullString) error {
	for t, text := range times {
		if !text.Valid {
			continue
		}
		var err error
		if *t, err = store.ParseTime(text.String); err != nil {
			return err
		}
	}
	return nil
}

// orNull is how an absent value stands in the database.
func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return store.Time(t)
}

func (r *record) insert(ctx context.Context, tx *store.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO enroll_application (id, number, unit, state, since, revision, version, unit_name, seal_name, businesses, created, by, aborted)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)`,
		r.id, r.number, r.unit, string(r.state), store.Time(r.since), r.revision, r.version, r.unitName, r.sealName, r.businesses,
		store.Time(r.created), r.by)
	return err
}

// save writes everything that can change, and only over the revision that was read: enroll.conflict.
func (r *record) save(ctx context.Context, tx *store.Tx) error {
	var kind, used any
	if r.approval != "" {
		kind, used = string(planKind), 1
	}
	var reading any
	if r.inkBy != "" {
		text, err := json.Marshal(r.reading)
		if err != nil {
			return err
		}
		reading = string(text)
	}
	result, err := tx.ExecContext(ctx, `UPDATE enroll_application SET state = $1, since = $2, revision = revision + 1, version = $3, unit_name = $4,
		seal_name = $5, businesses = $6, batch = $7, original = $8, original_number = $9, original_by = $10, ink_version = $11, ink_by = $12,
		examination = $13, examination_version = $14, examination_digest = $15, approval = $16, approval_kind = $17, approval_used = $18,
		approved = $19, issued = $20, accept_by = $21, ink_reading = $22, aborted = $23 WHERE id = $24 AND revision = $25`,
		string(r.state), store.Time(r.since), r.version, r.unitName, r.sealName, r.businesses, orNull(r.batch), orNull(r.original),
		orNull(r.originalNumber), orNull(r.originalBy), orNull(r.inkVersion), orNull(r.inkBy), orNull(r.examination), orNull(r.examinationVersion),
		orNull(r.examinationDigest), orNull(r.approval), kind, used, timeOrNull(r.approved), timeOrNull(r.issued), timeOrNull(r.until),
		reading, bit(r.aborted), r.id, r.revision)
	if err != nil {
		return err
	}
	if err := store.ExactlyOne(result, ErrConflict.New()); err != nil {
		return err
	}
	r.revision++
	return nil
}
