package pdf_test

import (
	"bytes"
	"compress/lzw"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

func streamData(t *testing.T, dict string, raw []byte, max int64) ([]byte, error) {
	t.Helper()
	object := fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(raw), raw)
	d := opened(t, file{objects: append(onePage(""), object)}.bytes())
	o, err := d.Object(pdf.Ref{Num: 4})
	if err != nil {
		t.Fatal(err)
	}
	return d.StreamData(o.(*pdf.Stream), max)
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// lzwEarly encodes as the LZW encoders of PDF do: the width grows one code before the table needs it.
func lzwEarly(data []byte) []byte {
	var out []byte
	var acc, have uint
	put := func(code, width uint) {
		acc, have = acc<<width|code, have+width
		for have >= 8 {
			have -= 8
			out = append(out, byte(acc>>have))
		}
	}
	table := map[string]uint{}
	next, width := uint(258), uint(9)
	put(256, width)
	prefix := ""
	code := func(s string) uint {
		if len(s) == 1 {
			return uint(s[0])
		}
		return table[s]
	}
	for _, c := range data {
		longer := prefix + string([]byte{c})
		if _, ok := table[longer]; ok || len(longer) == 1 {
			prefix = longer
			continue
		}
		put(code(prefix), width)
		table[longer] = next
		next++
		// The decoder is one entry behind the encoder, so this is where both change.
		switch next {
		case 512, 1024, 2048:
			width++
		case 4095:
			put(256, width)
			table, next, width = map[string]uint{}, 258, 9
		}
		prefix = string([]byte{c})
	}
	if prefix != "" {
		put(code(prefix), width)
		next++
		if next == 512 || next == 1024 || next == 2048 {
			width++
		}
	}
	put(257, width)
	put(0, 7)
	return out
}

func TestStreamsAreDecoded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 20000)
	for i := range data {
		data[i] = "abcdefgh"[random.IntN(8)]
	}
	var ascii bytes.Buffer
	w := ascii85.NewEncoder(&ascii)
	w.Write(data)
	w.Close()
	ascii.WriteString("~>")
	var msb bytes.Buffer
	l := lzw.NewWriter(&msb, lzw.MSB, 8)
	l.Write(data)
	l.Close()
	runs := []byte{}
	for i := 0; i < len(data); i += 100 {
		runs = append(append(runs, 99), data[i:i+100]...)
	}
	runs = append(runs, 128)
	// Rows of 100 bytes behind the PNG filters None, Sub and Up, which a reader undoes.
	var predicted []byte
	for i := 0; i < len(data); i += 100 {
		kind := byte(i / 100 % 3)
		predicted = append(predicted, kind)
		for j := range 100 {
			v := data[i+j]
			if kind == 1 && j > 0 {
				v -= data[i+j-1]
			}
			if kind == 2 {
				v -= data[i+j-100]
			}
			predicted = append(predicted, v)
		}
	}
	cases := []struct {
		name, dict string
		raw        []byte
	}{
		{"plain", "", data},
		{"deflated", "/Filter/FlateDecode", deflated(data)},
		{"deflated, in an array", "/Filter[/FlateDecode]/DecodeParms[null]", deflated(data)},
		{"deflated behind PNG rows", "/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 100>>", deflated(predicted)},
		{"hexadecimal", "/Filter/ASCIIHexDecode", []byte(hex.EncodeToString(data) + ">")},
		{"base 85", "/Filter/ASCII85Decode", ascii.Bytes()},
		{"base 85 of deflated", "/Filter[/ASCII85Decode/FlateDecode]", func() []byte {
			var b bytes.Buffer
			w := ascii85.NewEncoder(&b)
			w.Write(deflated(data))
			w.Close()
			return append(b.Bytes(), "~>"...)
		}()},
		{"runs", "/Filter/RunLengthDecode", runs},
		{"LZW", "/Filter/LZWDecode", lzwEarly(data)},
		{"LZW without early change", "/Filter/LZWDecode/DecodeParms<</EarlyChange 0>>", msb.Bytes()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := streamData(t, c.dict, c.raw, int64(len(data)))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if _, err := streamData(t, c.dict, c.raw, int64(len(data))-1); fault.CodeOf(err) != "pdf.too-large" {
				t.Errorf("over the limit: %v", err)
			}
		})
	}
}

func TestTheLZWExampleOfTheStandardIsDecoded(t *testing.T) {
	raw, _ := hex.DecodeString("800B6050220C0C8501")
	got, err := streamData(t, "/Filter/LZWDecode", raw, 100)
	if want := []byte{45, 45, 45, 45, 45, 65, 45, 45, 45, 66}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestStreamsThatCannotBeDecodedAreRefused(t *testing.T) {
	half := deflated(bytes.Repeat([]byte("some text "), 500))
	cases := []struct {
		name, dict string
		raw        []byte
		code       string
	}{
		{"an image", "/Filter/DCTDecode", []byte("x"), "pdf.unsupported-filter"},
		{"a filter that is a number", "/Filter 3", []byte("x"), "pdf.damaged-stream"},
		{"too many filters", "/Filter[/AHx/AHx/AHx/AHx/AHx/AHx/AHx/AHx/AHx]", []byte("x"), "pdf.unsupported-filter"},
		{"not deflated", "/Filter/FlateDecode", []byte("plain text"), "pdf.damaged-stream"},
		{"broken off", "/Filter/FlateDecode", half[:len(half)/2], "pdf.damaged-stream"},
		{"rows of absurd length", "/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 99999999999>>", half, "pdf.damaged-stream"},
		{"an unknown row filter", "/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 3>>", half, "pdf.damaged-stream"},
		{"an LZW code too high", "/Filter/LZWDecode", []byte{0x80, 0x7F, 0xFF}, "pdf.damaged-stream"},
		{"letters that are not hexadecimal", "/Filter/AHx", []byte("xyz"), "pdf.damaged-stream"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := streamData(t, c.dict, c.raw, 1<<20); fault.CodeOf(err) != c.code {
				t.Errorf("%v, want %s", err, c.code)
			}
		})
	}
}

func TestAWrongLengthIsCorrectedByEndstream(t *testing.T) {
	for _, length := range []string{"0", "3", "99999", "-1", "null", "99 0 R", "4 0 R"} {
		object := "<</Length " + length + ">>\nstream\r\nthe data\r\nendstream"
		d := opened(t, file{objects: append(onePage(""), object)}.bytes())
		o, err := d.Object(pdf.Ref{Num: 4})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.StreamData(o.(*pdf.Stream), 100); string(got) != "the data" || err != nil {
			t.Errorf("/Length %s: %q, %v", length, got, err)
		}
	}
}
