package sealer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/intake"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

type (
	intakeCode   = intake.Code
	intakeAction = intake.Action
)

// objects writes a PDF of numbered objects, the first being the catalog.
func objects(all ...string) []byte {
	var b, table bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	for i, o := range all {
		fmt.Fprintf(&table, "%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n",
		len(all)+1, table.String(), len(all)+1, b.Len())
	return b.Bytes()
}

const pageA4 = "/Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]"

// scripted runs a script when it is opened.
func scripted() []byte {
	return objects("<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert)>>>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<<"+pageA4+">>")
}

// same compares what is kept of details.
func same(a, b sealer.Details) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

func codes(all []intake.Finding) (list []intake.Code) {
	for _, f := range all {
		list = append(list, f.Code)
	}
	return list
}

func TestWhatADocumentHidesIsRefusedOrSaid(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		d := h.upload(scripted())
		h.sealer.Intake = intake.Policy{intake.CodeJavaScript: intake.Refuse}
		_, err := h.sealer.Seal(t.Context(), h.clerk, order(d, "key"))
		wants(t, err, "intake.refused")
		if f, _ := fault.Of(err); !strings.Contains(f.Sentence("en"), "action.javascript") && !strings.Contains(f.Detail(), "JavaScript") {
			t.Errorf("the refusal does not name what it found: %s", f.Sentence("en"))
		}
		if h.count(`SELECT COUNT(*) FROM sealing`) != 0 {
			t.Error("an intent is on record")
		}
		accepted := order(d, "key")
		accepted.Accept = []intake.Code{intake.CodeAttachment}
		_, err = h.sealer.Seal(t.Context(), h.clerk, accepted)
		wants(t, err, "intake.refused")
		accepted.Accept = append(accepted.Accept, intake.CodeJavaScript)
		sealed, err := h.sealer.Seal(t.Context(), h.clerk, accepted)
		must(t, err)
		if !slices.Contains(codes(sealed.Details.Findings), intake.CodeJavaScript) {
			t.Errorf("findings %v", sealed.Details.Findings)
		}
		again, err := h.sealer.Seal(t.Context(), h.clerk, accepted)
		must(t, err)
		if !again.Replayed || !same(again.Details, sealed.Details) {
			t.Errorf("replayed %+v, not %+v", again.Details, sealed.Details)
		}
		for action, want := range map[intake.Action]int{intake.Warn: 1, intake.Ignore: 0} {
			h.sealer.Intake = intake.Policy{intake.CodeJavaScript: action}
			sealed, err := h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
			must(t, err)
			if n := len(sealed.Details.Findings); n != want {
				t.Errorf("%s: findings %v", action, sealed.Details.Findings)
			}
		}
	})
}

func TestADocumentIsLookedThroughOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.upload(scripted())
		stored := func() (report intake.Report) {
			t.Helper()
			var text string
			must(t, h.db.Read().QueryRowContext(t.Context(), `SELECT intake FROM document WHERE id = $1`, d.ID).Scan(&text))
			if text != "" {
				must(t, json.Unmarshal([]byte(text), &report))
			}
			return report
		}
		o := order(d, "")
		o.Accept = []intake.Code{intake.CodeJavaScript}
		_, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		report := stored()
		if !report.Complete || !report.Has(intake.CodeJavaScript) {
			t.Fatalf("stored: %+v", report)
		}
		h.sealer.Intake = intake.Policy{intake.CodeJavaScript: intake.Refuse}
		_, err = h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
		wants(t, err, "intake.refused")
		// What is stored is believed: without its finding the document is sealed without acceptance.
		report.Findings = slices.DeleteFunc(report.Findings, func(f intake.Finding) bool { return f.Code == intake.CodeJavaScript })
		b, err := json.Marshal(report)
		must(t, err)
		must(t, h.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE document SET intake = $2 WHERE id = $1`, d.ID, string(b))
			return err
		}))
		_, err = h.sealer.Seal(t.Context(), h.clerk, order(d, ""))
		must(t, err)
	})
}

func TestAnEarlierSignatureThatIsBrokenIsRefused(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		_, err := h.sealer.Seal(t.Context(), h.clerk, order(h.upload(broken(t)), ""))
		wants(t, err, "intake.refused")
		sealed, err := h.sealer.Seal(t.Context(), h.clerk, order(h.upload(original(t)), ""))
		must(t, err)
		b := h.bytes(sealed.Document)
		o := order(h.upload(fixtures.Tamper(b, bytes.Index(b, []byte("/MediaBox"))+12)), "")
		o.Places[0].Y = 120
		_, err = h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "intake.refused")
		o.Document = sealed.Document.ID
		again, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		if slices.Contains(codes(again.Details.Findings), intake.CodeSignatureBroken) {
			t.Errorf("%v", again.Details.Findings)
		}
		// Somebody else's signature, whom nobody here trusts, is none that is broken.
		o.Document = h.upload(foreign(t, h)).ID
		_, err = h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
	})
}

func TestADocumentStaysTheArchivalFormThatItClaims(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		for _, c := range []struct {
			part    int
			profile sealer.Profile
			keeps   bool
		}{{1, sealer.ProfileSeal, true}, {2, sealer.ProfileSeal, false}, {2, sealer.ProfileCMSGM, false}, {2, sealer.ProfileCMS, true}, {3, sealer.ProfileCMS, true}} {
			d := h.upload(archival(c.part))
			h.sealer.KeepPDFA = false
			o := order(d, "")
			o.Profile = c.profile
			sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
			must(t, err)
			said := slices.ContainsFunc(sealed.Details.Notes, func(n pdf.Note) bool {
				return strings.HasPrefix(n.Code, "pdfa-") && n.ZH != "" && n.EN != ""
			})
			if said == c.keeps {
				t.Errorf("part %d, %s: notes %v", c.part, c.profile, sealed.Details.Notes)
			}
			h.sealer.KeepPDFA = true
			intents := h.count(`SELECT COUNT(*) FROM sealing`)
			_, err = h.sealer.Seal(t.Context(), h.clerk, o)
			if want := map[bool]string{true: "", false: "sealing.breaks-pdfa"}[c.keeps]; err != nil && fault.CodeOf(err) != want || err == nil && !c.keeps {
				t.Errorf("part %d, %s, to be kept: %v", c.part, c.profile, err)
			}
			if !c.keeps && h.count(`SELECT COUNT(*) FROM sealing`) != intents {
				t.Error("an intent is on record")
			}
		}
	})
}

func TestADamagedDocumentSaysSoEachTime(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		tried := 0
		for _, damage := range fixtures.Damages() {
			if damage.Sealing() != fixtures.SealedRecovered {
				continue
			}
			b, err := fixtures.Damaged(damage, 5)
			must(t, err)
			if len(b) > 1<<19 {
				continue
			}
			if tried++; tried > 3 {
				break
			}
			d := h.upload(b)
			o := order(d, string(damage))
			o.LongTerm = true
			first, err := h.sealer.Seal(t.Context(), h.clerk, o)
			if err != nil {
				t.Errorf("%s: %v", damage, err)
				continue
			}
			if first.Details.Recovered == "" {
				t.Errorf("%s: it is not said", damage)
			}
			again, err := h.sealer.Seal(t.Context(), h.clerk, o)
			must(t, err)
			if !same(first.Details, again.Details) {
				t.Errorf("%s: %+v, then %+v", damage, first.Details, again.Details)
			}
			o.IdempotencyKey, o.LongTerm = "", false // the scan is a stored one now
			job, err := h.sealer.Prepare(t.Context(), h.clerk, o)
			must(t, err)
			done, err := h.anotherNode().Complete(t.Context(), h.clerk, job.ID, h.sign(job))
			must(t, err)
			if v := h.verdict(h.bytes(done.Document)); v != verify.Valid || done.Details.Recovered != first.Details.Recovered {
				t.Errorf("%s: %s, %q", damage, v, done.Details.Recovered)
			}
		}
		if tried == 0 {
			t.Fatal("nothing was tried")
		}
	})
}

// form has an empty signature field of 60 × 60 mm, a text field, and a signature field that is too small.
func form() []byte {
	return objects("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R 5 0 R 6 0 R]>>>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<<"+pageA4+"/Annots[4 0 R 5 0 R 6 0 R]>>",
		"<</Type/Annot/Subtype/Widget/FT/Sig/T(Place)/F 4/Rect[100 100 270 270]/P 3 0 R>>",
		"<</Type/Annot/Subtype/Widget/FT/Tx/T(Name)/F 4/Rect[100 500 300 520]/P 3 0 R>>",
		"<</Type/Annot/Subtype/Widget/FT/Sig/T(Small)/F 4/Rect[100 600 150 650]/P 3 0 R>>")
}

func TestAnEmptyFieldIsSealedAndOthersAreLocked(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		d := h.upload(form())
		seal := func(change func(*sealer.Order)) (sealer.Sealed, error) {
			o := order(d, "")
			o.Places = nil
			change(&o)
			return h.sealer.Seal(t.Context(), h.clerk, o)
		}
		for name, c := range map[string]struct {
			change func(*sealer.Order)
			want   string
		}{
			"a field that is not there": {func(o *sealer.Order) { o.Field = "Nowhere" }, "pdf.no-such-field"},
			"a field for text":          {func(o *sealer.Order) { o.Field = "Name" }, "pdf.no-such-field"},
			"a field that is too small": {func(o *sealer.Order) { o.Field = "Small" }, "pdf.field-too-small"},
			"a level that is none":      {func(o *sealer.Order) { o.Field, o.Certify = "Place", 4 }, "pdf.bad-request"},
			"a lock that is none":       {func(o *sealer.Order) { o.Field, o.Lock = "Place", &pdf.FieldLock{Action: "some"} }, "pdf.bad-request"},
		} {
			if _, err := seal(c.change); fault.CodeOf(err) != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
		sealed, err := seal(func(o *sealer.Order) {
			o.Field, o.Lock = "Place", &pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{"Name"}}
		})
		must(t, err)
		if m := sealed.Details.Marks; sealed.Details.Field != "Place" || len(m) != 1 || m[0].Kind != pdf.MarkField {
			t.Errorf("%+v", sealed.Details)
		}
		if v := h.verdict(h.bytes(sealed.Document)); v != verify.Valid {
			t.Error(v)
		}
		_, err = seal(func(o *sealer.Order) { o.Document, o.Field = sealed.Document.ID, "Place" })
		if err == nil {
			t.Error("a field was signed twice")
		}
		fitted, err := seal(func(o *sealer.Order) { o.Document, o.Field, o.FitField = sealed.Document.ID, "Small", true })
		must(t, err)
		for field, v := range h.verdicts(fitted.Document) {
			if v != verify.Valid {
				t.Errorf("%s: %s", field, v)
			}
		}
		if !slices.ContainsFunc(fitted.Details.Notes, func(n pdf.Note) bool { return n.Code == pdf.NoteFitted }) {
			t.Errorf("it is not said that the seal was made smaller: %v", fitted.Details.Notes)
		}
		// All of that through two phases: the order comes back from its stored form.
		o := order(d, "")
		o.Places, o.Field, o.Certify = nil, "Place", 2
		o.Lock, o.Straddle = &pdf.FieldLock{Action: pdf.LockExclude, Fields: []string{"Name"}}, nil
		job, err := h.sealer.Prepare(t.Context(), h.clerk, o)
		must(t, err)
		done, err := h.anotherNode().Complete(t.Context(), h.clerk, job.ID, h.sign(job))
		must(t, err)
		if v := h.verdict(h.bytes(done.Document)); v != verify.Valid {
			t.Error(v)
		}
	})
}
