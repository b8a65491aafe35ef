package pdf_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/sealer/pdf"
)

// sample is what became of one file of another producer.
type sample struct {
	path          string
	code, detail  string // of the refusal, empty when it was sealed
	recovered     bool
	misplaced     string        // what the check of all entries says, before and after sealing
	before, after int           // complaints of qpdf: 0 none, 1 warnings, 2 errors
	took          time.Duration // to open, plan and fill, twice
	drawn         bool          // its pages were compared
	fault         string        // what is wrong with the sealed file
}

// TestSamplesOfOtherProducers seals every PDF below the folder that YINXIN_PDF_SAMPLES names, twice, and compares what
// qpdf says of the file before and after, and of every twentieth how its pages look. It fails when a sealed file is
// worse than the original, when more than one of a hundred files cannot be sealed for a reason of ours, or when fewer
// than 97 of a hundred are sealed that qpdf passes or warns about and that are neither encrypted nor certified. A table
// goes to the file that YINXIN_PDF_REPORT names. Without the folder it is skipped: such files are not ours to keep.
func TestSamplesOfOtherProducers(t *testing.T) {
	folder := os.Getenv("YINXIN_PDF_SAMPLES")
	if folder == "" {
		t.Skip("YINXIN_PDF_SAMPLES is not set")
	}
	tooltest.Find(t, "qpdf")
	tooltest.Find(t, "pdftoppm")
	samples := make([]sample, 0, 1000)
	seen := map[[32]byte]bool{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.EqualFold(filepath.Ext(path), ".pdf") {
			return err
		}
		data, err := os.ReadFile(path)
		if sum := sha256.Sum256(data); err == nil && !seen[sum] {
			seen[sum] = true
			samples = append(samples, sample{path: path})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r := request(t)
	r.AllowOverlap = true // where the seal stands is this test's choice, not the file's fault
	var group sync.WaitGroup
	next := make(chan int)
	for range 3 {
		group.Go(func() {
			for i := range next {
				samples[i].drawn = i%20 == 0
				samples[i].run(t.TempDir(), r)
			}
		})
	}
	for i := range samples {
		next <- i
	}
	close(next)
	group.Wait()
	report(t, samples)
}

// run seals the file twice and has it looked at.
func (s *sample) run(scratch string, r pdf.SealRequest) {
	original, err := os.ReadFile(s.path)
	if err != nil {
		s.fault = err.Error()
		return
	}
	s.before = qpdfComplains(s.path)
	sealed, err := s.sealTwice(original, r)
	if err != nil {
		s.code, s.detail = fault.CodeOf(err), err.Error()
		return
	}
	after := filepath.Join(scratch, "sealed.pdf")
	if err := os.WriteFile(after, sealed, 0o600); err != nil {
		s.fault = err.Error()
		return
	}
	defer os.Remove(after)
	s.after = qpdfComplains(after)
	switch {
	case !bytes.HasPrefix(sealed, original):
		s.fault = "the original is not the beginning"
	case s.after > s.before && !hasOnlyOldComplaints(s.path, after):
		s.fault = fmt.Sprintf("qpdf ended with %d before and with %d after", s.before, s.after)
	case s.drawn:
		s.fault = compareDrawn(s.path, after)
	}
}

// sealTwice seals the first page and then the last; the second time recovery must not be needed.
func (s *sample) sealTwice(data []byte, r pdf.SealRequest) ([]byte, error) {
	ctx := context.Background()
	for i, page := range []int{1, -1} {
		open := pdf.OpenRecovering
		if i > 0 && s.recovered {
			open = pdf.Open
		}
		began := time.Now()
		d, err := open(ctx, bytes.NewReader(data), int64(len(data)))
		s.took += time.Since(began)
		if err != nil {
			return nil, err
		}
		if plain, err := pdf.Open(ctx, bytes.NewReader(data), int64(len(data))); err == nil {
			if err := plain.CheckEntries(ctx); err != nil {
				s.misplaced += fmt.Sprintf("%d: %v ", i, err)
			}
		}
		r.Placements = []pdf.Placement{{Page: page, From: pdf.BottomLeft}}
		p, err := d.Page(1)
		if page < 0 {
			if n, e := d.PageCount(); e == nil {
				p, err = d.Page(n)
			}
		}
		// A page smaller than the seal is no fault of the file: it gets a smaller seal.
		if err == nil {
			if side := min(p.CropBox.Width(), p.CropBox.Height()) * p.UserUnit * 25.4 / 72; side < 42 {
				if r.Appearance, err = pdf.NewAppearance(redDisc(), 0.9*side, 0.9*side); err != nil {
					return nil, err
				}
			}
		}
		began = time.Now()
		u, err := d.PlanSeal(ctx, r)
		s.took += time.Since(began)
		if err != nil {
			return nil, err
		}
		s.recovered = s.recovered || d.Recovered() != nil
		update, err := u.Fill([]byte{0x30, 0x03, 0x02, 0x01, 0x07})
		if err != nil {
			return nil, err
		}
		data = append(data[:len(data):len(data)], update...)
	}
	return data, nil
}

// qpdfComplains is the exit status of qpdf --check made to rise with gravity: 0 nothing, 1 warnings, 2 errors.
func qpdfComplains(path string) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := exec.CommandContext(ctx, "qpdf", "--check", path).Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		return 1
	}
	return 2
}

