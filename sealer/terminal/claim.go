package terminal

import (
	"context"
	"slices"
	"time"

	"yinxin/internal/release"
	"yinxin/internal/store"
	"yinxin/sealer/terminal/manifest"
)

// maxWaiting is how many tasks a terminal is told of at once.
const maxWaiting = 50

// Waiting gives the tasks with open items for the clerk of a terminal, and the logins of its person, the oldest first: tasks are for operators alone. Is there none that this
// terminal could do, it waits for one: at most as long as given and manifest.MaxWait, and until ctx ends, which is no error.
func (s *Service) Waiting(ctx context.Context, at Terminal, wait time.Duration) (manifest.Tasks, error) {
	over := time.NewTimer(min(wait, manifest.MaxWait))
	defer over.Stop()
	poll := time.NewTicker(s.Poll)
	defer poll.Stop()
	for {
		news := s.news.next() // before reading, so that nothing falls between
		tasks, err := s.waiting(ctx, at)
		if at.Standing == release.Outdated {
			tasks.Agent = &manifest.Advice{Minimum: s.MinimumAgent}
		}
		if err != nil && ctx.Err() == nil {
			return tasks, err
		}
		if ctx.Err() != nil || wait <= 0 || len(tasks.Logins) > 0 || slices.ContainsFunc(tasks.Tasks, func(t manifest.Task) bool { return !t.Claimed }) {
			return tasks, nil
		}
		select {
		case <-news:
		case <-poll.C:
		case <-over.C:
			wait = 0
		case <-ctx.Done():
		}
	}
}

func (s *Service) waiting(ctx context.Context, at Terminal) (manifest.Tasks, error) {
	now := s.Clock()
	if at.seals() != nil { // whoever is no operator has logins alone
		logins, err := s.waitingLogins(ctx, at)
		return manifest.Tasks{Tasks: []manifest.Task{}, Logins: logins}, err
	}
	list, err := s.list(ctx, `WHERE clerk = $1 AND state = 'open' AND expires > $2
		AND EXISTS (SELECT 1 FROM terminal_item i WHERE i.task = terminal_task.id AND i.state IN ('queued', 'prepared'))
		ORDER BY created, id LIMIT $3`, at.Clerk.ID, store.Time(now), maxWaiting)
	out := manifest.Tasks{Tasks: make([]manifest.Task, 0, len(list))}
	for _, t := range list {
		out.Tasks = append(out.Tasks, t.wire(at, now))
	}
	if err == nil {
		out.Logins, err = s.waitingLogins(ctx, at)
	}
	return out, err
}

// wire is a task as a terminal sees it.
func (t Task) wire(at Terminal, now time.Time) manifest.Task {
	return manifest.Task{ID: t.ID, Origin: t.origin(), Note: t.Note, Open: t.Open(), Total: t.Total, Created: t.Created.UTC(), Expires: t.Expires.UTC(),
		Claimed: t.ClaimedBy != "" && t.ClaimedBy != at.ID && now.Before(t.ClaimedUntil)}
}

func (t Task) origin() manifest.Origin {
	return manifest.Origin{System: t.Creator, Name: sayable(t.Origin, t.Creator)}
}

// Claim takes a task for a terminal, or keeps it, for manifest.ClaimLife, and gives its open items. Of two terminals that claim a task at
// once one gets it. Errors: access.role, terminal.no-task, terminal.task-ended, terminal.claimed.
func (s *Service) Claim(ctx context.Context, at Terminal, id string) (manifest.Claim, error) {
	if err := at.seals(); err != nil {
		return manifest.Claim{}, err
	}
	now := s.Clock()
	until := now.Add(manifest.ClaimLife)
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := readTerminal(ctx, tx, at.ID); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE terminal_task SET claimed_by = $2, claimed_until = $3 WHERE id = $1 AND clerk = $4 AND state = 'open' AND expires > $5
			AND (claimed_by IS NULL OR claimed_by = $2 OR claimed_until <= $5)`, id, at.ID, store.Time(until), at.Clerk.ID, store.Time(now))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 1 {
			return err
		}
		t, err := s.readTask(ctx, tx, at.Clerk, id)
		switch {
		case err != nil:
			return err
		case t.Clerk != at.Clerk.ID: // made by this clerk for nobody: a maker is no clerk
			return errNoTask.With("%.64q", id)
		case t.running(now) != nil:
			return t.running(now)
		}
		return errClaimed.New()
	})
	if err != nil {
		return manifest.Claim{}, err
	}
	t, err := s.Task(ctx, at.Clerk, id)
	claim := manifest.Claim{Task: t.wire(at, now), Until: until.UTC(), Items: []manifest.Item{}}
	for _, i := range t.Items {
		if i.State.Open() {
			claim.Items = append(claim.Items, manifest.Item{ID: i.ID, Document: i.Document, Seal: i.Seal, State: i.State})
		}
	}
	return claim, err
}

// Release gives a claimed task back; one that this terminal does not have stays as it is. Error: terminal.no-task.
func (s *Service) Release(ctx context.Context, at Terminal, id string) error {
	released := int64(0)
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.readTask(ctx, tx, at.Clerk, id); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE terminal_task SET claimed_by = NULL, claimed_until = '' WHERE id = $1 AND claimed_by = $2`, id, at.ID)
		if err != nil {
			return err
		}
		released, err = done.RowsAffected()
		return err
	})
	if err == nil && released > 0 {
		s.news.tell()
	}
	return err
}
