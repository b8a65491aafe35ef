package webhook

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/fetch"
	"yinxin/internal/jobs"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error {
	return db.Migrate(ctx, "webhook", migrations)
}

// The kinds of events.
const (
	KindPing      = "ping"             // somebody wants to know whether calls arrive; every endpoint takes it
	KindReleased  = "sealing.released" // a document was sealed, by the service or with a USB Key
	KindBatchDone = "batch.done"       // no document of a batch waits any more
	KindTaskDone  = "key-task.done"    // no item of a task waits for its clerk any more; to who made the task
)

// Kinds are those that an endpoint may ask for.
var Kinds = []string{KindReleased, KindBatchDone, KindTaskDone,
	// Those of package issuance: to all who may see the case.
	"issuance.requested", "issuance.answered", "issuance.issued", "issuance.refused", "issuance.received", "issuance.delivered",
	"issuance.cancelled", "issuance.withdrawn", "issuance.overdue"}

const (
	maxEndpoints = 10 // of one owner
	maxURL       = 2000
	giveUp       = 20 // deliveries in a row
	keep         = 30 * 24 * time.Hour
)

// Endpoint is where a program wants to be told.
type Endpoint struct {
	ID       string
	URL      string
	Kinds    []string
	State    string // active, suspended
	Failures int    // deliveries given up since the last that arrived
	Created  time.Time
}

// safe is what the room needs of a safe of the keystore.
type safe interface {
	Seal(plain []byte, context ...string) ([]byte, error)
	Open(sealed []byte, context ...string) ([]byte, error)
}

// Config is what the room works with.
type Config struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Safe   safe // seals the secrets
	Former safe // sealed those of installations from before they shared the safe that is rotated; nil: there are none
	Clock  func() time.Time
	Log    *slog.Logger
	// Client reaches the endpoints. Plain lets them be http addresses: for tests, and inside one machine.
	Client *fetch.Client
	Plain  bool
	// Pause is the time before a call is tried again, and Tries how often it is tried at most: those of the queue if they are 0.
	Pause func(attempt int) time.Duration
	Tries int
}

// Service is the room's door. It is safe for concurrent use.
type Service struct {
	Config
	queue *jobs.Queue[delivery]
}

// delivery names a delivery in a job.
type delivery struct {
	Delivery string `json:"delivery"`
}

// New gives the room over its tables and registers its work with the queue; it must come before the queue runs.
func New(c Config, j *jobs.Jobs) *Service {
	s := &Service{Config: c}
	s.queue = jobs.Register(j, jobs.Kind{Name: "webhook.deliver", Pause: c.Pause, Attempts: c.Tries}, s.deliver)
	j.Periodic(jobs.Periodic{Name: "webhook.sweep", Every: time.Hour, Timeout: time.Minute, Do: s.sweep})
	return s
}

// Add records an endpoint of the actor's. The secret, with which its calls are signed, is given once. Errors:
// webhook.address, webhook.kinds, webhook.too-many.
func (s *Service) Add(ctx context.Context, by access.Actor, address string, kinds []string) (_ Endpoint, secret string, err error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxURL || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !(s.Plain && u.Scheme == "http") {
		return Endpoint{}, "", errAddress.At(fault.Field("url"))
	}
	kinds = slices.Compact(slices.Sorted(slices.Values(kinds)))
	if len(kinds) == 0 || slices.ContainsFunc(kinds, func(k string) bool { return !slices.Contains(Kinds, k) }) {
		return Endpoint{}, "", errKinds.Saying("可选："+strings.Join(Kinds, "、"), "one of "+strings.Join(Kinds, ", ")).At(fault.Field("kinds"))
	}
	e := Endpoint{ID: store.NewID("wh_"), URL: address, Kinds: kinds, State: "active", Created: s.Clock()}
	secret = "yxwh_" + rand.Text()
	sealed, err := s.Safe.Seal([]byte(secret), secretContext(e.ID)...)
	if err != nil {
		return Endpoint{}, "", err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM webhook_endpoint WHERE owner = $1 AND state <> 'removed'`, by.ID).Scan(&n); err != nil {
			return err
		}
		if n >= maxEndpoints {
			return errMany.With("%d", maxEndpoints)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO webhook_endpoint (id, owner, url, kinds, secret, state, created_at, safe) VALUES ($1, $2, $3, $4, $5, 'active', $6, 'shared')`,
			e.ID, by.ID, e.URL, " "+strings.Join(kinds, " ")+" ", sealed, store.Time(e.Created)); err != nil {
			return err
		}
		return s.record(ctx, tx, "webhook.added", by.ID, e.ID, map[string]string{"host": u.Host, "kinds": strings.Join(kinds, " ")})
	})
	if err != nil {
		return Endpoint{}, "", err
	}
	return e, secret, nil
}

