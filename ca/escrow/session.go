package escrow

import (
	"context"
	"strconv"
	"sync"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// Session is an open session as officers see it.
type Session struct {
	ID        string
	Act       Act
	Key       string // of a recovery
	Round     int    // counted from 1
	Threshold int
	Presented []int // numbers of the shares that are there
	Expires   time.Time
}

// session is what the process holds of an open session: the shares are here and nowhere else.
type session struct {
	lock     sync.Mutex
	id       string
	order    Order
	split    split
	officers map[int]string // by number of the share
	round    int
	expires  time.Time
	shares   []keystore.Share
}

func (s *session) seen() Session {
	info := Session{ID: s.id, Act: s.order.act(), Round: s.round, Threshold: s.split.set.Threshold, Expires: s.expires}
	if r, ok := s.order.(Recovery); ok {
		info.Key = r.Key
	}
	for _, share := range s.shares {
		info.Presented = append(info.Presented, share.Index())
	}
	return info
}

// Start opens a session for what was approved; the approval is used up by it. Errors: escrow.order, escrow.not-found,
// escrow.state, escrow.not-established, escrow.numbers, escrow.officers, those of access.Redeem.
func (c *Centre) Start(ctx context.Context, by access.Actor, approvalID string, o Order) (Session, error) {
	if err := o.Check(); err != nil {
		return Session{}, err
	}
	if change, ok := o.(Change); ok {
		if err := c.CanDivide(ctx, change.Division); err != nil {
			return Session{}, err
		}
	}
	now := c.Clock()
	s := &session{id: store.NewID("ses_"), order: o, round: 1, expires: now.Add(c.SessionTerm)}
	err := c.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := c.Access.ActorIn(ctx, tx, by.ID); err != nil {
			return err
		}
		var key, recipient any
		if r, ok := o.(Recovery); ok {
			k, err := readKey(ctx, tx, r.Key)
			if err != nil {
				return err
			}
			if !k.kept() {
				return ErrState.With("%s", k.state)
			}
			key, recipient = r.Key, keystore.Point(r.Recipient)
		}
		if err := s.takeSplit(ctx, tx); err != nil {
			return err
		}
		approval, err := c.Access.Redeem(ctx, tx, approvalID, o.Kind(), o.Subject())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO escrow_session (id, act, split, subject, escrow_key, recipient, state, round, refused, opened_by, opened, expires, approval, approval_kind, approval_used)
			VALUES ($1, $2, $3, $4, $5, $6, 'open', 1, 0, $7, $8, $9, $10, $11, 1)`,
			s.id, string(o.act()), s.split.id, o.Subject(), key, recipient, by.ID, store.Time(now), store.Time(s.expires), approval.ID(), string(approval.Kind()))
		if err != nil {
			return err
		}
		data := map[string]string{"act": string(o.act()), "approval": approval.ID(), "approver": approval.Approver(), "requester": approval.Requester()}
		if r, ok := o.(Recovery); ok {
			data["key"], data["recipient"] = r.Key, keystore.FingerprintOf(r.Recipient).String()
		}
		return c.record(ctx, tx, "escrow.session-opened", by.ID, s.id, data)
	})
	if err != nil {
		return Session{}, err
	}
	c.hold(s)
	return s.seen(), nil
}

// takeSplit reads the split in force and its officers into the session.
func (s *session) takeSplit(ctx context.Context, q store.Querier) error {
	in, err := readSplit(ctx, q, `s.state = $1`, "current")
	if isMissing(err) {
		return ErrNotEstablished.New()
	}
	if err != nil {
		return err
	}
	s.split, s.officers = in, map[int]string{}
	rows, err := q.QueryContext(ctx, `SELECT number, officer FROM escrow_share WHERE split = $1`, in.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var number int
		var officer string
		if err := rows.Scan(&number, &officer); err != nil {
			return err
		}
		s.officers[number] = officer
	}
	return rows.Err()
}

func (c *Centre) hold(s *session) {
	c.lock.Lock()
	defer c.lock.Unlock()
	now := c.Clock()
	for id, other := range c.sessions { // whatever nobody came back to
		if !now.Before(other.expires) {
			delete(c.sessions, id)
		}
	}
	c.sessions[s.id] = s
}

func (c *Centre) forget(s *session) {
	clear(s.shares)
	s.shares = nil
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.sessions[s.id] == s {
		delete(c.sessions, s.id)
	}
}

// enter gives a session locked; the caller unlocks it.
func (c *Centre) enter(id string) (*session, error) {
	c.lock.Lock()
	s := c.sessions[id]
	c.lock.Unlock()
	if s == nil {
		return nil, ErrSession.New()
	}
	s.lock.Lock()
	if !c.Clock().Before(s.expires) {
		c.forget(s)
		s.lock.Unlock()
		return nil, ErrSessionExpired.New()
	}
	return s, nil
}

// stillOpen checks in a transaction that the session has not ended and was not opened anew elsewhere.
func (s *session) stillOpen(ctx context.Context, tx *store.Tx) error {
	var state string
	var round int
	if err := tx.QueryRowContext(ctx, `SELECT state, round FROM escrow_session WHERE id = $1`, s.id).Scan(&state, &round); err != nil {
		return err
	}
	if state != "open" || round != s.round {
		return ErrSessionEnded.With("%s", state)
	}
	return nil
}

// Present hands in an officer's share and says how many are still missing. A share that is wrong, or that another
// officer keeps, is counted: at the fifth the session ends. Errors: escrow.session, escrow.session-expired,
// escrow.session-ended, escrow.share-refused, escrow.not-your-share, escrow.share-presented.
func (c *Centre) Present(ctx context.Context, officer access.Actor, id string, share keystore.Share) (missing int, err error) {
	s, err := c.enter(id)
	if err != nil {
		return 0, err
	}
	defer s.lock.Unlock()
	number := share.Index()
	if err := s.split.set.Check(share); err != nil {
		return 0, c.refuse(ctx, s, officer, number, ErrShareRefused.With("%d", number).Because(err))
	}
	if s.officers[number] != officer.ID {
		return 0, c.refuse(ctx, s, officer, number, ErrNotYourShare.With("%d", number))
	}
	for _, other := range s.shares {
		if other.Index() == number {
			return 0, ErrSharePresented.With("%d", number)
		}
	}
	err = c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.stillOpen(ctx, tx); err != nil {
			return err
		}
		if _, err := c.Access.ActorIn(ctx, tx, officer.ID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO escrow_presentation (session, split, round, number, officer, presented) VALUES ($1, $2, $3, $4, $5, $6)`,
			s.id, s.split.id, s.round, number, officer.ID, store.Time(c.Clock()))
		if err != nil {
			return err
		}
		return c.record(ctx, tx, "escrow.share-presented", officer.ID, s.id, map[string]string{"share": strconv.Itoa(number)})
	})
	if err != nil {
		return 0, c.ended(s, err)
	}
	s.shares = append(s.shares, share)
	return max(0, s.split.set.Threshold-len(s.shares)), nil
}

