package access

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/store"
)

// Pending is a request as officers see it.
type Pending struct {
	ID        string
	Kind      Kind
	Subject   []byte
	Digest    string // SM3 of Subject, hexadecimal
	Requester string
	State     string // open, approved, rejected
	Created   time.Time
	Expires   time.Time
	Why       string // the requester's reason; empty: none was given here
	Decider   string // who decided; empty while it is open
	Decided   time.Time
	Reason    string    // of a rejection, or the remark with an approval
	Used      time.Time // when it was carried out; zero: it was not
	Parent    string    // the plan of which this is a part; empty for what is decided by itself
	Voided    bool      // see Void
}

// Pending reads one request in whatever state: access.request-not-found.
func (s *Service) Pending(ctx context.Context, id string) (Pending, error) {
	return readRequest(ctx, s.db.Read(), id)
}

// PendingIn is Pending as the caller's transaction sees it.
func (s *Service) PendingIn(ctx context.Context, q store.Querier, id string) (Pending, error) {
	return readRequest(ctx, q, id)
}

// Filter narrows a list of open requests; zero fields do not.
type Filter struct {
	Kind      Kind
	Requester string
	// After continues a list behind the request with this identifier.
	After string
	Limit int
}

// Open lists the requests that wait for a decision, oldest first, at most limit of them. Parts come with their plan: see
// Parts.
func (s *Service) Open(ctx context.Context, limit int) ([]Pending, error) {
	return s.ListOpen(ctx, Filter{Limit: limit})
}

// ListOpen is Open for what passes a filter.
func (s *Service) ListOpen(ctx context.Context, f Filter) ([]Pending, error) {
	rows, err := s.db.Read().QueryContext(ctx, selectRequest+` WHERE state = 'open' AND voided IS NULL AND parent IS NULL AND expires > $1
		AND ($2 = '' OR kind = $2) AND ($3 = '' OR requester = $3)
		AND ($4 = '' OR (created, id) > (SELECT b.created, b.id FROM access_request b WHERE b.id = $4)) ORDER BY created, id LIMIT $5`,
		store.Time(s.clock()), string(f.Kind), f.Requester, f.After, f.Limit)
	return scanRequests(rows, err)
}

// CountOpen is how many requests wait for the decision of an actor: those of others.
func (s *Service) CountOpen(ctx context.Context, by Actor) (n int, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM access_request WHERE state = 'open' AND voided IS NULL AND parent IS NULL AND expires > $1 AND requester <> $2`,
		store.Time(s.clock()), by.ID).Scan(&n)
	return n, err
}

// Ready lists requests of a kind, or of all, that were approved by themselves and wait to be carried out, the newest first.
func (s *Service) Ready(ctx context.Context, k Kind, limit int) ([]Pending, error) {
	now := s.clock()
	rows, err := s.db.Read().QueryContext(ctx, selectRequest+` WHERE state = 'approved' AND voided IS NULL AND parent IS NULL AND created > $1 AND ($2 = '' OR kind = $2)
		AND EXISTS (SELECT 1 FROM access_approval a WHERE a.id = access_request.id AND a.used = 0 AND a.expires > $3) ORDER BY created DESC, id LIMIT $4`,
		store.Time(now.Add(-2*Term)), string(k), store.Time(now), limit)
	return scanRequests(rows, err)
}

// ListParts is Parts piece by piece: at most limit of them behind the part after, or from the first.
func (s *Service) ListParts(ctx context.Context, id, after string, limit int) ([]Pending, error) {
	rows, err := s.db.Read().QueryContext(ctx, selectRequest+` WHERE parent = $1
		AND ($2 = '' OR part > (SELECT b.part FROM access_request b WHERE b.id = $2 AND b.parent = $1)) ORDER BY part LIMIT $3`, id, after, limit)
	return scanRequests(rows, err)
}

// Parts lists the parts of a plan in their order.
func (s *Service) Parts(ctx context.Context, id string) ([]Pending, error) {
	return readParts(ctx, s.db.Read(), id)
}

// PartsUsed counts the parts of a plan, and those that were redeemed.
func (s *Service) PartsUsed(ctx context.Context, q store.Querier, id string) (used, all int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(a.id) FROM access_request r
		LEFT JOIN access_approval a ON a.id = r.id AND a.used = 1 WHERE r.parent = $1`, id).Scan(&all, &used)
	return used, all, err
}

func readParts(ctx context.Context, q store.Querier, parent string) ([]Pending, error) {
	rows, err := q.QueryContext(ctx, selectRequest+` WHERE parent = $1 ORDER BY part`, parent)
	return scanRequests(rows, err)
}

func scanRequests(rows *sql.Rows, err error) ([]Pending, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Pending
	for rows.Next() {
		r, err := scanRequest(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

const selectRequest = `SELECT id, kind, subject, digest, requester, state, created, expires, reason, COALESCE(parent, ''), voided IS NOT NULL,
	why, COALESCE(decider, ''), COALESCE(decided, ''), COALESCE((SELECT a.used_at FROM access_approval a WHERE a.id = access_request.id), '') FROM access_request`

func readRequest(ctx context.Context, q store.Querier, id string) (Pending, error) {
	r, err := scanRequest(q.QueryRowContext(ctx, selectRequest+` WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrRequestNotFound.New()
	}
	return r, err
}

func scanRequest(row interface{ Scan(...any) error }) (Pending, error) {
	var r Pending
	var created, expires, decided, used string
	err := row.Scan(&r.ID, (*string)(&r.Kind), &r.Subject, &r.Digest, &r.Requester, &r.State, &created, &expires, &r.Reason, &r.Parent, &r.Voided,
		&r.Why, &r.Decider, &decided, &used)
	if err != nil {
		return r, err
	}
	for _, t := range []struct {
		text string
		into *time.Time
	}{{created, &r.Created}, {expires, &r.Expires}, {decided, &r.Decided}, {used, &r.Used}} {
		if t.text == "" {
			continue
		}
		if *t.into, err = store.ParseTime(t.text); err != nil {
			return r, err
		}
	}
	return r, nil
}

func digestText(subject []byte) string {
	digest := sm3.Sum(subject)
	return hex.EncodeToString(digest[:])
}
