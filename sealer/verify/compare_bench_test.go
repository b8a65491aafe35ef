package verify

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
)

// BenchmarkVerifyFiftyOnHundredPages verifies fifty seals, spread over a file of a hundred pages and 5 MB; the floor is
// SM3 once and what fifty signatures need.
func BenchmarkVerifyFiftyOnHundredPages(b *testing.B) {
	const count = 100
	h := newHouse(b)
	f := newFile()
	random := rand.New(rand.NewPCG(5, 6))
	objects := map[int]string{}
	var kids strings.Builder
	for i := range count {
		noise := make([]byte, 50_000)
		for j := range noise {
			noise[j] = byte('a' + random.IntN(26))
		}
		page, content := f.next+2*i, f.next+2*i+1
		fmt.Fprintf(&kids, "%d 0 R ", page)
		objects[page] = fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << /Font << /F1 5 0 R >> >> >>", content)
		objects[content] = stream("", string(noise))
	}
	objects[pagesObject] = fmt.Sprintf("<< /Type /Pages /Kids [3 0 R %s] /Count %d >>", kids.String(), count+1)
	f.update("", objects)
	for range 50 {
		f.seal(b, h)
	}
	o := h.options(b)
	want(b, f.verify(b, o), Valid, "")
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			f.verify(b, o)
		}
	})
	b.Run("floor", func(b *testing.B) {
		message := append(bytes.Clone(h.form.Prefix()), make([]byte, 120)...)
		value := h.sign(b, h.institution, message)
		for range b.N {
			digest := sm3.New()
			digest.Write(f.data)
			for range 51 { // and the maker's signature on the seal
				sm2.VerifyASN1WithSM2(&h.institution.Key.PublicKey, nil, message, value)
			}
		}
	})
}
