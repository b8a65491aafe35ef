package imprint

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/fault"
)

// The rates of the gates are measured with
//
//	go test ./sealer/imprint -run Rates -rates 20 -seed 1 -v
//
// which takes minutes; the suite itself looks at a small sample.
var (
	ratesFlag = flag.Int("rates", 1, "how many forms of every kind of seal and fault the rates are measured on")
	seedFlag  = flag.Uint64("seed", 700_000, "the first seed of those forms")
)

const ratesName = "临江省云山市档案馆"

// ratesKinds are the kinds of seals that the gates are measured on, in the order of the table.
func ratesKinds() []fixtures.SealDesign {
	return []fixtures.SealDesign{
		fixtures.OfficialSeal(ratesName),
		fixtures.SpecialSeal(ratesName, "业务专用章"),
		{Text: ratesName, Diameter: 40, Star: true, Number: "2290010012345"},
		{Text: ratesName, Diameter: 42, Star: true, InnerRing: true},
		fixtures.EmblemSeal("临江省云山市人民政府", 45),
		{Text: ratesName, Diameter: 38, Line: "财务专用章"},
		{Text: ratesName, Diameter: 42, Star: true, Negative: true},
		fixtures.InvoiceSeal(ratesName, "29010200MA12345678"),
		{Text: ratesName, Shape: fixtures.OvalSeal, Width: 45, Height: 30, Star: true, Line: "收发章"},
		fixtures.NameSeal("王小明印", 20),
		{Text: "李云山之印章", Shape: fixtures.RectangularSeal, Width: 45, Height: 25, Lines: 2},
		{Text: "王小明印", Shape: fixtures.RectangularSeal, Width: 30, Height: 22, Lines: 2, Negative: true, Corner: 1.5},
		{Text: "王小明", Shape: fixtures.RectangularSeal, Width: 20, Height: 45, Vertical: true, InnerRing: true},
	}
}

// trial is one form and what may become of it.
type trial struct {
	group    string
	what     string
	form     fixtures.FormOptions
	declared size // zero: the design's
}

// ordinary is a form as offices hand in: scans of 300 dpi and a few of 600, JPEG of all qualities, a little askew,
// now and then with words or a signature across the imprints.
func ordinary(seed uint64, d fixtures.SealDesign) fixtures.FormOptions {
	rng := rand.New(rand.NewPCG(seed, 5))
	o := fixtures.FormOptions{Seed: seed, Seal: d, Crop: true, Quality: 55 + rng.IntN(41), Rotation: rng.Float64()*16 - 8,
		Skew: rng.Float64()*3 - 1.5, Crossing: rng.IntN(4) == 0, Signed: rng.IntN(4) == 0}
	if rng.IntN(6) == 0 {
		o.DPI = 600
	}
	return o
}

func trials(n int, seed uint64) []trial {
	var all []trial
	next := func() uint64 { seed++; return seed }
	kinds := ratesKinds()
	for i := range n * len(kinds) {
		d := kinds[i%len(kinds)]
		all = append(all, trial{group: "good", form: ordinary(next(), d)})
		o := ordinary(next(), d)
		characters := min(1+i%3, len([]rune(d.Text)))
		second := fixtures.Altered(d, characters, i%4 != 3, rand.New(rand.NewPCG(seed, 6)))
		o.Second = &second
		all = append(all, trial{group: "another seal", what: second.Text, form: o})
		o = ordinary(next(), d)
		wrong := size{}
		wrong.w, wrong.h = d.Size()
		rng := rand.New(rand.NewPCG(seed, 7))
		off := []float64{-3, -1.6, -1.1, 1.1, 1.6, 3}[rng.IntN(6)] // mm
		if o.Ink.Bleed = .06 * float64(i%3); d.Shape == fixtures.RoundSeal || rng.IntN(2) == 0 {
			wrong.w += off
		}
		if wrong.h += off; d.Shape == fixtures.RoundSeal {
			wrong.h = wrong.w
		}
		all = append(all, trial{group: "wrong size", what: fmt.Sprintf("%+v", wrong), form: o, declared: wrong})
		o = ordinary(next(), d)
		o.Ink.Gaps = .05 + .15*rng.Float64()
		all = append(all, trial{group: "gappy", form: o})
	}
	copies := fixtures.CopyKinds()
	for i := range n * 2 * len(copies) {
		k := copies[i%len(copies)]
		o := ordinary(next(), kinds[(i/len(copies)*5+i)%len(kinds)])
		o.Copy = fixtures.Copy{Kind: k, Ruling: []float64{0, 85, 106, 150, 175, 200}[seed%6]}
		if k == fixtures.Inkjet {
			o.Copy.Ruling = 0
		}
		all = append(all, trial{group: k.String(), form: o})
	}
	return all
}

