package csr

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"sync"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"yinxin/internal/oid"
)

// checkKey reads SubjectPublicKeyInfo ::= SEQUENCE { algorithm SEQUENCE { OID, parameters ANY OPTIONAL },
// subjectPublicKey BIT STRING } and says whether the key may stand in a certificate.
func (r *Request) checkKey(o Options) error {
	raw := cryptobyte.String(r.RawSPKI)
	var info, algorithm cryptobyte.String
	var id asn1.ObjectIdentifier
	if !raw.ReadASN1(&info, der.SEQUENCE) || !info.ReadASN1(&algorithm, der.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&id) {
		return bad("subjectPKInfo")
	}
	var bits []byte
	if !info.ReadASN1BitStringAsBytes(&bits) || !info.Empty() {
		return bad("subjectPublicKey")
	}
	switch {
	case id.Equal(oid.PublicKeyEC):
		// The curve must be named: parameters that describe one may describe another that looks like it.
		var curve asn1.ObjectIdentifier
		if !algorithm.ReadASN1ObjectIdentifier(&curve) || !algorithm.Empty() {
			return ErrForeignKey.With("EC")
		}
		if !curve.Equal(oid.CurveSM2) {
			return ErrForeignKey.With("%s", curve)
		}
	case id.Equal(oid.CurveSM2), id.Equal(oid.SM2Sign):
		r.note("公钥算法标识不是 id-ecPublicKey。", "The key algorithm is not id-ecPublicKey.")
	default:
		return ErrForeignKey.With("%s", id)
	}
	point, err := r.point(bits)
	if err != nil {
		return err
	}
	if r.Public, err = sm2.ParseUncompressedPublicKey(point); err != nil {
		return ErrPoint.Because(err)
	}
	if weak(point) {
		return ErrWeakKey.New()
	}
	if o.Reserved != nil {
		reserved, err := o.Reserved(r.Public)
		if err != nil {
			return err
		}
		if reserved {
			return ErrReservedKey.New()
		}
	}
	return nil
}

const pointSize = 65

// point gives the uncompressed form (GB/T 32918.1 4.2.9) of what devices write: also the compressed form, and both
// coordinates without the leading octet.
func (r *Request) point(bits []byte) ([]byte, error) {
	switch {
	case len(bits) == pointSize && bits[0] == 4:
		return bits, nil
	case len(bits) == pointSize-1:
		r.note("公钥缺少首字节 04。", "The key lacks its first octet.")
		return append([]byte{4}, bits...), nil
	case len(bits) == 33 && (bits[0] == 2 || bits[0] == 3):
		x, y := elliptic.UnmarshalCompressed(sm2.P256(), bits)
		if x == nil {
			return nil, ErrPoint.New()
		}
		r.note("公钥为压缩形式。", "The key is a compressed point.")
		p := make([]byte, pointSize)
		p[0] = 4
		x.FillBytes(p[1:33])
		y.FillBytes(p[33:])
		return p, nil
	}
	return nil, ErrPoint.New()
}

// The private keys that GB/T 32918.5 (GM/T 0003.5) prints in its examples: for signatures and encryption, and for both
// sides of a key exchange.
var published = []string{
	"3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8",
	"81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029",
	"785129917d45a9ea5437a59356b82338eaadda6ceb199088f14ae10defa229b5",
}

// smallest is up to which private keys are tried: counters and single octets in place of a random number.
const smallest = 256

// weakPoints are the x coordinates of known keys, which a key shares with its negative.
var weakPoints = sync.OnceValue(func() map[[32]byte]bool {
	known := make(map[[32]byte]bool, smallest+len(published))
	add := func(d []byte) {
		key, err := sm2.NewPrivateKey(d)
		if err != nil {
			panic("csr: " + err.Error())
		}
		known[[32]byte(encodePoint(&key.PublicKey)[1:33])] = true
	}
	for i := int64(1); i <= smallest; i++ {
		add(big.NewInt(i).FillBytes(make([]byte, 32)))
	}
	for _, text := range published {
		d, err := hex.DecodeString(text)
		if err != nil {
			panic("csr: " + err.Error())
		}
		add(d)
	}
	// One octet in every place: what a broken generator gives.
	for i := 1; i < 256; i++ {
		d := bytes.Repeat([]byte{byte(i)}, 32)
		if new(big.Int).SetBytes(d).Cmp(sm2.P256().Params().N) < 0 {
			add(d)
		}
	}
	return known
})

func weak(point []byte) bool { return weakPoints()[[32]byte(point[1:33])] }
