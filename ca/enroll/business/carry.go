package business

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// work is an approved application being carried out.
type work struct {
	*Service
	application string
	version     int
	dossier     enroll.Dossier
	image       template
	acts        []act
	by          access.Actor
}

func (w *work) now() time.Time { return w.Clock() }

// unspent says what to do about an act whose approval another call uses, or used up before this one came to it.
func unspent(err error) error {
	if fault.Has(err, access.ErrUsed) {
		return ErrSpent.New()
	}
	return err
}

// begin reads what an approved application takes, for a registrar who carries it out. Errors: access.role,
// access.not-approved.
func (s *Service) begin(ctx context.Context, by access.Actor, application string) (*work, error) {
	actor, err := s.Access.ActorIn(ctx, s.DB.Read(), by.ID)
	if err != nil {
		return nil, err
	}
	if !actor.Has(access.RoleRegistrar) {
		return nil, access.ErrRole.With("%s", access.RoleRegistrar)
	}
	return s.beginAs(ctx, by, application)
}

// beginAs is begin for somebody who may, or for nobody: the service itself.
func (s *Service) beginAs(ctx context.Context, by access.Actor, application string) (*work, error) {
	q := s.DB.Read()
	d, err := s.Enroll.DossierIn(ctx, q, application)
	if err != nil {
		return nil, err
	}
	if !d.State.Carried() {
		return nil, access.ErrNotApproved.With("%s", d.State)
	}
	w := &work{Service: s, application: application, version: d.Version, dossier: d, by: by}
	if w.image, err = readTemplate(ctx, q, application, d.Version); err != nil {
		return nil, err
	}
	w.acts, err = readActs(ctx, q, application, d.Version, d.Examination)
	return w, err
}

// open are the acts of a phase that are not done, of one group or, with an empty one, of all.
func (w *work) open(when phase, group string) []act {
	var list []act
	for _, a := range w.acts {
		if !a.Done && a.Phase == when && (group == "" || a.Group == group) {
			list = append(list, a)
		}
	}
	return list
}

// CarryOut does what an approved application takes and for which nobody has to come with a USB Key: central seals,
// revocations, the end of a seal. It goes on where an earlier call was interrupted. When nothing is left the application
// is marked as issued. A registrar starts it, or the service after the approval. Error: business.spent where an earlier call
// used an approval up and left nothing.
func (s *Service) CarryOut(ctx context.Context, by access.Actor, application string) error {
	begin := s.begin
	if by.ID == "" {
		begin = s.beginAs
	}
	w, err := begin(ctx, by, application)
	if err != nil {
		return err
	}
	if err := w.central(ctx); err != nil {
		return err
	}
	for _, a := range w.open(phaseIssue, "") {
		switch {
		case a.Kind == actSeal && isPresent(a.Group) && a.Spent:
			err = ErrSpent.New()
		case a.Kind == actSeal && isPresent(a.Group):
			err = w.remake(ctx, a)
		case a.Kind == actRevoke && a.Authority != "":
			err = w.revokeElsewhere(ctx, a)
		case a.Kind == actRevoke, a.Kind == actResume, a.Kind == actCancel:
			err = w.DB.Write(ctx, func(tx *store.Tx) error { return w.do(ctx, tx, a) })
		}
		if err != nil {
			return err
		}
	}
	return s.finishIssuing(ctx, application)
}

// CarryOutAll does so for every approved application: what an interruption left, and what nobody started. One that fails
// does not keep the others back; the errors come back together.
func (s *Service) CarryOutAll(ctx context.Context) error {
	list, err := approvedOnes(ctx, s.DB.Read())
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range list {
		if err := s.CarryOut(ctx, access.Actor{}, id); err != nil {
			failed = append(failed, fmt.Errorf("application %s: %w", id, err))
		}
	}
	return errors.Join(append(failed, s.tellOthers(ctx))...)
}

func approvedOnes(ctx context.Context, q store.Querier) ([]string, error) {
	return store.Column[string](q.QueryContext(ctx, `SELECT id FROM enroll_application WHERE state = 'approved' ORDER BY approved, id`))
}

