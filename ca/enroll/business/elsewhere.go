package business

import (
	"context"
	"database/sql"
	"errors"
	"math/big"
	"time"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Progress is how far a renewal at another authority is.
type Progress struct {
	// Made says that the certificate came back and the seal was remade with it.
	Made bool
	// Waits is the order that an officer has to carry to the authority as a file, or whose certificate two people have to
	// accept; empty while the service needs nobody.
	Waits string
}

// elsewhere is a renewal at another authority as the database has it.
type elsewhere struct {
	id, seal, authority, instance, keyName, order, state string
	predecessor                                          *chain.Certificate
}

// RenewElsewhere takes the renewal of a central seal, whose certificate another authority made, one step further: with a
// new key, an order there under the original approval, and, when the certificate has come back, the seal remade with it.
// Then it waits for the holder's acceptance, as RenewCentral says, and the old certificate is revoked when it has taken its
// place. It is called again until it is made; nothing is lost by an interruption. Errors: business.not-central,
// business.changing, business.refused; those of backend.Foreign. After an error that repeating does not mend the next call
// begins anew.
func (s *Service) RenewElsewhere(ctx context.Context, code string, serial *big.Int) (Progress, error) {
	in, c, err := s.centralOf(ctx, code, serial)
	if err != nil {
		return Progress{}, err
	}
	at, err := s.Authorities.Maker(ctx, c)
	if err != nil {
		return Progress{}, err
	}
	e, err := s.elsewhereOf(ctx, in.ID)
	if err != nil {
		return Progress{}, err
	}
	if e == nil {
		e = &elsewhere{id: store.NewID("rnw_"), seal: code, authority: at.Name(), instance: in.ID, keyName: newKeyName(code), state: "ordering", predecessor: c}
		if err := s.beginElsewhere(ctx, e); err != nil {
			return Progress{}, err
		}
	}
	if e.state == "made" {
		return Progress{Made: true}, nil
	}
	p, err := s.stepElsewhere(ctx, at, e)
	if f, known := fault.Of(err); known && (f.Kind == fault.Refused || f.Kind == fault.Invalid) {
		return p, errors.Join(err, s.failElsewhere(ctx, e, f.Code))
	}
	return p, err
}

// centralOf finds the central instance in use of a seal that lists a certificate with a serial number.
func (s *Service) centralOf(ctx context.Context, code string, serial *big.Int) (SealInstance, *chain.Certificate, error) {
	list, err := s.Seals.InstancesInUse(ctx, code)
	if err != nil {
		return SealInstance{}, nil, err
	}
	for _, in := range list {
		if in.Holder != "" {
			continue
		}
		if c, err := chain.ParseCertificate(in.Certificate); err == nil && c.Serial.Cmp(serial) == 0 {
			return in, c, nil
		}
	}
	return SealInstance{}, nil, ErrNotCentral.With("%s", code)
}

// elsewhereOf finds the renewal of an instance that did not fail, or nil.
func (s *Service) elsewhereOf(ctx context.Context, instance string) (*elsewhere, error) {
	var e elsewhere
	var der []byte
	err := s.DB.Read().QueryRowContext(ctx, `SELECT id, seal, authority, instance, key_name, ordered, state, predecessor FROM business_elsewhere
		WHERE instance = $1 AND state <> 'failed'`, instance).Scan(&e.id, &e.seal, &e.authority, &e.instance, &e.keyName, &e.order, &e.state, &der)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e.predecessor, err = chain.ParseCertificate(der)
	return &e, err
}

func (s *Service) beginElsewhere(ctx context.Context, e *elsewhere) error {
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := e.unchanged(ctx, tx); err != nil {
			return err
		}
		now := s.Clock()
		_, err := tx.ExecContext(ctx, `INSERT INTO business_elsewhere (id, seal, authority, instance, predecessor, key_name, begun, ordered, state, made)
			VALUES ($1, $2, $3, $4, $5, $6, $7, '', 'ordering', '')`, e.id, e.seal, e.authority, e.instance, e.predecessor.Raw, e.keyName, store.Time(now))
		if err != nil {
			return err
		}
		return s.noteElsewhere(ctx, tx, "renewal.begun", e, map[string]string{"authority": e.authority, "seal": e.seal})
	})
	if store.IsUnique(err) {
		err = ErrChanging.New() // another process began at the same moment
	}
	return err
}

// unchanged refuses while an application about the seal is open.
func (e *elsewhere) unchanged(ctx context.Context, tx *store.Tx) error {
	changing, err := underWay(ctx, tx, e.predecessor.Serial, []string{e.seal})
	if err == nil && changing {
		err = ErrChanging.New()
	}
	return err
}

