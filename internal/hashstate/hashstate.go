// Package hashstate keeps the running state of a hash, so that bytes that were hashed once need not be read again: the
// digest of an uploaded document goes on where the upload ended.
//
// Call Of for the state after some bytes and Resume to go on from it. The form is that of the hash's own
// encoding.BinaryMarshaler (108 bytes for SM3 of emmansun/gmsm, which continues states of its own versions only). A
// state carries no check of its own: whoever keeps one keeps the digest beside it and compares.
package hashstate

import (
	"encoding"
	"fmt"
	"hash"
)

// Of gives the state of h. Every hash of the standard library and SM3 can be kept; for another there is an error.
func Of(h hash.Hash) ([]byte, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, fmt.Errorf("hashstate: the state of %T cannot be kept", h)
	}
	return m.MarshalBinary()
}

// Resume puts a state into h, a new hash of the kind that gave it, and returns h.
func Resume(h hash.Hash, state []byte) (hash.Hash, error) {
	u, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, fmt.Errorf("hashstate: the state of %T cannot be kept", h)
	}
	if err := u.UnmarshalBinary(state); err != nil {
		return nil, err
	}
	return h, nil
}
