package sealer

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"hash"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/tsa"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/hashstate"
	"yinxin/internal/store"
	"yinxin/sealer/intake"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

// Sealed is a released document with what was sealed.
type Sealed struct {
	ID        string // of the sealing
	Document  Document
	Seal      string
	Time      time.Time
	ByteRange string
	Details   Details
	Replayed  bool // the idempotency key was used before with the same order

	content []byte // of a small document that came with its order
}

// Content is the sealed document itself, if it is at hand; else Service.Copy reads it.
func (s Sealed) Content() ([]byte, bool) { return s.content, s.content != nil }

// Details are what a sealing did and what the person should know about it.
type Details struct {
	Profile   Profile          `json:"profile"`
	Field     string           `json:"field"`
	Marks     []pdf.Mark       `json:"marks,omitempty"`
	Notes     []pdf.Note       `json:"notes,omitempty"`
	Findings  []intake.Finding `json:"findings,omitempty"` // warnings of the intake, and what was accepted
	Recovered string           `json:"recovered,omitempty"`
}

// Seal seals a stored document for the actor and releases the result as a new document. Every refusal comes before
// the intent is recorded and leaves nothing behind, but for the last check: a result that the project's own verifier
// does not accept is recorded as failed and never released.
func (s *Service) Seal(ctx context.Context, by access.Actor, o Order) (Sealed, error) {
	o, err := o.Checked()
	if err != nil {
		return Sealed{}, err
	}
	o.sandbox = by.Sandbox
	if o.IdempotencyKey == "" {
		o.IdempotencyKey = store.NewID("once_")
	}
	if done, found, err := s.replay(ctx, by, o); found || err != nil {
		return done, err
	}
	in, err := s.Register.Authorise(ctx, by, o.Seal)
	if err != nil {
		return Sealed{}, err
	}
	d, err := s.Document(ctx, by, o.Document)
	if err != nil {
		return Sealed{}, err
	}
	w, err := s.begin(ctx, d, nil, o, in)
	if err != nil {
		return Sealed{}, err
	}
	defer w.close()
	return s.carryOut(ctx, w, intent{id: store.NewID("q_"), actor: by, order: o, instance: in, plan: w.plan, details: w.details, scan: w.scan})
}

// carryOut records the intent, signs and releases.
func (s *Service) carryOut(ctx context.Context, w *work, i intent) (Sealed, error) {
	if err := s.recordIntent(ctx, &i, s.Lease, nil); err != nil {
		return s.lostRace(ctx, i.actor, i.order, err)
	}
	if s.Intended != nil {
		s.Intended(i.id)
	}
	value, err := w.prepared.key.SignDigest(ctx, w.plan.laid.digest())
	if err != nil {
		return Sealed{}, s.recordFailure(ctx, i, err)
	}
	result, err := s.release(ctx, i, w, value)
	if err != nil {
		return Sealed{}, s.recordFailure(ctx, i, err)
	}
	return result, nil
}

// work is one order on its way: the document, and what was planned for it.
type work struct {
	document Document
	object   files.Object
	prepared *Prepared
	claim    pdf.PDFA // of the document
	plan     *Plan
	details  Details
	scan     string // of the intake, to be stored; empty when it is already
}

func (w *work) close() { _ = w.object.Close() } // only read

// begin makes every check and plans the update; nothing is recorded yet.
// object is the document, nil to read it from where it is stored.
func (s *Service) begin(ctx context.Context, d Document, object files.Object, o Order, in register.Instance) (*work, error) {
	now := s.Clock().UTC().Truncate(time.Second)
	above, err := s.certificateGood(ctx, in, now)
	if err != nil {
		return nil, err
	}
	w := &work{document: d, object: object, details: Details{Profile: o.Profile}}
	w.prepared, err = s.prepared.get(preparedKey{in.ID, o.Profile, o.Outline}, func() (*Prepared, error) { return s.prepare(ctx, in, o, above) })
	if err != nil {
		return nil, err
	}
	if w.object == nil {
		if w.object, err = s.Open(ctx, w.document); err != nil {
			return nil, err
		}
	}
	if err := s.planFor(ctx, w, o, now); err != nil {
		w.close()
		if w.scan != "" { // there will be no intent that it could be stored with
			err = errors.Join(err, s.DB.Write(ctx, func(tx *store.Tx) error { return storeScan(ctx, tx, w.document.ID, w.scan) }))
		}
		return nil, at(err, w.document.Name)
	}
	return w, nil
}

