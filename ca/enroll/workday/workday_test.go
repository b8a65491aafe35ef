package workday

import (
	"testing"
	"time"

	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

func TestATermEndsAtTheEndOfItsLastWorkingDay(t *testing.T) {
	// National day 2026 as an example: 1 to 7 October off, Saturday 10 October worked.
	golden, err := New(Days{Holidays: []string{"2026-10-01", "2026-10-02", "2026-10-03", "2026-10-04", "2026-10-05", "2026-10-06", "2026-10-07"},
		Worked: []string{"2026-09-20", "2026-10-10"}})
	if err != nil {
		t.Fatal(err)
	}
	plain := &Calendar{}
	for _, c := range []struct {
		name     string
		calendar *Calendar
		from     string
		n        int
		until    string
	}{
		{"within a week", plain, "2026-03-02T10:00:00+08:00", 3, "2026-03-06T00:00:00+08:00"},
		{"over a weekend", plain, "2026-03-05T10:00:00+08:00", 5, "2026-03-13T00:00:00+08:00"},
		{"begun on a Saturday", plain, "2026-03-07T10:00:00+08:00", 1, "2026-03-10T00:00:00+08:00"},
		{"one second before midnight in China", plain, "2026-03-02T23:59:59+08:00", 1, "2026-03-04T00:00:00+08:00"},
		{"the same moment said in UTC", plain, "2026-03-02T15:59:59Z", 1, "2026-03-04T00:00:00+08:00"},
		{"midnight begins another day", plain, "2026-03-02T16:00:00Z", 1, "2026-03-05T00:00:00+08:00"},
		{"over the holidays", golden, "2026-09-30T09:00:00+08:00", 2, "2026-10-10T00:00:00+08:00"},
		{"a Saturday that is worked", golden, "2026-09-30T09:00:00+08:00", 3, "2026-10-11T00:00:00+08:00"},
		{"a Sunday that is worked", golden, "2026-09-18T09:00:00+08:00", 1, "2026-09-21T00:00:00+08:00"},
		{"no days", plain, "2026-03-02T10:00:00+08:00", 0, "2026-03-03T00:00:00+08:00"},
	} {
		from, _ := time.Parse(time.RFC3339, c.from)
		until, _ := time.Parse(time.RFC3339, c.until)
		if got := c.calendar.After(from, c.n); !got.Equal(until) {
			t.Errorf("%s: until %s, want %s", c.name, got.In(civil.China), until.In(civil.China))
		}
	}
}

func TestDatesThatAreNoneAreRefused(t *testing.T) {
	for _, d := range []Days{{Holidays: []string{"2026-02-30"}}, {Worked: []string{"today"}}, {Holidays: []string{"2026-10-10"}, Worked: []string{"2026-10-10"}}} {
		if _, err := New(d); !fault.Has(err, ErrDay) {
			t.Errorf("%v: %v", d, err)
		}
	}
}

func TestACalendarWithoutWorkedDaysEnds(t *testing.T) {
	c := &Calendar{exceptions: map[string]bool{}}
	for day := time.Date(2026, 1, 1, 0, 0, 0, 0, civil.China); day.Year() < 2040; day = day.AddDate(0, 0, 1) {
		c.exceptions[day.Format(time.DateOnly)] = false
	}
	c.After(time.Date(2026, 1, 1, 0, 0, 0, 0, civil.China), 3)
}
