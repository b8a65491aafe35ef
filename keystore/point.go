package keystore

import (
	"crypto/ecdsa"

	"yinxin/internal/point"
)

// Point is the uncompressed form of a public key, 65 bytes (GB/T 32918.1 clause 4.2.9), or nothing for what is no SM2
// key.
func Point(public *ecdsa.PublicKey) []byte { return point.Of(public) }
