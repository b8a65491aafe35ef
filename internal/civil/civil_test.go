package civil

import (
	"testing"
	"time"
)

func TestTheDayBeginsEightHoursBeforeGreenwich(t *testing.T) {
	for _, c := range []struct{ utc, day, minute string }{
		{"2026-11-26T15:59:59Z", "2026-11-26", "2026-11-26 23:59"},
		{"2026-11-26T16:00:00Z", "2026-11-27", "2026-11-27 00:00"},
		{"1988-07-01T15:30:00Z", "1988-07-01", "1988-07-01 23:30"}, // China had summer time in 1988; papers do not count it
	} {
		at, err := time.Parse(time.RFC3339, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		if Day(at) != c.day || Minute(at) != c.minute {
			t.Errorf("%s is %s, %s", c.utc, Day(at), Minute(at))
		}
	}
}

func TestADayIsReadAsItsMidnight(t *testing.T) {
	day, err := ParseDay("2026-11-27")
	if want := time.Date(2026, 11, 26, 16, 0, 0, 0, time.UTC); err != nil || !day.Equal(want) || Day(day) != "2026-11-27" {
		t.Errorf("%s, %v", day, err)
	}
	for _, text := range []string{"", "2026-02-30", "2026-11-27 00:00", "26-11-27", "2026/11/27"} {
		if day, err := ParseDay(text); err == nil {
			t.Errorf("%q was read as %s", text, day)
		}
	}
}
