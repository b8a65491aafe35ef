package tsa

import (
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
)

// Info is what a token states.
type Info struct {
	Policy  cms.ID
	Imprint Imprint
	Serial  *big.Int
	// Time is when the authority saw the imprint, in UTC, give or take Accuracy (zero: not said).
	Time     time.Time
	Accuracy time.Duration
	// Ordering: tokens of this authority can be ordered by Time alone.
	Ordering bool
	// Nonce is the request's, nil when there is none.
	Nonce *big.Int
	// Name is the authority's name (a GeneralName with tag and length), nil when not said.
	Name []byte
}

// readInfo reads TSTInfo in DER and nothing after it (RFC 3161 2.4.2). Extensions are passed over unless one is critical.
//
//	TSTInfo ::= SEQUENCE { version INTEGER { v1(1) }, policy OID, messageImprint, serialNumber INTEGER,
//	  genTime GeneralizedTime, accuracy Accuracy OPTIONAL, ordering BOOLEAN DEFAULT FALSE, nonce INTEGER OPTIONAL,
//	  tsa [0] EXPLICIT GeneralName OPTIONAL, extensions [1] IMPLICIT Extensions OPTIONAL }
func readInfo(data []byte) (info Info, field string) {
	var s, wrapped cryptobyte.String
	input := cryptobyte.String(data)
	if !input.ReadASN1(&s, der.SEQUENCE) || !input.Empty() {
		return info, "TSTInfo"
	}
	version, ok := readNumber(&s)
	if !ok || version.Cmp(big.NewInt(1)) != 0 {
		return info, "version"
	}
	if info.Policy, ok = readOID(&s); !ok {
		return info, "policy"
	}
	if info.Imprint, ok = readImprint(&s); !ok {
		return info, "messageImprint"
	}
	if info.Serial, ok = readNumber(&s); !ok {
		return info, "serialNumber"
	}
	if info.Time, ok = readTime(&s); !ok {
		return info, "genTime"
	}
	if s.PeekASN1Tag(der.SEQUENCE) {
		if info.Accuracy, ok = readAccuracy(&s); !ok {
			return info, "accuracy"
		}
	}
	if s.PeekASN1Tag(der.BOOLEAN) && !s.ReadASN1Boolean(&info.Ordering) {
		return info, "ordering"
	}
	if s.PeekASN1Tag(der.INTEGER) {
		if info.Nonce, ok = readNumber(&s); !ok {
			return info, "nonce"
		}
	}
	var present bool
	if !s.ReadOptionalASN1(&wrapped, &present, explicit0) || present && wrapped.Empty() {
		return info, "tsa"
	}
	if present {
		info.Name = wrapped
	}
	if !s.ReadOptionalASN1(&wrapped, &present, explicit1) || !s.Empty() || present && !passOver(wrapped) {
		return info, "extensions"
	}
	return info, ""
}

// passOver says whether the extensions can be passed over: none is critical.
func passOver(list cryptobyte.String) bool {
	for !list.Empty() {
		var one cryptobyte.String
		var critical bool
		if !list.ReadASN1(&one, der.SEQUENCE) {
			return false
		}
		if _, ok := readOID(&one); !ok || one.PeekASN1Tag(der.BOOLEAN) && (!one.ReadASN1Boolean(&critical) || critical) {
			return false
		}
	}
	return true
}

// readTime reads genTime: GeneralizedTime in UTC with a fraction of a second, or another form that certificates have.
func readTime(s *cryptobyte.String) (time.Time, bool) {
	rest := *s
	var content cryptobyte.String
	if s.ReadASN1(&content, der.GeneralizedTime) && len(content) <= 40 {
		// Parsing takes a fraction after the seconds though the layout has none.
		if t, err := time.Parse("20060102150405Z", string(content)); err == nil {
			return t, true
		}
	}
	*s = rest
	return chain.ReadTime(s)
}

// readAccuracy reads Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] IMPLICIT INTEGER (1..999) OPTIONAL,
// micros [1] IMPLICIT INTEGER (1..999) OPTIONAL }.
func readAccuracy(s *cryptobyte.String) (time.Duration, bool) {
	var sequence cryptobyte.String
	if !s.ReadASN1(&sequence, der.SEQUENCE) {
		return 0, false
	}
	var total time.Duration
	for _, part := range []struct {
		tag  der.Tag
		unit time.Duration
		most uint64
	}{{der.INTEGER, time.Second, 1 << 31}, {implicit0, time.Millisecond, 999}, {implicit1, time.Microsecond, 999}} {
		if !sequence.PeekASN1Tag(part.tag) {
			continue
		}
		var content cryptobyte.String
		if !sequence.ReadASN1(&content, part.tag) || len(content) == 0 || len(content) > 5 || content[0]&0x80 != 0 {
			return 0, false
		}
		n := new(big.Int).SetBytes(content).Uint64()
		if n > part.most {
			return 0, false
		}
		total += time.Duration(n) * part.unit
	}
	return total, sequence.Empty()
}

// marshal writes TSTInfo: the accuracy in whole seconds; the time, too, unless tokens are ordered by it; no extensions.
func (i Info) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addOID(b, i.Policy)
		i.Imprint.add(b)
		b.AddASN1BigInt(i.Serial)
		b.AddASN1(der.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(i.genTime())) })
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(i.Accuracy / time.Second)) })
		if i.Ordering {
			b.AddASN1Boolean(true)
		}
		if i.Nonce != nil {
			b.AddASN1BigInt(i.Nonce)
		}
		if i.Name != nil {
			b.AddASN1(explicit0, func(b *cryptobyte.Builder) { b.AddBytes(i.Name) })
		}
	})
	return b.Bytes()
}

// genTime is the text of the time: in whole seconds, with ordering to the microsecond, without zeros at the end
// (RFC 3161 2.4.2).
func (i Info) genTime() string {
	t := i.Time.UTC()
	if !i.Ordering {
		return t.Format("20060102150405Z")
	}
	return strings.TrimRight(strings.TrimRight(t.Format("20060102150405.000000"), "0"), ".") + "Z"
}