// RetireKeys ends the use of keys whose seals were replaced or ended.
func (s *Service) RetireKeys(ctx context.Context) error {
	if err := s.giveUpElsewhere(ctx); err != nil {
		return err
	}
	names, err := s.Seals.IdleKeys(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.Keys.Retire(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// finishIssuing marks an approved application as issued once every act of that phase is done.
func (s *Service) finishIssuing(ctx context.Context, application string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		var left, later int
		var state enroll.State
		err := tx.QueryRowContext(ctx, `SELECT a.state, COUNT(CASE WHEN b.phase = 'issue' AND b.state = 'planned' THEN 1 END), COUNT(CASE WHEN b.phase <> 'issue' THEN 1 END)
			FROM enroll_application a LEFT JOIN business_act b ON b.application = a.id AND b.version = a.version WHERE a.id = $1 GROUP BY a.state`, application).
			Scan(&state, &left, &later)
		if err != nil || left > 0 || state != enroll.StateApproved {
			return err
		}
		return s.Enroll.MarkIssued(ctx, tx, application, later)
	})
}

// order completes the order of an act with the pictures, which stand where they were kept.
func (w *work) order(ctx context.Context, a act) (SealOrder, error) {
	o := *a.Seal
	if len(w.image.picture) > 0 {
		o.Template, o.Picture = w.image.template, w.image.picture
		return o, nil
	}
	registered, err := w.Seals.Registered(ctx, o.Code)
	o.Template, o.Picture = registered.Template, registered.Picture
	return o, err
}

// remake makes an instance anew for the certificate that is in use.
func (w *work) remake(ctx context.Context, a act) error {
	inUse, err := w.Seals.InstancesInUse(ctx, a.Seal.Code)
	if err != nil {
		return err
	}
	for _, in := range inUse {
		if in.Holder != a.Seal.Holder {
			continue
		}
		order, err := w.order(ctx, a)
		if err != nil {
			return err
		}
		order.KeyName = in.KeyName
		draft, err := w.Seals.PrepareSeal(a.Part, order)
		if err != nil {
			return err
		}
		certificate, err := chain.ParseCertificate(in.Certificate)
		if err != nil {
			return err
		}
		return w.makeAlone(ctx, draft, &doneWith{w: w, act: a, draft: draft}, certificate)
	}
	return ErrNoKey.With("%s", a.Seal.Code)
}

// makeAlone takes a seal through the steps of an issuance for a certificate that exists.
func (w *work) makeAlone(ctx context.Context, draft SealDraft, done ca.Companion, c *chain.Certificate) error {
	if err := draft.Fits(c); err != nil {
		return err
	}
	if err := w.DB.Write(ctx, func(tx *store.Tx) error { return draft.Intend(ctx, tx) }); err != nil {
		return unspent(err)
	}
	if err := draft.Make(ctx, c); err != nil {
		return err
	}
	return w.DB.Write(ctx, func(tx *store.Tx) error {
		if err := draft.Complete(ctx, tx, c); err != nil {
			return err
		}
		return done.Complete(ctx, tx, c)
	})
}

// doneWith marks an act as done in the transaction that records what it made: the serial number of a certificate, the
// identifier of an instance.
type doneWith struct {
	w     *work
	act   act
	draft SealDraft
	actor string // of the USB Key on which the certificate is
}

var _ ca.Companion = (*doneWith)(nil)

func (d *doneWith) Intend(ctx context.Context, tx *store.Tx) error {
	if d.actor == "" {
		return nil
	}
	return d.w.notStopped(ctx, tx, d.actor)
}

func (d *doneWith) Make(context.Context, *chain.Certificate) error { return nil }

func (d *doneWith) Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error {
	if d.draft != nil {
		return d.w.finish(ctx, tx, d.act, d.draft.InstanceID())
	}
	if d.actor != "" {
		if err := holding(ctx, tx, d.actor, d.act.Certificate.Profile, c); err != nil {
			return err
		}
		// The request proves the key; that it is the person's is the word of whoever hands the Key out.
		_, err := d.w.Ledger.Append(ctx, tx, ledger.Event{Time: d.w.now(), Kind: "key.certified", Actor: d.w.by.ID, Subject: d.actor,
			Data: map[string]string{"certificate": ca.SerialText(c.Serial), "profile": string(d.act.Certificate.Profile), "application": d.w.application}})
		if err != nil {
			return err
		}
	}
	return d.w.finish(ctx, tx, d.act, ca.SerialText(c.Serial))
}

// do carries out an act that needs nothing but a transaction.
func (w *work) do(ctx context.Context, tx *store.Tx, a act) error {
	var err error
	switch a.Kind {
	case actRevoke:
		err = w.revoke(ctx, tx, a)
	case actResume:
		// A renewal may have taken its place since this was planned, or two others released it.
		if err = w.Authority.ResumeIn(ctx, tx, a.Part, serialNumber(a.Serial)); isRevoked(err) || fault.Has(err, ca.ErrNotHeld) {
			err = nil
		}
	case actCancel:
		err = w.Seals.CancelSeal(ctx, tx, a.Part, a.Code)
	case actGrant:
		err = w.Seals.GrantSeal(ctx, tx, a.Part, *a.Grant)
	case actRole:
		err = w.Access.GrantRoleIn(ctx, tx, a.Part, a.Actor, access.RoleOperator)
	}
	if err != nil {
		return err
	}
	return w.finish(ctx, tx, a, "")
}

// isPresent reports whether a group is of an instance for a certificate that is on a USB Key already.
func isPresent(group string) bool { return strings.HasPrefix(group, groupPresent) }

// revoke revokes a certificate; the seals that list it end with it.
func (w *work) revoke(ctx context.Context, tx *store.Tx, a act) error {
	serial := serialNumber(a.Serial)
	err := w.Authority.RevokeIn(ctx, tx, a.Part, serial, a.Reason)
	if err != nil && !isRevoked(err) { // revoked already: somebody was quicker, for a reason of their own
		return err
	}
	record, err := w.Authority.Certificate(ctx, serial)
	if err != nil {
		return err
	}
	return w.Seals.WithdrawListing(ctx, tx, w.by, record.Certificate.Raw, "revoked")
}
