package ca

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/store"
)

// Status implements chain.RevocationSource from the database: it knows every change at the moment of its commit, and
// what was the case at any earlier time. Of a certificate of another authority it says what the imported lists say
// (ImportCRL), of one that only pretends to be its own it knows nothing.
func (a *Authority) Status(ctx context.Context, cert, issuer *chain.Certificate, at time.Time) (chain.Status, error) {
	const source = "ca"
	unknown := func(why string) (chain.Status, error) {
		return chain.Status{State: chain.StateUnknown, Source: source, Detail: why}, nil
	}
	switch {
	case cert == nil || issuer == nil:
		return unknown("no certificate")
	case !a.isOurs(issuer) || !bytes.Equal(cert.RawIssuer, issuer.RawSubject):
		return a.foreignStatus(ctx, cert, issuer, at)
	}
	serial := SerialText(cert.Serial)
	der, events, err := a.history(ctx, serial)
	if err != nil {
		return chain.Status{}, err
	}
	if !bytes.Equal(der, cert.Raw) {
		return unknown("not on record")
	}
	s := judge(events, at)
	s.Source, s.ThisUpdate, s.NextUpdate = source, a.Clock().UTC(), a.Clock().UTC()
	return s, nil
}

// isOurs says whether a certificate is the root's or of an issuing CA, in force or before.
func (a *Authority) isOurs(c *chain.Certificate) bool {
	return c.Fingerprint() == a.root.Fingerprint() ||
		slices.ContainsFunc(a.issuers, func(s *issuingCA) bool { return sameAuthority(c, s.Certificate) })
}

// history gives an issued certificate and what happened to it, in one question, since every seal asks it many times; no
// certificate when there is none.
func (a *Authority) history(ctx context.Context, serial string) (der []byte, events []statusEvent, err error) {
	rows, err := a.DB.Read().QueryContext(ctx, `SELECT c.certificate, COALESCE(e.action, ''), COALESCE(e.reason, 0), COALESCE(e.happened, '')
		FROM ca_certificate c LEFT JOIN ca_status_event e ON e.serial = c.serial
		WHERE c.serial = $1 AND c.state = 'issued' ORDER BY e.position`, serial)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e statusEvent
		var happened string
		if err := rows.Scan(&der, &e.action, &e.reason, &happened); err != nil {
			return nil, nil, err
		}
		if e.action == "" {
			continue // the certificate without any event
		}
		if e.at, err = store.ParseTime(happened); err != nil {
			return nil, nil, err
		}
		events = append(events, e)
	}
	return der, events, rows.Err()
}

type statusEvent struct {
	action string
	reason Reason
	at     time.Time
}

// judge tells the state at a time from what happened. Times are compared in seconds, as everywhere in certificates: a
// revocation counts from the beginning of its second.
func judge(events []statusEvent, at time.Time) chain.Status {
	at = at.Truncate(time.Second)
	s := chain.Status{State: chain.StateGood}
	for _, e := range events {
		happened := e.at.Truncate(time.Second)
		if happened.After(at) {
			if s.State == chain.StateGood && e.action == actionRevoke {
				s.RevokedLater, s.At, s.Reason = true, happened, int(e.reason)
			}
			continue
		}
		if e.action == actionResume {
			s = chain.Status{State: chain.StateGood}
			continue
		}
		s = chain.Status{State: chain.StateRevoked, At: happened, Reason: int(e.reason)}
	}
	return s
}

// Record is a certificate as the database has it.
type Record struct {
	Serial      *big.Int
	Profile     Profile
	Issuer      string // ID of the issuing CA, or root
	State       RecordState
	Reason      Reason             // of a revocation or hold
	Since       time.Time          // of a revocation or hold, else zero
	Certificate *chain.Certificate // nil when the issuance failed or is not finished
	Created     time.Time
	Approval    string // empty for certificates of a ceremony
}

// RecordState is what became of a certificate.
type RecordState string

// The states of records. Expiry is not among them: that is a matter of the clock.
const (
	RecordPending RecordState = "pending" // recorded, not signed yet
	RecordFailed  RecordState = "failed"
	RecordGood    RecordState = "good"
	RecordHeld    RecordState = "held"
	RecordRevoked RecordState = "revoked"
)

