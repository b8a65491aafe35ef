package hsm

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/emmansun/gmsm/sm2"
)

// DER is what leaves the package, and exactly one spelling of it is taken.
func TestSignaturesOfAnotherFormAreRefused(t *testing.T) {
	private, err := sm2.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{7}, 200)))
	if err != nil {
		t.Fatal(err)
	}
	k := &Key{info: KeyInfo{Algorithm: SM2, Public: &private.PublicKey}}
	n := sm2.P256().Params().N
	one, last := big.NewInt(1), new(big.Int).Sub(n, big.NewInt(1))
	der := func(r, s *big.Int) []byte {
		out, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	raw := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	good := der(one, last)
	for _, c := range []struct {
		name, encoding string
		signature      []byte
		ok             bool
	}{
		{"DER", encodingDER, good, true},
		{"raw", encodingRaw, raw(one, last), true},
		{"raw that is said to be DER", encodingDER, raw(one, last), false},
		{"DER that is said to be raw", encodingRaw, good, false},
		{"one octet more", encodingDER, append(bytes.Clone(good), 0), false},
		{"one octet more inside", encodingDER, append([]byte{0x30, good[1] + 1}, append(bytes.Clone(good[2:]), 0)...), false},
		{"a third number", encodingDER, append([]byte{0x30, good[1] + 3}, append(bytes.Clone(good[2:]), 2, 1, 1)...), false},
		{"a long form of the length", encodingDER, append([]byte{0x30, 0x81}, good[1:]...), false},
		{"a zero before a number", encodingDER, []byte{0x30, 7, 2, 2, 0, 1, 2, 1, 1}, false},
		{"a negative number", encodingDER, der(big.NewInt(-1), one), false},
		{"r is 0", encodingDER, der(new(big.Int), one), false},
		{"s is 0", encodingRaw, raw(one, new(big.Int)), false},
		{"s is n", encodingRaw, raw(one, n), false},
		{"r is n", encodingDER, der(n, one), false},
		{"nothing", encodingDER, nil, false},
		{"nothing raw", encodingRaw, nil, false},
		{"one octet less", encodingRaw, raw(one, last)[1:], false},
	} {
		got, err := k.der(c.signature, c.encoding)
		if c.ok && !bytes.Equal(got, good) || !c.ok && codeOf(err) != ErrEncoding.Code {
			t.Errorf("%s: %x, %v", c.name, got, err)
		}
	}
}

func TestThePointIsTakenInTheFormOfTheProfile(t *testing.T) {
	xy := bytes.Repeat([]byte{9}, 64)
	point := append([]byte{4}, xy...)
	octets := append([]byte{4, 65}, point...)
	for _, c := range []struct {
		form  string
		value []byte
		ok    bool
	}{
		{publicOctets, octets, true}, {publicOctets, point, false}, {publicOctets, append(bytes.Clone(octets), 0), false},
		{publicPoint, point, true}, {publicPoint, octets, false}, {publicPoint, xy, false},
		{publicXY, xy, true}, {publicXY, point, false},
		{either, octets, true}, {either, point, true}, {either, xy, true}, {either, xy[1:], false}, {either, nil, false},
	} {
		if got := flatPoint(c.value, c.form, 64); c.ok && !bytes.Equal(got, point) || !c.ok && got != nil {
			t.Errorf("%s of %d octets: %x", c.form, len(c.value), got)
		}
	}
}
