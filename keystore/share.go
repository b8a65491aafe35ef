package keystore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/hkdf"
	"encoding/hex"
	"slices"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"
	"github.com/emmansun/gmsm/sm3"
)

// The limits of a split. One share that opens alone would be no split, and nobody gathers more than sixteen people.
const (
	MinThreshold = 2
	MaxShares    = 16
)

const (
	shareVersion = 1
	shareIDSize  = 8
	scalarSize   = 32
)

// shareGroup is where secrets live: the scalars of ristretto255 (RFC 9496), 252 bits, with arithmetic in constant time
// and commitments in the group itself.
var shareGroup = group.Ristretto255

// Fingerprint is the short name of a public key by which people compare it: the first 8 octets of SM3 over the
// uncompressed point.
type Fingerprint [shareIDSize]byte

// FingerprintOf is the fingerprint of an SM2 key; zero for what is none.
func FingerprintOf(public *ecdsa.PublicKey) Fingerprint {
	var f Fingerprint
	if point := Point(public); point != nil {
		sum := sm3.Sum(point)
		copy(f[:], sum[:])
	}
	return f
}

// String is 16 hexadecimal digits in groups of four.
func (f Fingerprint) String() string {
	text := hex.EncodeToString(f[:])
	return text[:4] + " " + text[4:8] + " " + text[8:12] + " " + text[12:]
}

// Secret is what shares give back when enough of them come together. It prints as nothing but its name.
type Secret struct{ scalar group.Scalar }

// String keeps the secret out of logs; so does GoString.
func (*Secret) String() string { return "keystore.Secret" }

// GoString is String.
func (s *Secret) GoString() string { return s.String() }

// Key derives a key for one use, named by its own constant text: HKDF-SM3 (RFC 5869), 1 to 255·32 octets.
func (s *Secret) Key(use string, size int) ([]byte, error) {
	raw, err := s.scalar.MarshalBinary()
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	return hkdf.Key(sm3.New, raw, nil, "yinxin shared secret 1 "+use, size)
}

// Share is one of the parts of a Secret. Text writes it down and ParseShare reads it; it never shows in logs.
type Share struct {
	threshold, count, index int
	set                     [shareIDSize]byte
	about                   Fingerprint
	value                   [scalarSize]byte
}

// Index counts the shares of a split from 1.
func (s Share) Index() int { return s.index }

// Threshold is how many shares give the secret back.
func (s Share) Threshold() int { return s.threshold }

// Count is how many shares there are.
func (s Share) Count() int { return s.count }

// About is the fingerprint of the key that the split protects.
func (s Share) About() Fingerprint { return s.about }

// Set identifies the split, in hexadecimal digits: shares of different splits do not go together.
func (s Share) Set() string { return hex.EncodeToString(s.set[:]) }

// String says which share it is and nothing of what it holds; so does GoString.
func (s Share) String() string { return "keystore.Share" }

// GoString is String.
func (s Share) GoString() string { return s.String() }

// ShareSet is what may be public of a split: with it every single share can be checked. Commitments are those of
// Feldman's scheme, one encoded group element of 32 octets for each coefficient of the polynomial.
type ShareSet struct {
	Threshold   int      `json:"threshold"`
	Count       int      `json:"count"`
	About       []byte   `json:"about"`
	Commitments [][]byte `json:"commitments"`
}

func (s ShareSet) bound() []byte {
	return join(append([][]byte{[]byte("yinxin share set 1"), number(s.Threshold), number(s.Count), s.About}, s.Commitments...)...)
}

// id names the split in its shares: it depends on the commitments, so that a share cannot be passed off as one of
// another split.
func (s ShareSet) id() (id [shareIDSize]byte) {
	sum := sm3.Sum(s.bound())
	copy(id[:], sum[:])
	return id
}

// ID is the name of the split, as Share.Set gives it.
func (s ShareSet) ID() string {
	id := s.id()
	return hex.EncodeToString(id[:])
}

// Split draws a new secret and cuts it into count shares of which any threshold give it back, fewer nothing (Shamir).
// about names the key that the secret will protect. Error: keystore.share-numbers.
func Split(threshold, count int, about Fingerprint) (*Secret, ShareSet, []Share, error) {
	set := ShareSet{Threshold: threshold, Count: count, About: bytes.Clone(about[:])}
	if !set.numbersFit() {
		return nil, set, nil, ErrShareNumbers.With("%d / %d", threshold, count)
	}
	// The library draws from crypto/rand whatever reader it is handed.
	secret := &Secret{scalar: shareGroup.RandomNonZeroScalar(nil)}
	split := secretsharing.New(nil, uint(threshold-1), secret.scalar)
	for _, c := range split.CommitSecret() {
		octets, err := c.MarshalBinary()
		if err != nil {
			return nil, set, nil, err
		}
		set.Commitments = append(set.Commitments, octets)
	}
	shares := make([]Share, count)
	for i, part := range split.Share(uint(count)) {
		octets, err := part.Value.MarshalBinary()
		if err != nil {
			return nil, set, nil, err
		}
		shares[i] = Share{threshold: threshold, count: count, index: i + 1, set: set.id(), about: about}
		copy(shares[i].value[:], octets)
	}
	return secret, set, shares, nil
}

func (s ShareSet) numbersFit() bool {
	return s.Threshold >= MinThreshold && s.Threshold <= s.Count && s.Count <= MaxShares
}

// Check says whether a share is one of this split and unaltered: keystore.share-foreign, keystore.share-wrong.
func (s ShareSet) Check(share Share) error {
	if share.set != s.id() || share.threshold != s.Threshold || share.count != s.Count || !bytes.Equal(share.about[:], s.About) {
		return ErrShareForeign.With("%d: %s, %s", share.index, share.Set(), s.ID())
	}
	commitments := make(secretsharing.SecretCommitment, len(s.Commitments))
	for i, octets := range s.Commitments {
		commitments[i] = shareGroup.NewElement()
		if err := commitments[i].UnmarshalBinary(octets); err != nil {
			return ErrDamaged.Because(err)
		}
	}
	part, err := share.part()
	if err != nil || !secretsharing.Verify(uint(s.Threshold-1), part, commitments) {
		return ErrShareWrong.With("%d", share.index).Because(err)
	}
	return nil
}

func (s Share) part() (secretsharing.Share, error) {
	part := secretsharing.Share{ID: shareGroup.NewScalar().SetUint64(uint64(s.index)), Value: shareGroup.NewScalar()}
	if s.index < 1 || s.index > s.count {
		return part, ErrShare.With("%d", s.index)
	}
	return part, part.Value.UnmarshalBinary(s.value[:])
}

// Combine gives the secret back from at least the threshold of different shares, every one of which is checked first.
// Errors: keystore.share-foreign, keystore.share-wrong, keystore.share-twice, keystore.share-too-few.
func (s ShareSet) Combine(shares ...Share) (*Secret, error) {
	if !s.numbersFit() || len(s.Commitments) != s.Threshold {
		return nil, ErrDamaged.New()
	}
	var parts []secretsharing.Share
	var seen []int
	for _, share := range shares {
		if err := s.Check(share); err != nil {
			return nil, err
		}
		if slices.Contains(seen, share.index) {
			return nil, ErrShareTwice.With("%d", share.index)
		}
		seen = append(seen, share.index)
		part, err := share.part()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if len(parts) < s.Threshold {
		return nil, ErrShareTooFew.With("%d / %d", len(parts), s.Threshold)
	}
	scalar, err := secretsharing.Recover(uint(s.Threshold-1), parts)
	if err != nil {
		return nil, err
	}
	return &Secret{scalar: scalar}, nil
}
