package webhook

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/store"
)

// deliver is one try of a delivery.
func (s *Service) deliver(ctx context.Context, job jobs.Job, d delivery) error {
	var endpoint, kind, body, state string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT endpoint, kind, body, state FROM webhook_delivery WHERE id = $1`, d.Delivery).Scan(&endpoint, &kind, &body, &state)
	if err != nil || state != "waiting" {
		return err
	}
	address, secret, err := s.secretOf(ctx, endpoint)
	if fault.Has(err, errNotFound) {
		return s.settle(ctx, d.Delivery, endpoint, "failed", "removed")
	}
	if err != nil {
		return err
	}
	status, err := s.Client.Post(ctx, address, sign(secret, d.Delivery, []byte(body), s.Clock()), []byte(body))
	switch {
	case err == nil && status >= 200 && status < 300:
		return s.settle(ctx, d.Delivery, endpoint, "delivered", strconv.Itoa(status))
	case err == nil && status == http.StatusGone:
		return s.settle(ctx, d.Delivery, endpoint, "failed", strconv.Itoa(status))
	}
	answer := strconv.Itoa(status)
	if err != nil {
		answer = fault.CodeOf(err)
	}
	if job.Last {
		return s.settle(ctx, d.Delivery, endpoint, "failed", answer)
	}
	if err := s.tried(ctx, d.Delivery, answer); err != nil {
		return err
	}
	return errAnswer.With("%s", answer)
}

func (s *Service) tried(ctx context.Context, id, answer string) error {
	return s.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE webhook_delivery SET tries = tries + 1, answer = $2 WHERE id = $1`, id, answer)
		return err
	})
}

// settle ends a delivery, and with it, where it has to be, the endpoint.
func (s *Service) settle(ctx context.Context, id, endpoint, state, answer string) error {
	ctx = context.WithoutCancel(ctx)
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE webhook_delivery SET state = $2, answer = $3, tries = tries + 1, finished_at = $4 WHERE id = $1`,
			id, state, answer, store.Time(s.Clock())); err != nil {
			return err
		}
		if state == "delivered" {
			_, err := tx.ExecContext(ctx, `UPDATE webhook_endpoint SET failures = 0 WHERE id = $1 AND failures > 0`, endpoint)
			return err
		}
		if answer == strconv.Itoa(http.StatusGone) {
			return s.end(ctx, tx, endpoint, "removed", "webhook.removed")
		}
		failures, err := store.Column[int](tx.QueryContext(ctx, `UPDATE webhook_endpoint SET failures = failures + 1 WHERE id = $1 AND state = 'active' RETURNING failures`, endpoint))
		if err != nil || len(failures) == 0 || failures[0] < giveUp {
			return err
		}
		return s.end(ctx, tx, endpoint, "suspended", "webhook.suspended")
	})
}

func (s *Service) end(ctx context.Context, tx *store.Tx, endpoint, state, kind string) error {
	done, err := tx.ExecContext(ctx, `UPDATE webhook_endpoint SET state = $2 WHERE id = $1 AND state <> 'removed'`, endpoint, state)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return err
	}
	return s.record(ctx, tx, kind, "", endpoint, nil)
}

// Delivery is a call as it is on record.
type Delivery struct {
	ID       string
	Kind     string
	Subject  string
	Body     string
	State    string // waiting, delivered, failed
	Tries    int
	Answer   string // of the last try: an HTTP status, or the code of why there was none
	Created  time.Time
	Finished time.Time // zero while it waits
}

// Deliveries gives the calls to an endpoint of the actor's, the newest first, those of thirty days. Error:
// webhook.not-found.
func (s *Service) Deliveries(ctx context.Context, by access.Actor, endpoint string, limit int) ([]Delivery, error) {
	if _, err := s.find(ctx, by, endpoint); err != nil {
		return nil, err
	}
	list := []Delivery{}
	err := store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		var d Delivery
		var created, finished string
		err := scan(&d.ID, &d.Kind, &d.Subject, &d.Body, &d.State, &d.Tries, &d.Answer, &created, &finished)
		if err == nil {
			d.Created, err = store.ParseTime(created)
		}
		if err == nil && finished != "" {
			d.Finished, err = store.ParseTime(finished)
		}
		list = append(list, d)
		return err
	}, `SELECT id, kind, subject, body, state, tries, answer, created_at, COALESCE(finished_at, '') FROM webhook_delivery WHERE endpoint = $1
		ORDER BY created_at DESC, id LIMIT $2`, endpoint, limit)
	return list, err
}

// Redeliver sends a call again that did not arrive, or that arrived and was lost. Error: webhook.not-found.
func (s *Service) Redeliver(ctx context.Context, by access.Actor, endpoint, id string) error {
	if _, err := s.find(ctx, by, endpoint); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE webhook_delivery SET state = 'waiting', finished_at = NULL WHERE id = $1 AND endpoint = $2`, id, endpoint)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil {
			return err
		} else if n != 1 {
			return errNotFound.New()
		}
		// Under a key of its own: the job of the try before may be about to end, and would keep this one out.
		_, err = s.queue.Enqueue(ctx, tx, store.NewID(id+"/"), delivery{id})
		return err
	})
}

// sweep forgets old calls, and takes up those whose job is gone.
func (s *Service) sweep(ctx context.Context) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		now := s.Clock()
		if _, err := tx.ExecContext(ctx, `DELETE FROM webhook_delivery WHERE created_at < $1`, store.Time(now.Add(-keep))); err != nil {
			return err
		}
		waiting, err := store.Column[string](tx.QueryContext(ctx, `SELECT id FROM webhook_delivery WHERE state = 'waiting' AND created_at < $1`, store.Time(now.Add(-12*time.Hour))))
		if err != nil {
			return err
		}
		for _, id := range waiting {
			if _, err := s.queue.Enqueue(ctx, tx, id, delivery{id}); err != nil {
				return err
			}
		}
		return nil
	})
}