// ended forgets the session when it turns out to have ended.
func (c *Centre) ended(s *session, err error) error {
	if fault.Has(err, ErrSessionEnded) {
		c.forget(s)
	}
	return err
}

// refuse counts a share that was refused and gives the error for the caller. The caller holds the session's lock.
func (c *Centre) refuse(ctx context.Context, s *session, officer access.Actor, number int, cause error) error {
	over := false
	err := c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.stillOpen(ctx, tx); err != nil {
			return err
		}
		var refused int
		err := tx.QueryRowContext(ctx, `UPDATE escrow_session SET refused = refused + 1 WHERE id = $1 RETURNING refused`, s.id).Scan(&refused)
		if err != nil {
			return err
		}
		if over = refused >= maxRefused; over {
			if err := fail(ctx, tx, s.id, store.Time(c.Clock())); err != nil {
				return err
			}
		}
		return c.record(ctx, tx, "escrow.share-refused", officer.ID, s.id, map[string]string{"share": strconv.Itoa(number), "why": fault.CodeOf(cause), "count": strconv.Itoa(refused)})
	})
	if err != nil {
		return c.ended(s, err)
	}
	if over {
		c.forget(s)
	}
	return cause
}

func fail(ctx context.Context, tx *store.Tx, id, now string) error {
	_, err := tx.ExecContext(ctx, `UPDATE escrow_session SET state = 'failed', finished = $1 WHERE id = $2 AND state = 'open'`, now, id)
	return err
}

// Resume opens a session anew that expired, or whose process died, with no shares in it; it is opened three times at
// most, whatever process held it before. Errors: escrow.session, escrow.session-ended, escrow.rounds.
func (c *Centre) Resume(ctx context.Context, by access.Actor, id string) (Session, error) {
	now := c.Clock()
	s := &session{id: id, expires: now.Add(c.SessionTerm)}
	var over bool
	err := c.DB.Write(ctx, func(tx *store.Tx) error {
		over = false
		if _, err := c.Access.ActorIn(ctx, tx, by.ID); err != nil {
			return err
		}
		var state, onSplit string
		var subject []byte
		err := tx.QueryRowContext(ctx, `SELECT state, round, split, subject FROM escrow_session WHERE id = $1`, id).
			Scan(&state, &s.round, &onSplit, &subject)
		if isMissing(err) {
			return ErrSession.New()
		}
		if err != nil {
			return err
		}
		if state != "open" {
			return ErrSessionEnded.With("%s", state)
		}
		if over = s.round >= maxRounds; over {
			if err := fail(ctx, tx, id, store.Time(now)); err != nil {
				return err
			}
			return c.record(ctx, tx, "escrow.session-failed", by.ID, id, nil)
		}
		s.round++
		if s.order, err = ParseOrder(subject); err != nil {
			return err
		}
		if err := s.takeSplit(ctx, tx); err != nil {
			return err
		}
		if s.split.id != onSplit {
			return ErrSessionEnded.New()
		}
		_, err = tx.ExecContext(ctx, `UPDATE escrow_session SET round = $1, expires = $2 WHERE id = $3`, s.round, store.Time(s.expires), id)
		if err != nil {
			return err
		}
		return c.record(ctx, tx, "escrow.session-resumed", by.ID, id, map[string]string{"round": strconv.Itoa(s.round)})
	})
	if err == nil && over {
		err = ErrRounds.New()
	}
	if err != nil {
		return Session{}, err
	}
	c.hold(s)
	return s.seen(), nil
}

// Collect gives the envelope of a recovery that is done once more, should the first one have been lost on its way: it
// opens with the recipient's key only. It is recorded. Errors: escrow.session, escrow.session-ended.
func (c *Centre) Collect(ctx context.Context, by access.Actor, id string) ([]byte, error) {
	var envelope []byte
	err := c.DB.Write(ctx, func(tx *store.Tx) error {
		var state string
		err := tx.QueryRowContext(ctx, `SELECT state, envelope FROM escrow_session WHERE id = $1 AND act = 'recover'`, id).Scan(&state, &envelope)
		if isMissing(err) {
			return ErrSession.New()
		}
		if err != nil {
			return err
		}
		if state != "done" {
			return ErrSessionEnded.With("%s", state)
		}
		return c.record(ctx, tx, "escrow.key-collected", by.ID, id, nil)
	})
	return envelope, err
}
