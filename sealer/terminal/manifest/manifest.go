package manifest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"time"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
)

// Format is the version of the manifest.
const Format = 1

// Life is the longest that a manifest may hold, from Issued to Expires.
const Life = 5 * time.Minute

// Limits of a manifest.
const (
	// MaxEnvelope is the most octets of an Envelope in JSON that a terminal need read.
	MaxEnvelope = 8 << 20
	maxManifest = 4 << 20
	maxToSign   = 2 << 20
	maxMarks    = 100_000
	maxID       = 64
	maxName     = 1000 // octets
	maxSize     = 9_999_999_999
)

// Manifest says what is to be signed and what it means (docs/terminal.md). Digests are SM3 in lower-case hex, times whole
// seconds in UTC.
type Manifest struct {
	Format      int         `json:"format"`
	Key         string      `json:"key"` // Fingerprint of the server's key that signed
	Job         string      `json:"job"`
	Task        string      `json:"task"`
	Item        string      `json:"item"`
	Nonce       []byte      `json:"nonce"` // 32 random octets
	Terminal    string      `json:"terminal"`
	Clerk       Person      `json:"clerk"`
	Document    Document    `json:"document"`
	Prepared    Prepared    `json:"prepared"`
	Profile     string      `json:"profile"` // seal, cms or cms-gm
	ToBeSigned  []byte      `json:"to_be_signed"`
	DataHash    string      `json:"data_hash"`
	ByteRange   string      `json:"byte_range"` // as it stands in the file: "[0 … … …]"
	Field       string      `json:"field"`
	Seal        SealOfOrder `json:"seal"`
	Certificate string      `json:"certificate"` // SM3 of the DER of the signer's certificate
	Marks       []Mark      `json:"marks"`
	Origin      Origin      `json:"origin"`
	Issued      time.Time   `json:"issued"`
	Expires     time.Time   `json:"expires"`
}

// Person is an actor of the service.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Document is the original that is to be sealed.
type Document struct {
	ID   string `json:"id"`
	Name string `json:"name" doc:"File name, for people."`
	Size int64  `json:"size" doc:"Bytes."`
	SM3  string `json:"sm3"`
}

// Prepared is the original followed by the update, with the digits of /Contents all 0.
type Prepared struct {
	Size int64  `json:"size"`
	SM3  string `json:"sm3"`
}

// SealOfOrder is the seal that is used. SM3 is of the DER of the SESeal inside the to-be-signed bytes.
type SealOfOrder struct {
	Code string `json:"code"`
	Name string `json:"name"`
	SM3  string `json:"sm3"`
}

