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

// OCSPAnswer answers a request in DER; it never fails otherwise. A serial number that was never issued is unknown; a
// request about another issuer only is unauthorized, among others it is unknown. When the database or the key cannot be
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
	view, err := a.answers.look(ctx, a)
	if err != nil {
		return tryLater
	}
	keep := len(asked.CertIDs) == 1 && asked.Nonce == nil
	if keep {
		if kept, ok := a.answers.get(asked.CertIDs[0], view); ok {
			return kept
		}
	}
	singles, ours, err := a.judge(ctx, asked.CertIDs, view.now)
	switch {
	case err != nil:
		return tryLater
	case !ours:
		return OCSPAnswer{DER: ocsp.ErrorResponse(ocsp.Unauthorized)}
	}
	response, err := ocsp.CreateResponse(ctx, singles, asked.Nonce, view.now, view.responder, view.key)
	if err != nil {
		return tryLater
	}
	if keep && singles[0].Status != ocsp.Unknown {
		return a.answers.put(singles[0], response, view)
	}
	return OCSPAnswer{DER: response}
}

// judge says of every certificate what the database says; ours, whether one of them is of this issuer.
func (a *Authority) judge(ctx context.Context, ids []ocsp.CertID, now time.Time) (singles []ocsp.Single, ours bool, err error) {
	for _, id := range ids {
		single := ocsp.Single{CertID: id, Status: ocsp.Unknown, ThisUpdate: now, NextUpdate: now.Add(OCSPValidity)}
		if id.Matches(a.issuing) {
			ours = true
			if err := a.answer(ctx, &single); err != nil {
				return nil, true, err
			}
		}
		singles = append(singles, single)
	}
	return singles, ours, nil
}

// answer fills in what the database says. A number on the list whose certificate was never released is revoked, too.
func (a *Authority) answer(ctx context.Context, single *ocsp.Single) error {
	var state, status, since string
	var reason int
	// After a restore there may be a state without a certificate.
	err := a.DB.Read().QueryRowContext(ctx, `SELECT COALESCE(c.state, ''), COALESCE(s.state, ''), COALESCE(s.reason, 0), COALESCE(s.since, '')
		FROM (SELECT CAST($1 AS TEXT) AS serial) k LEFT JOIN ca_certificate c ON c.serial = k.serial AND c.issuer = 'issuing'
		LEFT JOIN ca_status s ON s.serial = k.serial AND s.issuer = 'issuing'`, SerialText(single.CertID.Serial)).
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
func (a *Authority) current(ctx context.Context, name string, profile Profile, now time.Time) (*chain.Certificate, keystore.Key, error) {
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
	list, err := a.Certificates(ctx, Filter{Profile: profile, Public: keystore.Point(key.Public())})
	if err != nil {
		return nil, nil, err
	}
	for _, record := range list {
		if record.State == RecordGood && record.Certificate.ValidAt(now) {
			return record.Certificate, key, nil
		}
	}
	return nil, nil, ErrNotFound.With("%s", profile)
}
