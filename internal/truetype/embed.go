package truetype

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"unicode/utf16"
)

// Tag is the prefix that the name of the embedded subset has in a PDF file: six letters that differ when the subset does
// (ISO 32000-1, 9.6.4).
func (s *Subset) Tag() string {
	sum := sha256.Sum256(s.Data)
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	return string(tag)
}

// ToUnicode is the CMap that says which characters the glyphs show, where the codes in a PDF file are the numbers of the
// glyphs, two bytes each (ISO 32000-1, 9.10.3).
func (s *Subset) ToUnicode() []byte {
	out := []byte("/CIDInit/ProcSet findresource begin 12 dict begin begincmap\n" +
		"/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n" +
		"/CMapName/Adobe-Identity-UCS def/CMapType 2 def\n" +
		"1 begincodespacerange<0000><FFFF>endcodespacerange\n")
	const block = 100 // the most that one block may have
	for from := 0; from < len(s.Characters); from += block {
		some := s.Characters[from:min(from+block, len(s.Characters))]
		out = strconv.AppendInt(out, int64(len(some)), 10)
		out = append(out, " beginbfchar\n"...)
		for i, r := range some {
			out = fmt.Appendf(out, "<%04X><", from+i+1)
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, "%04X", unit)
			}
			out = append(out, ">\n"...)
		}
		out = append(out, "endbfchar\n"...)
	}
	return append(out, "endcmap CMapName currentdict/CMap defineresource pop end end"...)
}
