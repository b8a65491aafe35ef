package business

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// KeyState is how far the USB Key of a person is.
type KeyState string

// The states of USB Keys, in their order.
const (
	KeyWaiting    KeyState = "waiting"     // approved; nobody came with a Key yet
	KeyIssued     KeyState = "issued"      // certificates are made; whether the Key has them is not on record
	KeyWritten    KeyState = "written"     // the Key has them
	KeyHandedOver KeyState = "handed-over" // its holder has the Key
)

// KeyStates are all of them.
var KeyStates = []KeyState{KeyWaiting, KeyIssued, KeyWritten, KeyHandedOver}

// PersonalKey is the USB Key that an approved application makes for one person.
type PersonalKey struct {
	Application, Number string
	UnitName            string
	SealName, SealCode  string // the code in USBKey alone
	Actor, Name         string
	State               KeyState
	Spent               bool // see Act.Spent
	Signing, Encryption string
	Escrow              string   // of the encryption key
	Instances           []string // of the seals
	Token, On, Receipt  string   // of the hand-over
	act                 int
}

// KeyFilter narrows a list of USB Keys; zero fields do not.
type KeyFilter struct {
	State KeyState
	// Open leaves out what is handed over, and what was not recorded before its application was closed.
	Open        bool
	Application string
	// After continues a list behind the Key with this Place.
	After string
	Limit int
}

// Place is where a Key stands in the list.
func (k PersonalKey) Place() string { return k.Number + "/" + strconv.Itoa(k.act) }

// keysListed are the USB Keys of approved applications, after $1 (of one application; empty: of all), behind number $2 and act $3.
const keysListed = `(
	SELECT a.id AS application, a.number, a.unit_name, a.seal_name, CASE WHEN a.state = 'closed' THEN 1 ELSE 0 END AS closed, b.number AS act, b.content,
		CASE WHEN b.state <> 'done' AND COALESCE(p.used, 0) = 1 THEN 1 ELSE 0 END AS spent,
		CASE WHEN h.serial IS NOT NULL THEN 'handed-over' WHEN b.state <> 'done' THEN 'waiting'
			WHEN e.state <> 'done' OR k.state IN ('escrowed', 'delivered') THEN 'issued' ELSE 'written' END AS state,
		b.result AS signing, e.result AS encryption, COALESCE(k.id, '') AS escrow,
		COALESCE(h.token, '') AS token, COALESCE(h.handed, '') AS handed, COALESCE(h.receipt, '') AS receipt
	FROM enroll_application a JOIN business_act b ON b.application = a.id AND b.version = a.version
	JOIN business_act e ON e.application = b.application AND e.version = b.version AND e.number = b.number + 1
	LEFT JOIN access_request r ON r.parent = a.examination AND r.part = b.number
	LEFT JOIN access_approval p ON p.id = r.id
	LEFT JOIN escrow_key k ON k.serial = e.result
	LEFT JOIN business_handover h ON h.serial = b.result
	WHERE a.state IN ('approved', 'issued', 'accepted', 'objected', 'closed') AND b.kind = 'certificate' AND b.phase = 'issue' AND b.content LIKE '%"profile":"personal"%'
		AND (b.state = 'done' OR a.state = 'approved') AND ($1 = '' OR a.id = $1)
		AND (a.number > $2 OR a.number = $2 AND b.number > $3)) listed`

