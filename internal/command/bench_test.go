package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"yinxin/hsm/tokentest"
	"yinxin/internal/truetype"
)

// BenchmarkFigures runs the figures of "yinxin bench", each with its floor in the same run.
func BenchmarkFigures(b *testing.B) {
	list, done, err := benchCommand{}.figures(b.Context(), b.TempDir(), streams{in: strings.NewReader(""), out: os.Stderr, err: os.Stderr, now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer done()
	for _, f := range list {
		if f.run == nil { // gives its own time
			f.run = func() error { _, err := f.value(); return err }
			f.floor = func() error { _, err := f.least(); return err }
		}
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

func TestOnlyTheFiguresAskedForAreMeasured(t *testing.T) {
	if _, err := truetype.Find(); err != nil {
		t.Skip(err)
	}
	var out, errs bytes.Buffer
	s := streams{in: strings.NewReader(""), out: &out, err: &errs, now: time.Now}
	if status := run(t.Context(), []string{"bench", "--only", imprintFigure, "--budget", "1ms", "--json"}, s); status != exitDone {
		t.Fatalf("status %d: %s", status, &errs)
	}
	var list []measured
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) != 1 || list[0].Name != imprintFigure || !(list[0].Value > 0) || !(list[0].Floor > 0) {
		t.Errorf("%v: %s", err, &out)
	}
	if status := run(t.Context(), []string{"bench", "--only", "imprint"}, s); status != exitFailed || !strings.Contains(errs.String(), imprintFigure) {
		t.Errorf("a figure that there is not: status %d, %s", status, &errs)
	}
}

func TestTokensAreMeasuredWhereTheirModuleIs(t *testing.T) {
	var out, errs bytes.Buffer
	s := streams{in: strings.NewReader(""), out: &out, err: &errs, now: time.Now}
	if status := run(t.Context(), []string{"bench", "--only", tokenSignFigure}, s); status != exitFailed || !strings.Contains(errs.String(), errNoSoftToken.Code) {
		t.Errorf("without the module: status %d, %s", status, &errs)
	}
	t.Setenv(softTokenModuleVariable, tokentest.Module(t))
	if status := run(t.Context(), []string{"bench", "--only", tokenSignFigure, "--only", tokenBusyFigure, "--budget", "1ms", "--json"}, s); status != exitDone {
		t.Fatalf("status %d: %s", status, &errs)
	}
	var list []measured
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) != 2 {
		t.Fatalf("%v: %s", err, &out)
	}
	for _, m := range list {
		if !(m.Value > 0) || !(m.Floor > 0) {
			t.Errorf("%+v", m)
		}
	}
	if list[1].Floor < 1000 { // eight sessions of 10 ms
		t.Errorf("%+v: faster than the token", list[1])
	}
}
