package command

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// BenchmarkFigures runs the figures of "yinxin bench", each with its floor in the same run.
func BenchmarkFigures(b *testing.B) {
	list, done, err := figures(b.Context(), b.TempDir(), streams{in: strings.NewReader(""), out: os.Stderr, err: os.Stderr, now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer done()
	for _, f := range list {
		for _, part := range []struct {
			name string
			do   func() error
		}{{"work", f.run}, {"floor", f.floor}} {
			b.Run(f.name+"/"+part.name, func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					if err := part.do(); errors.Is(err, errEnough) {
						b.Skip(err)
					} else if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
