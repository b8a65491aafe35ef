package store

import (
	"context"
	"fmt"
	"time"
)

// layout has a fixed width, so that the order of the texts is the order of the times.
const layout = "2006-01-02T15:04:05.000000Z"

// Time is t as it stands in the database: UTC, RFC 3339, always six digits of microseconds. What is finer is cut off.
func Time(t time.Time) string { return t.UTC().Format(layout) }

// ParseTime reads what Time wrote, and nothing else.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(layout, s)
	if err != nil || len(s) != len(layout) {
		return time.Time{}, fmt.Errorf("store: %q is not a time as Time writes it", s)
	}
	return t, nil
}

// ServerTime is the time of the database server, of which some microseconds have passed when it arrives. For a file it is
// that of this machine, to the millisecond.
func (db *DB) ServerTime(ctx context.Context) (time.Time, error) {
	query := `SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'`
	if db.Dialect() == "postgres" {
		query = `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
	}
	var text string
	if err := db.Read().QueryRowContext(ctx, query).Scan(&text); err != nil {
		return time.Time{}, err
	}
	return ParseTime(text)
}
