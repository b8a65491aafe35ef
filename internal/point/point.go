// Package point writes public SM2 keys as points: what is compared, stored and hashed.
package point

import (
	"crypto/ecdsa"

	"github.com/emmansun/gmsm/sm2"
)

// Of is the uncompressed form of a public key, 65 bytes (GB/T 32918.1 clause 4.2.9), or nothing for what is no SM2
// key.
func Of(public *ecdsa.PublicKey) []byte {
	if public == nil || public.Curve != sm2.P256() {
		return nil
	}
	//lint:ignore SA1019 crypto/ecdsa encodes its own curves only, and SM2 is none of them
	x, y := public.X, public.Y
	if x == nil || y == nil || x.Sign() < 0 || y.Sign() < 0 || x.BitLen() > 256 || y.BitLen() > 256 {
		return nil
	}
	p := make([]byte, 65)
	p[0] = 4
	x.FillBytes(p[1:33])
	y.FillBytes(p[33:])
	return p
}
