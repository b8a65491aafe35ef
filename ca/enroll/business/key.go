package business

import (
	"context"
	"crypto/ecdsa"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/csr"
	"yinxin/ca/enroll/form"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Key is what a person's USB Key receives.
type Key struct {
	Signing    *chain.Certificate
	Encryption *chain.Certificate
	Seals      []string // identifiers of the instances
	Escrow     string   // of the encryption key, for escrow.Centre.Confirm when the Key has it
	Answer     []byte   // GM/T 0092: both certificates and the enveloped encryption key
}

// IssueKey makes the certificates and seals of one USB Key: request is the PKCS#10 that the Key signed. Called again
// with a request of the same key it goes on where it was interrupted, and hands the answer out again. A registrar does
// it, with the person present. Errors: business.stopped, those of csr.Parse, business.no-key for somebody whom the application does not
// name, business.other-key, business.spent, ca.key-in-use.
func (s *Service) IssueKey(ctx context.Context, by access.Actor, application, actor string, request []byte) (Key, error) {
	asked, err := csr.Parse(request, csr.Options{})
	if err != nil {
		return Key{}, err
	}
	w, err := s.begin(ctx, by, application)
	if err != nil {
		return Key{}, err
	}
	acts := w.keyActs(actor)
	if acts.signing == nil || acts.encryption == nil {
		return Key{}, ErrNoKey.With("%s", actor)
	}
	var k Key
	if k.Signing, err = w.signing(ctx, acts, actor, asked.Public); err != nil {
		return Key{}, err
	}
	if err := w.encryption(ctx, &k, *acts.encryption, actor, asked.Public); err != nil {
		return Key{}, err
	}
	if w.acts, err = readActs(ctx, s.DB.Read(), application, w.version, w.dossier.Examination); err != nil {
		return Key{}, err
	}
	for _, a := range w.keyActs(actor).seals {
		k.Seals = append(k.Seals, a.Result)
	}
	return k, s.finishIssuing(ctx, application)
}

// notStopped refuses a USB Key for a person who is stopped as a user of seals, or was for good since the approval: what
// would be made now is not on hold with the rest. A Key that replaces a lost one is made while its user is stopped, and
// used when two people have lifted that. Error: business.stopped.
func (w *work) notStopped(ctx context.Context, q store.Querier, actor string) error {
	var open, final, whole int
	if w.dossier.Form.Has(form.KeyReplacement) { // it makes all seals of the person anew
		whole = 1
	}
	err := q.QueryRowContext(ctx, `SELECT COUNT(CASE WHEN x.state = 'open' THEN 1 END), COUNT(CASE WHEN x.state = 'confirmed' AND x.decided > a.approved THEN 1 END)
		FROM enroll_suspension x JOIN business_user u ON u.holder = x.holder JOIN enroll_application a ON a.id = $1
		WHERE u.actor = $2 AND (x.seal_name = '' OR x.seal_name = a.seal_name OR $3 = 1)`, w.application, actor, whole).Scan(&open, &final)
	if err == nil && (final > 0 || open > 0 && !w.dossier.Form.Has(form.KeyReplacement)) {
		err = ErrStopped.New()
	}
	return err
}

// keyActs are the acts of one USB Key.
type keyActs struct {
	signing, encryption *act
	seals               []act
}

func (w *work) keyActs(actor string) keyActs {
	var k keyActs
	for _, a := range w.acts {
		switch {
		case a.Group != actor || a.Phase != phaseIssue:
		case a.Kind == actSeal:
			k.seals = append(k.seals, a)
		case a.Kind == actCertificate && a.Certificate.Profile == ca.ProfileEncryption:
			k.encryption = &a
		case a.Kind == actCertificate:
			k.signing = &a
		}
	}
	return k
}

// signing issues the personal certificate with the seals that list it, or finds the one that was issued.
func (w *work) signing(ctx context.Context, acts keyActs, actor string, public *ecdsa.PublicKey) (*chain.Certificate, error) {
	if acts.signing.Done {
		c, err := w.issued(ctx, *acts.signing)
		if err == nil && !public.Equal(c.PublicKey) {
			err = ErrOtherKey.New()
		}
		return c, err
	}
	if acts.signing.Spent {
		return nil, ErrSpent.New()
	}
	companions := []ca.Companion{&doneWith{w: w, act: *acts.signing, actor: actor}}
	for _, a := range acts.seals {
		order, err := w.order(ctx, a)
		if err != nil {
			return nil, err
		}
		draft, err := w.Seals.PrepareSeal(a.Part, order)
		if err != nil {
			return nil, err
		}
		companions = append(companions, draft, &doneWith{w: w, act: a, draft: draft})
	}
	r := acts.signing.Certificate.request()
	r.Public = public
	c, err := w.Authority.Issue(ctx, acts.signing.Part, r, companions...)
	return c, unspent(err)
}

// encryption issues the second certificate with its key in escrow, or finds the one that was issued, and hands out the
// answer.
func (w *work) encryption(ctx context.Context, k *Key, a act, actor string, public *ecdsa.PublicKey) (err error) {
	if a.Done {
		if k.Encryption, err = w.issued(ctx, a); err != nil {
			return err
		}
		if k.Escrow, err = w.Escrow.ByCertificate(ctx, a.Result); err != nil {
			return err
		}
	} else if a.Spent {
		return ErrSpent.New()
	} else {
		pair, err := w.Escrow.Make(ctx, escrow.Holder{ID: actor, Signing: k.Signing})
		if err != nil {
			return err
		}
		defer pair.Close()
		r := a.Certificate.request()
		r.Public = pair.Public()
		k.Escrow = pair.ID()
		if k.Encryption, err = w.Authority.Issue(ctx, a.Part, r, pair, &doneWith{w: w, act: a, actor: actor}); err != nil {
			return unspent(err)
		}
	}
	k.Answer, err = w.Escrow.Deliver(ctx, w.by, k.Escrow, public)
	return err
}

// issued is the certificate that an act made.
func (w *work) issued(ctx context.Context, a act) (*chain.Certificate, error) {
	record, err := w.Authority.Certificate(ctx, serialNumber(a.Result))
	if err == nil && record.Certificate == nil {
		err = ca.ErrNotFound.New()
	}
	return record.Certificate, err
}
