package sealer_test

import (
	"testing"

	"yinxin/sealer"
	"yinxin/sealer/verify"
)

func TestTheRegisterKnowsItsOwnSealsByTheirBytes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		in, err := h.register.Authorise(t.Context(), h.clerk, code)
		must(t, err)
		status := sealer.SealStatus(h.register)
		other := append([]byte{}, in.Seal...)
		other[len(other)-1] ^= 1
		for _, c := range []struct {
			name, code string
			seal       []byte
			want       verify.SealStanding
		}{
			{"the seal that was made", code, in.Seal, verify.SealActive},
			{"another seal with its code", code, other, verify.SealForged},
			{"a code of elsewhere", "11010000000011", other, verify.SealUnknown},
		} {
			state, err := status(t.Context(), c.code, c.seal, h.now)
			must(t, err)
			if state.Standing != c.want {
				t.Errorf("%s is %s", c.name, state.Standing)
			}
		}
	})
}
