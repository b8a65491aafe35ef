package verify

import (
	"testing"
)

func TestAGoodSealIsValid(t *testing.T) {
	h := newHouse(t)
	want(t, newFile().seal(t, h).verify(t, h.options(t)), Valid, "")
}

func TestTwoGoodSealsAreValid(t *testing.T) {
	h := newHouse(t)
	r := newFile().seal(t, h).seal(t, h).verify(t, h.options(t))
	want(t, r, Valid, "Another signature was added on page 1")
	if len(r.Signatures) != 2 || r.Signatures[0].Coverage != CoverageRevision || r.Signatures[1].Coverage != CoverageWhole {
		t.Errorf("signatures: %+v", r.Signatures)
	}
}
