package terminal

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer/terminal/manifest"
)

// Task is a list of sealings for one clerk.
type Task struct {
	ID           string
	Clerk        string // identifiers
	Creator      string
	Origin, Note string
	State        string // open, cancelled or expired; an open one without open items is done
	Total        int
	Counts       map[manifest.ItemState]int // without zeros
	Created      time.Time
	Expires      time.Time
	ClaimedBy    string // a terminal; empty: nobody
	ClaimedUntil time.Time
	Items        []Item // by number; not in lists
}

// The states of a task in the database.
const (
	stateOpen    = "open"
	stateExpired = "expired"
)

// Open is how many items wait for the clerk.
func (t Task) Open() int { return t.Counts[manifest.ItemQueued] + t.Counts[manifest.ItemPrepared] }

// Item is one document of a task.
type Item struct {
	ID       string
	Number   int // from 1
	Document manifest.Document
	Seal     string
	State    manifest.ItemState
	Reason   string // code, of what failed or was declined
	Result   string // identifier of the sealed document
	Changed  time.Time

	order string // JSON of sealer.Order
}

const (
	taskColumns = `id, clerk, creator, origin, note, state, total, created, expires, COALESCE(claimed_by, ''), claimed_until`
	itemColumns = `id, number, document_id, document_name, document_size, document_sm3, seal_code, seal_order, state, reason, COALESCE(result_id, ''), changed`
)

func scanTask(scan func(...any) error) (Task, error) {
	t := Task{Counts: map[manifest.ItemState]int{}}
	var created, expires, until string
	if err := scan(&t.ID, &t.Clerk, &t.Creator, &t.Origin, &t.Note, &t.State, &t.Total, &created, &expires, &t.ClaimedBy, &until); err != nil {
		return t, err
	}
	return t, errors.Join(parseTime(created, &t.Created), parseTime(expires, &t.Expires), parseTime(until, &t.ClaimedUntil))
}

func scanItem(scan func(...any) error) (Item, error) {
	var i Item
	var changed string
	err := scan(&i.ID, &i.Number, &i.Document.ID, &i.Document.Name, &i.Document.Size, &i.Document.SM3, &i.Seal, &i.order, &i.State, &i.Reason, &i.Result, &changed)
	if err != nil {
		return i, err
	}
	return i, parseTime(changed, &i.Changed)
}

// readTask reads a task of which the actor is clerk or maker, without items. Error: terminal.no-task.
func (s *Service) readTask(ctx context.Context, q store.Querier, by access.Actor, id string) (Task, error) {
	t, err := scanTask(q.QueryRowContext(ctx, `SELECT `+taskColumns+` FROM terminal_task WHERE id = $1 AND (clerk = $2 OR creator = $2)`, id, by.ID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoTask.With("%.64q", id)
	}
	return t, err
}

// Task gives a task with its items, to its clerk and to who made it. Error: terminal.no-task.
func (s *Service) Task(ctx context.Context, by access.Actor, id string) (Task, error) {
	q := s.DB.Read()
	t, err := s.readTask(ctx, q, by, id)
	if err != nil {
		return t, err
	}
	err = store.Each(ctx, q, func(scan func(...any) error) error {
		i, err := scanItem(scan)
		t.Items = append(t.Items, i)
		t.Counts[i.State]++
		return err
	}, `SELECT `+itemColumns+` FROM terminal_item WHERE task = $1 ORDER BY number`, id)
	return t, err
}

// FailedSeals are the codes of the seals that a retry of the task would order anew, once each.
func (t Task) FailedSeals() []string {
	var codes []string
	for _, i := range t.Items {
		if i.State == manifest.ItemFailed && !slices.Contains(codes, i.Seal) {
			codes = append(codes, i.Seal)
		}
	}
	return codes
}

// MaxTasks is the most tasks that a list has.
const MaxTasks = 200

// Tasks lists the tasks of which the actor is clerk or maker, without items, the newest first: behind the task before, if given, and at
// most limit.
func (s *Service) Tasks(ctx context.Context, by access.Actor, before string, limit int) ([]Task, error) {
	return s.list(ctx, `WHERE (clerk = $1 OR creator = $1) AND ($2 = '' OR (created, id) < (SELECT created, id FROM terminal_task WHERE id = $2))
		ORDER BY created DESC, id DESC LIMIT $3`, by.ID, before, min(max(limit, 1), MaxTasks))
}

// CountOpen is how many tasks wait for a clerk and their USB Key.
func (s *Service) CountOpen(ctx context.Context, clerk access.Actor) (n int, err error) {
	err = s.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM terminal_task t WHERE t.clerk = $1 AND t.state = 'open' AND t.expires > $2
		AND EXISTS (SELECT 1 FROM terminal_item i WHERE i.task = t.id AND i.state IN ('queued', 'prepared'))`, clerk.ID, store.Time(s.Clock())).Scan(&n)
	return n, err
}

// list reads tasks and counts their items.
func (s *Service) list(ctx context.Context, where string, args ...any) ([]Task, error) {
	var list []Task
	q := s.DB.Read()
	err := store.Each(ctx, q, func(scan func(...any) error) error {
		t, err := scanTask(scan)
		list = append(list, t)
		return err
	}, `SELECT `+taskColumns+` FROM terminal_task `+where, args...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := count(ctx, q, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func count(ctx context.Context, q store.Querier, t *Task) error {
	return store.Each(ctx, q, func(scan func(...any) error) error {
		var state manifest.ItemState
		var n int
		err := scan(&state, &n)
		t.Counts[state] = n
		return err
	}, `SELECT state, COUNT(*) FROM terminal_item WHERE task = $1 GROUP BY state`, t.ID)
}
