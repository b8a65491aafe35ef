package scan

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	other "golang.org/x/image/tiff/lzw"
)

// FuzzLZW holds the reader of LZW against the one of golang.org/x/image. Data that use a code before it is defined, which that one
// takes for what the code meant earlier, are broken here.
func FuzzLZW(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, seed := range [][]byte{{}, {0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01}, bytes.Repeat([]byte{0xff}, 100), packedLZW(bytes.Repeat([]byte{7}, 20_000)),
		packedLZW(noise(random, 9000, 256)), packedLZW(noise(random, 30_000, 3))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 32<<10 { // beyond that the other one counts codes over its table
			return
		}
		want, wantErr := io.ReadAll(io.LimitReader(other.NewReader(bytes.NewReader(data), other.MSB, 8), 4<<20))
		z := newLZW(bytes.NewReader(nil))
		z.reset(bytes.NewReader(data))
		got, err := io.ReadAll(io.LimitReader(z, 4<<20))
		if err == errLZW && wantErr == nil || err == errLZW && len(want) >= len(got) {
			want, wantErr = want[:len(got)], err
		}
		if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) {
			t.Fatalf("%d bytes, %v, not %d, %v", len(got), err, len(want), wantErr)
		}
	})
}

// TestLZWUnpacksWhatWasPacked over several fills of its table, long strings and short reads.
func TestLZWUnpacksWhatWasPacked(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	z := newLZW(bytes.NewReader(nil))
	for _, data := range [][]byte{nil, {1}, bytes.Repeat([]byte{9}, 3_000_000), noise(random, 300_000, 256), noise(random, 500_000, 2), bytes.Repeat(noise(random, 700, 256), 300)} {
		z.reset(oneByOne{bytes.NewReader(packedLZW(data))})
		var got []byte
		for p := make([]byte, 997); ; {
			n, err := z.Read(p)
			if got = append(got, p[:n]...); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%d bytes do not come back", len(data))
		}
	}
}

func noise(random *rand.Rand, n, values int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.IntN(values))
	}
	return data
}

// oneByOne gives a byte at a time.
type oneByOne struct{ in io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.in.Read(p[:min(1, len(p))]) }

// packedLZW packs as TIFF 6.0, section 13, says.
func packedLZW(data []byte) []byte {
	var out []byte
	bits, n := uint64(0), 0
	width := 9
	put := func(code int) {
		bits, n = bits<<width|uint64(code), n+width
		for ; n >= 8; n -= 8 {
			out = append(out, byte(bits>>(n-8)))
		}
	}
	type pair struct {
		before int
		b      byte
	}
	table, next := map[pair]int{}, 258
	put(lzwClear)
	before := -1
	for _, b := range data {
		if before < 0 {
			before = int(b)
			continue
		}
		if code, ok := table[pair{before, b}]; ok {
			before = code
			continue
		}
		put(before)
		table[pair{before, b}] = next
		before = int(b)
		if next++; next == 1<<width && width < 12 {
			width++
		} else if next == 4095 {
			put(lzwClear)
			clear(table)
			next, width = 258, 9
		}
	}
	if before >= 0 {
		put(before)
		if next++; next == 1<<width && width < 12 {
			width++
		}
	}
	put(lzwEnd)
	if n > 0 {
		out = append(out, byte(bits<<(8-n)))
	}
	return out
}
