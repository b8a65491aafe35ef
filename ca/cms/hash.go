package cms

import (
	"crypto/md5"  // read and called weak
	"crypto/sha1" // read and called weak
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"hash"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/oid"
)

// Hash is a digest algorithm; the value is its name.
type Hash string

// The digest algorithms that are read. MD5 and SHA-1 are weak.
const (
	SM3    Hash = "SM3"
	SHA256 Hash = "SHA-256"
	SHA384 Hash = "SHA-384"
	SHA512 Hash = "SHA-512"
	SHA1   Hash = "SHA-1"
	MD5    Hash = "MD5"
)

var hashes = []struct {
	hash Hash
	oid  asn1.ObjectIdentifier
	new  func() hash.Hash
}{
	{SM3, oid.SM3, sm3.New},
	{SHA256, oid.SHA256, sha256.New},
	{SHA384, oid.SHA384, sha512.New384},
	{SHA512, oid.SHA512, sha512.New},
	{SHA1, oid.SHA1, sha1.New},
	{MD5, oid.MD5, md5.New},
}

// HashOf names the digest of an AlgorithmIdentifier, false for one that is not known.
func HashOf(a chain.Algorithm) (Hash, bool) {
	for _, known := range hashes {
		if a.OID.Equal(known.oid) {
			return known.hash, true
		}
	}
	return "", false
}

// New begins a digest; nil for an unknown name.
func (h Hash) New() hash.Hash {
	for _, known := range hashes {
		if known.hash == h {
			return known.new()
		}
	}
	return nil
}

// Sum is the digest of data.
func (h Hash) Sum(data []byte) []byte {
	state := h.New()
	if state == nil {
		return nil
	}
	state.Write(data)
	return state.Sum(nil)
}

// Size is the length of the digest in octets; 0 for an unknown name.
func (h Hash) Size() int {
	if state := h.New(); state != nil {
		return state.Size()
	}
	return 0
}

// Weak says that the digest proves nothing any more.
func (h Hash) Weak() bool { return h == SHA1 || h == MD5 }

// OID is the identifier; nil for an unknown name.
func (h Hash) OID() asn1.ObjectIdentifier {
	for _, known := range hashes {
		if known.hash == h {
			return known.oid
		}
	}
	return nil
}
