package hashstate

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"testing"

	"github.com/emmansun/gmsm/sm3"
)

func TestAResumedHashEndsLikeTheFirst(t *testing.T) {
	for name, start := range map[string]func() hash.Hash{"SM3": sm3.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-512": sha512.New} {
		first := start()
		first.Write([]byte("what was read already, "))
		state, err := Of(first)
		if err != nil {
			t.Fatal(name, err)
		}
		second, err := Resume(start(), state)
		if err != nil {
			t.Fatal(name, err)
		}
		first.Write([]byte("and what comes"))
		second.Write([]byte("and what comes"))
		if !bytes.Equal(first.Sum(nil), second.Sum(nil)) {
			t.Errorf("%s: another digest", name)
		}
		for _, bad := range [][]byte{nil, []byte("no state"), state[:len(state)-1]} {
			if _, err := Resume(start(), bad); err == nil {
				t.Errorf("%s: %d bytes are taken for a state", name, len(bad))
			}
		}
	}
}

// closed is a hash that hides its state.
type closed struct{ hash.Hash }

func TestAHashWithoutAStateIsAnError(t *testing.T) {
	if _, err := Of(closed{sm3.New()}); err == nil {
		t.Error("a state was given")
	}
	if _, err := Resume(closed{sm3.New()}, nil); err == nil {
		t.Error("a state was taken")
	}
}
