package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/store"
)

const (
	keyPrefix     = "yx_"
	keySecretSize = 32 // bytes; 43 characters of base64
	maxKeyText    = 128
)

// KeyTerms are what an API key is for and what it may be used for.
type KeyTerms struct {
	Label string
	Only
	Expires time.Time // zero: it does not
	// Certificate is the SM3 of the DER of a client certificate, in hex: the key counts only over a connection that was
	// opened with it (mTLS). Empty: over any.
	Certificate string
}

type certificateKey struct{}

// WithClientCertificate says with which certificate the connection was opened that a request came over.
func WithClientCertificate(ctx context.Context, der []byte) context.Context {
	sum := sm3.Sum(der)
	return context.WithValue(ctx, certificateKey{}, hex.EncodeToString(sum[:]))
}

// bound says whether a key counts over the connection of a request.
func bound(ctx context.Context, certificate string) bool {
	given, _ := ctx.Value(certificateKey{}).(string)
	return certificate == "" || subtle.ConstantTimeCompare([]byte(given), []byte(certificate)) == 1
}

// Only narrows what an actor may do through an API key; an empty list does not narrow. Whoever acts without a key, or
// through a key without limits, has an empty one.
type Only struct {
	Scopes []string // parts of the API, of Scopes
	Seals  []string // codes
	// Networks are the labels of the listeners on which alone the key counts, of Networks.
	Networks []string
	// Sandbox lets nothing be done but sealing for trial: what is sealed is marked 测试 on every page and in the signature, and
	// does not count against a grant.
	Sandbox bool
}

// The parts of the API that a key may be narrowed to.
const (
	ScopeSealing      = "sealing"      // documents, previews, sealings, batches, seals
	ScopeTerminals    = "terminals"    // tasks for USB Keys, terminals
	ScopeIssuances    = "issuances"    // remote issuing
	ScopeWebhooks     = "webhooks"     // calls of events
	ScopeLedger       = "ledger"       // the ledger
	ScopeCertificates = "certificates" // certificates, and orders from other installations
	ScopeRegistration = "registration" // applications, approvals, and what follows from them
	ScopeService      = "service"      // figures and keys of the service
)

// Scopes are all of them.
var Scopes = []string{ScopeSealing, ScopeTerminals, ScopeIssuances, ScopeWebhooks, ScopeLedger, ScopeCertificates, ScopeRegistration, ScopeService}

// Reaches says whether a part of the API is within the limits.
func (o Only) Reaches(scope string) bool {
	return len(o.Scopes) == 0 || slices.Contains(o.Scopes, scope)
}

// CheckSeal says that a seal is not within the limits: access.key-seal.
func (o Only) CheckSeal(seal string) error {
	if len(o.Seals) == 0 || slices.Contains(o.Seals, seal) {
		return nil
	}
	return ErrKeySeal.With("%.40s", seal)
}

// CheckReal says that something is not done for trial: access.key-sandbox.
func (o Only) CheckReal() error {
	if o.Sandbox {
		return ErrKeySandbox.New()
	}
	return nil
}

const maxKeySeals = 100

func (t KeyTerms) check(now time.Time) error {
	switch {
	case !validText(t.Label):
		return ErrActor.At(fault.Field("label"))
	case slices.ContainsFunc(t.Scopes, func(s string) bool { return !slices.Contains(Scopes, s) }):
		return ErrKeyTerms.Saying("可选："+strings.Join(Scopes, "、"), "one of "+strings.Join(Scopes, ", ")).At(fault.Field("scopes"))
	case len(t.Seals) > maxKeySeals || slices.ContainsFunc(t.Seals, func(s string) bool { return len(s) != 14 || strings.Trim(s, "0123456789") != "" }):
		return ErrKeyTerms.At(fault.Field("seals"))
	case slices.ContainsFunc(t.Networks, func(n string) bool { return !slices.Contains(Networks, n) }):
		return ErrKeyTerms.Saying("可选："+strings.Join(Networks, "、"), "one of "+strings.Join(Networks, ", ")).At(fault.Field("networks"))
	case t.Certificate != "" && (len(t.Certificate) != hex.EncodedLen(sm3.Size) || strings.Trim(t.Certificate, "0123456789abcdef") != ""):
		return ErrKeyTerms.At(fault.Field("certificate"))
	case !t.Expires.IsZero() && !t.Expires.After(now):
		return ErrKeyTerms.At(fault.Field("expires"))
	}
	return nil
}

