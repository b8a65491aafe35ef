package scan

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"testing"
)

func packedZlib(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// kindsOfData are what the methods of DEFLATE are for: noise, few values, repetitions near and far, and their joints.
func kindsOfData() [][]byte {
	random := rand.New(rand.NewPCG(5, 6))
	skewed := make([]byte, 300_000) // codes from 1 to 15 bits
	for i := range skewed {
		for skewed[i] < 40 && random.IntN(2) == 0 {
			skewed[i]++
		}
	}
	far := append(noise(random, 32<<10, 256), noise(random, 300, 256)...)
	far = append(far, far[100:]...)
	return [][]byte{nil, {1}, bytes.Repeat([]byte{9}, 300_000), noise(random, 300_000, 256), noise(random, 300_000, 2), skewed, far,
		bytes.Repeat(noise(random, 5, 256), 10_000), bytes.Repeat(noise(random, 700, 200), 300)}
}

// FuzzInflate holds the reader of DEFLATE against compress/zlib: the same bytes, and an error where that one has one.
func FuzzInflate(f *testing.F) {
	for i, data := range kindsOfData() {
		data = data[:min(len(data), 3000)]
		f.Add(packedZlib(f, data, i%10), false)
		f.Add(packedZlib(f, data, zlib.HuffmanOnly)[2:], true)
	}
	f.Add([]byte{0x78, 0x9c, 3, 0, 0, 0, 0, 1}, false)
	f.Fuzz(func(t *testing.T, data []byte, bare bool) {
		if bare { // so that the head need not be guessed
			data = append([]byte{0x78, 0x9c}, data...)
		}
		var want []byte
		other, wantErr := zlib.NewReader(bytes.NewReader(data))
		if wantErr == nil {
			want, wantErr = io.ReadAll(io.LimitReader(other, 4<<20))
		}
		z := inflate(bytes.NewReader(packedZlib(t, []byte("before"), 1)))
		if _, err := io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
		z.reset(bytes.NewReader(data))
		got, err := io.ReadAll(io.LimitReader(z, 4<<20))
		if err != nil && bytes.HasPrefix(got, want) {
			got = got[:len(want)] // where data are cut short, that one asks for more bits than a code has
		}
		if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) {
			t.Fatalf("%d bytes, %v, not %d, %v", len(got), err, len(want), wantErr)
		}
	})
}

// TestInflateUnpacksWhatWasPacked at all levels, with short reads, and knows when a byte of it is another or the end lacks.
func TestInflateUnpacksWhatWasPacked(t *testing.T) {
	for i, data := range kindsOfData() {
		for _, level := range []int{zlib.HuffmanOnly, zlib.NoCompression, zlib.BestSpeed, 6, zlib.BestCompression} {
			packed := packedZlib(t, data, level)
			if got, err := io.ReadAll(inflate(oneByOne{bytes.NewReader(packed)})); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("data %d, level %d: %d bytes of %d, %v", i, level, len(got), len(data), err)
			}
			if got, err := io.ReadAll(inflate(bytes.NewReader(packed))); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("data %d, level %d, in one: %d bytes of %d, %v", i, level, len(got), len(data), err)
			}
			if _, err := io.ReadAll(inflate(bytes.NewReader(packed[:len(packed)-1]))); err == nil {
				t.Errorf("data %d, level %d: the end lacks, and nothing is said", i, level)
			}
			packed[len(packed)-1] ^= 1
			if _, err := io.ReadAll(inflate(bytes.NewReader(packed))); err == nil {
				t.Errorf("data %d, level %d: a wrong sum, and nothing is said", i, level)
			}
		}
	}
}
