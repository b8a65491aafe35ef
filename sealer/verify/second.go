package verify

import (
	"crypto/ecdsa"
	"fmt"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	second "github.com/tjfoc/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// opinion is an SM2 signature value that was checked, and what came of it.
type opinion struct {
	what   text
	key    *second.PublicKey
	signed []byte // what was signed, or
	digest []byte // SM3(Z‖content), where only that is known
	value  []byte
	good   bool
}

// opine notes a checked value for the second opinion; values of other algorithms are passed over.
func (s *signature) opine(what text, key any, signed, digest, value []byte, err error) {
	public, ok := key.(*ecdsa.PublicKey)
	if !s.seconded || !ok || public == nil || public.Curve != sm2.P256() {
		return
	}
	//lint:ignore SA1019 the other library takes coordinates
	other := &second.PublicKey{Curve: second.P256Sm2(), X: public.X, Y: public.Y}
	s.opinions = append(s.opinions, opinion{what, other, signed, digest, value, err == nil})
}

// remember notes the links of a chain for the second opinion, the anchor's own signature left out.
func (s *signature) remember(r chain.Result) {
	for i, c := range r.Path[:max(0, len(r.Path)-1)] {
		// Only sound links are part of a path, unless the whole is refused: then there is nothing to confirm.
		if r.ChainErr == nil {
			name := clip(c.Subject.CommonName, 100)
			s.opine(text{"证书 " + name, "certificate " + name}, r.Path[i+1].PublicKey, c.RawTBS, nil, c.Signature, nil)
		}
	}
}

// secondOpinion has every SM2 value of a signature checked by another implementation, tjfoc/gmsm, which shares no code
// with the first. Two implementations that disagree leave the truth open.
func (v *verification) secondOpinion(s *signature) {
	if !s.seconded {
		return
	}
	if len(s.opinions) == 0 {
		s.skip(CheckSecondOpinion, text{"没有 SM2 签名值可供复核。", "There is no SM2 value to check a second time."})
		return
	}
	for _, o := range s.opinions {
		sum := sm3.Sum(fmt.Appendf(nil, "%x %x %x %x", o.key.X, o.signed, o.digest, o.value))
		key := string(sum[:])
		good, known := v.seconds[key]
		if !known {
			good = o.second()
			if len(v.seconds) < 1000 {
				v.seconds[key] = good
			}
		}
		if good != o.good {
			s.check(CheckSecondOpinion, Failed, Undetermined, text{
				"两种独立实现对" + o.what.zh + "的结论不一致（" + sayGood(o.good).zh + "；" + sayGood(good).zh + "）。",
				"Two independent implementations disagree about " + o.what.en + " (" + sayGood(o.good).en + "; " + sayGood(good).en + ")."})
			return
		}
	}
	s.ok(CheckSecondOpinion, text{fmt.Sprintf("第二种独立实现对 %d 个 SM2 签名值得出相同结论。", len(s.opinions)),
		fmt.Sprintf("A second, independent implementation agrees on %d SM2 values.", len(s.opinions))})
}

func sayGood(good bool) text {
	if good {
		return text{"正确", "right"}
	}
	return text{"不正确", "wrong"}
}

// second is the second implementation's verdict on one value.
func (o opinion) second() (good bool) {
	// What this implementation does with numbers that it does not expect is not ours to know.
	defer func() {
		if recover() != nil {
			good = false
		}
	}()
	r, s, ok := readValue(o.value)
	if !ok {
		return false
	}
	if o.digest != nil {
		return second.Verify(o.key, o.digest, r, s)
	}
	return second.Sm2Verify(o.key, o.signed, []byte(oid.SM2UserID), r, s)
}

// readValue reads SEQUENCE { r INTEGER, s INTEGER }, or the bare 64 octets, as tolerantly as the first implementation.
func readValue(value []byte) (r, s *big.Int, ok bool) {
	var sequence, first, last cryptobyte.String
	input := cryptobyte.String(value)
	if input.ReadASN1(&sequence, der.SEQUENCE) && input.Empty() && sequence.ReadASN1(&first, der.INTEGER) &&
		sequence.ReadASN1(&last, der.INTEGER) && sequence.Empty() {
		return new(big.Int).SetBytes(first), new(big.Int).SetBytes(last), true
	}
	if len(value) == 64 {
		return new(big.Int).SetBytes(value[:32]), new(big.Int).SetBytes(value[32:]), true
	}
	return nil, nil, false
}
