package csr

import (
	"crypto/ecdsa"
	"encoding/binary"
	"slices"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// maxIDs is how many identifiers are tried beside the default one.
const maxIDs = 8

// checkProof checks that the holder of the key signed the request. A signature that is only right under another ID is
// told from a wrong one, since the remedy is another: the program that made it needs a setting.
func (r *Request) checkProof(rawAlgorithm, signature []byte, o Options) error {
	algorithm, err := chain.ParseAlgorithm(rawAlgorithm)
	if err != nil {
		return bad("signatureAlgorithm")
	}
	switch {
	case algorithm.OID.Equal(oid.SM2WithSM3):
	case algorithm.OID.Equal(oid.SM2Sign):
		r.note("签名算法标识为 1.2.156.10197.1.301.1。", "The signature algorithm is 1.2.156.10197.1.301.1.")
	default:
		return ErrAlgorithm.With("%s", algorithm.OID)
	}
	if algorithm.Parameters != nil {
		r.note("签名算法标识带有参数。", "The signature algorithm has parameters.")
	}
	if r.signedWith(oid.SM2UserID, signature) {
		return nil
	}
	for _, id := range o.AcceptIDs[:min(len(o.AcceptIDs), maxIDs)] {
		if r.signedWith(id, signature) {
			r.note("签名使用了另外约定的用户标识。", "The signature was made with another ID that is allowed here.")
			return nil
		}
	}
	if !slices.Contains(o.AcceptIDs, "") && r.signedWith("", signature) {
		return ErrOtherID.Saying("用户标识为空", "the ID is empty")
	}
	if r.matches(sm3.Sum(r.RawInfo), signature) {
		return ErrOtherID.Saying("签名未包含 Z 值", "Z is not part of what was signed")
	}
	return ErrSignature.New()
}

func (r *Request) signedWith(id string, signature []byte) bool {
	z, ok := identity(r.Public, id)
	if !ok {
		return false
	}
	h := sm3.New()
	h.Write(z[:])
	h.Write(r.RawInfo)
	return r.matches([32]byte(h.Sum(nil)), signature)
}

func (r *Request) matches(e [32]byte, signature []byte) bool {
	notes, err := chain.CheckSM2Digest(r.Public, e, signature)
	if err != nil {
		return false
	}
	if len(notes) > 0 {
		r.note("签名值的编码不规范。", "The signature value is not encoded as it should be.")
	}
	return true
}

// identity is Z = SM3(ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA) of GB/T 32918.2 5.5. It is computed here since the library takes
// the empty ID for the default one.
func identity(public *ecdsa.PublicKey, id string) (z [32]byte, ok bool) {
	if len(id) > 0xffff/8 {
		return z, false
	}
	if id != "" {
		sum, err := sm2.CalculateZA(public, []byte(id))
		if err != nil || len(sum) != len(z) {
			return z, false
		}
		return [32]byte(sum), true
	}
	curve := sm2.P256().Params()
	h := sm3.New()
	h.Write(binary.BigEndian.AppendUint16(nil, 0))
	// a = p - 3 (GB/T 32918.5 clause 2)
	a := curve.P.FillBytes(make([]byte, 32))
	a[31] -= 3
	h.Write(a)
	//lint:ignore SA1019 crypto/ecdsa encodes its own curves only, and SM2 is none of them
	x, y := public.X, public.Y
	for _, n := range [][]byte{curve.B.Bytes(), curve.Gx.Bytes(), curve.Gy.Bytes(), x.Bytes(), y.Bytes()} {
		h.Write(make([]byte, 32-len(n)))
		h.Write(n)
	}
	return [32]byte(h.Sum(nil)), true
}