func (s *Service) noteElsewhere(ctx context.Context, tx *store.Tx, kind string, e *elsewhere, data map[string]string) error {
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: kind, Subject: e.id, Data: data})
	return err
}

// stepElsewhere orders, asks, or takes what came back.
func (s *Service) stepElsewhere(ctx context.Context, at backend.Foreign, e *elsewhere) (Progress, error) {
	var outcome backend.Outcome
	var err error
	if e.order == "" {
		outcome, err = s.orderElsewhere(ctx, at, e)
	} else {
		outcome, err = at.Outcome(ctx, e.order)
	}
	if fault.Has(err, backend.ErrRemote) { // it does not answer: the order is on record
		return Progress{}, nil
	}
	if err != nil {
		return Progress{}, err
	}
	switch outcome.State {
	case backend.StateReceived, backend.StateIssued:
		return s.takeElsewhere(ctx, at, e, outcome)
	case backend.StateRefused, backend.StateExpired:
		return Progress{}, ErrRefused.With("%s: %s", e.authority, outcome.State)
	}
	if at.Kind() == backend.KindFile {
		return Progress{Waits: outcome.ID}, nil
	}
	return Progress{}, nil
}

// orderElsewhere makes the key, unless an interrupted call did, and orders its certificate.
func (s *Service) orderElsewhere(ctx context.Context, at backend.Foreign, e *elsewhere) (backend.Outcome, error) {
	request, err := s.Keys.Request(ctx, e.keyName)
	if err != nil {
		if _, err = s.Keys.Generate(ctx, e.keyName); err == nil {
			request, err = s.Keys.Request(ctx, e.keyName)
		}
	}
	if err != nil {
		return backend.Outcome{}, err
	}
	outcome, err := at.Renew(ctx, e.predecessor, request)
	if err != nil {
		return outcome, err
	}
	e.order = outcome.ID
	return outcome, s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE business_elsewhere SET ordered = $1 WHERE id = $2 AND state = 'ordering'`, e.order, e.id)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(done, ErrChanging.New()); err != nil {
			return err
		}
		return s.noteElsewhere(ctx, tx, "renewal.ordered", e, map[string]string{"authority": e.authority, "order": e.order})
	})
}

// takeElsewhere remakes the seal with the certificate that came back. What it says otherwise than was approved is for two
// people to accept first.
func (s *Service) takeElsewhere(ctx context.Context, at backend.Foreign, e *elsewhere, outcome backend.Outcome) (Progress, error) {
	draft, err := s.Seals.PrepareSealRenewal(ctx, e.instance, e.keyName)
	if err != nil {
		return Progress{}, err
	}
	if err := draft.Fits(outcome.Certificate); err != nil {
		return Progress{}, err
	}
	done := &remadeElsewhere{service: s, renewal: e, draft: draft}
	if outcome.State == backend.StateReceived {
		_, err = at.Accept(ctx, e.order, "", draft, done)
		if fault.Has(err, backend.ErrDiffers) {
			return Progress{Waits: e.order}, nil
		}
		return Progress{Made: err == nil}, err
	}
	// Two people accepted it as it is.
	w := &work{Service: s}
	err = w.makeAlone(ctx, draft, done, outcome.Certificate)
	return Progress{Made: err == nil}, err
}

// remadeElsewhere records a renewal at another authority in the transaction that records its seal.
type remadeElsewhere struct {
	service *Service
	renewal *elsewhere
	draft   SealDraft
}

var _ ca.Companion = (*remadeElsewhere)(nil)

func (r *remadeElsewhere) Intend(ctx context.Context, tx *store.Tx) error {
	return r.renewal.unchanged(ctx, tx)
}

func (r *remadeElsewhere) Make(context.Context, *chain.Certificate) error { return nil }

func (r *remadeElsewhere) Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error {
	s, e := r.service, r.renewal
	if err := e.unchanged(ctx, tx); err != nil {
		return err
	}
	now := s.Clock()
	until := s.acceptBy(now, e.predecessor.NotAfter)
	done, err := tx.ExecContext(ctx, `UPDATE business_elsewhere SET state = 'made', successor = $1, made = $2 WHERE id = $3 AND state = 'ordering'`,
		c.Raw, r.draft.InstanceID(), e.id)
	if err != nil {
		return err
	}
	if err := store.ExactlyOne(done, ErrChanging.New()); err != nil {
		return err
	}
	if err := (Renewal{ID: e.id, Seal: e.seal, Made: now, AcceptBy: until, State: RenewalWaiting}).insert(ctx, tx); err != nil {
		return err
	}
	return s.noteElsewhere(ctx, tx, "renewal.made", e, map[string]string{"certificate": c.FingerprintText(), "renews": e.predecessor.FingerprintText(),
		"accept-by": store.Time(until)})
}

// acceptBy is until when the holder may object to a renewal: the term of acceptance, but not beyond the end of the old
// certificate.
func (s *Service) acceptBy(now, end time.Time) time.Time {
	until := s.Calendar.After(now, s.AcceptDays)
	if until.After(end) && now.Before(end) {
		until = end
	}
	return until
}

// failElsewhere ends a renewal that cannot go on, with its key; the next one makes another.
func (s *Service) failElsewhere(ctx context.Context, e *elsewhere, code string) error {
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE business_elsewhere SET state = 'failed' WHERE id = $1 AND state = 'ordering'`, e.id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.noteElsewhere(ctx, tx, "renewal.failed", e, map[string]string{"authority": e.authority, "order": e.order, "code": code})
	})
	if err != nil {
		return err
	}
	return s.Keys.Retire(ctx, e.keyName)
}

