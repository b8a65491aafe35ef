package business

import (
	"context"
	"database/sql"
	"errors"
	"math/big"
	"time"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// RenewalState says whether a renewal has taken the place of what it renews.
type RenewalState string

// The states of renewals.
const (
	RenewalWaiting  RenewalState = "waiting"
	RenewalInUse    RenewalState = "in-use"
	RenewalObjected RenewalState = "objected"
)

// Renewal is the renewal of a central seal, or of all that is on one USB Key.
type Renewal struct {
	ID       string
	Seal     string // code of a central seal
	Holder   string // actor of the USB Key; empty for a central seal
	Made     time.Time
	AcceptBy time.Time // when it takes its place unless the holder objects
	State    RenewalState
	// Certificates are the renewed ones, the signing certificate first.
	Certificates []Renewed
}

// Renewed is one certificate of a renewal.
type Renewed struct {
	Successor, Predecessor *big.Int
	Instances              []string // of seals that list the successor
	Authority              string   // that made them; empty for the own one
	order                  string   // of the successor there
}

func (r Renewal) insert(ctx context.Context, tx *store.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO business_renewal (id, seal, holder, made, accept_by, state) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.ID, r.Seal, r.Holder, store.Time(r.Made), store.Time(r.AcceptBy), string(r.State))
	return err
}

const selectRenewal = `SELECT id, seal, holder, made, accept_by, state FROM business_renewal`

// RenewalFilter narrows a list of renewals; zero fields do not.
type RenewalFilter struct {
	State  RenewalState
	Holder string
	// After continues a list behind the renewal with this identifier.
	After string
	Limit int
}

// Renewals lists those in a state, the oldest first; an empty state means all. At most limit come.
func (s *Service) Renewals(ctx context.Context, state RenewalState, limit int) ([]Renewal, error) {
	return s.ListRenewals(ctx, RenewalFilter{State: state, Limit: limit})
}

