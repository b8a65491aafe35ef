package pdf_test

import (
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

func TestAWatermarkStandsOnEveryPageOfEveryShape(t *testing.T) {
	word, err := pdf.NewWatermark("测试", chineseFont(t), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, shape := range fixtures.Shapes() {
		if shape == fixtures.ShapeHugeTree {
			continue
		}
		t.Run(string(shape), func(t *testing.T) {
			data, err := fixtures.PDF(shape, fixtures.PDFOptions{Pages: 3})
			if err != nil {
				t.Fatal(err)
			}
			plain := request(t)
			for name, change := range map[string]func(*pdf.SealRequest){
				"seal":      func(r *pdf.SealRequest) {},
				"invisible": func(r *pdf.SealRequest) { r.Placements, r.Straddle = nil, nil },
				"straddle":  func(r *pdf.SealRequest) { r.Straddle = &pdf.Straddle{} },
			} {
				r := plain
				change(&r)
				bare, err := opened(t, data).PlanSeal(t.Context(), r)
				r.Watermark = word
				u, again := opened(t, data).PlanSeal(t.Context(), r)
				if signed := shape == fixtures.ShapeSignedForeign || shape == fixtures.ShapeCertifiedP3; signed {
					if fault.CodeOf(again) != "pdf.watermark-signed" {
						t.Errorf("%s: %v", name, again)
					}
					continue
				}
				if (err == nil) != (again == nil) {
					t.Fatalf("%s: %v without, %v with a watermark", name, err, again)
				}
				if err != nil {
					continue
				}
				added := string(u.Before()) + string(u.After())
				if n := strings.Count(added, "/Subtype/Stamp") - strings.Count(string(bare.Before())+string(bare.After()), "/Subtype/Stamp"); n != 3 {
					t.Errorf("%s: %d watermarks on 3 pages", name, n)
				}
				if len(u.Marks()) != len(bare.Marks()) {
					t.Errorf("%s: a watermark is shown as a place of the seal", name)
				}
			}
		})
	}
}

func TestAWatermarkIsAWord(t *testing.T) {
	font := chineseFont(t)
	for _, word := range []string{"", "一二三四五六七八九", "\U0001F600", "\xff"} {
		if _, err := pdf.NewWatermark(word, font, false); err == nil {
			t.Errorf("%q", word)
		}
	}
	if _, err := pdf.NewWatermark("测试", nil, false); err == nil {
		t.Error("without a font")
	}
}