// Mark is a place where the seal shows, in millimetres to the hundredth, from the bottom left of the page as displayed.
type Mark struct {
	Page   int     `json:"page"` // from 1
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Origin is who asked for the sealing: an actor, and what people call the system.
type Origin struct {
	System string `json:"system" doc:"Identifier of the actor who asked."`
	Name   string `json:"name" doc:"For people."`
}

// Envelope carries a manifest. The signature is SM2 with SM3 and the default identifier over the octets of Manifest, in DER.
type Envelope struct {
	Manifest  []byte `json:"manifest" doc:"The octets that are signed: JSON (docs/terminal.md)."`
	Signature []byte `json:"signature" doc:"SM2 signature in DER."`
}

// Expected is what a terminal knows before it reads a manifest.
type Expected struct {
	Key            *ecdsa.PublicKey // pinned at pairing
	Terminal       string
	Clerk          string // identifier
	Task, Item     string
	Document, Seal string // identifier and code that the item names
	Now            time.Time
}

// Fingerprint names a server's key in manifests: SM3 of its point, in hex.
func Fingerprint(public *ecdsa.PublicKey) string {
	sum := sm3.Sum(Point(public))
	return hex.EncodeToString(sum[:])
}

// Sign makes the envelope of a manifest; Format, Key, and the precision of times and marks are filled in. A manifest that
// Verify would not take is a fault of the caller.
func Sign(ctx context.Context, key Signer, m Manifest) (Envelope, error) {
	m.Format, m.Key = Format, Fingerprint(key.Public())
	m.Issued, m.Expires = m.Issued.UTC().Truncate(time.Second), m.Expires.UTC().Truncate(time.Second)
	marks := make([]Mark, len(m.Marks))
	for i, at := range m.Marks {
		marks[i] = Mark{at.Page, hundredth(at.X), hundredth(at.Y), hundredth(at.Width), hundredth(at.Height)}
	}
	m.Marks = marks
	if err := m.wellFormed(); err != nil {
		return Envelope{}, err
	}
	octets, err := json.Marshal(m)
	if err != nil {
		return Envelope{}, err
	}
	e, err := digest(key.Public(), octets)
	if err != nil {
		return Envelope{}, err
	}
	signature, err := key.SignDigest(ctx, e)
	return Envelope{octets, signature}, err
}

func hundredth(mm float64) float64 { return math.Round(mm*100) / 100 }

// Verify gives the manifest of an envelope if the pinned key signed it, it is exactly as Sign writes it, and it is what is
// expected. Errors, in this order: terminal.manifest-forged, terminal.other-terminal, terminal.other-clerk,
// terminal.other-item, terminal.other-document, terminal.clock, terminal.manifest-expired.
func Verify(e Envelope, want Expected) (*Manifest, error) {
	if len(e.Manifest) > maxManifest || len(e.Signature) > 100 || !checks(want.Key, e.Manifest, e.Signature) {
		return nil, ErrForged.New()
	}
	m, err := decode(e.Manifest)
	if err != nil {
		return nil, err
	}
	switch {
	case !same(m.Key, Fingerprint(want.Key)):
		return nil, ErrForged.At(fault.Field("key"))
	case !same(m.Terminal, want.Terminal):
		return nil, ErrOtherTerminal.New()
	case !same(m.Clerk.ID, want.Clerk):
		return nil, ErrOtherClerk.New()
	case !same(m.Task, want.Task), !same(m.Item, want.Item):
		return nil, ErrOtherItem.New()
	case !same(m.Document.ID, want.Document), !same(m.Seal.Code, want.Seal):
		return nil, ErrOtherDocument.New()
	}
	return m, m.InTime(want.Now)
}

// InTime says whether a manifest holds now. Errors: terminal.clock for one from the future, terminal.manifest-expired.
func (m *Manifest) InTime(now time.Time) error {
	switch {
	case m.Issued.Sub(now) > Tolerance:
		return ErrClock.With("%s", m.Issued.Format(time.RFC3339))
	case !now.Before(m.Expires):
		return ErrExpired.With("%s", m.Expires.Format(time.RFC3339))
	}
	return nil
}

// Same says whether a manifest that was prepared anew asks for what a person agreed to: document, seal, certificate,
// profile, field, marks, origin, and for whom.
func (m *Manifest) Same(agreed *Manifest) bool {
	if m.Task != agreed.Task || m.Item != agreed.Item || m.Terminal != agreed.Terminal || m.Clerk != agreed.Clerk || m.Document != agreed.Document ||
		m.Profile != agreed.Profile || m.Field != agreed.Field || m.Seal != agreed.Seal || m.Certificate != agreed.Certificate ||
		m.Origin != agreed.Origin || len(m.Marks) != len(agreed.Marks) {
		return false
	}
	for i := range m.Marks {
		if m.Marks[i] != agreed.Marks[i] {
			return false
		}
	}
	return true
}

// decode reads what Sign writes and nothing else: written again it must give the same octets. So a member that is missing,
// unknown, twice there or in another place is found, and there is one encoding only.
func decode(octets []byte) (*Manifest, error) {
	m, err := exactly[Manifest](octets)
	if err != nil {
		return nil, ErrForged.Because(err)
	}
	return m, m.wellFormed()
}

// errRewritten: what is read would be written otherwise.
var errRewritten = errors.New("it is not as the server writes it")

// exactly reads JSON that is as json.Marshal writes it: nothing that is signed is passed over by who reads it.
func exactly[T any](octets []byte) (*T, error) {
	var value T
	if err := json.Unmarshal(octets, &value); err != nil {
		return nil, err
	}
	again, err := json.Marshal(value)
	if err == nil && !bytes.Equal(again, octets) {
		err = errRewritten
	}
	return &value, err
}

// same compares in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// wellFormed says whether every member is there, with a value that can be. Errors: terminal.manifest-forged with the
// member.
func (m *Manifest) wellFormed() error {
	id := func(s string) bool { return s != "" && len(s) <= maxID && printable(s) }
	name := func(s string) bool { return s != "" && len(s) <= maxName && printable(s) }
	for _, c := range []struct {
		member string
		good   bool
	}{
		{"format", m.Format == Format},
		{"key", isDigest(m.Key)},
		{"job", id(m.Job)},
		{"task", id(m.Task)},
		{"item", id(m.Item)},
		{"nonce", len(m.Nonce) == nonceSize},
		{"terminal", id(m.Terminal)},
		{"clerk", id(m.Clerk.ID) && name(m.Clerk.Name)},
		{"document", id(m.Document.ID) && name(m.Document.Name) && m.Document.Size > 0 && isDigest(m.Document.SM3)},
		{"prepared", m.Prepared.Size > m.Document.Size && m.Prepared.Size <= maxSize && isDigest(m.Prepared.SM3)},
		{"profile", m.Profile == "seal" || m.Profile == "cms" || m.Profile == "cms-gm"},
		{"to_be_signed", len(m.ToBeSigned) > 0 && len(m.ToBeSigned) <= maxToSign},
		{"data_hash", isDigest(m.DataHash)},
		{"byte_range", m.ByteRange != "" && len(m.ByteRange) <= 100 && printable(m.ByteRange)},
		{"field", name(m.Field)},
		{"seal", id(m.Seal.Code) && name(m.Seal.Name) && isDigest(m.Seal.SM3)},
		{"certificate", isDigest(m.Certificate)},
		{"marks", m.Marks != nil && len(m.Marks) <= maxMarks},
		{"origin", id(m.Origin.System) && name(m.Origin.Name)},
		{"issued", wholeSecond(m.Issued)},
		{"expires", wholeSecond(m.Expires) && m.Expires.After(m.Issued) && m.Expires.Sub(m.Issued) <= Life},
	} {
		if !c.good {
			return ErrForged.At(fault.Field(c.member))
		}
	}
	for _, at := range m.Marks {
		if at.Page < 1 || !length(at.X, false) || !length(at.Y, false) || !length(at.Width, true) || !length(at.Height, true) {
			return ErrForged.At(fault.Field("marks"))
		}
	}
	return nil
}

// length says whether a number can be millimetres on a page: PDF pages are at most 14,400 units of up to 1 inch wide.
func length(mm float64, positive bool) bool {
	return !math.IsNaN(mm) && math.Abs(mm) <= 1e6 && (!positive || mm > 0)
}

func wholeSecond(t time.Time) bool {
	return t.Location() == time.UTC && t.Nanosecond() == 0 && t.Year() >= 2000 && t.Year() < 10000
}

func isDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// printable says whether a text has no control characters, with which a terminal's screen could be made to lie.
func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError {
			return false
		}
	}
	return utf8.ValidString(s)
}