func (s *Service) planFor(ctx context.Context, w *work, o Order, now time.Time) error {
	report, err := s.scanned(ctx, w)
	if err != nil {
		return err
	}
	original, err := w.document.digestOfState()
	if err != nil {
		return err
	}
	stamps, err := s.stampsFor(o)
	if err != nil {
		return err
	}
	return s.planOver(ctx, w, o, now, report, original, stamps)
}

// planOver plans the update once it is known what the document holds, with the SM3 state after its last byte.
func (s *Service) planOver(ctx context.Context, w *work, o Order, now time.Time, report *intake.Report, original hash.Hash, stamps tsa.Source) error {
	doc, err := pdf.OpenRecovering(ctx, w.object, w.document.Size)
	if err != nil {
		return err
	}
	if report.Damaged {
		if err := doc.CheckEntries(ctx); err != nil {
			return err
		}
	}
	var request pdf.SealRequest
	err = doc.Recovering(ctx, func() (err error) {
		request, err = s.request(ctx, w, doc, o)
		return err
	})
	if err != nil {
		return err
	}
	request.Time = now
	if w.plan, err = w.prepared.Plan(ctx, doc, original, request, stamps); err != nil {
		return err
	}
	if err := s.keepsClaim(w, request); err != nil {
		return err
	}
	if err := s.decide(w, o, report); err != nil {
		return err
	}
	w.details.Field, w.details.Marks, w.details.Notes = w.plan.Field(), w.plan.update.Marks(), append(w.details.Notes, w.plan.update.Notes()...)
	if f, ok := fault.Of(doc.Recovered()); ok {
		w.details.Recovered = f.Code
	}
	return nil
}

// request turns an order into what the PDF room plans from.
func (s *Service) request(ctx context.Context, w *work, doc *pdf.Document, o Order) (pdf.SealRequest, error) {
	r := pdf.SealRequest{Signer: w.prepared.instance.SealName, Reason: o.reason(), Location: o.Location, Contact: o.Contact,
		Straddle: o.Straddle, Field: o.Field, FitField: o.FitField, Certify: o.Certify, Lock: o.Lock, AllowOverlap: o.AllowOverlap}
	var err error
	if r.Appearance, err = s.dress(w, doc, o); err != nil {
		return r, err
	}
	if o.sandbox {
		if r.Watermark, err = s.trialMark(r.Appearance); err != nil {
			return r, err
		}
	}
	r.Placements, err = s.placements(ctx, doc, w.object, w.document.Size, o.Places)
	return r, err
}

// stampsFor gives the source of time stamps for an order; nil when it takes none.
func (s *Service) stampsFor(o Order) (tsa.Source, error) {
	switch {
	case o.NoTimeStamp:
		return nil, nil
	case s.TimeStamps == nil && o.LongTerm:
		return nil, errNoAuthority.New()
	case s.Evidence == nil && o.LongTerm:
		return nil, errNoEvidence.New()
	}
	return s.TimeStamps, nil
}

func (s *Service) prepare(ctx context.Context, in register.Instance, o Order, above []*chain.Certificate) (*Prepared, error) {
	p := Preparation{Instance: in, Profile: o.Profile, Above: above}
	var err error
	if o.Outline {
		if p.Template, err = s.Register.Template(ctx, in.ID); err != nil {
			return nil, err
		}
	}
	if p.Filter, p.SubFilter, err = s.names(o.Profile); err != nil {
		return nil, err
	}
	leaf, err := s.Chain.Certificate(in.Certificate)
	if err != nil {
		return nil, err
	}
	var ok bool
	if p.Public, ok = leaf.PublicKey.(*ecdsa.PublicKey); !ok {
		return nil, errCertificate.With("%T", leaf.PublicKey)
	}
	if in.Custody == register.Central {
		if p.Key, err = s.Keys.Get(ctx, in.KeyName); err != nil {
			return nil, err
		}
	}
	return Prepare(p)
}

