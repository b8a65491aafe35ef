package trustlist

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/internal/fault"
)

// Media is the media type of a signed list.
const Media = "application/pkcs7-mime"

const (
	kind    = "yinxin trust list"
	version = 1

	// MaxSize is the largest signed list, in bytes.
	MaxSize = cms.MaxSize

	maxAuthorities = 64
	maxCRLs        = 64
	maxSeals       = 100_000
	maxPerSeal     = 10_000 // states, and instances, of one seal
	maxText        = 1000   // octets of a name
)

// List is what a trust list says. Its members stand in the order of their names in JSON, as canonical JSON has them.
type List struct {
	// Authorities are the CA certificates in DER, the root first.
	Authorities [][]byte `json:"authorities"`
	// CRLs are complete revocation lists of the authorities in DER.
	CRLs       [][]byte  `json:"crls"`
	Issued     time.Time `json:"issued"`
	Issuer     string    `json:"issuer"` // subject of the root
	NextUpdate time.Time `json:"next_update"`
	Seals      []Seal    `json:"seals"`
	// Sequence grows with every list of an installation: a list with a lower one is older.
	Sequence int64  `json:"sequence"`
	Type     string `json:"type"`
	Version  int    `json:"version"`
}

// Seal is a registered seal.
type Seal struct {
	Code         string     `json:"code"`
	Instances    []Instance `json:"instances"`
	Name         string     `json:"name"`
	Organisation string     `json:"organisation"`
	States       []State    `json:"states"` // oldest first
}

// Instance is an electronic seal that was made: SM3 over the certificate that it lists and over itself (DER), in
// lower-case hexadecimal.
type Instance struct {
	Certificate string `json:"certificate_sm3"`
	Seal        string `json:"seal_sm3"`
}

// State is a state of a seal with its beginning: making, active, suspended, collected or cancelled.
type State struct {
	Since time.Time `json:"since"`
	State string    `json:"state"`
}

// Encode gives the canonical JSON of a list: members in the order of their names, no white space, times in UTC. Type and
// Version are set. Errors: ErrMalformed with the member, ErrTooLarge.
func Encode(l List) ([]byte, error) {
	l.Type, l.Version = kind, version
	if err := l.check(); err != nil {
		return nil, err
	}
	return l.encode()
}

func (l List) encode() ([]byte, error) {
	l.Issued, l.NextUpdate = l.Issued.UTC(), l.NextUpdate.UTC()
	l.CRLs = append([][]byte{}, l.CRLs...)
	l.Seals = append([]Seal{}, l.Seals...)
	for i := range l.Seals {
		l.Seals[i].Instances = append([]Instance{}, l.Seals[i].Instances...)
		states := append([]State{}, l.Seals[i].States...)
		for n := range states {
			states[n].Since = states[n].Since.UTC()
		}
		l.Seals[i].States = states
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return nil, ErrMalformed.Because(err)
	}
	if b.Len() > MaxSize {
		return nil, ErrTooLarge.With("%d bytes", b.Len())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode reads what Encode wrote, and nothing else: another member, order or way of writing is ErrMalformed. Errors: also
// ErrTooLarge. Nothing in the list may be believed because of that; see Open.
func Decode(content []byte) (List, error) {
	var l List
	if len(content) > MaxSize {
		return l, ErrTooLarge.With("%d bytes", len(content))
	}
	if err := json.Unmarshal(content, &l); err != nil {
		return List{}, ErrMalformed.Because(err)
	}
	if err := l.check(); err != nil {
		return List{}, err
	}
	again, err := l.encode()
	if err != nil {
		return List{}, err
	}
	if !bytes.Equal(again, content) {
		return List{}, ErrMalformed.Saying("不是规范的写法", "not canonical")
	}
	return l, nil
}

func (l List) check() error {
	bad := func(member string) error { return ErrMalformed.At(fault.Field(member)) }
	switch {
	case l.Type != kind:
		return bad("type")
	case l.Version != version:
		return bad("version")
	case len(l.Authorities) > maxAuthorities, len(l.CRLs) > maxCRLs, len(l.Seals) > maxSeals:
		return ErrTooLarge.With("%d authorities, %d CRLs, %d seals", len(l.Authorities), len(l.CRLs), len(l.Seals))
	case len(l.Authorities) == 0:
		return bad("authorities")
	case l.Sequence <= 0:
		return bad("sequence")
	case l.Issuer == "" || len(l.Issuer) > maxText:
		return bad("issuer")
	case !whole(l.Issued):
		return bad("issued")
	case !whole(l.NextUpdate) || !l.NextUpdate.After(l.Issued):
		return bad("next_update")
	}
	for i, s := range l.Seals {
		if member := s.wrong(); member != "" {
			return bad("seals[" + strconv.Itoa(i) + "]." + member)
		}
		if i > 0 && l.Seals[i-1].Code >= s.Code {
			return bad("seals[" + strconv.Itoa(i) + "].code") // in order, and none twice
		}
	}
	return nil
}

// wrong names the member of a seal that cannot be; empty for none.
func (s Seal) wrong() string {
	switch {
	case s.Code == "" || len(s.Code) > maxText:
		return "code"
	case len(s.Name) > maxText:
		return "name"
	case len(s.Organisation) > maxText:
		return "organisation"
	case len(s.Instances) > maxPerSeal:
		return "instances"
	case len(s.States) == 0 || len(s.States) > maxPerSeal:
		return "states"
	}
	for _, i := range s.Instances {
		if !isSM3(i.Certificate) || !isSM3(i.Seal) {
			return "instances"
		}
	}
	for _, state := range s.States {
		if !slices.Contains([]string{"making", "active", "suspended", "collected", "cancelled"}, state.State) || !sane(state.Since) {
			return "states"
		}
	}
	return ""
}

func isSM3(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == 32 && hex.EncodeToString(b) == text
}

func sane(t time.Time) bool { return t.Year() >= 1950 && t.Year() <= 9999 }

// whole says whether a time is in whole seconds.
func whole(t time.Time) bool { return sane(t) && t.Equal(t.Truncate(time.Second)) }

// Key signs lists: e = SM3(Z‖data), as a key of keystore does.
type Key interface {
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Sign puts the canonical JSON of a list into SignedData (RFC 5652, id-data, SM2 with SM3), with the signer's certificate and
// those above it but the root. Errors: those of Encode and of cms.
func Sign(ctx context.Context, l List, signer *chain.Certificate, key Key, above ...*chain.Certificate) ([]byte, error) {
	content, err := Encode(l)
	if err != nil {
		return nil, err
	}
	w, err := cms.NewWriter(cms.Template{Profile: cms.ProfileCMS, Certificate: signer, Chain: above})
	if err != nil {
		return nil, err
	}
	p := w.PrepareEmbedded(content, l.Issued)
	e, err := p.Digest()
	if err != nil {
		return nil, err
	}
	value, err := key.SignDigest(ctx, e)
	if err != nil {
		return nil, err
	}
	signed, err := p.Assemble(value, nil)
	if err == nil && len(signed) > MaxSize {
		err = ErrTooLarge.With("%d bytes", len(signed))
	}
	return signed, err
}
