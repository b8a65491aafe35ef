package command

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/ca/clock"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestTheClockIsHeldAgainstWhatTheConfigurationNames(t *testing.T) {
	ahead := time.Duration(0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
	}))
	defer server.Close()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ahead = 0
		c := clockConfig{AccuracySeconds: 2, HTTP: []string{server.URL}, Ordering: true}
		s, err := c.stamping(t.TempDir(), db, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if s.Accuracy != 2*time.Second || !s.Ordering {
			t.Errorf("%+v", s)
		}
		if err := s.Watch.Check(t.Context()); err != nil {
			t.Error(err)
		}
		ahead = time.Hour
		c.IgnoreDatabase = true
		if s, err = c.stamping(t.TempDir(), db, time.Now); err != nil {
			t.Fatal(err)
		}
		if err := s.Watch.Check(t.Context()); !fault.Has(err, clock.ErrOff) {
			t.Errorf("an hour off: %v", err)
		}
		// The database server's own clock is a reference of its own, a file's is not.
		c = clockConfig{}
		if s, err = c.stamping(t.TempDir(), db, func() time.Time { return time.Now().Add(time.Hour) }); err != nil {
			t.Fatal(err)
		}
		if err := s.Watch.Check(t.Context()); fault.Has(err, clock.ErrOff) != (db.Dialect() == "postgres") {
			t.Errorf("an hour off the database on %s: %v", db.Dialect(), err)
		}
	})
}

func TestAClockConfigurationThatCannotBeIsRefused(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "yinxin.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for text, field := range map[string]string{
		`{"accuracy_seconds":-1}`: "accuracy_seconds", `{"accuracy_seconds":61}`: "accuracy_seconds", `{"ntp":["time.example"]}`: "ntp", `{"ntp":[":123"]}`: "ntp",
		`{"http":["time.example"]}`: "http", `{"http":["ftp://time.example"]}`: "http",
		`{"ntp":["a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1","a:1"]}`: "ntp",
	} {
		var c clockConfig
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		_, err := c.stamping(t.TempDir(), db, time.Now)
		if f, ok := fault.Of(err); !ok || f.Code != errNotData.Code || !strings.Contains(f.Detail(), "clock."+field) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
