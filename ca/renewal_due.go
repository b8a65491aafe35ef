package ca

import (
	"context"
	"math/big"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Expiry is a certificate that ends and has no successor yet.
type Expiry struct {
	Serial       *big.Int
	Profile      Profile
	Organisation string // its name alone
	CommonName   string // the seal code of an institution
	NotBefore    time.Time
	NotAfter     time.Time
	Held         bool // on hold: it can be renewed when the hold has ended
	// RenewableUntil is the moment from which the approval of its line carries no renewals any more; zero for a certificate
	// of a ceremony, which a ceremony renews.
	RenewableUntil time.Time
}

// Expiring lists the certificates whose validity ends after one moment and not after another, the earliest first: those
// that are good or on hold, have no successor that is good, and, for the services of the authority, are the last of their
// profile and issuer.
func (a *Authority) Expiring(ctx context.Context, after, until time.Time) ([]Expiry, error) {
	return a.expiring(ctx, `c.not_after > $1 AND c.not_after <= $2`, store.Time(after), store.Time(until))
}

// Expiry is that of one certificate, whenever it ends: ca.not-found when it was taken back or has a successor.
func (a *Authority) Expiry(ctx context.Context, serial *big.Int) (Expiry, error) {
	list, err := a.expiring(ctx, `c.serial = $1`, SerialText(serial))
	if err == nil && len(list) != 1 {
		err = ErrNotFound.New()
	}
	if err != nil {
		return Expiry{}, err
	}
	return list[0], nil
}

func (a *Authority) expiring(ctx context.Context, condition string, args ...any) ([]Expiry, error) {
	rows, err := a.DB.Read().QueryContext(ctx, `SELECT c.serial, c.profile, c.request, c.organisation, c.common_name, c.not_before, c.not_after,
			COALESCE(c.approved, ''), COALESCE(s.state, '')
		FROM ca_certificate c LEFT JOIN ca_status s ON s.serial = c.serial
		WHERE `+condition+` AND c.state = 'issued' AND (s.state IS NULL OR s.state = 'held')
			AND NOT EXISTS (SELECT 1 FROM ca_certificate n LEFT JOIN ca_status t ON t.serial = n.serial
				WHERE n.renews = c.serial AND n.state <> 'failed' AND t.serial IS NULL)
			AND (c.profile IN ('institution', 'personal', 'encryption') OR NOT EXISTS (SELECT 1 FROM ca_certificate n
				LEFT JOIN ca_status t ON t.serial = n.serial
				WHERE n.profile = c.profile AND n.issuer = c.issuer AND (c.profile <> 'issuing' OR n.public_key = c.public_key)
					AND n.state = 'issued' AND n.not_after > c.not_after AND t.serial IS NULL))
		ORDER BY c.not_after, c.serial`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Expiry
	for rows.Next() {
		e, err := scanExpiry(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

func scanExpiry(row interface{ Scan(...any) error }) (Expiry, error) {
	var e Expiry
	var serial, notBefore, notAfter, approved, status string
	var request []byte
	if err := row.Scan(&serial, (*string)(&e.Profile), &request, &e.Organisation, &e.CommonName, &notBefore, &notAfter, &approved, &status); err != nil {
		return e, err
	}
	// The certificate's organisation begins with the credit code; people know it by its name.
	if r, err := ParseRequest(request); err == nil && r.Organisation != "" {
		e.Organisation = r.Organisation
	}
	var err error
	if e.Serial, err = ParseSerial(serial); err != nil {
		return e, err
	}
	e.Held = status == stateHeld
	if e.NotBefore, err = store.ParseTime(notBefore); err != nil {
		return e, err
	}
	if e.NotAfter, err = store.ParseTime(notAfter); err != nil || approved == "" {
		return e, err
	}
	given, err := store.ParseTime(approved)
	e.RenewableUntil = access.RenewableUntil(given)
	return e, err
}
