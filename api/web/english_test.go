package web

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	han = regexp.MustCompile(`[\x{3000}-\x{303f}\x{3400}-\x{9fff}\x{ff00}-\x{ffef}]+`)
	// inChinese is the first text of a pair in a template, which is the Chinese one, and what says that it is Chinese.
	inChinese = regexp.MustCompile(`\bt "(?:[^"\\]|\\.)*"|"zh-CN"\}\}">\{\{t "English" "中文"|placeholder="（盖章）" lang="zh-CN"`)
)

// TestTemplatesAreChineseInPairsAlone reads the templates of all areas: also what a page shows but seldom has an English text,
// with English signs between the words.
func TestTemplatesAreChineseInPairsAlone(t *testing.T) {
	read := 0
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".html") {
			return err
		}
		read++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for number, line := range strings.Split(string(text), "\n") {
			rest := inChinese.ReplaceAllString(line, "")
			if found := han.FindStringIndex(rest); found != nil {
				t.Errorf("%s:%d: %s", path, number+1, rest[max(0, found[0]-60):min(len(rest), found[1]+20)])
			}
		}
		return nil
	})
	if err != nil || read < 50 {
		t.Fatal(read, err)
	}
}
