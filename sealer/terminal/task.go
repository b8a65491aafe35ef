package terminal

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/terminal/manifest"
)

// Bounds of a task.
const (
	maxOrigin = 100 // characters
	maxNote   = 500 // characters
	maxKey    = 220 // octets of an idempotency key
	maxOpen   = 500 // open tasks of one clerk
)

// NewTask asks a clerk for documents to be sealed with a USB Key.
type NewTask struct {
	Clerk  string         `json:"clerk"`  // identifier; empty: the actor
	Origin string         `json:"origin"` // what people call the system that asks; empty: the actor's name
	Note   string         `json:"note"`   // what it is for
	Orders []sealer.Order `json:"orders"` // one item each
	// IdempotencyKey makes the task repeatable: the same key with the same task gives the one that was made.
	IdempotencyKey string `json:"-"`
}

// Create makes a task: for the actor, an operator, or by a program of the platform for an operator of its own organisation. Documents
// must be the actor's and the clerk's to read, and seals the clerk's to use now, on their USB Key; that is checked again for each item. existed
// says that the key was used before with the same task. Errors: terminal.task with the row, terminal.no-clerk, terminal.too-many-tasks, terminal.key-reused,
// access.role, document.not-found, those of register.Authorise.
func (s *Service) Create(ctx context.Context, by access.Actor, t NewTask) (_ Task, existed bool, err error) {
	if err := by.CheckReal(); err != nil {
		return Task{}, false, err
	}
	if t.Clerk == "" {
		t.Clerk = by.ID
	}
	if t.Origin == "" {
		t.Origin = sayable(by.Name, by.ID)
	}
	if err := t.check(); err != nil {
		return Task{}, false, err
	}
	for _, o := range t.Orders {
		if err := by.CheckSeal(o.Seal); err != nil {
			return Task{}, false, err
		}
	}
	if made, found, err := s.replay(ctx, by, t); found || err != nil {
		return made, found, err
	}
	clerk, err := s.clerkOf(ctx, by, t.Clerk)
	if err != nil {
		return Task{}, false, err
	}
	documents, err := s.documents(ctx, by, clerk, t.Orders)
	if err != nil {
		return Task{}, false, err
	}
	id := store.NewID("tsk_")
	first := false
	err = s.DB.Write(ctx, func(tx *store.Tx) (err error) {
		first, err = s.insert(ctx, tx, by, id, t, documents)
		return err
	})
	if err != nil {
		return Task{}, false, err
	}
	if !first {
		return s.replay(ctx, by, t)
	}
	s.news.tell()
	made, err := s.Task(ctx, by, id)
	return made, false, err
}

func (t NewTask) check() error {
	bad := func(field, zh, en string) error { return errTask.At(fault.Field(field)).Saying(zh, en) }
	text := func(s string, most int) bool {
		return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && sayable(s, "") == s
	}
	switch {
	case len(t.Orders) == 0 || len(t.Orders) > manifest.MaxItems:
		return bad("items", fmt.Sprintf("每项任务 1 至 %d 份文件", manifest.MaxItems), fmt.Sprintf("1 to %d documents", manifest.MaxItems))
	case !text(t.Origin, maxOrigin):
		return bad("origin", fmt.Sprintf("最多 %d 字，不含控制字符", maxOrigin), fmt.Sprintf("up to %d characters, none of control", maxOrigin))
	case !text(t.Note, maxNote):
		return bad("note", fmt.Sprintf("最多 %d 字，不含控制字符", maxNote), fmt.Sprintf("up to %d characters, none of control", maxNote))
	case t.IdempotencyKey == "" || len(t.IdempotencyKey) > maxKey:
		return bad("idempotency_key", "缺少或过长", "missing or too long")
	}
	for i, o := range t.Orders {
		if _, err := o.Checked(); err != nil {
			return inRow(err, i)
		}
	}
	return nil
}

// inRow says which item of a task a fault is of.
func inRow(err error, i int) error {
	f, ok := fault.Of(err)
	if !ok {
		return err
	}
	place := f.Place
	place.Row = i + 1
	return f.At(place)
}

