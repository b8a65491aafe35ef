package intake

import (
	"bytes"
	"context"
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
