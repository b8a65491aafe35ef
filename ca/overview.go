package ca

import (
	"context"
	"time"

	"yinxin/internal/store"
)

// Count is how many certificates of a profile are in a state.
type Count struct {
	Profile Profile     `json:"profile"`
	State   RecordState `json:"state"` // or expired
	Number  int         `json:"number"`
}

// RecordExpired counts certificates whose validity is over, whatever else became of them.
const RecordExpired RecordState = "expired"

// Overview is how the authority's records stand now.
type Overview struct {
	Counts  []Count
	Waiting int // changes that no list carries yet
	Pending int // intents without a result
	Failed  int // serial numbers that were voided
}

// Overview counts. It reads every certificate's row once, on one state of the database.
func (a *Authority) Overview(ctx context.Context) (Overview, error) {
	o := Overview{Counts: []Count{}}
	now := store.Time(a.Clock())
	err := a.DB.Snapshot(ctx, func(q store.Querier) error {
		rows, err := q.QueryContext(ctx, `SELECT c.profile, CASE WHEN c.state = 'intent' THEN 'pending' WHEN c.state = 'failed' THEN 'failed'
				WHEN c.not_after < $1 THEN 'expired' ELSE COALESCE(s.state, 'good') END AS standing, COUNT(*)
			FROM ca_certificate c LEFT JOIN ca_status s ON s.serial = c.serial GROUP BY 1, 2 ORDER BY 1, 2`, now)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c Count
			if err := rows.Scan((*string)(&c.Profile), (*string)(&c.State), &c.Number); err != nil {
				return err
			}
			switch c.State {
			case RecordPending:
				o.Pending += c.Number
			case RecordFailed:
				o.Failed += c.Number
			}
			o.Counts = append(o.Counts, c)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return q.QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_status_event WHERE crl = 0`).Scan(&o.Waiting)
	})
	return o, err
}

// PublishedList is the newest complete revocation list of an issuer.
type PublishedList struct {
	Issuer                 string // ID of the issuing CA, or root
	Number                 int64
	Entries                int
	ThisUpdate, NextUpdate time.Time
}

// Lists are the newest complete revocation lists, the root's included, as they were published.
func (a *Authority) Lists(ctx context.Context) ([]PublishedList, error) {
	rows, err := a.DB.Read().QueryContext(ctx, `SELECT issuer, number, entries, this_update, next_update FROM ca_crl l
		WHERE shard = 0 AND number = (SELECT MAX(number) FROM ca_crl m WHERE m.issuer = l.issuer AND m.shard = 0)
		ORDER BY (SELECT position FROM ca_authority a WHERE a.name = l.issuer)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []PublishedList
	for rows.Next() {
		var p PublishedList
		var this, next string
		if err := rows.Scan(&p.Issuer, &p.Number, &p.Entries, &this, &next); err != nil {
			return nil, err
		}
		if p.ThisUpdate, err = store.ParseTime(this); err != nil {
			return nil, err
		}
		if p.NextUpdate, err = store.ParseTime(next); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}
