package sealer_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/store/storetest"
	"yinxin/sealer"
	"yinxin/sealer/intake"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// TestEveryShapeIsSealedInEveryProfile seals each shape twice through the service, in each profile, or refuses it with
// the right code; every damaged file likewise. It writes the tables of docs/pdf.md where YINXIN_TABLES names a folder.
func TestEveryShapeIsSealedInEveryProfile(t *testing.T) {
	if testing.Short() {
		t.Skip("seals hundreds of files")
	}
	h := newHouse(t, storetest.Open(t, filepath.Join(t.TempDir(), "shapes.db")))
	h.sealer.MaxSize = 16 << 20
	// The policy is for documents that people hand in; what matters here is which forms of file can be sealed.
	h.sealer.Intake = intake.Policy{}
	for _, c := range intake.Codes() {
		h.sealer.Intake[c] = intake.Ignore
	}
	var shapes, damages []fixtures.TableRow
	for _, s := range fixtures.Shapes() {
		b, err := fixtures.PDF(s, fixtures.PDFOptions{Seed: 5})
		must(t, err)
		shapes = append(shapes, h.row(t, string(s), b, s.Refusal(), 2))
	}
	for _, d := range fixtures.Damages() {
		b, err := fixtures.Damaged(d, 5)
		must(t, err)
		want := d.Sealing()
		if want == fixtures.SealedAsIs || want == fixtures.SealedRecovered {
			want = ""
		}
		if len(b) == 0 {
			want = "document.empty"
		}
		damages = append(damages, h.row(t, string(d), b, want, 1))
	}
	writeTable(t, "shapes.md", fixtures.VerdictTable("shape", names(), shapes))
	writeTable(t, "damages.md", fixtures.VerdictTable("damage", names(), damages))
}

func names() []string {
	var all []string
	for _, p := range sealer.Profiles {
		all = append(all, string(p))
	}
	return all
}

// row seals a file in each profile, so many times in different places, and says what came of it. A damaged file is sealed
// once: what a second seal would do to the first depends on the damage.
func (h *house) row(t *testing.T, name string, b []byte, refusal string, times int) fixtures.TableRow {
	t.Helper()
	row := fixtures.TableRow{Name: name, Cells: map[string]fixtures.TableCell{}}
	for _, p := range sealer.Profiles {
		got, right := h.sealed(b, p, refusal, times)
		if !right {
			t.Errorf("%s in profile %s: %s, want %s", name, p, got, refusal)
		}
		row.Cells[string(p)] = fixtures.TableCell{Verdict: got, Right: right}
	}
	return row
}

func (h *house) sealed(b []byte, p sealer.Profile, refusal string, times int) (got string, right bool) {
	d, err := h.sealer.Upload(h.t.Context(), h.clerk, "shape.pdf", bytes.NewReader(b))
	said := "sealed"
	var fields []string
	for i := 0; err == nil && i < times; i++ {
		o := order(d, "")
		o.Profile = p
		o.Places[0].Placement = pdf.Placement{Page: 1, From: pdf.BottomLeft, X: 3 + 45*float64(i), Y: 3}
		if refusal == "" {
			o.Places[0].Placement.X, o.Places[0].Placement.Y = 3, 3+45*float64(i)
			o.AllowOverlap = true // some shapes have fields all over the page
		}
		var sealed sealer.Sealed
		if sealed, err = h.sealer.Seal(h.t.Context(), h.clerk, o); err != nil {
			break
		}
		d = sealed.Document
		if sealed.Details.Recovered != "" {
			said = "recovered, sealed"
		}
		fields = append(fields, sealed.Details.Field)
		for field, v := range h.verdicts(d) {
			if slices.Contains(fields, field) && v != verify.Valid {
				return field + " " + string(v), false
			}
		}
	}
	if err != nil {
		var f *fault.Fault
		if !errors.As(err, &f) {
			return err.Error(), false
		}
		return f.Code, f.Code == refusal
	}
	return said, refusal == ""
}

// verdicts is what the verifier says of each signature of a document.
func (h *house) verdicts(d sealer.Document) map[string]verify.Verdict {
	object, err := h.sealer.Open(h.t.Context(), d)
	must(h.t, err)
	defer object.Close()
	r := verify.File(h.t.Context(), "", object, d.Size, verify.Options{Chain: h.sealer.Chain, At: h.now, SealStatus: sealer.SealStatus(h.register)})
	all := map[string]verify.Verdict{}
	for _, g := range r.Signatures {
		all[g.Field] = g.Verdict
	}
	return all
}

// writeTable puts a table into the folder that YINXIN_TABLES names, if it does.
func writeTable(t *testing.T, name, table string) {
	t.Helper()
	if folder := os.Getenv("YINXIN_TABLES"); folder != "" {
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(table), 0o644))
	}
}
