package pdf_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/internal/fault"
)

// TestSamplesOfOtherProducers seals every PDF below the folder that YINXIN_PDF_SAMPLES names, twice, and compares what
// qpdf says of the file before and after. Without the variable it is skipped: such files are not ours to keep.
func TestSamplesOfOtherProducers(t *testing.T) {
	folder := os.Getenv("YINXIN_PDF_SAMPLES")
	if folder == "" {
		t.Skip("YINXIN_PDF_SAMPLES is not set")
	}
	qpdf := tool(t, "qpdf")
	sealed, refused := 0, map[string]int{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		original, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r := request(t)
		r.Placements[0].X, r.Placements[0].Y = 1, 1
		once, err := trySeal(original, r)
		if err != nil {
			refused[fault.CodeOf(err)]++
			t.Logf("%s: %v", path, err)
			return nil
		}
		r.Placements[0].Page = -1
		twice, err := trySeal(once, r)
		if err != nil {
			t.Errorf("%s: sealed once, then: %v", path, err)
			return nil
		}
		sealed++
		if was, is := complaints(t, qpdf, path), complaints(t, qpdf, save(t, twice)); is > was {
			t.Errorf("%s: qpdf ended with %d before and with %d after", path, was, is)
		}
		if !bytes.HasPrefix(twice, original) {
			t.Errorf("%s: the original is not the beginning", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sealed, refused: %v", sealed, refused)
}

// complaints is the exit status of qpdf --check: 0 nothing, 2 errors, 3 warnings; made to rise with gravity.
func complaints(t *testing.T, qpdf, path string) int {
	t.Helper()
	err := exec.Command(qpdf, "--check", path).Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0
	}
	return map[int]int{3: 1, 2: 2}[exit.ExitCode()]
}
