package batch

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer"
)

// Find gives a batch of the actor's. One of somebody else's is batch.not-found.
func (s *Service) Find(ctx context.Context, by access.Actor, id string) (Batch, error) {
	list, err := s.batches(ctx, `WHERE id = $1 AND caller = $2`, id, by.ID)
	if err == nil && len(list) == 0 {
		return Batch{}, errNotFound.New()
	}
	if err != nil {
		return Batch{}, err
	}
	return list[0], nil
}

// Order is how the documents of a batch of the actor's are sealed. Error: batch.not-found.
func (s *Service) Order(ctx context.Context, by access.Actor, id string) (sealer.Order, error) {
	var request string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT request FROM sealing_batch WHERE id = $1 AND caller = $2`, id, by.ID).Scan(&request)
	if errors.Is(err, sql.ErrNoRows) {
		return sealer.Order{}, errNotFound.New()
	}
	var kept ordered
	if err == nil {
		err = json.Unmarshal([]byte(request), &kept)
	}
	return kept.Order, err
}

// List gives the actor's batches, the newest first: behind the one named after, at most limit.
func (s *Service) List(ctx context.Context, by access.Actor, after string, limit int) ([]Batch, error) {
	if after == "" {
		return s.batches(ctx, `WHERE caller = $1 ORDER BY created_at DESC, id LIMIT $2`, by.ID, limit)
	}
	last, err := s.Find(ctx, by, after)
	if err != nil {
		return nil, err
	}
	return s.batches(ctx, `WHERE caller = $1 AND (created_at < $2 OR created_at = $2 AND id > $3) ORDER BY created_at DESC, id LIMIT $4`,
		by.ID, store.Time(last.Created), after, limit)
}

func (s *Service) batches(ctx context.Context, where string, args ...any) ([]Batch, error) {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT id, title, seal_code, state, created_at, COALESCE(finished_at, ''), total FROM sealing_batch `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Batch
	for rows.Next() {
		var b Batch
		var created, finished string
		if err := rows.Scan(&b.ID, &b.Title, &b.Seal, &b.State, &created, &finished, &b.Total); err != nil {
			return nil, err
		}
		if b.Created, err = store.ParseTime(created); err == nil && finished != "" {
			b.Finished, err = store.ParseTime(finished)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Count, err = counts(ctx, s.DB.Read(), list[i].ID); err != nil {
			return nil, err
		}
		err := s.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM sealing_batch_item WHERE batch_id = $1 AND state = 'failed' AND document_id = ''`, list[i].ID).Scan(&list[i].Unread)
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func counts(ctx context.Context, q store.Querier, id string) (map[FileState]int, error) {
	rows, err := q.QueryContext(ctx, `SELECT state, COUNT(*) FROM sealing_batch_item WHERE batch_id = $1 GROUP BY state`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	count := map[FileState]int{FileWaiting: 0, FileSealed: 0, FileFailed: 0, FileCancelled: 0}
	for rows.Next() {
		var state FileState
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		count[state] = n
	}
	return count, errors.Join(rows.Err(), rows.Close())
}

// Files gives the files of a batch of the actor's by number: behind number after, at most limit, in one state or, with an
// empty one, in all. Error: batch.not-found.
func (s *Service) Files(ctx context.Context, by access.Actor, id string, state FileState, after, limit int) ([]File, error) {
	if _, err := s.Find(ctx, by, id); err != nil {
		return nil, err
	}
	return files(ctx, s.DB.Read(), `batch_id = $1 AND (state = $2 OR $2 = '') AND number > $3 ORDER BY number LIMIT $4`, id, string(state), after, limit)
}

func files(ctx context.Context, q store.Querier, where string, args ...any) ([]File, error) {
	rows, err := q.QueryContext(ctx, `SELECT number, document_id, reference, state, tries, sealing_id, result_id, failure FROM sealing_batch_item WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []File
	for rows.Next() {
		var f File
		var sealing, result sql.NullString
		var failure string
		if err := rows.Scan(&f.Number, &f.Document, &f.Reference, &f.State, &f.Tries, &sealing, &result, &failure); err != nil {
			return nil, err
		}
		f.Sealing, f.Result = sealing.String, result.String
		if failure != "" {
			f.Failure = new(Failure)
			if err := json.Unmarshal([]byte(failure), f.Failure); err != nil {
				return nil, err
			}
		}
		list = append(list, f)
	}
	return list, errors.Join(rows.Err(), rows.Close())
}

// Cancel ends a batch: what was not begun is not sealed any more; what was sealed stays. Cancelling again changes nothing.
// Errors: batch.not-found, batch.ended.
func (s *Service) Cancel(ctx context.Context, by access.Actor, id string) (Batch, error) {
	b, err := s.Find(ctx, by, id)
	switch {
	case err != nil || b.State == Cancelled:
		return b, err
	case b.State == Done:
		return b, errEnded.New()
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE sealing_batch SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND state = 'running'`, id, store.Time(s.Clock()))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE sealing_batch_item SET state = 'cancelled' WHERE batch_id = $1 AND state = 'waiting'`, id); err != nil {
			return err
		}
		return s.record(ctx, tx, "batch.cancelled", by.ID, id, nil)
	})
	if err != nil {
		return b, err
	}
	return s.Find(ctx, by, id)
}

