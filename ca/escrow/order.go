package escrow

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm2"

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
	// Check refuses what could not be done, before anybody is asked: escrow.order with the field.
	Check() error

	act() Act
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
	}{typeRecovery, r.Key, hex.EncodeToString(keystore.Point(r.Recipient)), r.For, r.Why})
}

// Subject implements Order.
func (c Change) Subject() []byte {
	return text(struct {
		Type      string   `json:"type"`
		Act       Act      `json:"act"`
		Threshold int      `json:"threshold"`
		Officers  []string `json:"officers"`
		Why       string   `json:"why"`
	}{typeChange, c.Act, c.Division.Threshold, c.Division.Officers, c.Why})
}

func text(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("escrow: strings can always be encoded: " + err.Error())
	}
	return data
}

// The types of subjects.
const (
	typeRecovery = "yinxin escrow recovery 1"
	typeChange   = "yinxin escrow change 1"
)

// ParseOrder reads the subject of a request, exactly as Subject wrote it: escrow.order.
func ParseOrder(subject []byte) (Order, error) {
	var t struct {
		Type, Key, Recipient, For, Why string
		Act                            Act
		Threshold                      int
		Officers                       []string
	}
	if err := json.Unmarshal(subject, &t); err != nil {
		return nil, ErrOrder.Because(err)
	}
	var o Order
	switch t.Type {
	case typeRecovery:
		point, err := hex.DecodeString(t.Recipient)
		if err != nil {
			return nil, ErrOrder.At(fault.Field("recipient"))
		}
		recipient, err := sm2.NewPublicKey(point)
		if err != nil {
			return nil, ErrOrder.At(fault.Field("recipient"))
		}
		o = Recovery{Key: t.Key, Recipient: recipient, For: t.For, Why: t.Why}
	case typeChange:
		o = Change{Act: t.Act, Division: Division{Threshold: t.Threshold, Officers: t.Officers}, Why: t.Why}
	default:
		return nil, ErrOrder.At(fault.Field("type"))
	}
	if !bytes.Equal(o.Subject(), subject) {
		return nil, ErrOrder.New()
	}
	return o, o.Check()
}

// Check implements Order.
func (r Recovery) Check() error {
	switch {
	case r.Key == "" || len(r.Key) > 64:
		return ErrOrder.At(fault.Field("key"))
	case !validPoint(r.Recipient):
		return ErrOrder.At(fault.Field("recipient"))
	case !validText(r.For):
		return ErrOrder.At(fault.Field("for"))
	case !validText(r.Why):
		return ErrOrder.At(fault.Field("why"))
	}
	return nil
}

// Check implements Order.
func (c Change) Check() error {
	if c.Act != ActRotate && c.Act != ActResplit {
		return ErrOrder.At(fault.Field("act"))
	}
	if !validText(c.Why) {
		return ErrOrder.At(fault.Field("why"))
	}
	return nil
}

func validPoint(public *ecdsa.PublicKey) bool {
	_, err := sm2.NewPublicKey(keystore.Point(public))
	return err == nil
}

func validText(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= 200 && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
