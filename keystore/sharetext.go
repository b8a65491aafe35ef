package keystore

import (
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emmansun/gmsm/sm3"
)

// A share on paper is four numbered lines of 24 characters and two for the check of that line:
//
//	1: 0410 2061 40AB … 9ZXC  7K
//
// The characters are those of Crockford's base 32, which has no I, L, O and U: what looks alike is read alike, upper and
// lower case, blanks and hyphens do not matter. A line's check says which line was mistyped; the last 8 octets check the
// whole. The 60 octets of the four lines are:
//
//	version 1 | threshold 1 | count 1 | index 1 | split 8 | fingerprint of the key 8 | value 32 | SM3 of the others, first 8
//
// Everything before line 1, after line 4 and between them that is no numbered line is for people.

const (
	shareLines     = 4
	shareLineSize  = 24 // characters
	shareGroupSize = 4
	shareCheckSize = 8 // octets
	shareSize      = 4 + 2*shareIDSize + scalarSize + shareCheckSize
	maxShareText   = 8 << 10
)

var shareCharacters = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

func (s Share) encode() []byte {
	data := []byte{shareVersion, byte(s.threshold), byte(s.count), byte(s.index)}
	data = append(data, s.set[:]...)
	data = append(data, s.about[:]...)
	data = append(data, s.value[:]...)
	return append(data, shareCheck(data)...)
}

func shareCheck(data []byte) []byte {
	sum := sm3.Sum(join([]byte("yinxin share 1"), data))
	return sum[:shareCheckSize]
}

// lineCheck depends on the number of the line, so that two lines that changed places are found as well.
func lineCheck(line int, text string) string {
	sum := sm3.Sum(join([]byte("yinxin share line 1"), number(line), []byte(text)))
	return shareCharacters.EncodeToString(sum[:2])[:2]
}

// Text is the share for paper or a file, with what its holder should know above it. It is the secret of its holder: it
// belongs on a terminal or in a file of mode 0600, never in a log.
func (s Share) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Yinxin 密钥份额 key share %d / %d\n", s.index, s.count)
	fmt.Fprintf(&b, "任意 %d 份可恢复；请单独妥善保管。 Any %d shares restore the key; keep this one by itself.\n", s.threshold, s.threshold)
	fmt.Fprintf(&b, "密钥指纹 key fingerprint: %s\n分割编号 split: %s\n\n", s.about, s.Set())
	text := shareCharacters.EncodeToString(s.encode())
	for line := range shareLines {
		part := text[line*shareLineSize : (line+1)*shareLineSize]
		fmt.Fprintf(&b, "%d:", line+1)
		for i := 0; i < shareLineSize; i += shareGroupSize {
			b.WriteString(" " + part[i:i+shareGroupSize])
		}
		fmt.Fprintf(&b, "  %s\n", lineCheck(line+1, part))
	}
	return b.String()
}

// ParseShare reads what Text wrote, or what a person copied of it. keystore.share names what is missing or the line that
// is not as it was written.
func ParseShare(text []byte) (Share, error) {
	if len(text) > maxShareText {
		return Share{}, ErrShare.With("> %d B", maxShareText)
	}
	var lines [shareLines]string
	for raw := range strings.Lines(string(text)) {
		n, rest, ok := numberedLine(raw)
		if !ok {
			continue
		}
		if lines[n-1] != "" {
			return Share{}, ErrShare.Saying(fmt.Sprintf("第 %d 行出现两次", n), fmt.Sprintf("line %d stands there twice", n))
		}
		part, err := checkedLine(n, rest)
		if err != nil {
			return Share{}, err
		}
		lines[n-1] = part
	}
	for i, line := range lines {
		if line == "" {
			return Share{}, ErrShare.Saying(fmt.Sprintf("缺少第 %d 行", i+1), fmt.Sprintf("line %d is missing", i+1))
		}
	}
	data, err := shareCharacters.DecodeString(strings.Join(lines[:], ""))
	if err != nil {
		return Share{}, ErrShare.Because(err)
	}
	return decodeShare(data)
}

func numberedLine(raw string) (n int, rest string, ok bool) {
	// The full-width colon and blank come from Chinese input methods.
	raw = strings.TrimSpace(strings.NewReplacer("：", ":", "\u3000", " ", "\ufeff", "").Replace(raw))
	head, rest, ok := strings.Cut(raw, ":")
	if !ok {
		return 0, "", false
	}
	n, err := strconv.Atoi(strings.TrimSpace(head))
	return n, rest, err == nil && n >= 1 && n <= shareLines
}

func checkedLine(n int, rest string) (string, error) {
	clean := strings.NewReplacer(" ", "", "\t", "", "-", "", "I", "1", "L", "1", "O", "0").Replace(strings.ToUpper(rest))
	if len(clean) != shareLineSize+2 {
		return "", ErrShare.Saying(fmt.Sprintf("第 %d 行应有 %d 个字符，现有 %d 个", n, shareLineSize+2, len(clean)),
			fmt.Sprintf("line %d should have %d characters, it has %d", n, shareLineSize+2, len(clean)))
	}
	part, check := clean[:shareLineSize], clean[shareLineSize:]
	if lineCheck(n, part) != check {
		return "", ErrShare.Saying(fmt.Sprintf("第 %d 行有误，请重新核对", n), fmt.Sprintf("line %d was mistyped; compare it once more", n))
	}
	return part, nil
}

func decodeShare(data []byte) (Share, error) {
	var s Share
	if len(data) != shareSize {
		return s, ErrShare.Because(errors.New("keystore: share of another length"))
	}
	body, check := data[:shareSize-shareCheckSize], data[shareSize-shareCheckSize:]
	if string(shareCheck(body)) != string(check) {
		return s, ErrShare.Saying("各行不属于同一份", "the lines are not of one share")
	}
	if body[0] != shareVersion {
		return s, ErrShare.With("version %d", body[0])
	}
	s.threshold, s.count, s.index = int(body[1]), int(body[2]), int(body[3])
	copy(s.set[:], body[4:])
	copy(s.about[:], body[4+shareIDSize:])
	copy(s.value[:], body[4+2*shareIDSize:])
	if s.index < 1 || s.index > s.count || !(ShareSet{Threshold: s.threshold, Count: s.count}).numbersFit() {
		return Share{}, ErrShare.With("%d / %d / %d", s.index, s.threshold, s.count)
	}
	if _, err := s.part(); err != nil {
		return Share{}, ErrShare.Because(err)
	}
	return s, nil
}
