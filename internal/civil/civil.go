// Package civil is the time of day by which people in China live: every province has Beijing time, without summer time.
// Days of forms, terms, reports and letters are counted in it.
package civil

import "time"

// China is Beijing time. It is a fixed zone, since the machine may have no zone files.
var China = time.FixedZone("UTC+8", 8*60*60)

// Day writes the day of t in China: 2026-11-26.
func Day(t time.Time) string { return t.In(China).Format(time.DateOnly) }

// Minute writes t as it is told to people in China: 2026-11-26 09:30.
func Minute(t time.Time) string { return t.In(China).Format("2006-01-02 15:04") }

// ParseDay reads what Day writes: midnight in China.
func ParseDay(text string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, text, China)
}