// giveUpElsewhere ends the renewals of instances that are in use no more: an application changed or ended the seal.
func (s *Service) giveUpElsewhere(ctx context.Context) error {
	open, err := store.Column[string](s.DB.Read().QueryContext(ctx, `SELECT instance FROM business_elsewhere WHERE state = 'ordering' ORDER BY id`))
	if err != nil {
		return err
	}
	for _, instance := range open {
		e, err := s.elsewhereOf(ctx, instance)
		if err != nil || e == nil {
			return err
		}
		_, _, err = s.centralOf(ctx, e.seal, e.predecessor.Serial)
		if fault.Has(err, ErrNotCentral) {
			err = s.failElsewhere(ctx, e, ErrNotCentral.Code)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readElsewhere gives the certificate of a renewal that another authority made, or nil.
func readElsewhere(ctx context.Context, q store.Querier, renewal string) (*Renewed, error) {
	var d Renewed
	var instance string
	var successor, predecessor []byte
	err := q.QueryRowContext(ctx, `SELECT authority, ordered, made, successor, predecessor FROM business_elsewhere WHERE id = $1 AND state = 'made'`, renewal).
		Scan(&d.Authority, &d.order, &instance, &successor, &predecessor)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d.Instances = []string{instance}
	for _, c := range []struct {
		der []byte
		to  **big.Int
	}{{successor, &d.Successor}, {predecessor, &d.Predecessor}} {
		parsed, err := chain.ParseCertificate(c.der)
		if err != nil {
			return nil, err
		}
		*c.to = parsed.Serial
	}
	return &d, nil
}

// supersede ends the certificate that one of a renewal takes the place of.
func (s *Service) supersede(ctx context.Context, tx *store.Tx, c Renewed) error {
	if c.Authority == "" {
		err := s.Authority.SupersedeIn(ctx, tx, c.Successor)
		if isRevoked(err) {
			err = nil
		}
		return err
	}
	if s.Authorities == nil {
		return backend.ErrUnknown.With("%s", c.Authority)
	}
	at, err := s.Authorities.Outside(c.Authority)
	if err != nil {
		return err
	}
	return at.SupersedeIn(ctx, tx, c.order)
}

// hold keeps the certificate of a renewal from being used. One of another authority cannot be held: without its seal
// nothing signs with its key here, and two people revoke it.
func (s *Service) hold(ctx context.Context, tx *store.Tx, by access.Actor, c Renewed, why string) error {
	if c.Authority != "" {
		return nil
	}
	err := s.Authority.HoldIn(ctx, tx, by, c.Successor, why)
	if isHeld(err) || isRevoked(err) {
		err = nil
	}
	return err
}

// Objections finds the certificates of other authorities that nobody wants, over the tables of this room.
type Objections struct{ DB *store.DB }

// Objected gives the certificates that other authorities made for renewals to which the holder objected, or which came too
// late: also those that were revoked since.
func (o Objections) Objected(ctx context.Context) ([]*chain.Certificate, error) {
	list, err := store.Column[[]byte](o.DB.Read().QueryContext(ctx, `SELECT e.successor FROM business_elsewhere e JOIN business_renewal r ON r.id = e.id
		WHERE e.state = 'made' AND r.state = 'objected' ORDER BY e.id`))
	if err != nil {
		return nil, err
	}
	var found []*chain.Certificate
	for _, der := range list {
		c, err := chain.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}