// ListRenewals is Renewals for what passes a filter.
func (s *Service) ListRenewals(ctx context.Context, f RenewalFilter) ([]Renewal, error) {
	q := s.DB.Read()
	rows, err := q.QueryContext(ctx, selectRenewal+` WHERE ($1 = '' OR state = $1) AND ($2 = '' OR holder = $2)
		AND ($3 = '' OR (made, id) > (SELECT b.made, b.id FROM business_renewal b WHERE b.id = $3)) ORDER BY made, id LIMIT $4`,
		string(f.State), f.Holder, f.After, f.Limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Renewal
	for rows.Next() {
		r, err := scanRenewal(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Certificates, err = readRenewed(ctx, q, list[i].ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Renewal finds one: business.no-renewal.
func (s *Service) Renewal(ctx context.Context, id string) (Renewal, error) {
	return readRenewal(ctx, s.DB.Read(), id)
}

func readRenewal(ctx context.Context, q store.Querier, id string) (Renewal, error) {
	r, err := scanRenewal(q.QueryRowContext(ctx, selectRenewal+` WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrNoRenewal.New()
	}
	if err != nil {
		return r, err
	}
	r.Certificates, err = readRenewed(ctx, q, id)
	return r, err
}

// renewalOf finds the renewal of a certificate that waits: business.no-renewal.
func (s *Service) renewalOf(ctx context.Context, predecessor *big.Int) (Renewal, error) {
	var id string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT COALESCE((SELECT n.id FROM business_renewal n JOIN business_renewed d ON d.renewal = n.id
		WHERE d.predecessor = $1 AND n.state = 'waiting' LIMIT 1), '')`, ca.SerialText(predecessor)).Scan(&id)
	if err != nil {
		return Renewal{}, err
	}
	return s.Renewal(ctx, id)
}

func readRenewed(ctx context.Context, q store.Querier, renewal string) ([]Renewed, error) {
	rows, err := q.QueryContext(ctx, `SELECT d.successor, d.predecessor, d.instance FROM business_renewed d JOIN ca_certificate c ON c.serial = d.successor
		WHERE d.renewal = $1 ORDER BY CASE WHEN c.profile = 'encryption' THEN 1 ELSE 0 END, d.successor, d.instance`, renewal)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Renewed
	for rows.Next() {
		var successor, predecessor, instance string
		if err := rows.Scan(&successor, &predecessor, &instance); err != nil {
			return nil, err
		}
		d := Renewed{Successor: serialNumber(successor), Predecessor: serialNumber(predecessor)}
		if n := len(list); n > 0 && list[n-1].Successor.Cmp(d.Successor) == 0 {
			list[n-1].Instances = append(list[n-1].Instances, instance)
			continue
		}
		if instance != "" {
			d.Instances = []string{instance}
		}
		list = append(list, d)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	foreign, err := readElsewhere(ctx, q, renewal)
	if foreign != nil {
		list = append(list, *foreign)
	}
	return list, err
}

func scanRenewal(row interface{ Scan(...any) error }) (r Renewal, err error) {
	var made, until string
	if err := row.Scan(&r.ID, &r.Seal, &r.Holder, &made, &until, &r.State); err != nil {
		return r, err
	}
	if r.Made, err = store.ParseTime(made); err != nil {
		return r, err
	}
	r.AcceptBy, err = store.ParseTime(until)
	return r, err
}

// serialNumber reads what ca.SerialText wrote; 0, which no certificate has, for anything else.
func serialNumber(text string) *big.Int {
	serial, err := ca.ParseSerial(text)
	if err != nil {
		return new(big.Int)
	}
	return serial
}

// SettleRenewals puts into use what waited for its whole term without an objection. What cannot be settled, because its
// seal was withdrawn, say, does not keep the others back; the errors come back together.
func (s *Service) SettleRenewals(ctx context.Context) (settled int, err error) {
	list, err := s.Renewals(ctx, RenewalWaiting, 10_000)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, r := range list {
		if s.Clock().Before(r.AcceptBy) {
			continue
		}
		if err := s.settle(ctx, access.Actor{}, r.ID, "term"); err != nil {
			failed = append(failed, err)
			continue
		}
		settled++
	}
	return settled, errors.Join(failed...)
}

// AcceptRenewal puts a renewal into use before its term ends, because its holder agrees; a registrar records it, or the
// holder of the USB Key does it. Errors: business.no-renewal, access.role.
func (s *Service) AcceptRenewal(ctx context.Context, by access.Actor, id string) error {
	return s.settle(ctx, by, id, "accepted")
}

// settle lets a renewal take the place of what it renews: certificates and seals. One that has nothing left to replace
// ends instead, as if somebody had objected.
func (s *Service) settle(ctx context.Context, by access.Actor, id, how string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		r, err := s.waiting(ctx, tx, by, id)
		if err != nil {
			return err
		}
		outdated, err := s.outdated(ctx, tx, r)
		if err != nil {
			return err
		}
		if outdated {
			return s.drop(ctx, tx, by, r)
		}
		for _, c := range r.Certificates {
			for _, instance := range c.Instances {
				if err := s.Seals.Activate(ctx, tx, instance); err != nil {
					return err
				}
			}
			if err := s.supersede(ctx, tx, c); err != nil {
				return err
			}
		}
		return s.decideRenewal(ctx, tx, by, r, RenewalInUse, map[string]string{"how": how})
	})
}

// outdated reports whether a renewal has nothing left to take the place of: the seal was cancelled or made anew, or a
// certificate of it revoked, since it was made.
func (s *Service) outdated(ctx context.Context, tx *store.Tx, r Renewal) (bool, error) {
	for _, c := range r.Certificates {
		for _, instance := range c.Instances {
			if usable, err := s.usable(ctx, tx, instance); err != nil || !usable {
				return true, err
			}
		}
		var revoked int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_status WHERE serial = $1 AND state = 'revoked'`, ca.SerialText(c.Successor)).Scan(&revoked)
		if err != nil || revoked > 0 {
			return true, err
		}
	}
	return false, nil
}

// drop ends a renewal that came too late: its seals will not be used. Its certificates go on hold where a person decides.
func (s *Service) drop(ctx context.Context, tx *store.Tx, by access.Actor, r Renewal) error {
	for _, c := range r.Certificates {
		for _, instance := range c.Instances {
			if err := s.Seals.Withdraw(ctx, tx, by, instance, "outdated"); err != nil {
				return err
			}
		}
		if by.ID == "" {
			continue
		}
		if err := s.hold(ctx, tx, by, c, "outdated"); err != nil {
			return err
		}
	}
	return s.decideRenewal(ctx, tx, by, r, RenewalObjected, map[string]string{"how": "outdated"})
}

// underWay reports whether an open application takes the revocation of a certificate, or makes or cancels a seal: what is
// renewed meanwhile would escape what two people decided.
func underWay(ctx context.Context, q store.Querier, serial *big.Int, codes []string) (bool, error) {
	about := []string{`%"serial":"` + ca.SerialText(serial) + `"%`}
	for _, code := range codes {
		about = append(about, `%"code":"`+code+`"%`)
	}
	for _, like := range about {
		var open int
		err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM business_act b JOIN enroll_application a ON a.id = b.application AND a.version = b.version
			WHERE a.state IN ('examined', 'approved', 'issued', 'objected') AND b.kind IN ('revoke', 'seal', 'cancel') AND b.content LIKE $1`, like).Scan(&open)
		if err != nil || open > 0 {
			return true, err
		}
	}
	return false, nil
}

// ObjectToRenewal keeps a renewal from being used: its certificates go on hold at once, its seals end, and what it was
// to renew stays. A registrar or the holder says so. Revoking the certificates takes two people, as always.
func (s *Service) ObjectToRenewal(ctx context.Context, by access.Actor, id, reason string) error {
	if err := enroll.CheckReason(reason); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		r, err := s.waiting(ctx, tx, by, id)
		if err != nil {
			return err
		}
		for _, c := range r.Certificates {
			for _, instance := range c.Instances {
				if err := s.Seals.Withdraw(ctx, tx, by, instance, reason); err != nil {
					return err
				}
			}
			if err := s.hold(ctx, tx, by, c, "objection"); err != nil {
				return err
			}
		}
		return s.decideRenewal(ctx, tx, by, r, RenewalObjected, map[string]string{"reason": reason})
	})
}

// waiting reads a renewal that can still be decided, by somebody who may: nobody is the passing of time.
func (s *Service) waiting(ctx context.Context, tx *store.Tx, by access.Actor, id string) (Renewal, error) {
	r, err := readRenewal(ctx, tx, id)
	if err == nil && r.State != RenewalWaiting {
		err = ErrNoRenewal.With("%s", r.State)
	}
	if err == nil && by.ID != "" {
		err = s.mayDecide(ctx, tx, by, r.Holder)
	}
	return r, err
}

// mayDecide lets registrars act for a holder, and the holder of a USB Key for what is on it.
func (s *Service) mayDecide(ctx context.Context, q store.Querier, by access.Actor, holder string) error {
	actor, err := s.Access.ActorIn(ctx, q, by.ID)
	if err != nil {
		return err
	}
	if actor.Has(access.RoleRegistrar) || holder != "" && holder == actor.ID {
		return nil
	}
	return access.ErrRole.With("%s", access.RoleRegistrar)
}

func (s *Service) decideRenewal(ctx context.Context, tx *store.Tx, by access.Actor, r Renewal, state RenewalState, data map[string]string) error {
	now := s.Clock()
	_, err := tx.ExecContext(ctx, `UPDATE business_renewal SET state = $1, settled = $2 WHERE id = $3`, string(state), store.Time(now), r.ID)
	if err != nil {
		return err
	}
	_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "renewal." + string(state), Actor: by.ID, Subject: r.ID, Data: data})
	return err
}
