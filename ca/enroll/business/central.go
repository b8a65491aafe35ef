package business

import (
	"context"
	"errors"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// central makes what the key in the service needs: certificate and seal, or the seal alone for the present certificate.
func (w *work) central(ctx context.Context) error {
	var certificate, seal *act
	for _, a := range w.open(phaseIssue, groupCentral) {
		switch a.Kind {
		case actCertificate:
			certificate = &a
		case actSeal:
			seal = &a
		}
	}
	switch {
	case seal == nil:
		return nil
	case seal.Spent, certificate != nil && certificate.Spent && certificate.Order == "":
		return ErrSpent.New()
	case certificate == nil:
		return w.remake(ctx, *seal)
	case certificate.Authority != "":
		return w.centralElsewhere(ctx, *certificate, *seal)
	}
	order, err := w.order(ctx, *seal)
	if err != nil {
		return err
	}
	order.KeyName = newKeyName(order.Code)
	draft, err := w.Seals.PrepareSeal(seal.Part, order)
	if err != nil {
		return err
	}
	public, err := w.Keys.Generate(ctx, order.KeyName)
	if err != nil {
		return err
	}
	r := certificate.Certificate.request()
	r.Public = public
	_, err = w.Authority.Issue(ctx, certificate.Part, r, draft, &doneWith{w: w, act: *certificate}, &doneWith{w: w, act: *seal, draft: draft})
	if err != nil {
		return errors.Join(unspent(err), w.Keys.Retire(ctx, order.KeyName))
	}
	return nil
}

// centralElsewhere is central where another authority makes the certificate: it is ordered, and when it has come back the
// seal is made with it. Until then nothing more can be done, which is no error. What the certificate says otherwise than
// was approved is for two people to accept (backend.KindAcceptCertificate) before it goes on.
func (w *work) centralElsewhere(ctx context.Context, certificate, seal act) error {
	at, err := w.Authorities.Named(certificate.Authority)
	if err != nil {
		return err
	}
	if certificate.Order == "" {
		return w.orderFrom(ctx, at, certificate)
	}
	outcome, err := at.Outcome(ctx, certificate.Order)
	if err != nil {
		return err
	}
	order, err := w.order(ctx, seal)
	if err != nil {
		return err
	}
	order.KeyName = certificate.Key
	draft, err := w.Seals.PrepareSeal(seal.Part, order)
	if err != nil {
		return err
	}
	done := both{&doneForeign{w: w, act: certificate}, &doneWith{w: w, act: seal, draft: draft}}
	switch outcome.State {
	case backend.StateReceived:
		if err := draft.Fits(outcome.Certificate); err != nil {
			return err
		}
		_, err = at.Accept(ctx, certificate.Order, "", draft, done)
		if fault.Has(err, backend.ErrDiffers) {
			return nil
		}
		return err
	case backend.StateIssued: // two people accepted it as it is
		return w.makeAlone(ctx, draft, done, outcome.Certificate)
	case backend.StateRefused, backend.StateExpired:
		return ErrRefused.With("%s: %s", certificate.Authority, outcome.State)
	}
	return nil
}

// orderFrom makes a key and orders its certificate.
func (w *work) orderFrom(ctx context.Context, at backend.Backend, a act) error {
	name := newKeyName(a.Certificate.SealCode)
	public, err := w.Keys.Generate(ctx, name)
	if err != nil {
		return err
	}
	request, err := w.Keys.Request(ctx, name)
	if err != nil {
		return err
	}
	r := a.Certificate.request()
	r.Public = public
	outcome, err := at.Order(ctx, backend.Order{Approval: a.Part, Request: r, CSR: request})
	if err != nil {
		return errors.Join(unspent(err), w.Keys.Retire(ctx, name))
	}
	return w.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE business_act SET ordered = $1, key_name = $2 WHERE application = $3 AND version = $4 AND number = $5`,
			outcome.ID, name, w.application, w.version, a.Number)
		if err != nil {
			return err
		}
		// The authority may take as long as an order waits; the seal is made after that.
		return w.Access.Prolong(ctx, tx, w.dossier.Examination, outcome.Expires.Add(access.Term))
	})
}

// both are two companions as one.
type both [2]ca.Companion

func (b both) Intend(ctx context.Context, tx *store.Tx) error {
	if err := b[0].Intend(ctx, tx); err != nil {
		return err
	}
	return b[1].Intend(ctx, tx)
}

func (b both) Make(ctx context.Context, c *chain.Certificate) error {
	if err := b[0].Make(ctx, c); err != nil {
		return err
	}
	return b[1].Make(ctx, c)
}

func (b both) Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error {
	if err := b[0].Complete(ctx, tx, c); err != nil {
		return err
	}
	return b[1].Complete(ctx, tx, c)
}

// doneForeign marks the act of a certificate that another authority made; its result is the order.
type doneForeign struct {
	w   *work
	act act
}

func (d *doneForeign) Intend(context.Context, *store.Tx) error { return nil }

func (d *doneForeign) Make(context.Context, *chain.Certificate) error { return nil }

func (d *doneForeign) Complete(ctx context.Context, tx *store.Tx, _ *chain.Certificate) error {
	return d.w.finish(ctx, tx, d.act, d.act.Order)
}

// foreignRevocation is what two people approve for the revocation of a certificate of another authority.
func (s *Service) foreignRevocation(a act) []byte {
	at, err := s.Authorities.Named(a.Authority)
	if err != nil {
		return nil // an empty subject is refused where it is asked for
	}
	c, err := chain.ParseCertificate(a.Foreign)
	if err != nil {
		return nil
	}
	return at.RevokeSubject(c, a.Reason)
}

// revokeElsewhere tells another authority to revoke.
func (w *work) revokeElsewhere(ctx context.Context, a act) error {
	at, err := w.Authorities.Named(a.Authority)
	if err != nil {
		return err
	}
	c, err := chain.ParseCertificate(a.Foreign)
	if err != nil {
		return err
	}
	err = at.Revoke(ctx, a.Part, c, a.Reason)
	if err != nil && !fault.Has(err, access.ErrUsed) && !isRevoked(err) {
		return err // an approval that was used: the authority was told, and only the mark is missing
	}
	return w.DB.Write(ctx, func(tx *store.Tx) error {
		if isRevoked(err) { // somebody was quicker, for a reason of their own
			if _, err := w.Access.Redeem(ctx, tx, a.Part, access.KindRevokeCertificate, at.RevokeSubject(c, a.Reason)); err != nil {
				return err
			}
		}
		return w.finish(ctx, tx, a, "")
	})
}

// tellOthers carries out what waits for the end of an acceptance: what other authorities have to be told.
func (s *Service) tellOthers(ctx context.Context) error {
	list, err := store.Column[string](s.DB.Read().QueryContext(ctx, `SELECT DISTINCT b.application FROM business_act b JOIN enroll_application a ON a.id = b.application AND a.version = b.version
		WHERE b.phase = 'after' AND b.state = 'planned' AND a.state IN ('accepted', 'closed') ORDER BY b.application`))
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range list {
		w, err := s.beginAs(ctx, access.Actor{}, id)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		for _, a := range w.open(phaseAfter, "") {
			failed = append(failed, w.revokeElsewhere(ctx, a))
		}
	}
	return errors.Join(failed...)
}
