package ca

import (
	"context"
	"sync"
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

// responderCache holds the responder's certificate and key between answers.
type responderCache struct {
	lock        sync.Mutex
	certificate *chain.Certificate
	key         keystore.Key
	checked     time.Time
}

// OCSP answers a request in DER with a response in DER; it never fails otherwise. The state comes from the database in
// one read, so it is right from the moment a revocation is recorded. A serial number that was never issued is unknown;
// a request about another issuer only is unauthorized, among others it is unknown. When the database or the key cannot
// be used the answer is tryLater, never good.
func (a *Authority) OCSP(ctx context.Context, request []byte) []byte {
	asked, err := ocsp.ParseRequest(request)
	if err != nil || len(asked.CertIDs) == 0 || len(asked.CertIDs) > maxAsked {
		return ocsp.ErrorResponse(ocsp.MalformedRequest)
	}
	now := a.Clock().UTC()
	singles := make([]ocsp.Single, 0, len(asked.CertIDs))
	ours := false
	for _, id := range asked.CertIDs {
		single := ocsp.Single{CertID: id, Status: ocsp.Unknown, ThisUpdate: now, NextUpdate: now.Add(OCSPValidity)}
		if id.Matches(a.issuing) {
			ours = true
			if err := a.answer(ctx, &single); err != nil {
				return ocsp.ErrorResponse(ocsp.TryLater)
			}
		}
		singles = append(singles, single)
	}
	if !ours {
		return ocsp.ErrorResponse(ocsp.Unauthorized)
	}
	certificate, key, err := a.ocspResponder(ctx, now)
	if err != nil {
		return ocsp.ErrorResponse(ocsp.TryLater)
	}
	response, err := ocsp.CreateResponse(ctx, singles, asked.Nonce, now, certificate, key)
	if err != nil {
		return ocsp.ErrorResponse(ocsp.TryLater)
	}
	return response
}

// answer fills in what the database says. A number on the list whose certificate was never released is revoked, too.
func (a *Authority) answer(ctx context.Context, single *ocsp.Single) error {
	var state, status, since string
	var reason int
	err := a.DB.Read().QueryRowContext(ctx, `SELECT c.state, COALESCE(s.state, ''), COALESCE(s.reason, 0), COALESCE(s.since, '')
		FROM ca_certificate c LEFT JOIN ca_status s ON s.serial = c.serial WHERE c.serial = $1 AND c.issuer = 'issuing'`, serialText(single.CertID.Serial)).
		Scan(&state, &status, &reason, &since)
	switch {
	case isMissing(err):
		return nil
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

// ocspResponder finds the certificate that belongs to the responder's key. It looks again every minute, so a renewed
// one is taken up and a revoked one dropped without a restart.
func (a *Authority) ocspResponder(ctx context.Context, now time.Time) (*chain.Certificate, keystore.Key, error) {
	r := &a.responder
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.certificate != nil && r.certificate.ValidAt(now) && !now.Before(r.checked) && now.Sub(r.checked) < time.Minute {
		return r.certificate, r.key, nil
	}
	var err error
	if r.certificate, r.key, err = a.current(ctx, KeyOCSP, ProfileOCSP, now); err != nil {
		r.certificate, r.key = nil, nil
		return nil, nil, err
	}
	r.checked = now
	return r.certificate, r.key, nil
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
