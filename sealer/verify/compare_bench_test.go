package verify

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
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
	measureFiftySeals(b, h, f)
}
