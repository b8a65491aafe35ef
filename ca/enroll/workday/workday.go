// Package workday counts working days in China: Monday to Friday, less the public holidays and plus the weekend days that
// are worked instead (调休补班), as the State Council announces them each year. A day is one of Chinese time.
//
//	c, err := workday.New(workday.Days{Holidays: []string{"2026-10-01"}, Worked: []string{"2026-10-10"}})
//	end := c.After(issued, 5) // midnight at the end of the fifth working day after the day of issue
//
// The zero Calendar knows weekends only.
package workday

import (
	"time"

	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

// Days is the part of a configuration that names the exceptions, as YYYY-MM-DD.
type Days struct {
	Holidays []string `json:"holidays,omitempty"` // days off, whatever day of the week
	Worked   []string `json:"worked,omitempty"`   // Saturdays and Sundays that are worked
}

// ErrDay is a date that is none, or stands in both lists.
var ErrDay = fault.Spec{Kind: fault.Invalid, Code: "workday.day",
	ZH: "节假日或补班日期无效。", EN: "A date among the holidays and worked days is not valid."}

// Calendar knows which days are worked. It does not change and is safe for concurrent use.
type Calendar struct {
	exceptions map[string]bool // date: worked or not
}

// New makes a Calendar. Error: workday.day.
func New(d Days) (*Calendar, error) {
	c := &Calendar{exceptions: map[string]bool{}}
	for worked, list := range map[bool][]string{false: d.Holidays, true: d.Worked} {
		for _, day := range list {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				return nil, ErrDay.With("%q", day)
			}
			if before, twice := c.exceptions[day]; twice && before != worked {
				return nil, ErrDay.With("%s", day)
			}
			c.exceptions[day] = worked
		}
	}
	return c, nil
}

// Worked reports whether the day of t is worked.
func (c *Calendar) Worked(t time.Time) bool {
	t = t.In(civil.China)
	if worked, known := c.exceptions[t.Format(time.DateOnly)]; known {
		return worked
	}
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday
}

// maxDays bounds the search where a configuration leaves no day worked.
const maxDays = 3660

// After is the end of a term of n working days: midnight (in UTC) at the end of the nth working day after the day of t,
// which does not count itself (民法典第二百零一条).
func (c *Calendar) After(t time.Time, n int) time.Time {
	y, m, d := t.In(civil.China).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, civil.China)
	for range maxDays {
		if n <= 0 {
			break
		}
		day = day.AddDate(0, 0, 1)
		if c.Worked(day) {
			n--
		}
	}
	return day.AddDate(0, 0, 1).UTC()
}
