package accuracy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
	"yinxin/sealer/imprint"
)

func needsFont(t *testing.T) {
	t.Helper()
	if _, err := truetype.Find(); err != nil {
		tooltest.Find(t, "the Chinese font")
	}
}

// TestImprintTable prints the table of a whole run. It is a measurement, not a test, and runs where YINXIN_IMPRINT_TABLE
// names the file for the scores. SEEDS is "held-out" or "tuning", SHARE a part of the run, ONLY a group.
func TestImprintTable(t *testing.T) {
	path := os.Getenv("YINXIN_IMPRINT_TABLE")
	if path == "" {
		t.Skip("make imprint-table runs this")
	}
	needsFont(t)
	seeds, share := HeldOut, 1.0
	if os.Getenv("SEEDS") == string(Tuning) {
		seeds = Tuning
	}
	if v := os.Getenv("SHARE"); v != "" {
		var err error
		if share, err = strconv.ParseFloat(v, 64); err != nil || !(share > 0 && share <= 1) {
			t.Fatalf("SHARE is a number up to 1, not %q", v)
		}
	}
	cases := Cases(seeds, share)
	if only := os.Getenv("ONLY"); only != "" {
		cases = slices.DeleteFunc(cases, func(c Case) bool { return !strings.Contains(string(c.Group), only) })
	}
	began := time.Now()
	scores, err := Run(context.Background(), cases, min(2, runtime.NumCPU()), func(done int, s Score) {
		fmt.Fprintf(os.Stderr, "\r%d of %d forms, %s   ", done, len(cases), time.Since(began).Round(time.Second))
	})
	fmt.Fprintln(os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	cpu := map[int]float64{}
	for _, dpi := range Resolutions {
		if cpu[dpi], err = processorTime(cases, dpi); err != nil {
			t.Fatal(err)
		}
	}
	summary := Summary(scores)
	file, err := json.MarshalIndent(struct {
		Seeds   Seeds           `json:"seeds"`
		Share   float64         `json:"share"`
		CPU     map[int]float64 `json:"cpuMSPerImprint"`
		Figures []Figures       `json:"figures"`
		Scores  []Score         `json:"scores"`
	}{seeds, share, cpu, summary, scores}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(file, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("Seeds %s, %d forms.\n\n%s\n", seeds, len(cases), Table(summary, cpu))
	if seeds == Tuning { // nobody looks at single forms of the other range
		for _, group := range groups {
			for _, line := range Worst(scores, group, 25) {
				fmt.Println(line)
			}
		}
	}
}

// processorTime is the time of all threads per imprint, decoding included, in ms: of the first good forms that are whole
// pages, one at a time.
func processorTime(cases []Case, dpi int) (float64, error) {
	const forms = 4
	w := fixtures.NewWorkshop()
	total, imprints, done := 0.0, 0, 0
	for _, c := range cases {
		if c.Group != Good || c.Form.DPI != dpi || c.Form.Crop || done == forms {
			continue
		}
		data, _, err := w.StampedForm(c.Form)
		if err != nil {
			return 0, err
		}
		runtime.GC()
		before := processTime()
		result, err := imprint.Process(context.Background(), data, c.Options)
		if err == nil && result.Measures.Fused > 0 {
			total += processTime() - before
			imprints += result.Measures.Fused
			done++
		}
	}
	if imprints == 0 {
		return 0, nil
	}
	return total / float64(imprints), nil
}

// processTime is the processor time of this process in ms.
func processTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