// judged is what became of a trial.
type judged struct {
	trial
	r   *Result
	err error
}

// judgeAll processes forms on all cores, in their order.
func judgeAll(t *testing.T, all []trial) []judged {
	t.Helper()
	results := make([]judged, len(all))
	workshop := fixtures.NewWorkshop()
	var next sync.Mutex
	at := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				next.Lock()
				i := at
				at++
				next.Unlock()
				if i >= len(all) {
					return
				}
				c := all[i]
				results[i].trial = c
				data, _, err := workshop.StampedForm(c.form)
				if err == nil {
					o := Options{Width: c.declared.w, Height: c.declared.h}
					if o.Width == 0 {
						o.Width, o.Height = c.form.Seal.Size()
					}
					if c.form.Seal.Shape == fixtures.RoundSeal {
						o.Height = 0
					}
					results[i].r, err = Process(context.Background(), data, o)
				}
				results[i].err = err
			}
		})
	}
	workers.Wait()
	for _, j := range results {
		if fault.CodeOf(j.err) == "font.not-found" {
			t.Skip(j.err)
		}
	}
	return results
}

// complaint is what the gates say, in short.
func (j judged) complaint() string {
	if j.err != nil {
		return j.err.Error()
	}
	var says []string
	for _, g := range j.r.Gates {
		if g.Verdict != Usable {
			says = append(says, fmt.Sprintf("%s %s %.3g", g.Name, g.Verdict, g.Value))
		}
	}
	return strings.Join(says, ", ")
}

func (j judged) String() string {
	w, h := j.form.Seal.Size()
	return fmt.Sprintf("%s, seed %d, %g × %g mm, %d dpi, q%d %s: %s", j.group, j.form.Seed, w, h, j.form.DPI, j.form.Quality, j.what, j.complaint())
}

// TestRatesOfTheGates prints how many forms of each group pass, can be accepted with a reason, and are refused; and
// holds what must hold for each form of any sample: no other seal and no wrong size is accepted, no gappy pair called
// another seal, and few good forms are refused.
func TestRatesOfTheGates(t *testing.T) {
	if testing.Short() {
		t.Skip("draws many forms")
	}
	type rate struct{ passed, warned, refused int }
	rates := map[string]*rate{}
	var order []string
	for _, j := range judgeAll(t, trials(*ratesFlag, *seedFlag)) {
		r := rates[j.group]
		if r == nil {
			r = &rate{}
			rates[j.group] = r
			order = append(order, j.group)
		}
		switch {
		case j.err != nil || !j.r.Acceptable():
			r.refused++
		case j.r.Verdict == Warn:
			r.warned++
		default:
			r.passed++
		}
		accepted := j.err == nil && j.r.Acceptable()
		switch {
		case j.group == "another seal" && accepted, j.group == "wrong size" && accepted,
			j.group == "gappy" && j.err == nil && j.r.Measures.Outcome == Different,
			strings.Contains(j.group, "twin") && accepted && j.r.Verdict == Usable:
			t.Error(j)
		case j.group == "good" && (!accepted || j.r.Verdict != Usable), j.group != "good" && accepted && j.group != "gappy":
			t.Log(j)
		}
		if *ratesFlag > 1 && j.err == nil {
			t.Logf("%s | mismatch %.3f twins %.2f %.4f %s", j, j.r.Measures.Mismatch, j.r.Measures.Twins, j.r.Measures.TwinsDifference, textures(j.r))
		}
	}
	t.Log("group            pass  warn  refused")
	for _, name := range order {
		r := rates[name]
		t.Logf("%-16s %4d  %4d  %4d", name, r.passed, r.warned, r.refused)
	}
	if r := rates["good"]; float64(r.refused) > .02*float64(r.passed+r.warned+r.refused) {
		t.Errorf("%d good forms of %d were refused", r.refused, r.passed+r.warned+r.refused)
	}
	if !slices.Contains(order, "another seal") {
		t.Error("nothing was tried")
	}
}

func textures(r *Result) string {
	var all []string
	for _, i := range r.Imprints {
		if i.Used {
			all = append(all, fmt.Sprintf("grain %.4f screen %.2f at %.0f, size %.2f %.2f border %.2f edge %.2f", i.Grain, i.Screen, i.ScreenLPI, i.Width, i.Height, i.Border, i.EdgeWidth))
		}
	}
	return strings.Join(all, "; ")
}
