package store

import (
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