// List gives the actor's endpoints, the oldest first.
func (s *Service) List(ctx context.Context, by access.Actor) ([]Endpoint, error) {
	return s.endpoints(ctx, `owner = $1 AND state <> 'removed' ORDER BY created_at, id`, by.ID)
}

func (s *Service) endpoints(ctx context.Context, where string, args ...any) ([]Endpoint, error) {
	list := []Endpoint{}
	err := store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		var e Endpoint
		var kinds, created string
		err := scan(&e.ID, &e.URL, &kinds, &e.State, &e.Failures, &created)
		if err == nil {
			e.Kinds = strings.Fields(kinds)
			e.Created, err = store.ParseTime(created)
		}
		list = append(list, e)
		return err
	}, `SELECT id, url, kinds, state, failures, created_at FROM webhook_endpoint WHERE `+where, args...)
	return list, err
}

// find gives an endpoint of the actor's. Error: webhook.not-found.
func (s *Service) find(ctx context.Context, by access.Actor, id string) (Endpoint, error) {
	list, err := s.endpoints(ctx, `owner = $1 AND state <> 'removed' AND id = $2`, by.ID, id)
	if err == nil && len(list) == 0 {
		err = errNotFound.New()
	}
	if err != nil {
		return Endpoint{}, err
	}
	return list[0], nil
}

// Remove ends an endpoint: nothing is sent to it any more. Error: webhook.not-found.
func (s *Service) Remove(ctx context.Context, by access.Actor, id string) error {
	return s.move(ctx, by, id, "removed", "webhook.removed")
}

// Resume lets a suspended endpoint be told again of what happens from now on. Error: webhook.not-found.
func (s *Service) Resume(ctx context.Context, by access.Actor, id string) error {
	return s.move(ctx, by, id, "active", "webhook.resumed")
}

func (s *Service) move(ctx context.Context, by access.Actor, id, state, kind string) error {
	if _, err := s.find(ctx, by, id); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE webhook_endpoint SET state = $2, failures = 0 WHERE id = $1 AND state <> 'removed'`, id, state); err != nil {
			return err
		}
		return s.record(ctx, tx, kind, by.ID, id, nil)
	})
}

func (s *Service) record(ctx context.Context, tx *store.Tx, kind, actor, id string, data map[string]string) error {
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: kind, Actor: actor, Subject: id, Data: data})
	return err
}

// message is the body of a call.
type message struct {
	ID      string            `json:"id"`
	Kind    string            `json:"kind"`
	Time    time.Time         `json:"time"`
	Subject string            `json:"subject"`
	Data    map[string]string `json:"data"`
}

// Emit tells the endpoints of an actor, in the transaction of what happened.
func (s *Service) Emit(ctx context.Context, tx *store.Tx, owner, kind, subject string, data map[string]string) error {
	endpoints, err := store.Column[string](tx.QueryContext(ctx, `SELECT id FROM webhook_endpoint WHERE owner = $1 AND state = 'active' AND kinds LIKE $2`,
		owner, "% "+kind+" %"))
	if err != nil {
		return err
	}
	for _, e := range endpoints {
		if _, err := s.send(ctx, tx, e, kind, subject, data); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) send(ctx context.Context, tx *store.Tx, endpoint, kind, subject string, data map[string]string) (id string, err error) {
	now := s.Clock().UTC()
	id = store.NewID("whd_")
	body, err := json.Marshal(message{ID: id, Kind: kind, Time: now.Truncate(time.Microsecond), Subject: subject, Data: data})
	if err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO webhook_delivery (id, endpoint, kind, subject, body, state, created_at) VALUES ($1, $2, $3, $4, $5, 'waiting', $6)`,
		id, endpoint, kind, subject, string(body), store.Time(now)); err != nil {
		return "", err
	}
	_, err = s.queue.Enqueue(ctx, tx, id, delivery{id})
	return id, err
}

// Ping sends a test call to an endpoint, suspended or not. Error: webhook.not-found.
func (s *Service) Ping(ctx context.Context, by access.Actor, id string) (deliveryID string, err error) {
	if _, err := s.find(ctx, by, id); err != nil {
		return "", err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) (err error) {
		deliveryID, err = s.send(ctx, tx, id, KindPing, id, map[string]string{})
		return err
	})
	return deliveryID, err
}