// certificateGood asks the CA: the design judges a seal's certificate now, before signing, not when it was bound. It
// gives the certificates between the signer's and the root.
func (s *Service) certificateGood(ctx context.Context, in register.Instance, now time.Time) (above []*chain.Certificate, err error) {
	leaf, err := s.Chain.Certificate(in.Certificate)
	if err != nil {
		return nil, errCertificate.Because(err)
	}
	r := s.Chain.Verify(ctx, leaf, now, chain.UsageSign)
	switch {
	case r.Expired || r.NotYetValid:
		return nil, errExpiredCertificate.New()
	case r.Revocation.State == chain.StateRevoked:
		return nil, register.ErrCertificateRevoked.New()
	case r.ChainErr != nil || !r.Trusted || r.Revocation.State != chain.StateGood:
		return nil, errCertificate.With("%s", r.Revocation.Detail).Because(r.ChainErr)
	}
	return between(r.Path), nil
}

// between gives the certificates between the first of a path and its anchor.
func between(path []*chain.Certificate) []*chain.Certificate {
	if len(path) <= 2 {
		return nil
	}
	return path[1 : len(path)-1]
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

// release completes the signature, stores the update, verifies the whole and records the result. What it stored is
// removed again when any step fails.
func (s *Service) release(ctx context.Context, i intent, w *work, value []byte) (_ Sealed, err error) {
	update, err := w.plan.Complete(ctx, value)
	if err != nil {
		return Sealed{}, err
	}
	original := w.document
	if err := s.check(ctx, i, original, w.object, update); err != nil {
		return Sealed{}, err
	}
	whole, err := original.digestOfState()
	if err != nil {
		return Sealed{}, err
	}
	whole.Write(update)
	if i.order.LongTerm {
		sealed := files.Concat(w.object, inMemory(update))
		more, err := s.extension(ctx, sealed, s.judge(ctx, "", sealed), whole)
		if err != nil {
			return Sealed{}, err
		}
		whole.Write(more)
		update = append(bytes.Clone(update), more...)
	}
	name, err := s.keep(ctx, i.content, update)
	if err != nil {
		return Sealed{}, err
	}
	d := original.with(store.NewID("d_"), i.actor.ID, part{object: name, size: int64(len(i.content) + len(update))}, s.Clock())
	d.Size = original.Size + int64(len(update))
	defer func() {
		if err != nil {
			err = errors.Join(err, s.removeUnrecorded(ctx, documentRecorded, d.ID, name))
		}
	}()
	if d.state, err = hashstate.Of(whole); err != nil {
		return Sealed{}, err
	}
	d.SM3 = hex.EncodeToString(whole.Sum(nil))
	if err := s.recordResult(ctx, i, d); err != nil {
		return Sealed{}, err
	}
	var content []byte
	if i.content != nil {
		content = append(i.content, update...) // into the room that readHead left, if there is any
	}
	return Sealed{content: content, ID: i.id, Document: d, Seal: i.order.Seal, Time: i.plan.time, ByteRange: i.plan.update.Property(), Details: i.details}, nil
}

// keep stores an object.
func (s *Service) keep(ctx context.Context, content ...[]byte) (string, error) {
	w, err := s.Files.Create(ctx)
	if err != nil {
		return "", err
	}
	defer w.Abort()
	for _, b := range content {
		if _, err := w.Write(b); err != nil {
			return "", err
		}
	}
	return w.Commit()
}

// lostRace answers an order whose intent met another one with the same key: the other's result, or wait.
func (s *Service) lostRace(ctx context.Context, by access.Actor, o Order, err error) (Sealed, error) {
	if !store.IsUnique(err) && !errors.Is(err, errTaken) {
		return Sealed{}, err
	}
	done, found, err := s.replay(ctx, by, o)
	if err == nil && !found {
		err = errInProgress.New()
	}
	return done, err
}
