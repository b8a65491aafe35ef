package command

import (
	"os"
	"path/filepath"
	"testing"

	"yinxin/internal/fault"
)

// TestAnOutputBelowAPlainFileIsRefused with the name of the file, by every output of imprint.
func TestAnOutputBelowAPlainFileIsRefused(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain.txt")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(plain, "seal.png")
	good := filepath.Join(filepath.Dir(plain), "seal.png")
	for name, o := range map[string]outputs{
		"template":               {template: below},
		"template two below":     {template: filepath.Join(below, "seal.png")},
		"evidence as a folder":   {template: good, evidence: filepath.Join(plain, "evidence")},
		"evidence as an archive": {template: good, evidence: filepath.Join(plain, "evidence.zip")},
		"sheet":                  {template: good, sheet: filepath.Join(plain, "sheet.pdf")},
	} {
		if err := o.check("form.jpg"); !fault.Has(err, errNoFolder) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := batch{}
	b.Output, b.EveryPage = filepath.Join(plain, "templates"), true
	if err := b.folders(); !fault.Has(err, errNoFolder) {
		t.Errorf("folder of templates: %v", err)
	}
	if err := (outputs{template: good}).check("form.jpg"); err != nil {
		t.Errorf("beside it: %v", err)
	}
}