// Filter narrows Certificates; empty fields do not. Limit 0 means 100; at most 1000 come at once.
type Filter struct {
	Serial  *big.Int
	Profile Profile
	Issuer  string // ID of an issuing CA, or root
	Name    string // common name: the seal code of an institution
	Public  []byte // uncompressed point
	Before  time.Time
	After   *big.Int // behind the certificate with this serial number in the list
	Limit   int
}

// Certificates lists records, newest first. To page on, set After to the serial number of the last one: several may have been
// made at the same time.
func (a *Authority) Certificates(ctx context.Context, f Filter) ([]Record, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	query := `SELECT c.serial, c.profile, c.issuer, c.state, c.certificate, c.created, COALESCE(c.approval, ''), COALESCE(s.state, ''), COALESCE(s.reason, 0), COALESCE(s.since, '')
		FROM ca_certificate c LEFT JOIN ca_status s ON s.serial = c.serial WHERE 1 = 1`
	var args []any
	and := func(condition string, value any) {
		args = append(args, value)
		query += fmt.Sprintf(" AND %s $%d", condition, len(args))
	}
	if f.Serial != nil {
		and("c.serial =", SerialText(f.Serial))
	}
	if f.Profile != "" {
		and("c.profile =", string(f.Profile))
	}
	if f.Issuer != "" {
		and("c.issuer =", f.Issuer)
	}
	if f.Name != "" {
		and("c.common_name =", f.Name)
	}
	if f.Public != nil {
		and("c.public_key =", f.Public)
	}
	if !f.Before.IsZero() {
		and("c.created <", store.Time(f.Before))
	}
	if f.After != nil {
		args = append(args, SerialText(f.After))
		at := fmt.Sprintf("(SELECT created FROM ca_certificate WHERE serial = $%d)", len(args))
		query += fmt.Sprintf(" AND (c.created < %s OR c.created = %s AND c.serial > $%d)", at, at, len(args))
	}
	args = append(args, min(f.Limit, 1000))
	query += fmt.Sprintf(" ORDER BY c.created DESC, c.serial LIMIT $%d", len(args))
	rows, err := a.DB.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Record
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

func scanRecord(row interface{ Scan(...any) error }) (Record, error) {
	var r Record
	var serial, state, created, status, since string
	var der []byte
	err := row.Scan(&serial, (*string)(&r.Profile), &r.Issuer, &state, &der, &created, &r.Approval, &status, &r.Reason, &since)
	if err != nil {
		return r, err
	}
	if r.Serial, err = ParseSerial(serial); err != nil {
		return r, err
	}
	switch {
	case state == "intent":
		r.State = RecordPending
	case state == "failed":
		r.State = RecordFailed
	case status == stateRevoked:
		r.State = RecordRevoked
	case status == stateHeld:
		r.State = RecordHeld
	default:
		r.State = RecordGood
	}
	if r.Created, err = store.ParseTime(created); err != nil {
		return r, err
	}
	if since != "" {
		if r.Since, err = store.ParseTime(since); err != nil {
			return r, err
		}
	}
	if der != nil {
		r.Certificate, err = chain.ParseCertificate(der)
	}
	return r, err
}

// Certificate finds a record by serial number: ca.not-found.
func (a *Authority) Certificate(ctx context.Context, serial *big.Int) (Record, error) {
	list, err := a.Certificates(ctx, Filter{Serial: serial})
	if err != nil {
		return Record{}, err
	}
	if len(list) != 1 || serial == nil {
		return Record{}, ErrNotFound.New()
	}
	return list[0], nil
}

// Current is the newest certificate of an infrastructure profile (seal maker, TSA) that is valid and good now: ca.not-found.
func (a *Authority) Current(ctx context.Context, p Profile) (*chain.Certificate, error) {
	return a.newest(ctx, Filter{Profile: p})
}

// Responder is the newest certificate of the OCSP responder of an issuing CA that is valid and good now: ca.not-found.
func (a *Authority) Responder(ctx context.Context, id string) (*chain.Certificate, error) {
	return a.newest(ctx, Filter{Profile: ProfileOCSP, Issuer: id})
}

func (a *Authority) newest(ctx context.Context, f Filter) (*chain.Certificate, error) {
	list, err := a.Certificates(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if r.State == RecordGood && r.Certificate.ValidAt(a.Clock()) {
			return r.Certificate, nil
		}
	}
	return nil, ErrNotFound.With("%s", f.Profile)
}
