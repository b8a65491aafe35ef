package sealer

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/store"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

// Order asks for one document to be sealed.
type Order struct {
	Document  string        `json:"document"`
	Seal      string        `json:"seal"` // 14-digit code
	Placement pdf.Placement `json:"placement"`
	Reason    string        `json:"reason,omitempty"`
	Location  string        `json:"location,omitempty"`
	// IdempotencyKey makes the order repeatable: the same key with the same order gives the stored result, with
	// another order sealing.key-reused. Empty: the order is sealed anew each time.
	IdempotencyKey string `json:"-"`
}

// digest binds an idempotency key to what was asked.
func (o Order) digest() string {
	b, err := json.Marshal(o)
	if err != nil {
		panic("sealer: an order always marshals: " + err.Error())
	}
	d := sm3.Sum(b)
	return hex.EncodeToString(d[:])
}

// Sealed is a released document with what was sealed.
type Sealed struct {
	ID        string // of the sealing
	Document  Document
	Seal      string
	Time      time.Time
	ByteRange string
	Replayed  bool // the idempotency key was used before with the same order
}

// Seal seals a stored document for the actor and releases the result as a new document. Every refusal comes before
// the intent is recorded and leaves nothing behind, but for the last check: a result that the project's own verifier
// does not accept is recorded as failed and never released.
func (s *Service) Seal(ctx context.Context, by access.Actor, o Order) (Sealed, error) {
	if o.IdempotencyKey == "" {
		o.IdempotencyKey = newID("once")
	}
	if done, found, err := s.replay(ctx, by, o); found || err != nil {
		return done, err
	}
	in, err := s.Register.Authorise(ctx, by, o.Seal)
	if err != nil {
		return Sealed{}, err
	}
	prepared, err := s.prepared.get(in.ID, func() (*Prepared, error) { return s.prepare(ctx, in) })
	if err != nil {
		return Sealed{}, err
	}
	now := s.Clock().UTC().Truncate(time.Second)
	if err := s.certificateGood(ctx, in, now); err != nil {
		return Sealed{}, err
	}
	d, err := s.Document(ctx, by, o.Document)
	if err != nil {
		return Sealed{}, err
	}
	object, err := s.Open(ctx, d)
	if err != nil {
		return Sealed{}, err
	}
	defer object.Close()
	plan, err := s.plan(ctx, prepared, d, object, o, now)
	if err != nil {
		return Sealed{}, err
	}
	i := intent{id: newID("q"), actor: by, order: o, instance: in, plan: plan}
	if err := s.recordIntent(ctx, &i); err != nil {
		return s.lostRace(ctx, by, o, err)
	}
	if s.Intended != nil {
		s.Intended(i.id)
	}
	result, err := s.release(ctx, i, d, object)
	if err != nil {
		return Sealed{}, s.recordFailure(ctx, i, err)
	}
	return result, nil
}

func (s *Service) prepare(ctx context.Context, in register.Instance) (*Prepared, error) {
	key, err := s.Keys.Get(ctx, in.KeyName)
	if err != nil {
		return nil, err
	}
	return Prepare(in, key, s.Filter, s.SubFilter)
}

// certificateGood asks the CA: the design judges a seal's certificate now, before signing, not when it was bound.
func (s *Service) certificateGood(ctx context.Context, in register.Instance, now time.Time) error {
	leaf, err := s.Chain.Certificate(in.Certificate)
	if err != nil {
		return errCertificate.Because(err)
	}
	r := s.Chain.Verify(ctx, leaf, now, chain.UsageSign)
	switch {
	case r.Expired || r.NotYetValid:
		return errExpiredCertificate.New()
	case r.Revocation.State == chain.StateRevoked:
		return errSuspendedCertificate.New()
	case r.ChainErr != nil || !r.Trusted || r.Revocation.State != chain.StateGood:
		return errCertificate.With("%s", r.Revocation.Detail).Because(r.ChainErr)
	}
	return nil
}

func (s *Service) plan(ctx context.Context, prepared *Prepared, d Document, object files.Object, o Order, now time.Time) (*Plan, error) {
	doc, err := pdf.Open(ctx, object, d.Size)
	if err != nil {
		return nil, at(err, d.Name)
	}
	original, err := d.digestOfState()
	if err != nil {
		return nil, err
	}
	plan, err := prepared.Plan(ctx, doc, original, pdf.SealRequest{
		Time: now, Signer: prepared.instance.SealName, Reason: o.Reason, Location: o.Location, Placements: []pdf.Placement{o.Placement}})
	return plan, at(err, d.Name)
}

// at adds the document's name to a fault that knows no place yet.
func at(err error, name string) error {
	if f, ok := fault.Of(err); ok && f.Place.File == "" {
		place := f.Place
		place.File = name
		return f.At(place)
	}
	return err
}

// release signs, stores the update, verifies the whole and records the result. What it stored is removed again when
// any step fails.
func (s *Service) release(ctx context.Context, i intent, original Document, object files.Object) (_ Sealed, err error) {
	update, err := i.plan.Sign(ctx)
	if err != nil {
		return Sealed{}, err
	}
	if err := s.check(ctx, i, original, object, update); err != nil {
		return Sealed{}, err
	}
	name, err := s.keep(ctx, update)
	if err != nil {
		return Sealed{}, err
	}
	d := Document{ID: newID("d"), Owner: i.actor.ID, Name: original.Name, Size: original.Size + int64(len(update)),
		CreatedAt: s.Clock(), parts: append(append([]part{}, original.parts...), part{name, int64(len(update))})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.removeUnrecorded(ctx, d.ID, name))
		}
	}()
	whole, err := original.digestOfState()
	if err != nil {
		return Sealed{}, err
	}
	whole.Write(update)
	if d.state, err = hashState(whole); err != nil {
		return Sealed{}, err
	}
	d.SM3 = hex.EncodeToString(whole.Sum(nil))
	if err := s.recordResult(ctx, i, d); err != nil {
		return Sealed{}, err
	}
	return Sealed{ID: i.id, Document: d, Seal: i.order.Seal, Time: i.plan.time, ByteRange: i.plan.update.Property()}, nil
}

func (s *Service) keep(ctx context.Context, update []byte) (string, error) {
	w, err := s.Files.Create(ctx)
	if err != nil {
		return "", err
	}
	defer w.Abort()
	if _, err := w.Write(update); err != nil {
		return "", err
	}
	return w.Commit()
}

// lostRace answers an order whose intent met another one with the same key: the other's result, or wait.
func (s *Service) lostRace(ctx context.Context, by access.Actor, o Order, err error) (Sealed, error) {
	if !store.IsUnique(err) {
		return Sealed{}, err
	}
	done, found, err := s.replay(ctx, by, o)
	if err == nil && !found {
		err = errInProgress.New()
	}
	return done, err
}
