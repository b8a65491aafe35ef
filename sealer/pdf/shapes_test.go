package pdf_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/sealer/pdf"
)

func save(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sealed.pdf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkWithTools has three other readers look at a file; quiet insists that none of them says anything.
func checkWithTools(t *testing.T, path string, quiet bool) {
	t.Helper()
	for _, command := range [][]string{{"qpdf", "--check", path}, {"pdfinfo", path}, {"mutool", "info", path}} {
		run := exec.Command(tooltest.Find(t, command[0]), command[1:]...)
		var out, complaint bytes.Buffer
		run.Stdout, run.Stderr = &out, &complaint
		err := run.Run()
		// qpdf ends with 3 for warnings, which the file may have had before.
		if err != nil && (quiet || command[0] != "qpdf" || run.ProcessState.ExitCode() != 3) {
			t.Errorf("%s: %v\n%s%s", command[0], err, out.String(), complaint.String())
		}
		if quiet && (complaint.Len() > 0 || strings.Contains(strings.ToLower(out.String()), "warning")) {
			t.Errorf("%s complains:\n%s%s", command[0], out.String(), complaint.String())
		}
	}
}

func TestEveryShapeIsSealedTwiceOrRefusedForItsReason(t *testing.T) {
	for _, s := range fixtures.Shapes() {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			original, err := fixtures.PDF(s, fixtures.PDFOptions{Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			r := request(t)
			r.Placements = []pdf.Placement{{Page: 1, From: pdf.TopRight, X: 5, Y: 5}}
			before, err := pdf.Open(context.Background(), bytes.NewReader(original), int64(len(original)))
			if err == nil {
				_, err = before.PlanSeal(context.Background(), r)
			}
			if want := s.Refusal(); want != "" {
				if fault.CodeOf(err) != want {
					t.Fatalf("refused with %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			fields := signatureFields(t, original)
			once := seal(t, original, r)
			checkSealed(t, original, once, fields+1)
			r.Placements = []pdf.Placement{{Page: -1, From: pdf.BottomLeft, X: 5, Y: 100}}
			twice := seal(t, once, r)
			checkSealed(t, once, twice, fields+2)
			checkWithTools(t, save(t, twice), !s.Warns())
		})
	}
}

func signatureFields(t *testing.T, data []byte) int {
	t.Helper()
	fields, err := opened(t, data).SignatureFields(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return len(fields)
}

// checkSealed checks what every sealed file must be, whatever it was before.
func checkSealed(t *testing.T, original, sealed []byte, fields int) {
	t.Helper()
	if !bytes.HasPrefix(sealed, original) {
		t.Fatal("the sealed file does not begin with the original")
	}
	before, after := opened(t, original), opened(t, sealed)
	if was, is := before.Sections()[0].Kind, after.Sections()[0].Kind; is != was && was != pdf.Hybrid {
		t.Errorf("the new section is of kind %d, the last one was of kind %d", is, was)
	}
	if end := after.Sections()[0].End; end != int64(len(sealed)) {
		t.Errorf("the newest revision ends at %d of %d", end, len(sealed))
	}
	all, err := after.SignatureFields(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != fields {
		t.Fatalf("%d signature fields, want %d", len(all), fields)
	}
	f := all[len(all)-1]
	byteRange, err := f.ByteRange()
	if err != nil || len(f.Problems) > 0 {
		t.Fatalf("the byte range: %v, problems: %v", err, f.Problems)
	}
	if byteRange[1] < int64(len(original)) || byteRange[2]+byteRange[3] != int64(len(sealed)) {
		t.Errorf("the byte range %v does not cover all of %d bytes", byteRange, len(sealed))
	}
	prefix, err := after.Prefix(context.Background(), int64(len(original)))
	if err != nil {
		t.Fatal(err)
	}
	was, err1 := prefix.PageCount()
	is, err2 := after.PageCount()
	if err1 != nil || err2 != nil || was != is {
		t.Errorf("%d pages (%v) became %d (%v)", was, err1, is, err2)
	}
	checkPages(t, after, f.Widgets[0], is)
	catalog, _, err := after.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	form, err := after.Resolve(catalog.Get("AcroForm"))
	if err != nil || form.(pdf.Dict).Get("SigFlags") != pdf.Integer(3) {
		t.Errorf("the form is %v, %v", form, err)
	}
}

// checkPages checks that the widget stands on exactly one page and that the pages can be found by number.
func checkPages(t *testing.T, d *pdf.Document, widget pdf.Ref, pages int) {
	t.Helper()
	if pages > 10 {
		return
	}
	found := 0
	for n := 1; n <= pages; n++ {
		page, err := d.Page(n)
		if err != nil {
			t.Fatal(err)
		}
		annotations, err := d.Resolve(page.Dict.Get("Annots"))
		if err != nil {
			t.Fatal(err)
		}
		list, _ := annotations.(pdf.Array)
		for _, o := range list {
			if o == widget {
				found++
			}
		}
	}
	if found != 1 {
		t.Errorf("the seal stands on %d pages", found)
	}
}

func TestEveryDamageIsAnsweredWithACode(t *testing.T) {
	// Of the others some leave what sealing needs untouched.
	expected := map[fixtures.Damage]string{
		fixtures.DamageEmpty: "pdf.not-a-pdf", fixtures.DamageNotPDF: "pdf.not-a-pdf",
		fixtures.DamageHugePreamble: "pdf.not-a-pdf", fixtures.DamageTruncated: "pdf.truncated",
		fixtures.DamageTruncatedTail: "pdf.truncated", fixtures.DamageNoStart: "pdf.truncated",
		fixtures.DamageStartMiddle: "pdf.damaged-xref", fixtures.DamageOffsets: "pdf.damaged-xref",
		fixtures.DamageSwapped: "pdf.damaged-xref", fixtures.DamagePrevLoop: "pdf.damaged-xref",
		fixtures.DamageTableSize: "pdf.absurd-size", fixtures.DamageTreeCycle: "pdf.damaged-pages",
		fixtures.DamageNested: "pdf.too-deep", fixtures.DamageBomb: "pdf.too-large",
	}
	for _, damage := range fixtures.Damages() {
		t.Run(string(damage), func(t *testing.T) {
			data, err := fixtures.Damaged(damage, 1)
			if err != nil {
				t.Fatal(err)
			}
			_, err = trySeal(data, request(t))
			if want, known := expected[damage]; known && (err == nil || fault.CodeOf(err) != want) {
				t.Errorf("%v, want %s", err, want)
			}
			if err != nil && !strings.HasPrefix(fault.CodeOf(err), "pdf.") {
				t.Errorf("%v", err)
			}
		})
	}
}
