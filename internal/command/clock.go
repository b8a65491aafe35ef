package command

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"yinxin/ca"
	"yinxin/ca/clock"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// clockConfig is the object "clock" of config.json: what the clock is held against before a time stamp is signed.
type clockConfig struct {
	// AccuracySeconds is how far the clock may be off, and what time stamps say of it; 0 is 1.
	AccuracySeconds int `json:"accuracy_seconds,omitempty"`
	// NTP are addresses "host:123", HTTP addresses of web servers whose Date counts.
	NTP  []string `json:"ntp,omitempty"`
	HTTP []string `json:"http,omitempty"`
	// IgnoreDatabase: a database server is not asked for its time. A file has none.
	IgnoreDatabase bool `json:"ignore_database,omitempty"`
	// Ordering: time stamps can be ordered by their time alone; each costs a write.
	Ordering bool `json:"ordering,omitempty"`
}

// The limits of clockConfig.
const (
	mostReferences = 16
	worstAccuracy  = 60 // seconds
)

// stamping makes the watch over the clock. Error: data.not-a-data-directory with the field.
func (c clockConfig) stamping(dir string, db *store.DB, now func() time.Time) (ca.Stamping, error) {
	bad := func(field, value string) (ca.Stamping, error) {
		return ca.Stamping{}, errNotData.With("clock.%s %s", field, value).At(fault.File(filepath.Join(dir, configName)))
	}
	if c.AccuracySeconds < 0 || c.AccuracySeconds > worstAccuracy {
		return bad("accuracy_seconds", "")
	}
	if len(c.NTP)+len(c.HTTP) > mostReferences {
		return bad("ntp", "")
	}
	var references []clock.Reference
	for _, address := range c.NTP {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			return bad("ntp", address)
		}
		references = append(references, clock.NTP(address, (&net.Dialer{}).DialContext))
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, address := range c.HTTP {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return bad("http", address)
		}
		references = append(references, clock.HTTP(address, client))
	}
	if db.Dialect() == "postgres" && !c.IgnoreDatabase {
		references = append(references, clock.Server{Called: "database", Time: db.ServerTime})
	}
	accuracy := time.Duration(max(c.AccuracySeconds, 1)) * time.Second
	return ca.Stamping{Accuracy: accuracy, Ordering: c.Ordering,
		Watch: clock.New(clock.Config{Now: now, References: references, Accuracy: accuracy})}, nil
}

// watchClock holds the clock against its references as long as the process lives.
func (h *installation) watchClock(ctx context.Context, log *slog.Logger) {
	h.authority.Stamping.Watch.Run(ctx, func(err error) {
		if err != nil {
			log.Error("the clock cannot be relied on: no time stamps are signed", "error", err)
			return
		}
		log.Info("the clock is confirmed")
	})
}