// CountOpenUSBKeys is how many USB Keys are to be made or handed over. For those who may list them: access.role.
func (s *Service) CountOpenUSBKeys(ctx context.Context, by access.Actor) (n int, err error) {
	if err := s.mayOversee(ctx, s.DB.Read(), by); err != nil {
		return 0, err
	}
	err = s.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM `+keysListed+` WHERE state <> 'handed-over' AND closed = 0`, "", "", 0).Scan(&n)
	return n, err
}

// USBKeys lists the USB Keys of approved applications, by number. For registrars, approvers and auditors: access.role.
func (s *Service) USBKeys(ctx context.Context, by access.Actor, f KeyFilter) ([]PersonalKey, error) {
	var list []PersonalKey
	err := s.DB.Snapshot(ctx, func(q store.Querier) error {
		if err := s.mayOversee(ctx, q, by); err != nil {
			return err
		}
		number, after, _ := strings.Cut(f.After, "/")
		behind, _ := strconv.Atoi(after) // of what is no number, the list begins with the application
		open := 0
		if f.Open {
			open = 1
		}
		rows, err := q.QueryContext(ctx, `SELECT application, number, unit_name, seal_name, act, content, state, spent, signing, encryption, escrow, token, handed, receipt FROM `+keysListed+`
			WHERE ($4 = '' OR state = $4) AND ($5 = 0 OR state <> 'handed-over' AND closed = 0) ORDER BY number, act LIMIT $6`,
			f.Application, number, behind, string(f.State), open, f.Limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			k, err := scanKey(rows)
			if err != nil {
				return err
			}
			list = append(list, k)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return list, err
}

func scanKey(rows *sql.Rows) (PersonalKey, error) {
	var k PersonalKey
	var content, state string
	var spent int
	err := rows.Scan(&k.Application, &k.Number, &k.UnitName, &k.SealName, &k.act, &content, &state, &spent, &k.Signing, &k.Encryption, &k.Escrow, &k.Token, &k.On, &k.Receipt)
	if err != nil {
		return k, err
	}
	var a act
	if err := json.Unmarshal([]byte(content), &a); err != nil {
		return k, err
	}
	if a.Certificate == nil {
		return k, fmt.Errorf("act %d of %s has no certificate", k.act, k.Number)
	}
	k.Actor, k.Name, k.State, k.Spent = a.Group, a.Certificate.CommonName, KeyState(state), spent == 1
	return k, nil
}

// USBKey finds the USB Key that an application makes for somebody, with its seals: business.no-key.
func (s *Service) USBKey(ctx context.Context, by access.Actor, application, actor string) (PersonalKey, error) {
	list, err := s.USBKeys(ctx, by, KeyFilter{Application: application, Limit: 1000})
	if err != nil {
		return PersonalKey{}, err
	}
	for _, k := range list {
		if k.Actor != actor {
			continue
		}
		acts, err := s.Acts(ctx, application)
		for _, a := range acts {
			if a.Kind != string(actSeal) || a.Actor != actor || a.Phase != string(phaseIssue) {
				continue
			}
			if k.SealCode = a.Object; a.Result != "" {
				k.Instances = append(k.Instances, a.Result)
			}
		}
		return k, err
	}
	return PersonalKey{}, ErrNoKey.With("%.64s", actor)
}

// PersonOf says who an actor is in registration: unit and holder; empty for somebody who is on no roster. For registrars,
// approvers and auditors: access.role.
func (s *Service) PersonOf(ctx context.Context, by access.Actor, actor string) (unit, holder string, err error) {
	if err := s.mayOversee(ctx, s.DB.Read(), by); err != nil {
		return "", "", err
	}
	err = s.DB.Read().QueryRowContext(ctx, `SELECT h.unit, h.id FROM business_user u JOIN enroll_holder h ON h.id = u.holder WHERE u.actor = $1`, actor).Scan(&unit, &holder)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return unit, holder, err
}

// mayOversee lets those look who issue, decide or audit.
func (s *Service) mayOversee(ctx context.Context, q store.Querier, by access.Actor) error {
	actor, err := s.Access.ActorIn(ctx, q, by.ID)
	if err == nil && !actor.Officer() {
		err = access.ErrRole.With("%s", access.RoleRegistrar)
	}
	return err
}

// Token is a USB Key in custody.
type Token struct {
	Serial       string
	Holder, Name string // actor
	Created      time.Time
	By           string
	Released     time.Time // its SO PIN is out and its next one not confirmed; zero: it is not
}

// TokenFilter narrows a list of tokens; zero fields do not.
type TokenFilter struct {
	Holder   string
	Serial   string
	Released bool
	After    string // continues a list behind the token with this serial number
	Limit    int
}

// Tokens lists the USB Keys in custody by serial number. For registrars, approvers and auditors: access.role.
func (s *Service) Tokens(ctx context.Context, by access.Actor, f TokenFilter) ([]Token, error) {
	var list []Token
	err := s.DB.Snapshot(ctx, func(q store.Querier) error {
		if err := s.mayOversee(ctx, q, by); err != nil {
			return err
		}
		released := 0
		if f.Released {
			released = 1
		}
		rows, err := q.QueryContext(ctx, `SELECT t.serial, t.holder, a.name, t.created, t.by, COALESCE(t.released, '') FROM business_token t JOIN access_actor a ON a.id = t.holder
			WHERE ($1 = '' OR t.holder = $1) AND ($2 = '' OR t.serial = $2) AND ($3 = 0 OR t.released IS NOT NULL) AND t.serial > $4 ORDER BY t.serial LIMIT $5`,
			f.Holder, f.Serial, released, f.After, f.Limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t Token
			var created, out string
			if err := rows.Scan(&t.Serial, &t.Holder, &t.Name, &created, &t.By, &out); err != nil {
				return err
			}
			if t.Created, err = store.ParseTime(created); err != nil {
				return err
			}
			if out != "" {
				if t.Released, err = store.ParseTime(out); err != nil {
					return err
				}
			}
			list = append(list, t)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return list, err
}

// Token finds one: business.token.
func (s *Service) Token(ctx context.Context, by access.Actor, serial string) (Token, error) {
	if !validToken(serial) {
		return Token{}, ErrToken.New()
	}
	list, err := s.Tokens(ctx, by, TokenFilter{Serial: serial, Limit: 1})
	if err == nil && len(list) == 0 {
		err = ErrToken.With("%s", serial)
	}
	if err != nil {
		return Token{}, err
	}
	return list[0], nil
}

// Held is a certificate on somebody's USB Key.
type Held struct {
	Serial  string
	Profile ca.Profile
	State   ca.RecordState
	Until   time.Time
}

// HeldBy are the certificates on the USB Key of an actor that nobody has revoked, the newest first. For registrars,
// approvers and auditors: access.role.
func (s *Service) HeldBy(ctx context.Context, by access.Actor, actor string) ([]Held, error) {
	if err := s.mayOversee(ctx, s.DB.Read(), by); err != nil {
		return nil, err
	}
	serials, err := holdingsOf(ctx, s.DB.Read(), actor)
	if err != nil {
		return nil, err
	}
	var list []Held
	for _, serial := range serials {
		r, err := s.Authority.Certificate(ctx, serial)
		if fault.Has(err, ca.ErrNotFound) || err == nil && r.Certificate == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, Held{Serial: ca.SerialText(serial), Profile: r.Profile, State: r.State, Until: r.Certificate.NotAfter})
	}
	slices.SortStableFunc(list, func(a, b Held) int { return b.Until.Compare(a.Until) })
	return list, nil
}
