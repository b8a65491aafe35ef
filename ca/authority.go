package ca

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date; those of internal/access must be there, since certificates
// point at approvals.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "ca", migrations) }

// The names of the infrastructure's keys in their keystores. Issuing CAs but the first have keys of their own for issuing
// and OCSP: "issuing-ID" and "ocsp-ID".
const (
	KeyRoot      = "root"
	KeyIssuing   = "issuing"
	KeyOCSP      = "ocsp"
	KeySealMaker = "seal-maker"
	KeyTSA       = "tsa"
)

// The paths under the base URL that certificates point to, besides those of the issuing CAs
// (PathShard, PathIssuerCertificate). Whoever serves HTTP must answer there: the CRLs and certificates in DER, OCSP of all
// issuing CAs by POST and GET (RFC 6960 appendix A), time stamps by POST (RFC 3161 3.4; no certificate points there), the
// practice statement as a page.
const (
	PathRootCRL         = "/pki/root.crl"
	PathRootCertificate = "/pki/root.cer"
	PathOCSP            = "/ocsp"
	PathTSA             = "/tsa"
	PathCPS             = "/pki/cps"
)

// Config is what an Authority works with.
type Config struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	// Keys reaches the purposes issuing, ocsp and tsa. Nil opens for reading only: states and certificates, nothing signed.
	Keys  *keystore.Ring
	Clock func() time.Time
	// Random makes serial numbers; nil is the operating system's.
	Random io.Reader
	// BaseURL goes into new certificates (see the Path constants); empty is the one of the ceremony.
	BaseURL string
	// Shards is into how many revocation lists new certificates are divided, at most 1024; 0 is DefaultShards.
	Shards int
	// Stamping says how time stamps are made.
	Stamping Stamping
	// RecoveryAge is how old an intent without result must be for Open to void it: 0, every one, is right where one
	// process issues. Voiding one that is still being worked on is safe, too: that issuance then fails.
	RecoveryAge time.Duration
}

// Authority issues and revokes. It is safe for concurrent use.
type Authority struct {
	Config
	access    *access.Service
	root      *chain.Certificate
	issuers   []*issuingCA // at least one
	prefix    []byte
	throwaway *linter
	makers    sync.Map // fingerprints of certificates that are known to be seal makers

	publishing sync.Mutex // one CRL at a time
	stamping   stampingCache
	trustList  trustListCache
	foreign    foreignLists

	// interrupt, if set, is called between the steps of an issuance, in tests of what an interruption leaves.
	interrupt func(step string)
}

var _ chain.RevocationSource = (*Authority)(nil)

