package ca

import (
	"context"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/store"
	"yinxin/keystore"
)

const (
	// OCSPValidity is how long a reader may keep an answer.
	OCSPValidity = time.Hour
	// maxAsked is how many certificates one request may ask about.
	maxAsked = 32
)

// OCSPAnswer is a response with what a server of HTTP has to know of it.
type OCSPAnswer struct {
	// DER is the response; it may not be changed.
	DER []byte
	// ETag names the response; it is empty for one that nobody should keep: with a nonce, about several certificates or
	// an unknown one, or an error.
	ETag string
	// Produced and NextUpdate are zero without ETag.
	Produced, NextUpdate time.Time
}

// OCSP answers a request in DER with a response in DER; it never fails otherwise. See OCSPAnswer.
func (a *Authority) OCSP(ctx context.Context, request []byte) []byte {
	return a.OCSPAnswer(ctx, request).DER
}

// OCSPAnswer answers a request in DER; it never fails otherwise. The first certificate that is of an issuing CA says whose
// responder answers, and of what another issued that one knows nothing: it is unknown, as is a serial number that was never
// issued. A request about other issuers only is unauthorized. When the database or the key cannot be
// used the answer is tryLater, never good.
//
// A response to a request with a nonce, or about several certificates, is made from the database. One about one
// certificate is kept for some minutes, and the database is asked twice a second what has changed: it is right half a
// second after a change, whichever process made it, and when the database cannot say, the answer is tryLater.
func (a *Authority) OCSPAnswer(ctx context.Context, request []byte) OCSPAnswer {
	asked, err := ocsp.ParseRequest(request)
	if err != nil || len(asked.CertIDs) == 0 || len(asked.CertIDs) > maxAsked {
		return OCSPAnswer{DER: ocsp.ErrorResponse(ocsp.MalformedRequest)}
	}
	tryLater := OCSPAnswer{DER: ocsp.ErrorResponse(ocsp.TryLater)}
	s := a.asked(asked.CertIDs)
	if s == nil {
		return OCSPAnswer{DER: ocsp.ErrorResponse(ocsp.Unauthorized)}
	}
	view, err := s.answers.look(ctx, a, s.ID)
	if err != nil {
		return tryLater
	}
	keep := len(asked.CertIDs) == 1 && asked.Nonce == nil
	if keep {
		if kept, ok := s.answers.get(asked.CertIDs[0], view); ok {
			return kept
		}
	}
	singles, err := a.judge(ctx, s, asked.CertIDs, view.now)
	if err != nil {
		return tryLater
	}
	response, err := ocsp.CreateResponse(ctx, singles, asked.Nonce, view.now, view.responder, view.key)
	if err != nil {
		return tryLater
	}
	if keep && singles[0].Status != ocsp.Unknown {
		return s.answers.put(singles[0], response, view)
	}
	return OCSPAnswer{DER: response}
}

// asked is the issuing CA of the first certificate that one of ours issued; nil without one.
func (a *Authority) asked(ids []ocsp.CertID) *issuingCA {
	for _, id := range ids {
		for _, s := range a.issuers {
			if id.Matches(s.Certificate) {
				return s
			}
		}
	}
	return nil
}

// judge says of every certificate of an issuing CA what the database says.
func (a *Authority) judge(ctx context.Context, s *issuingCA, ids []ocsp.CertID, now time.Time) (singles []ocsp.Single, err error) {
	for _, id := range ids {
		single := ocsp.Single{CertID: id, Status: ocsp.Unknown, ThisUpdate: now, NextUpdate: now.Add(OCSPValidity)}
		if id.Matches(s.Certificate) {
			if err := a.answer(ctx, s.ID, &single); err != nil {
				return nil, err
			}
		}
		singles = append(singles, single)
	}
	return singles, nil
}

// answer fills in what the database says. A number on the list whose certificate was never released is revoked, too.
func (a *Authority) answer(ctx context.Context, id string, single *ocsp.Single) error {
	var state, status, since string
	var reason int
	// After a restore there may be a state without a certificate.
	err := a.DB.Read().QueryRowContext(ctx, `SELECT COALESCE(c.state, ''), COALESCE(s.state, ''), COALESCE(s.reason, 0), COALESCE(s.since, '')
		FROM (SELECT CAST($1 AS TEXT) AS serial) k LEFT JOIN ca_certificate c ON c.serial = k.serial AND c.issuer = $2
		LEFT JOIN ca_status s ON s.serial = k.serial AND s.issuer = $2`, SerialText(single.CertID.Serial), id).
		Scan(&state, &status, &reason, &since)
	switch {
	case err != nil:
		return err
	case status != "":
		single.Status, single.Reason = ocsp.Revoked, reason
		single.RevokedAt, err = store.ParseTime(since)
		return err
	case state == "issued":
		single.Status = ocsp.Good
	}
	return nil
}

// current finds a key of the infrastructure and the certificate that belongs to it now. Errors: those of the keystore,
// ErrKey without one, ErrNotFound.
func (a *Authority) current(ctx context.Context, name string, f Filter, now time.Time) (*chain.Certificate, keystore.Key, error) {
	if a.Keys == nil {
		return nil, nil, ErrKey.With("%s", name)
	}
	key, err := a.Keys.Get(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if key.State() != keystore.StateActive {
		return nil, nil, ErrKey.With("%s", name)
	}
	f.Public = keystore.Point(key.Public())
	list, err := a.Certificates(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	for _, record := range list {
		if record.State == RecordGood && record.Certificate.ValidAt(now) {
			return record.Certificate, key, nil
		}
	}
	return nil, nil, ErrNotFound.With("%s", f.Profile)
}