func (t NewTask) digest() string {
	b, err := json.Marshal(t)
	if err != nil {
		panic("terminal: a task always marshals: " + err.Error())
	}
	d := sm3.Sum(b)
	return hex.EncodeToString(d[:])
}

// clerkOf finds the clerk that an actor may ask. Errors: access.role, terminal.no-clerk.
func (s *Service) clerkOf(ctx context.Context, by access.Actor, id string) (access.Actor, error) {
	q := s.DB.Read()
	if id == by.ID {
		return s.clerkIn(ctx, q, id)
	}
	asking, err := s.Access.ActorIn(ctx, q, by.ID)
	if err == nil && !asking.Has(access.RolePlatform) {
		err = access.ErrRole.With("%s", access.RolePlatform)
	}
	if err != nil {
		return access.Actor{}, err
	}
	clerk, err := s.clerkIn(ctx, q, id)
	if fault.Has(err, access.ErrActorNotFound) || fault.Has(err, access.ErrRole) ||
		err == nil && (asking.Organisation == "" || clerk.Organisation != asking.Organisation) {
		return access.Actor{}, errNoClerk.With("%.64q", id) // who is of elsewhere does not exist here
	}
	return clerk, err
}

// documents reads the documents of the orders, for both, and asks whether the clerk may use the seals.
func (s *Service) documents(ctx context.Context, by, clerk access.Actor, orders []sealer.Order) ([]sealer.Document, error) {
	list := make([]sealer.Document, len(orders))
	asked := map[string]bool{}
	for i, o := range orders {
		d, err := s.Sealer.Document(ctx, by, o.Document)
		if err == nil && clerk.ID != by.ID {
			d, err = s.Sealer.Document(ctx, clerk, o.Document)
		}
		if err == nil && !asked[o.Seal] {
			_, err = s.Sealer.Register.AuthoriseHolder(ctx, clerk, o.Seal)
			asked[o.Seal] = true
		}
		if err != nil {
			return nil, inRow(err, i)
		}
		list[i] = d
	}
	return list, nil
}

// insert records a task; it says whether it is the first with its key.
func (s *Service) insert(ctx context.Context, tx *store.Tx, by access.Actor, id string, t NewTask, documents []sealer.Document) (first bool, err error) {
	now := s.Clock()
	var open int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM terminal_task WHERE clerk = $1 AND state = 'open' AND expires > $2
		AND EXISTS (SELECT 1 FROM terminal_item i WHERE i.task = terminal_task.id AND i.state IN ('queued', 'prepared'))`, t.Clerk, store.Time(now)).Scan(&open); err != nil {
		return false, err
	}
	if open >= maxOpen {
		return false, errTooManyTasks.With("%d", maxOpen)
	}
	done, err := tx.ExecContext(ctx, `INSERT INTO terminal_task (id, clerk, creator, origin, note, idempotency_key, request_digest, state, total, created, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10) ON CONFLICT (creator, idempotency_key) DO NOTHING`,
		id, t.Clerk, by.ID, t.Origin, t.Note, t.IdempotencyKey, t.digest(), len(t.Orders), store.Time(now), store.Time(now.Add(s.TaskLife)))
	if err != nil {
		return false, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	for i, o := range t.Orders {
		order, err := json.Marshal(o)
		if err != nil {
			return false, err
		}
		d := documents[i]
		if _, err := tx.ExecContext(ctx, `INSERT INTO terminal_item (id, task, number, document_id, document_name, document_size, document_sm3, seal_code, seal_order, state, changed)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10)`,
			store.NewID("itm_"), id, i+1, d.ID, sayable(d.Name, d.ID), d.Size, d.SM3, o.Seal, string(order), store.Time(now)); err != nil {
			return false, err
		}
	}
	return true, s.record(ctx, tx, "terminal.task-created", by.ID, id, map[string]string{"clerk": t.Clerk, "items": fmt.Sprint(len(t.Orders)), "digest": t.digest()})
}

// replay looks for a task that was made with the same key.
func (s *Service) replay(ctx context.Context, by access.Actor, t NewTask) (Task, bool, error) {
	var id, digest string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT id, request_digest FROM terminal_task WHERE creator = $1 AND idempotency_key = $2`, by.ID, t.IdempotencyKey).Scan(&id, &digest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Task{}, false, nil
	case err != nil:
		return Task{}, false, err
	case digest != t.digest():
		return Task{}, true, errKeyReused.New()
	}
	made, err := s.Task(ctx, by, id)
	return made, true, err
}