// APIKey describes an API key without its secret.
type APIKey struct {
	ID    string
	Actor string
	KeyTerms
	Created time.Time
	Used    time.Time // to the hour; zero: never
	Revoked bool
}

// CreateKey makes an API key for an actor without limits, for the machine itself: IssueKey.
func (s *Service) CreateKey(ctx context.Context, actorID, label string) (secret string, err error) {
	return s.IssueKey(ctx, actorID, actorID, KeyTerms{Label: label})
}

// officers are the roles of Officer.
var officers = []Role{RoleRegistrar, RoleApprover, RoleAuditor}

// Officer says whether somebody's word counts as that of one of two people, or looks what the others did: what lets
// others act as them is not given out from afar.
func (a Actor) Officer() bool { return slices.ContainsFunc(officers, a.Has) }

// MakeKey is IssueKey by an administrator from afar, who may not make keys for registrars, approvers and auditors.
// Errors: access.role, access.key-officer and those of IssueKey.
func (s *Service) MakeKey(ctx context.Context, by Actor, actorID string, t KeyTerms) (secret string, err error) {
	if _, err := s.Acting(ctx, s.db.Read(), by, RoleAdministrator); err != nil {
		return "", err
	}
	whose, err := s.Actor(ctx, actorID)
	if err != nil {
		return "", err
	}
	if whose.Officer() {
		return "", ErrKeyOfficer.With("%s", actorID)
	}
	return s.IssueKey(ctx, by.ID, actorID, t)
}

