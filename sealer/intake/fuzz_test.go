package intake

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/fault"
)

// hostile scans bytes that may be anything and checks what must hold for all of them.
func hostile(t *testing.T, data []byte) {
	t.Helper()
	start := time.Now()
	r, err := Scan(context.Background(), bytes.NewReader(data), int64(len(data)), Options{Limits: Limits{Objects: 5000, Operators: 200_000}})
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if err != nil {
		if f, ok := fault.Of(err); !ok || f.Kind == fault.Internal {
			t.Errorf("an error that is no fault of the file: %v", err)
		}
		return
	}
	for _, f := range r.Findings {
		if f.ZH == "" || f.EN == "" || f.Severity == "" || len(f.Detail) > 100 {
			t.Errorf("a finding that is not whole: %+v", f)
		}
	}
	if len(r.Findings) > len(Codes())*(DefaultLimits.PerCode+1) {
		t.Errorf("%d findings", len(r.Findings))
	}
}

func TestDamagedFilesAreScannedInBoundedTime(t *testing.T) {
	for _, damage := range fixtures.Damages() {
		t.Run(string(damage), func(t *testing.T) {
			data, err := fixtures.Damaged(damage, 3)
			if err != nil {
				t.Fatal(err)
			}
			hostile(t, data)
		})
	}
}

func FuzzScan(f *testing.F) {
	f.Add(paper{}.bytes())
	f.Add(paper{catalog: "/OCProperties << /OCGs [7 0 R] /D << /OFF [7 0 R] >> >> /AcroForm << /Fields [8 0 R] >>",
		page: "/Annots [8 0 R]", resources: "/XObject << /X 9 0 R >> /Properties << /P 7 0 R >>",
		content: "/OC /P BDC /X Do EMC [(a) [1] 2 (b)] TJ BI /W 1 /H 1 ID x\nEI 0 0 m 1 1 l h W n", objects: []string{"<< /Type /OCG /Name (a) >>",
			"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (b) /Kids [8 0 R] /Parent 8 0 R /Rect [0 0 9 9] /AP << /N 9 0 R >> >>",
			stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 9 0 R >> >>", "/X Do /X Do")}}.bytes())
	for _, shape := range []fixtures.Shape{fixtures.ShapeRich, fixtures.ShapeFormHierarchy, fixtures.ShapeXFA, fixtures.ShapeObjectStreams, fixtures.ShapeRevisionsMixed} {
		data, err := fixtures.PDF(shape, fixtures.PDFOptions{Pages: 2})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { hostile(t, data) })
}

// FuzzPolicy checks that what is read is written back the same.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte(`{"action.javascript": "warn", "content.*": "refuse", "*": "ignore"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePolicy(data)
		if err != nil {
			if _, ok := fault.Of(err); !ok {
				t.Errorf("no fault: %v", err)
			}
			return
		}
		again, err := p.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		q, err := ParsePolicy(again)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range Codes() {
			if p.Action(c) != q.Action(c) {
				t.Errorf("%s: %s, then %s", c, p.Action(c), q.Action(c))
			}
		}
	})
}

// TestHostileFilesAreScannedInBoundedTime has files that ask for the same work again and again.
func TestHostileFilesAreScannedInBoundedTime(t *testing.T) {
	names := func(n int, text string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "/N%d %s ", i, text)
		}
		return b.String()
	}
	form := stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", strings.Repeat("0 0 m ", 150_000))
	pages := func(count int, inherited, page string) map[int]string {
		later := map[int]string{2: fmt.Sprintf("<< /Type /Pages /Count %d %s /Kids [3 0 R %s] >>", count, inherited,
			strings.Repeat("<< /Type /Page /MediaBox [0 0 99 99] /Contents 4 0 R "+page+" >> ", count-1))}
		return later
	}
	for name, p := range map[string]paper{
		"forms that draw forms": {resources: "/XObject << /X 7 0 R >>", content: strings.Repeat("/X Do ", 1000), objects: []string{
			stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 7 0 R >> >>", strings.Repeat("/X Do ", 1000))}},
		"a resource among many": {resources: "/XObject << " + names(200_000, "7 0 R") + " >>", content: strings.Repeat("/N199999 Do ", 300_000), objects: []string{"null"}},
		"covers over texts":     {content: strings.Repeat("BT /F1 9 Tf 9 9 Td (x) Tj ET ", 30_000) + strings.Repeat("100 100 50 50 re f ", 300_000)},
		"white text on paint":   {content: strings.Repeat("100 100 50 50 re f ", 30_000) + "1 g " + strings.Repeat("BT /F1 9 Tf 9 9 Td (x) Tj ET ", 300_000)},
		"annotations of every page": {content: strings.Repeat("BT /F1 9 Tf 9 9 Td (x) Tj ET ", 20_000), later: pages(1000, "/Resources << /Font << /F1 5 0 R >> >>", "/Annots 7 0 R"),
			objects: []string{"[" + strings.Repeat("8 0 R ", 20_000) + "]", "<< /Type /Annot /Subtype /Stamp /Rect [0 0 90 90] /AP << /N 9 0 R >> >>", form}},
		"resources of every page":  {later: pages(5000, "/Resources << "+names(20_000, "[1 0 R]")+" >>", "")},
		"contents of every page":   {later: pages(3000, "", "/X 1"), content: strings.Repeat("0 0 m ", 50_000)},
		"fields of one appearance": {catalog: "/AcroForm << /Fields 7 0 R >>", objects: []string{"[" + strings.Repeat("<< /FT /Tx /T (a) /V (b) /AP << /N 8 0 R >> >> ", 40_000) + "]", form}},
		"operands without end":     {content: strings.Repeat("1 ", 3_000_000) + strings.Repeat("[", 100_000) + strings.Repeat("(", 100_000)},
	} {
		t.Run(name, func(t *testing.T) {
			data := p.bytes()
			start := time.Now()
			if _, err := Scan(context.Background(), bytes.NewReader(data), int64(len(data)), Options{}); err != nil {
				t.Log(err)
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}
