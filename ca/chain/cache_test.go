package chain

import (
	"encoding/binary"
	"testing"
)

func TestTheMemoryOfChecksIsBoundedAndKeepsWhatIsAskedFor(t *testing.T) {
	var c checks
	key := func(i int) checkKey {
		var k checkKey
		binary.BigEndian.PutUint64(k.subject[:], uint64(i))
		return k
	}
	wanted := key(-1)
	c.set(wanted, checked{err: ErrSignature.New()})
	for i := range 5 * generation {
		c.set(key(i), checked{})
		if found, ok := c.get(wanted); !ok || found.err == nil {
			t.Fatalf("after %d others it is forgotten", i)
		}
		if size := len(c.young) + len(c.old); size > 2*generation {
			t.Fatalf("%d outcomes are kept", size)
		}
	}
	if _, ok := c.get(key(0)); ok {
		t.Error("what nobody asked for is kept for ever")
	}
}