// Open gives the Authority that Establish made, and voids what an earlier process left half issued. Errors:
// ca.not-established, ca.key.
func Open(ctx context.Context, c Config) (*Authority, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Shards == 0 {
		c.Shards = DefaultShards
	}
	if c.Shards < 0 || c.Shards > maxShards {
		return nil, ErrCeremony.At(fault.Field("shards"))
	}
	a := &Authority{Config: c, access: access.New(c.DB, c.Ledger, c.Clock)}
	base, err := a.load(ctx)
	if err != nil {
		return nil, err
	}
	if a.BaseURL == "" {
		a.BaseURL = base
	}
	if a.BaseURL, err = cleanURL(a.BaseURL); err != nil {
		return nil, err
	}
	for _, s := range a.issuers {
		s.urls = s.data(a.BaseURL)
	}
	if c.Keys == nil {
		return a, nil
	}
	for _, s := range a.issuers {
		name := keyOf(KeyIssuing, s.ID)
		if s.key, err = c.Keys.Get(ctx, name); err != nil {
			return nil, ErrKey.With("%s", name).Because(err)
		}
		if !s.key.Public().Equal(s.Certificate.PublicKey) {
			return nil, ErrKey.With("%s", name)
		}
	}
	if a.throwaway, err = newLinter(); err != nil {
		return nil, err
	}
	if err := a.noteBaseURL(ctx); err != nil {
		return nil, err
	}
	if err := a.Recover(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Authority) load(ctx context.Context) (baseURL string, err error) {
	list, err := loadAuthorities(ctx, a.DB.Read())
	if err != nil {
		return "", err
	}
	a.root, a.prefix = list[0].Certificate, list[0].prefix
	for _, r := range list[1:] {
		a.issuers = append(a.issuers, &issuingCA{Issuer: r.Issuer})
	}
	return list[0].baseURL, nil
}

// authorityRow is the root or an issuing CA as the database has it.
type authorityRow struct {
	Issuer
	prefix  []byte // of serial numbers; the same in all rows
	baseURL string // likewise
}

// loadAuthorities reads the root and, after it, the issuing CAs, of which there is at least one: ca.not-established.
func loadAuthorities(ctx context.Context, q store.Querier) ([]authorityRow, error) {
	var list []authorityRow
	err := store.Each(ctx, q, func(scan func(...any) error) error {
		var r authorityRow
		var der []byte
		err := scan(&r.ID, &der, &r.prefix, &r.baseURL)
		if err != nil {
			return err
		}
		r.Certificate, err = chain.ParseCertificate(der)
		list = append(list, r)
		return err
	}, `SELECT name, certificate, prefix, base_url FROM ca_authority ORDER BY position`)
	if err != nil {
		return nil, err
	}
	if len(list) < 2 || list[0].ID != rootID {
		return nil, ErrNotEstablished.New()
	}
	err = store.Each(ctx, q, func(scan func(...any) error) error {
		var p Profile
		var id string
		err := scan((*string)(&p), &id)
		for i := range list {
			if list[i].ID == id {
				list[i].Profiles = append(list[i].Profiles, p)
			}
		}
		return err
	}, `SELECT profile, issuer FROM ca_profile ORDER BY profile`)
	return list, err
}

// Root is the root's certificate, the anchor that others must be given.
func (a *Authority) Root() *chain.Certificate { return a.root }

func rootData(root *chain.Certificate, base string) issuerData {
	return issuerData{name: root.RawSubject, keyID: root.SubjectKeyID, cpsURL: base + PathCPS,
		crlURL: base + PathRootCRL, certURL: base + PathRootCertificate}
}

// cleanURL accepts what can stand in an IA5String and be followed.
func cleanURL(base string) (string, error) {
	base = strings.TrimRight(base, "/")
	rest, ok := strings.CutPrefix(base, "http://")
	if !ok {
		rest, ok = strings.CutPrefix(base, "https://")
	}
	if !ok || rest == "" || len(base) > 200 || strings.ContainsFunc(base, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\^{|}`+"`", r) }) {
		return "", ErrCeremony.At(fault.Field("baseURL"))
	}
	return base, nil
}

const (
	prefixSize = 2
	serialSize = 16 // prefix and 112 random bits; RFC 5280 allows 20 octets
)

// newSerial is the prefix of this installation, whose first bit is 0 and which is not zero, and random bits. Random,
// because a counter repeats itself after a restore; with a prefix, so that a number says where it came from.
func newSerial(random io.Reader, prefix []byte) (*big.Int, error) {
	octets := make([]byte, serialSize)
	copy(octets, prefix)
	if _, err := io.ReadFull(random, octets[prefixSize:]); err != nil {
		return nil, err
	}
	return new(big.Int).SetBytes(octets), nil
}

// SerialText is how a serial number stands in the database, in the ledger and before people: 32 lower-case hexadecimal
// digits; empty, which is in no row, for a number that cannot be ours.
func SerialText(serial *big.Int) string {
	if serial == nil || serial.Sign() <= 0 || serial.BitLen() > 8*serialSize {
		return ""
	}
	return hex.EncodeToString(serial.FillBytes(make([]byte, serialSize)))
}

// ParseSerial reads what SerialText wrote; zeros in front may be missing, and digits be upper case. The number of another
// authority may have the 20 octets that RFC 5280 allows.
func ParseSerial(text string) (*big.Int, error) {
	if len(text) > 2*20 {
		return nil, fmt.Errorf("ca: a serial number of %d digits", len(text))
	}
	serial, ok := new(big.Int).SetString(text, 16)
	if !ok || strings.ContainsAny(text, "+-_") || serial.Sign() == 0 {
		return nil, fmt.Errorf("ca: serial number %q", text)
	}
	return serial, nil
}

func (a *Authority) record(ctx context.Context, tx *store.Tx, at time.Time, kind, actor, subject string, data map[string]string) error {
	return record(ctx, a.Ledger, tx, at, kind, actor, subject, data)
}

func record(ctx context.Context, l *ledger.Ledger, tx *store.Tx, at time.Time, kind, actor, subject string, data map[string]string) error {
	_, err := l.Append(ctx, tx, ledger.Event{Time: at, Kind: kind, Actor: actor, Subject: subject, Data: data})
	return err
}

func isMissing(err error) bool { return errors.Is(err, sql.ErrNoRows) }
