package enroll

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Batch is what a city bureau gathers in one go.
type Batch struct {
	ID       string
	Area     string
	Title    string
	Deadline time.Time
	Created  time.Time
	By       string
	HandedIn time.Time // zero: still open
	Revision int64
}

// Ref is the batch at the revision that is shown.
func (b Batch) Ref() Ref { return Ref{ID: b.ID, Revision: b.Revision} }

// OpenBatch begins a batch for an area, with a deadline: by its city bureau or a registrar.
func (s *Service) OpenBatch(ctx context.Context, by access.Actor, area, title string, deadline time.Time) (Batch, error) {
	if !validText(title, 100) {
		return Batch{}, ErrField.At(fault.Field("title"))
	}
	now := s.Clock()
	if !deadline.After(now) {
		return Batch{}, ErrField.At(fault.Field("deadline"))
	}
	b := Batch{ID: store.NewID("bat_"), Area: area, Title: title, Deadline: deadline.UTC().Truncate(time.Second), Created: now, By: by.ID, Revision: 1}
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		if !v.gathers(area) {
			return ErrUnit.New()
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO enroll_batch (id, area, title, deadline, state, created, by, revision) VALUES ($1, $2, $3, $4, 'open', $5, $6, 1)`,
			b.ID, key(area), title, store.Time(b.Deadline), store.Time(now), v.ID)
		if store.IsForeignKey(err) {
			return ErrUnit.New()
		}
		if err != nil {
			return err
		}
		return s.note(ctx, tx, v, "batch.opened", b.ID, map[string]string{"area": area, "deadline": store.Time(b.Deadline)})
	})
	return b, err
}

// gathers reports whether the viewer may work on the batches of an area.
func (v viewer) gathers(area string) bool {
	return v.Has(access.RoleRegistrar) || v.area != "" && v.area == area
}

// Gather puts a submitted application into an open batch of its area. Errors: enroll.direct, enroll.handed-in.
func (s *Service) Gather(ctx context.Context, by access.Actor, ref Ref, batch string) (Application, error) {
	return s.take(ctx, by, ref, StepGather, "", func(a *act) error {
		if a.r.direct {
			return ErrDirect.New()
		}
		b, err := readBatch(ctx, a.tx, batch)
		if err != nil {
			return err
		}
		switch {
		case b.Area != a.r.area:
			return ErrBatch.New()
		case !b.HandedIn.IsZero():
			return ErrHandedIn.New()
		}
		a.r.batch, a.data["batch"] = batch, batch
		return nil
	})
}

// Release takes an application out of a batch that has not been handed in.
func (s *Service) Release(ctx context.Context, by access.Actor, ref Ref) (Application, error) {
	return s.take(ctx, by, ref, StepRelease, "", func(a *act) error {
		handed, err := handedIn(ctx, a.tx, a.r.batch)
		if err != nil {
			return err
		}
		if handed {
			return ErrHandedIn.New()
		}
		a.data["batch"], a.r.batch = a.r.batch, ""
		return nil
	})
}

// HandIn gives a batch to the province: from now on its applications can be received. It may be late; the list says so.
// Errors: enroll.batch-empty, enroll.handed-in, enroll.conflict.
func (s *Service) HandIn(ctx context.Context, by access.Actor, ref Ref) (Batch, error) {
	var b Batch
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		if b, err = readBatch(ctx, tx, ref.ID); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM enroll_application WHERE batch = $1`, b.ID).Scan(&n); err != nil {
			return err
		}
		switch {
		case !v.gathers(b.Area):
			return ErrBatch.New()
		case b.Revision != ref.Revision:
			return ErrConflict.New()
		case !b.HandedIn.IsZero():
			return ErrHandedIn.New()
		case n == 0:
			return ErrEmptyBatch.New()
		}
		b.HandedIn, b.Revision = s.Clock(), b.Revision+1
		result, err := tx.ExecContext(ctx, `UPDATE enroll_batch SET state = 'handed-in', handed = $1, handed_by = $2, revision = $3
			WHERE id = $4 AND revision = $5 AND state = 'open'`, store.Time(b.HandedIn), v.ID, b.Revision, b.ID, ref.Revision)
		if err != nil {
			return err
		}
		if changed, err := result.RowsAffected(); err != nil || changed != 1 {
			return errors.Join(err, ErrConflict.New())
		}
		return s.note(ctx, tx, v, "batch.handed-in", b.ID, map[string]string{"applications": itoa(n)})
	})
	return b, err
}

// Batches lists the batches that the actor may see, the newest first.
func (s *Service) Batches(ctx context.Context, by access.Actor) ([]Batch, error) {
	v, err := s.viewer(ctx, s.DB.Read(), by)
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.Read().QueryContext(ctx, selectBatch+` WHERE $1 = 1 OR area = $2 ORDER BY created DESC, id`, bit(v.seesAll()), v.area)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Batch
	for rows.Next() {
		b, err := scanBatch(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

const selectBatch = `SELECT id, area, title, deadline, created, by, handed, revision FROM enroll_batch`

func readBatch(ctx context.Context, q store.Querier, id string) (Batch, error) {
	b, err := scanBatch(q.QueryRowContext(ctx, selectBatch+` WHERE id = $1`, key(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return b, ErrBatch.New()
	}
	return b, err
}

func scanBatch(row scanner) (Batch, error) {
	var b Batch
	var deadline, created string
	var handed sql.NullString
	if err := row.Scan(&b.ID, &b.Area, &b.Title, &deadline, &created, &b.By, &handed, &b.Revision); err != nil {
		return b, err
	}
	return b, parseTimes(map[*time.Time]sql.NullString{&b.Deadline: given(deadline), &b.Created: given(created), &b.HandedIn: handed})
}