// IssueKey makes an API key for an actor; by is who had it made on the machine itself, where whoever can open the keystore
// is trusted. The secret, "yx_<id>_<43 characters>", is returned this
// once: the database keeps its SM3 hash. 256 random bits need no salt and no slow hash. Errors: access.actor-not-found,
// access.actor, access.key-terms.
func (s *Service) IssueKey(ctx context.Context, by, actorID string, t KeyTerms) (secret string, err error) {
	now := s.clock()
	if err := t.check(now); err != nil {
		return "", err
	}
	random := make([]byte, keySecretSize)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	id := strings.ToLower(rand.Text())[:16]
	secret = keyPrefix + id + "_" + base64.RawURLEncoding.EncodeToString(random)
	hash := sm3.Sum([]byte(secret))
	expires := sql.NullString{String: store.Time(t.Expires), Valid: !t.Expires.IsZero()}
	scopes, seals, networks := strings.Join(t.Scopes, " "), strings.Join(t.Seals, " "), strings.Join(t.Networks, " ")
	sandbox := 0
	if t.Sandbox {
		sandbox = 1
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := readActor(ctx, tx, actorID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO access_key (id, actor, label, hash, created, scopes, seals, expires, certificate, sandbox, networks) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			id, actorID, t.Label, hash[:], store.Time(now), scopes, seals, expires, t.Certificate, sandbox, networks)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, now, "key.created", by, id, map[string]string{"actor": actorID, "scopes": scopes, "seals": seals, "expires": expires.String, "certificate": t.Certificate, "sandbox": strconv.FormatBool(t.Sandbox), "networks": networks})
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Authenticate gives the actor behind an API key, with the roles held now. Of a key that is not right the answer is
// access.unknown-key, whatever is wrong; of one that does not count here access.key-bound, .key-network or .key-expired.
func (s *Service) Authenticate(ctx context.Context, secret string) (Actor, error) {
	id, ok := keyID(secret)
	if !ok {
		return Actor{}, ErrUnknownKey.New()
	}
	var actor, scopes, seals, certificate, networks string
	var hash []byte
	var expires, used sql.NullString
	var sandbox int
	err := s.db.Read().QueryRowContext(ctx, `SELECT actor, hash, scopes, seals, expires, used, certificate, sandbox, networks FROM access_key WHERE id = $1 AND revoked IS NULL`, id).
		Scan(&actor, &hash, &scopes, &seals, &expires, &used, &certificate, &sandbox, &networks)
	if errors.Is(err, sql.ErrNoRows) {
		return Actor{}, ErrUnknownKey.New()
	}
	if err != nil {
		return Actor{}, err
	}
	given := sm3.Sum([]byte(secret))
	if subtle.ConstantTimeCompare(given[:], hash) != 1 {
		return Actor{}, ErrUnknownKey.New()
	}
	if !bound(ctx, certificate) {
		return Actor{}, ErrKeyBound.New()
	}
	only := Only{Scopes: strings.Fields(scopes), Seals: strings.Fields(seals), Networks: strings.Fields(networks), Sandbox: sandbox == 1}
	if err := only.checkNetwork(ctx); err != nil {
		return Actor{}, err
	}
	now := s.clock()
	if expires.Valid && expires.String <= store.Time(now) {
		return Actor{}, ErrKeyExpired.New()
	}
	a, err := s.Actor(ctx, actor)
	if fault.Has(err, ErrActorNotFound) {
		return Actor{}, ErrUnknownKey.New()
	}
	if err != nil {
		return Actor{}, err
	}
	a.Key, a.Only = id, only
	return a, s.keyUsed(ctx, id, used.String, now)
}

// usedEvery is how exactly it is recorded when a key was last used.
const usedEvery = time.Hour

func (s *Service) keyUsed(ctx context.Context, id, last string, now time.Time) error {
	if last > store.Time(now.Add(-usedEvery)) {
		return nil
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE access_key SET used = $2 WHERE id = $1`, id, store.Time(now))
		return err
	})
}

// keyID takes the public part out of a secret of the right shape.
func keyID(secret string) (string, bool) {
	if len(secret) > maxKeyText {
		return "", false
	}
	rest, ok := strings.CutPrefix(secret, keyPrefix)
	if !ok {
		return "", false
	}
	id, random, ok := strings.Cut(rest, "_")
	return id, ok && validID(id) && len(random) == base64.RawURLEncoding.EncodedLen(keySecretSize)
}

// RevokeKey ends an API key at once: access.key-not-found. Ending it again does nothing. by is who had it ended.
func (s *Service) RevokeKey(ctx context.Context, by, id string) error {
	now := s.clock()
	return s.db.Write(ctx, func(tx *store.Tx) error {
		var actor string
		err := tx.QueryRowContext(ctx, `SELECT actor FROM access_key WHERE id = $1`, id).Scan(&actor)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrKeyNotFound.New()
		}
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE access_key SET revoked = $1 WHERE id = $2 AND revoked IS NULL`, store.Time(now), id)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, now, "key.revoked", by, id, map[string]string{"actor": actor})
	})
}

// Keys lists the API keys of an actor, oldest first.
func (s *Service) Keys(ctx context.Context, actorID string) ([]APIKey, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, label, created, revoked, scopes, seals, expires, used, certificate, sandbox, networks FROM access_key WHERE actor = $1 ORDER BY created, id`, actorID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []APIKey
	for rows.Next() {
		k := APIKey{Actor: actorID}
		var created, scopes, seals, networks string
		var revoked, expires, used sql.NullString
		var sandbox int
		if err := rows.Scan(&k.ID, &k.Label, &created, &revoked, &scopes, &seals, &expires, &used, &k.Certificate, &sandbox, &networks); err != nil {
			return nil, err
		}
		for to, text := range map[*time.Time]string{&k.Created: created, &k.Expires: expires.String, &k.Used: used.String} {
			if text == "" {
				continue
			}
			if *to, err = store.ParseTime(text); err != nil {
				return nil, err
			}
		}
		k.Scopes, k.Seals, k.Networks, k.Revoked, k.Sandbox = strings.Fields(scopes), strings.Fields(seals), strings.Fields(networks), revoked.Valid, sandbox == 1
		list = append(list, k)
	}
	return list, rows.Err()
}