// Retry takes up the files that failed, but for those that could not be read. Errors: batch.not-found, batch.cancelled,
// batch.nothing-failed and those of register.Authorise.
func (s *Service) Retry(ctx context.Context, by access.Actor, id string) (Batch, error) {
	b, err := s.Find(ctx, by, id)
	if err == nil {
		err = by.CheckReal()
	}
	if err == nil { // who asks again asks from where they are
		_, err = s.Register.Authorise(ctx, by, b.Seal)
	}
	if err != nil {
		return b, err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		round, err := store.Column[int](tx.QueryContext(ctx, `UPDATE sealing_batch SET state = 'running', finished_at = NULL, round = round + 1
			WHERE id = $1 AND state <> 'cancelled' RETURNING round`, id))
		if err != nil {
			return err
		}
		if len(round) == 0 {
			return errCancelled.New()
		}
		numbers, err := store.Column[int](tx.QueryContext(ctx, `UPDATE sealing_batch_item SET state = 'waiting', failure = '' WHERE batch_id = $1 AND state = 'failed' AND document_id <> '' RETURNING number`, id))
		if err != nil {
			return err
		}
		if len(numbers) == 0 {
			return errNothingFailed.New()
		}
		if err := s.enqueue(ctx, tx, id, round[0], numbers); err != nil {
			return err
		}
		return s.record(ctx, tx, "batch.retried", by.ID, id, nil)
	})
	if err != nil {
		return b, err
	}
	return s.Find(ctx, by, id)
}

// enqueue asks for the jobs that the files with these numbers belong to.
func (s *Service) enqueue(ctx context.Context, tx *store.Tx, id string, round int, numbers []int) error {
	asked := map[int]bool{}
	for _, n := range numbers {
		p := part{id, (n - 1) / perJob, round}
		if asked[p.Part] {
			continue
		}
		asked[p.Part] = true
		if _, err := s.queue.Enqueue(ctx, tx, p.key(), p); err != nil {
			return err
		}
	}
	return nil
}

// sweep asks anew for the work of batches that nobody does: a job that was given up, or that ended in the very moment in
// which a file was taken up again.
func (s *Service) sweep(ctx context.Context) error {
	running, err := store.Column[string](s.DB.Read().QueryContext(ctx, `SELECT id FROM sealing_batch WHERE state = 'running' ORDER BY id`))
	if err != nil {
		return err
	}
	for _, id := range running {
		err := s.DB.Write(ctx, func(tx *store.Tx) error {
			numbers, err := store.Column[int](tx.QueryContext(ctx, `SELECT number FROM sealing_batch_item WHERE batch_id = $1 AND state = 'waiting'`, id))
			if err != nil {
				return err
			}
			if len(numbers) == 0 {
				return s.finish(ctx, tx, id)
			}
			var round int
			if err := tx.QueryRowContext(ctx, `SELECT round FROM sealing_batch WHERE id = $1`, id).Scan(&round); err != nil {
				return err
			}
			return s.enqueue(ctx, tx, id, round, numbers)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