// hasOnlyOldComplaints tells whether qpdf says of the sealed file only what it says of the original as well.
func hasOnlyOldComplaints(before, after string) bool {
	lines := func(path string) map[string]bool {
		out, _ := exec.Command("qpdf", "--check", path).CombinedOutput()
		all := map[string]bool{}
		for line := range strings.Lines(string(out)) {
			if strings.HasPrefix(line, "WARNING") || strings.HasPrefix(line, "ERROR") {
				all[strings.ReplaceAll(line, path, "")] = true
			}
		}
		return all
	}
	was := lines(before)
	for line := range lines(after) {
		if !was[line] {
			return false
		}
	}
	return true
}

// compareDrawn draws the pages between the first and the last, which have the seals, before and after.
func compareDrawn(before, after string) string {
	draw := func(path string) []byte {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		out, _ := exec.CommandContext(ctx, "pdftoppm", "-r", "20", "-f", "2", "-l", "6", path).Output()
		return out
	}
	pages := func(path string) int {
		out, _ := exec.Command("pdfinfo", path).Output()
		n := 0
		if _, rest, ok := strings.Cut(string(out), "Pages:"); ok {
			_, _ = fmt.Sscan(rest, &n)
		}
		return n
	}
	was, is := pages(before), pages(after)
	switch {
	case was != is && was > 0:
		return fmt.Sprintf("%d pages became %d", was, is)
	case was > 6 && !bytes.Equal(draw(before), draw(after)):
		return "the pages look different"
	}
	return ""
}

// report counts, writes the table and fails the test where the targets are missed.
func report(t *testing.T, samples []sample) {
	codes := map[string]int{}
	var sealed, recovered, class, classSealed int
	var table strings.Builder
	var slowest time.Duration
	for _, s := range samples {
		if s.code == "" {
			sealed++
		} else {
			codes[s.code]++
		}
		if s.recovered && s.code == "" {
			recovered++
		}
		if s.before <= 1 && !slices.Contains([]string{"pdf.encrypted", "pdf.certified", "pdf.locked"}, s.code) {
			class++
			if s.code == "" && s.fault == "" {
				classSealed++
			}
		}
		slowest = max(slowest, s.took)
		if s.fault != "" {
			t.Errorf("%s: %s", s.path, s.fault)
		}
		fmt.Fprintf(&table, "%s\t%d\t%d\t%s\t%v\t%s\t%s\t%s\t%s\n", s.path, s.before, s.after, s.code, s.recovered, s.took.Round(time.Microsecond), s.fault, s.detail, s.misplaced)
	}
	if name := os.Getenv("YINXIN_PDF_REPORT"); name != "" {
		if err := os.WriteFile(name, []byte(table.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d files: %d sealed, %d of them recovered; slowest %v", len(samples), sealed, recovered, slowest)
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		t.Logf("refused %4d %s", codes[code], code)
	}
	t.Logf("of %d that qpdf passes or warns about, unencrypted and not certified, %d are sealed: %.1f %%", class, classSealed, 100*float64(classSealed)/float64(class))
	if classSealed*100 < class*97 {
		t.Error("fewer than 97 %")
	}
}
