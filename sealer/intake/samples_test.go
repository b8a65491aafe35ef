package intake

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSamplesOfOtherProducers scans every PDF below the folders that YINXIN_PDF_SAMPLES names (separated as in PATH)
// and says how many files have each finding, and which are refused. It fails only for what takes too long. Without the
// variable it is skipped: such files are not ours to keep.
func TestSamplesOfOtherProducers(t *testing.T) {
	folders := os.Getenv("YINXIN_PDF_SAMPLES")
	if folders == "" {
		t.Skip("YINXIN_PDF_SAMPLES is not set")
	}
	files, unread, refused, byCode := 0, 0, 0, map[Code]int{}
	for _, folder := range filepath.SplitList(folders) {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.EqualFold(filepath.Ext(path), ".pdf") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			start := time.Now()
			report, err := Scan(context.Background(), bytes.NewReader(data), int64(len(data)), Options{})
			took := time.Since(start)
			if took > 5*time.Second {
				t.Errorf("%s took %v", path, took)
			}
			if err != nil {
				unread++
				return nil
			}
			decision := Decide(report.Findings, nil)
			if decision.Action == Refuse {
				refused++
			}
			codes := map[Code]bool{}
			for _, f := range report.Findings {
				codes[f.Code] = true
			}
			for c := range codes {
				byCode[c]++
			}
			t.Logf("%s: %s, %d pages, %v", path, decision.Action, report.Pages, took.Round(10*time.Microsecond))
			for _, f := range report.Findings {
				t.Logf("    %s p%d %s %v %s", f.Code, f.Page, f.Object, f.Place, f.EN)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d files, %d not read, %d refused", files, unread, refused)
	for _, c := range slices.Sorted(maps.Keys(byCode)) {
		t.Logf("%5d %s", byCode[c], c)
	}
}
