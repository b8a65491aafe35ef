package normalise

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
)

// TestMain lets the test program be the worker that Start runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerName {
		os.Exit(Work(os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func start(ctx context.Context, data []byte) ([]byte, error) {
	var out bytes.Buffer
	err := Start(ctx, "", bytes.NewReader(data), &out)
	return out.Bytes(), err
}

func TestEveryShapeIsWrittenAnewOrRefusedForItsReason(t *testing.T) {
	signed := map[fixtures.Shape]bool{fixtures.ShapeSignedForeign: true, fixtures.ShapeSignedLocked: true, fixtures.ShapeCertifiedP1: true,
		fixtures.ShapeCertifiedP2: true, fixtures.ShapeCertifiedP2Open: true, fixtures.ShapeCertifiedP3: true}
	for _, s := range fixtures.Shapes() {
		if s == fixtures.ShapeHugeTree {
			continue
		}
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			data, err := fixtures.PDF(s, fixtures.PDFOptions{Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			result, err := start(context.Background(), data)
			want := ""
			switch {
			case strings.HasPrefix(string(s), "encrypted"):
				want = errEncrypted.Code
			case signed[s]:
				want = errSigned.Code
			}
			switch {
			case want == "" && err == nil:
				compare(t, data, result)
			case err == nil || fault.CodeOf(err) != want:
				t.Fatalf("%v, want %q", err, want)
			}
		})
	}
}

// TestAmbiguousDamageCanBeWrittenAnew: what sealing refuses, a person may have written anew.
func TestAmbiguousDamageCanBeWrittenAnew(t *testing.T) {
	data, err := fixtures.Damaged(fixtures.DamagePrevBroken, 1)
	if err != nil {
		t.Fatal(err)
	}
	result, err := start(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, data, result)
}

// compare checks with other readers that the result is sound and has the text of the original.
func compare(t *testing.T, original, result []byte) {
	t.Helper()
	folder := t.TempDir()
	before, after := filepath.Join(folder, "before.pdf"), filepath.Join(folder, "after.pdf")
	if os.WriteFile(before, original, 0o600) != nil || os.WriteFile(after, result, 0o600) != nil {
		t.Fatal("the files cannot be written")
	}
	if out, err := exec.Command(tooltest.Find(t, "qpdf"), "--check", after).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	text := func(path string) string {
		out, err := exec.Command(tooltest.Find(t, "mutool"), "draw", "-q", "-F", "txt", path).Output()
		if err != nil {
			t.Errorf("mutool: %v", err)
		}
		return string(out)
	}
	if was, is := text(before), text(after); was != is || is == "" {
		t.Errorf("the text was\n%s\nand is\n%s", was, is)
	}
}

func TestDamageEndsWithACodeInTime(t *testing.T) {
	for _, d := range fixtures.Damages() {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			data, err := fixtures.Damaged(d, 1)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			result, err := start(context.Background(), data)
			if err != nil && !strings.HasPrefix(fault.CodeOf(err), "normalise.") || fault.Has(err, errWorker) {
				t.Errorf("%v", err)
			}
			if err == nil && len(result) == 0 {
				t.Error("no result and no error")
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("%v", took)
			}
		})
	}
}

// TestNothingIsLeftInTheHomeDirectory: pdfcpu likes to install its settings and fonts there.
func TestNothingIsLeftInTheHomeDirectory(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	data, err := fixtures.PDF(fixtures.ShapeRich, fixtures.PDFOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rewrite(data); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) > 0 {
		t.Errorf("%v %v", entries, err)
	}
}

func TestAnInterruptEndsTheWorker(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, w, err := os.Pipe() // nothing ever comes
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	time.AfterFunc(200*time.Millisecond, cancel)
	began := time.Now()
	if err := Start(ctx, "", r, &bytes.Buffer{}); err != context.Canceled || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
