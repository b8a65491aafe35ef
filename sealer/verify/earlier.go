package verify

import (
	"bytes"
	"slices"

	"yinxin/sealer/pdf"
)

const (
	// maxEarlier is how many ends of earlier states are tried when the newest cannot be read.
	maxEarlier = 20
	// maxEarlierSearch is how far from the end of the file they are looked for, in bytes.
	maxEarlierSearch = 64 << 20
)

// openEarlier takes the newest state of the file that can be read and holds a sound signature in place of one that
// cannot be read: then the file is not merely unreadable, it was sealed and damaged afterwards. It says false where
// there is none, or when the fault is not the file's. Whatever it finds is modified at best, see addDamage.
func (v *verification) openEarlier() bool {
	damage := v.err
	if v.stops(damage) {
		return false
	}
	whole := v.size
	for _, end := range v.earlierEnds() {
		v.size = end
		if v.structure() == nil && slices.ContainsFunc(v.signatures, func(s *signature) bool { return s.sound }) {
			v.damage = damage
			return true
		}
		if v.ctx.Err() != nil {
			break
		}
	}
	v.size = whole
	v.signatures, v.empty, v.doc = nil, 0, nil
	return false
}

// earlierEnds finds where earlier states of the file may end, latest first: behind each %%EOF and its end of line.
func (v *verification) earlierEnds() []int64 {
	mark := []byte("%%EOF")
	var ends []int64
	buffer := make([]byte, readPiece+len(mark)+1)
	for high := v.size; high > 0 && v.size-high < maxEarlierSearch && len(ends) < maxEarlier && v.ctx.Err() == nil; {
		low := max(0, high-readPiece)
		// What stands across the border is found with the earlier piece; two more octets hold the end of line.
		piece := buffer[:min(int64(len(buffer)), v.size-low)]
		if readFull(v.reader, piece, low) != nil {
			return ends
		}
		for at := len(piece); len(ends) < maxEarlier; {
			if at = bytes.LastIndex(piece[:at], mark); at < 0 {
				break
			}
			if end := low + int64(at+len(mark)); low+int64(at) < high && end < v.size {
				ends = append(ends, end+v.endOfLine(end))
			}
		}
		high = low
	}
	return slices.DeleteFunc(ends, func(end int64) bool { return end >= v.size })
}

// endOfLine is the length of the end of line at an offset: 0, 1 or 2.
func (v *verification) endOfLine(at int64) int64 {
	next := make([]byte, min(2, v.size-at))
	if readFull(v.reader, next, at) != nil {
		return 0
	}
	switch {
	case len(next) == 2 && next[0] == '\r' && next[1] == '\n':
		return 2
	case len(next) > 0 && (next[0] == '\r' || next[0] == '\n'):
		return 1
	}
	return 0
}

// addDamage makes what follows an earlier state a change that nobody permits.
func (v *verification) addDamage() {
	if v.damage == nil {
		return
	}
	for _, s := range v.signatures {
		if s.out.Coverage == CoverageWhole {
			s.out.Coverage = CoverageRevision
		}
	}
	t := sentences(v.damage)
	v.revisions = append(v.revisions, revision{end: v.report.Size, changes: []pdf.Change{{Kind: changeUnknown,
		ZH: "盖章之后的部分已损坏，无法读取：" + t.zh, EN: "What follows the sealed part is damaged and cannot be read: " + t.en}}})
	v.note(text{"文件的最新版本无法读取，以下是对最近一个可读版本的检查结果。",
		"The newest state of the file cannot be read; what is said here is about the latest one that can."})
}
