package imprint

import (
	"bytes"
	"context"
	"image/png"
	"math/rand/v2"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
)

func TestANewImprintIsHeldAgainstATemplate(t *testing.T) {
	for _, d := range []fixtures.SealDesign{ratesKinds()[0], ratesKinds()[7], ratesKinds()[10]} {
		o := Options{}
		o.Width, o.Height = d.Size()
		if d.Shape == fixtures.RoundSeal {
			o.Height = 0
		}
		data, _ := stampedForm(t, fixtures.FormOptions{Seed: 61, Seal: d, Crop: true})
		template := process(t, data, o).Template
		altered := fixtures.Altered(d, 1, true, rand.New(rand.NewPCG(1, 1)))
		for _, c := range []struct {
			name     string
			form     fixtures.FormOptions
			outcomes []Outcome
		}{
			{"the same seal", fixtures.FormOptions{Seal: d, Quality: 70, Rotation: 5}, []Outcome{Same}},
			{"one character replaced", fixtures.FormOptions{Seal: altered}, []Outcome{Different, CannotTell}},
			{"a larger seal", fixtures.FormOptions{Seal: d, Enlarged: 1.06}, []Outcome{Different}},
			{"two seals", fixtures.FormOptions{Seal: d, Second: &altered}, []Outcome{Different, CannotTell}},
		} {
			c.form.Seed, c.form.Crop = 62, true
			data, _ := stampedForm(t, c.form)
			got, err := Against(context.Background(), data, template, o)
			if err != nil {
				t.Errorf("%s, %s: %v", d.Text, c.name, err)
				continue
			}
			if got.Outcome != c.outcomes[0] && got.Outcome != c.outcomes[len(c.outcomes)-1] {
				t.Errorf("%s, %s: %s, %.3f mm², %s", d.Text, c.name, got.Outcome, got.Mismatch, got.EN)
			}
			if (got.Outcome == Same) != (len(got.Places) == 0 && c.name == "the same seal") || got.ZH == "" || got.EN == "" {
				t.Errorf("%s, %s: %d places; %s", d.Text, c.name, len(got.Places), got.ZH)
			}
			img, err := png.Decode(bytes.NewReader(got.Picture))
			if err != nil || img.Bounds().Dx() < 200 {
				t.Errorf("%s, %s: picture of %v, %v", d.Text, c.name, img, err)
			}
			t.Logf("%s, %s: %s, %.3f mm², %s", d.Text, c.name, got.Outcome, got.Mismatch, got.EN)
		}
	}
}

func TestATemplateThatIsNoneIsRefused(t *testing.T) {
	data, _ := stampedForm(t, fixtures.FormOptions{Seed: 63, Crop: true})
	good := process(t, data, Options{Width: 42}).Template
	for name, c := range map[string]struct {
		template []byte
		o        Options
	}{
		"nothing": {nil, Options{Width: 42}}, "cut off": {good[:len(good)/2], Options{Width: 42}},
		"of another size": {good, Options{Width: 40, Height: 30}}, "without a clear ground": {asPNG(t, ringAndStar(300, 0), 300), Options{Width: 50}},
	} {
		if _, err := Against(context.Background(), data, c.template, c.o); fault.CodeOf(err) != "imprint.bad-template" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
