package verify

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxSalvage is how many bytes of a file that cannot be opened are searched for a signature, from its end.
	maxSalvage = 256 << 20
	// maxSalvaged is how many candidates are looked at.
	maxSalvaged = 3
)

// salvage looks through the bytes of a file that cannot be opened as a document for a signature that was made over
// them. Where one is, the file is not merely unreadable: it was sealed, and what cannot be read any more was changed
// after that. Nothing found here is better than modified.
func (v *verification) salvage() {
	if v.stops(v.err) {
		return
	}
	for _, at := range v.rangesInBytes() {
		s := v.signatureAt(at)
		if s == nil {
			continue
		}
		s.sound, s.out.Kind = true, KindUnknown
		v.takeContents(s)
		if s.out.Kind == KindUnknown || s.sealErr != nil || s.messageErr != nil {
			continue
		}
		if hashGaps(v.reader, states{s.need: s.need.new()}, 0, []*signature{s}, v.ctx.Err) != nil {
			continue
		}
		s.sound = false
		v.checkContent(s)
		s.lower(Modified, text{"盖章后文件受损，已无法作为文档读取。", "The file was damaged after sealing: it cannot be read as a document any more."})
		v.signatures, v.salvaged = []*signature{s}, true
		return
	}
}

// rangesInBytes finds where /ByteRange stands, latest first.
func (v *verification) rangesInBytes() []int64 {
	mark := []byte("/ByteRange")
	var found []int64
	buffer := make([]byte, readPiece+len(mark))
	for high := v.size; high > 0 && v.size-high < maxSalvage && len(found) < maxSalvaged && v.ctx.Err() == nil; {
		low := max(0, high-readPiece)
		piece := buffer[:min(int64(len(buffer)), v.size-low)]
		if readFull(v.reader, piece, low) != nil {
			return found
		}
		for at := len(piece); len(found) < maxSalvaged; {
			if at = bytes.LastIndex(piece[:at], mark); at < 0 {
				break
			}
			if low+int64(at) < high {
				found = append(found, low+int64(at))
			}
		}
		high = low
	}
	return found
}

// signatureAt makes a signature of the four numbers behind a /ByteRange and the hexadecimal string in the gap, nil where
// these are not there.
func (v *verification) signatureAt(at int64) *signature {
	near := make([]byte, min(200, v.size-at))
	if readFull(v.reader, near, at) != nil {
		return nil
	}
	var r [4]int64
	_, list, _ := strings.Cut(string(near), "[")
	list, _, closed := strings.Cut(list, "]")
	numbers := strings.Fields(list)
	if !closed || len(numbers) != 4 {
		return nil
	}
	for i, n := range numbers {
		var err error
		if r[i], err = strconv.ParseInt(n, 10, 64); err != nil {
			return nil
		}
	}
	const most = 1 << 62
	if r[0] != 0 || r[1] <= 0 || r[2] <= r[1]+2 || r[2]-r[1] > 2*maxContents+2 || r[3] <= 0 || r[2] > most || r[3] > most || r[2]+r[3] > v.size {
		return nil
	}
	gap := make([]byte, r[2]-r[1])
	if readFull(v.reader, gap, r[1]) != nil || gap[0] != '<' || gap[len(gap)-1] != '>' {
		return nil
	}
	contents, err := hex.DecodeString(string(gap[1 : len(gap)-1]))
	if err != nil {
		return nil
	}
	der, ok := cutPadding(contents)
	if !ok {
		return nil
	}
	s := &signature{lang: v.options.Language, verdict: Valid, contents: der, gap: [2]int64{r[1], r[2]}, end: r[2] + r[3], seconded: v.options.SecondOpinion}
	s.out = Signature{TimeSource: TimeSourceNone, Coverage: CoverageBroken, CoveredBytes: s.end, ChangesAfter: []Change{}, Checks: []Check{}}
	return s
}

// salvagedVerdict is the verdict of a file that could not be read but holds a signature.
func (v *verification) salvagedVerdict() (Verdict, bool) {
	if !v.salvaged {
		return "", false
	}
	i := slices.IndexFunc(v.signatures, func(s *signature) bool { return s.verdict.severity() >= Modified.severity() })
	if i < 0 {
		return "", false
	}
	return v.signatures[i].verdict, true
}
