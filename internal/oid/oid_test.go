package oid

import (
	"bytes"
	"math/big"
	"testing"
)

// The value is 2.25.<n> with n the UUID as an integer (X.667): decode base 128 and compare.
func TestOwnArcsAreTheirUUIDs(t *testing.T) {
	for name, c := range map[string]struct {
		der  []byte
		uuid string
	}{
		"true size": {TrueSizeDER, "6f0c5b1e924d4a378e51d370aa162c84"},
		"seal":      {SealAttributeDER, "2b7e419ac5034f68b19d50e6378af21c"},
		"policy":    {TSAPolicyDER, "93d106fc4e2745ba8c621fa9d4705b3e"},
	} {
		if c.der[0] != 2*40+25 {
			t.Errorf("%s: first octet %d", name, c.der[0])
		}
		n := new(big.Int)
		for i, b := range c.der[1:] {
			if last := i == len(c.der)-2; last == (b&0x80 != 0) {
				t.Errorf("%s: continuation bit of octet %d", name, i)
			}
			n.Lsh(n, 7).Or(n, big.NewInt(int64(b&0x7f)))
		}
		if want, _ := new(big.Int).SetString(c.uuid, 16); n.Cmp(want) != 0 {
			t.Errorf("%s: %x", name, n)
		}
	}
}

func TestAUUIDWithLeadingZerosHasNoLeadingDigit(t *testing.T) {
	if got := uuidArc([16]byte{15: 0x81}); !bytes.Equal(got, []byte{105, 0x81, 0x01}) {
		t.Errorf("%x", got)
	}
}
