package command

import (
	"bufio"
	"io"
	"strings"
)

// lines reads what people type, line by line, without taking more of the stream than they typed.
type lines struct{ reader *bufio.Reader }

// maxLine bounds a typed line, in bytes.
const maxLine = 4096

func newLines(in io.Reader) *lines { return &lines{bufio.NewReaderSize(in, maxLine)} }

// next gives the next line that is not empty, without blanks around it.
func (l *lines) next() (string, error) {
	for {
		line, err := l.reader.ReadSlice('\n')
		text := strings.TrimSpace(string(line))
		if text != "" && (err == nil || err == io.EOF) {
			return text, nil
		}
		if err != nil {
			return "", err
		}
	}
}
