package command

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
)

// folderOfForms writes scans of stamped forms.
func folderOfForms(t *testing.T, count int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range count {
		data, _, err := fixtures.StampedForm(fixtures.FormOptions{Seed: uint64(300 + i), DPI: 200})
		if err != nil {
			t.Skip(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("form%d.jpg", i)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// onWrite calls do with each text that is written.
type onWrite func(text string)

func (f onWrite) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

// An interrupt comes with the news of the second form: what was made is whole and stands in the table, nothing else is
// there, and the next run makes the rest only.
func TestABatchThatIsInterruptedGoesOn(t *testing.T) {
	forms, out := folderOfForms(t, 6), filepath.Join(t.TempDir(), "templates")
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	var errs bytes.Buffer
	told := onWrite(func(text string) {
		errs.WriteString(text)
		if strings.HasPrefix(text, "2/6") {
			interrupt()
		}
	})
	var stdout bytes.Buffer
	args := []string{"imprint", forms, "--size", "42", "-o", out, "--svg", out}
	if status := run(ctx, args, streams{in: strings.NewReader(""), out: &stdout, err: told, now: time.Now}); status != exitFailed {
		t.Errorf("status %d\n%s", status, &errs)
	}
	if !strings.Contains(errs.String(), "command.interrupted") {
		t.Errorf("it does not say that it was interrupted:\n%s", &errs)
	}
	table, err := openResults(filepath.Join(out, "table.csv"))
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for i := range 6 {
		name := fmt.Sprintf("form%d", i)
		template, err := os.ReadFile(filepath.Join(out, name+".png"))
		row := table.row(name + ".jpg")
		if row != nil {
			made++
		}
		if (err == nil) != (row != nil) || row != nil && digestText(template) != row[columnPNG] {
			t.Errorf("%s: row %v, template of %d bytes, %v", name, row, len(template), err)
		}
	}
	if made < 2 || made > 4 {
		t.Errorf("%d of 6 were made before the interrupt", made)
	}
	if left, _ := filepath.Glob(filepath.Join(out, ".yinxin-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	errs.Reset()
	if status := run(context.Background(), args, streams{in: strings.NewReader(""), out: &stdout, err: &errs, now: time.Now}); status != exitDone {
		t.Fatalf("going on: status %d\n%s", status, &errs)
	}
	if n := strings.Count(errs.String(), "/6  form"); n != 6-made {
		t.Errorf("%d forms were worked on where %d were left:\n%s", n, 6-made, &errs)
	}
}

// What is done is done anew when the scan, the options or the template changed, or a file is missing.
func TestWhatChangedIsDoneAgain(t *testing.T) {
	forms, out := folderOfForms(t, 1), filepath.Join(t.TempDir(), "templates")
	again := func(want bool, more ...string) {
		t.Helper()
		var stdout, errs bytes.Buffer
		status := run(context.Background(), append([]string{"imprint", forms, "-o", out}, more...), streams{in: strings.NewReader(""), out: &stdout, err: &errs, now: time.Now})
		if status != exitDone && status != exitRefused {
			t.Fatalf("status %d\n%s%s", status, &stdout, &errs)
		}
		if did := strings.Contains(errs.String(), "1/1"); did != want {
			t.Errorf("%v: worked on it: %v\n%s", more, did, &errs)
		}
	}
	template := filepath.Join(out, "form0.png")
	again(true, "--size", "42")
	again(false, "--size", "42")
	again(true, "--size", "42", "--again")
	again(true, "--size", "42", "--svg", out)
	again(true, "--size", "45")
	if _, err := os.Stat(template); err == nil {
		t.Error("the template of another size is still there")
	}
	again(false, "--size", "45")
	again(true, "--size", "42")
	if err := os.WriteFile(template, []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	again(true, "--size", "42")
	if err := os.Remove(template); err != nil {
		t.Fatal(err)
	}
	again(true, "--size", "42")
	data, _, err := fixtures.StampedForm(fixtures.FormOptions{Seed: 399, DPI: 200})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(forms, "form0.jpg"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	again(true, "--size", "42")
}
