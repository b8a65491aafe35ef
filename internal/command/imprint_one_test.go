package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/sealer/imprint"
)

// TestEachOutputOfOneFormIsWholeByItself: digest and outline are made for whom they are told, and left out where nobody asks.
func TestEachOutputOfOneFormIsWholeByItself(t *testing.T) {
	form := filepath.Join(folderOfForms(t, 1), "form0.jpg")
	scan, err := os.ReadFile(form)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	template := func(args ...string) string {
		var out, errs bytes.Buffer
		args = append([]string{"imprint", form, "--size", "42"}, args...)
		if status := run(context.Background(), args, streams{in: strings.NewReader(""), out: &out, err: &errs, now: time.Now}); status != 0 {
			t.Fatalf("%v: status %d\n%s%s", args, status, &out, &errs)
		}
		return out.String()
	}
	png, svg, pdf := filepath.Join(dir, "a.png"), filepath.Join(dir, "a.svg"), filepath.Join(dir, "a.pdf")
	template("-o", png)
	for name, holds := range map[string]string{svg: "<path", pdf: "%PDF"} {
		template("-o", png, "--"+filepath.Ext(name)[1:], name)
		if written, err := os.ReadFile(name); err != nil || !bytes.Contains(written, []byte(holds)) {
			t.Errorf("%s: %d bytes, %v", filepath.Base(name), len(written), err)
		}
	}
	var told struct {
		Outline imprint.VectorMeasures
		ScanSM3 string
	}
	if err := json.Unmarshal([]byte(template("-o", png, "--json")), &told); err != nil {
		t.Fatal(err)
	}
	if told.ScanSM3 != digestText(scan) || told.Outline.MaxDeviation == 0 {
		t.Errorf("told as JSON: %+v", told)
	}
}