// Cancel ends a task, by its clerk or by who made it: what is open is declined. What has been signed is sealed none the less.
// Errors: terminal.no-task, terminal.task-ended.
func (s *Service) Cancel(ctx context.Context, by access.Actor, id string) error {
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.mayChange(ctx, tx, by, id); err != nil {
			return err
		}
		if err := s.endTask(ctx, tx, id, "cancelled", "terminal.cancelled"); err != nil {
			return err
		}
		return s.record(ctx, tx, "terminal.task-cancelled", by.ID, id, nil)
	})
	if err != nil {
		return err
	}
	return s.discardAll(ctx)
}

// endTask ends a task and declines its open items, but for those whose signature has been taken.
func (s *Service) endTask(ctx context.Context, tx *store.Tx, id, state, reason string) error {
	if err := s.giveUp(ctx, tx, `item IN (SELECT id FROM terminal_item WHERE task = $1)`, id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE terminal_item SET state = 'declined', reason = $2, changed = $3 WHERE task = $1 AND state = 'queued'`,
		id, reason, store.Time(s.Clock())); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE terminal_task SET state = $2, claimed_by = NULL, claimed_until = '' WHERE id = $1`, id, state); err != nil {
		return err
	}
	return s.ifDone(ctx, tx, id)
}

// ifDone tells of a task in which no item waits any more.
func (s *Service) ifDone(ctx context.Context, tx *store.Tx, id string) error {
	if s.Done == nil {
		return nil
	}
	t := Task{ID: id, Counts: map[manifest.ItemState]int{}}
	if err := count(ctx, tx, &t); err != nil || t.Open() > 0 {
		return err
	}
	if err := tx.QueryRowContext(ctx, `SELECT creator, state FROM terminal_task WHERE id = $1`, id).Scan(&t.Creator, &t.State); err != nil {
		return err
	}
	data := map[string]string{"state": t.State}
	for _, state := range []manifest.ItemState{manifest.ItemSealed, manifest.ItemFailed, manifest.ItemDeclined} {
		data[string(state)] = fmt.Sprint(t.Counts[state])
	}
	return s.Done(ctx, tx, t.Creator, id, data)
}

// ifDoneOf is ifDone for the task of an item.
func (s *Service) ifDoneOf(ctx context.Context, tx *store.Tx, item string) error {
	var id string
	if err := tx.QueryRowContext(ctx, `SELECT task FROM terminal_item WHERE id = $1`, item).Scan(&id); err != nil {
		return err
	}
	return s.ifDone(ctx, tx, id)
}

// Retry queues the failed items of a task again, by its clerk or by who made it, and says how many. Errors: terminal.no-task,
// terminal.task-ended.
func (s *Service) Retry(ctx context.Context, by access.Actor, id string) (n int64, err error) {
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		n = 0
		if err := s.mayChange(ctx, tx, by, id); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE terminal_item SET state = 'queued', reason = '', changed = $2 WHERE task = $1 AND state = 'failed'`, id, store.Time(s.Clock()))
		if err != nil {
			return err
		}
		if n, err = done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, "terminal.task-retried", by.ID, id, map[string]string{"items": fmt.Sprint(n)})
	})
	if err == nil && n > 0 {
		s.news.tell()
	}
	return n, err
}

// mayChange reads a task that is to be changed. Errors: terminal.no-task, terminal.task-ended.
func (s *Service) mayChange(ctx context.Context, tx *store.Tx, by access.Actor, id string) error {
	t, err := s.readTask(ctx, tx, by, id)
	if err != nil {
		return err
	}
	return t.running(s.Clock())
}

// running says whether a task can still go on. Error: terminal.task-ended.
func (t Task) running(now time.Time) error {
	if t.State != stateOpen || !now.Before(t.Expires) {
		return errTaskEnded.New()
	}
	return nil
}
