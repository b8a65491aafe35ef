package escrow

import (
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

// Act is what a session is for.
type Act string

// The acts.
const (
	ActRecover Act = "recover" // gives a key to a recipient
	ActRotate  Act = "rotate"  // makes another recovery key and seals every key under it
	ActResplit Act = "resplit" // divides the recovery key in force anew, among the same or other officers
)

// Order is what two people approve before a session opens: Recovery or Change.
type Order interface {
	// Subject is the exact bytes that are approved, readable for a person.
	Subject() []byte
	// Kind is the kind of the approval.
	Kind() access.Kind

	act() Act
	check() error
}

var (
	_ Order = Recovery{}
	_ Order = Change{}
)

// Recovery asks for one key: access.KindRecoverKey.
type Recovery struct {
	// Key is the key's identifier in escrow.
	Key string
	// Recipient is the SM2 key for which it is enveloped.
	Recipient *ecdsa.PublicKey
	// For says who gets it, Why the reason; each 1 to 200 characters.
	For, Why string
}

// Change asks for another recovery key or another split: access.KindChangeEscrow.
type Change struct {
	Act      Act // ActRotate or ActResplit
	Division Division
	Why      string
}

// Kind implements Order.
func (Recovery) Kind() access.Kind { return access.KindRecoverKey }

// Kind implements Order.
func (Change) Kind() access.Kind { return access.KindChangeEscrow }

func (Recovery) act() Act { return ActRecover }
func (c Change) act() Act { return c.Act }

// Subject implements Order.
func (r Recovery) Subject() []byte {
	return text(struct {
		Type      string `json:"type"`
		Key       string `json:"key"`
		Recipient string `json:"recipient"`
		For       string `json:"for"`
		Why       string `json:"why"`
	}{"yinxin escrow recovery 1", r.Key, hex.EncodeToString(keystore.Point(r.Recipient)), r.For, r.Why})
}

// Subject implements Order.
func (c Change) Subject() []byte {
	return text(struct {
		Type      string   `json:"type"`
		Act       Act      `json:"act"`
		Threshold int      `json:"threshold"`
		Officers  []string `json:"officers"`
		Why       string   `json:"why"`
	}{"yinxin escrow change 1", c.Act, c.Division.Threshold, c.Division.Officers, c.Why})
}

func text(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("escrow: strings can always be encoded: " + err.Error())
	}
	return data
}

func (r Recovery) check() error {
	switch {
	case r.Key == "" || len(r.Key) > 64:
		return ErrOrder.At(fault.Field("key"))
	case keystore.Point(r.Recipient) == nil || !r.Recipient.Curve.IsOnCurve(r.Recipient.X, r.Recipient.Y):
		return ErrOrder.At(fault.Field("recipient"))
	case !validText(r.For):
		return ErrOrder.At(fault.Field("for"))
	case !validText(r.Why):
		return ErrOrder.At(fault.Field("why"))
	}
	return nil
}

func (c Change) check() error {
	if c.Act != ActRotate && c.Act != ActResplit {
		return ErrOrder.At(fault.Field("act"))
	}
	if !validText(c.Why) {
		return ErrOrder.At(fault.Field("why"))
	}
	return nil
}

func validText(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= 200 && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
