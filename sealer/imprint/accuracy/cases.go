package accuracy

import (
	"math"
	"math/rand/v2"

	"yinxin/fixtures"
	"yinxin/sealer/imprint"
)

// Seeds is a range of seeds.
type Seeds string

// Ranges.
const (
	Tuning  Seeds = "tuning"
	HeldOut Seeds = "held-out"
)

// Group is what is expected of a form.
type Group string

// Groups.
const (
	Good      Group = "good"
	Damaged   Group = "damaged"
	Different Group = "different" // the second box holds another seal
	WrongSize Group = "wrong size"
	Copied    Group = "copy"
	Photo     Group = "photograph"
)

// Case is a form and what Process is told about it.
type Case struct {
	Group   Group
	Number  int    // within the group and resolution
	Kind    string // of seal
	Damage  string // or what else is wrong
	Form    fixtures.FormOptions
	Options imprint.Options
}

// counts of a whole run, per resolution. Together they are 300 forms, 216 pairs of different seals, 60 wrong sizes.
var counts = map[int]map[Group]int{
	300: {Good: 96, Damaged: 64, Different: 144, WrongSize: 40, Copied: 48, Photo: 12},
	600: {Good: 84, Damaged: 56, Different: 72, WrongSize: 20, Copied: 24},
}

var groups = []Group{Good, Damaged, Different, WrongSize, Copied, Photo}

// Resolutions that are measured, in dots per inch.
var Resolutions = []int{300, 600}

// Cases lists the forms of a range. Share 1 is the whole run; less takes the first ones of each group.
func Cases(seeds Seeds, share float64) []Case {
	var all []Case
	for _, dpi := range Resolutions {
		for place, group := range groups {
			most := counts[dpi][group]
			if most == 0 {
				continue
			}
			for i := range max(1, int(math.Ceil(float64(most)*share))) {
				all = append(all, newCase(seeds, group, uint64(place), dpi, i))
			}
		}
	}
	return all
}

func newCase(seeds Seeds, group Group, place uint64, dpi, number int) Case {
	base := uint64(1_000_000)
	if seeds == HeldOut {
		base = 7_000_000
	}
	seed := base + 100_000*place + 10_000*uint64(dpi/100) + uint64(number)
	rng := rand.New(rand.NewPCG(seed, 0x5ea1))
	kind := kindsOfSeals[(number+int(place))%len(kindsOfSeals)]
	c := Case{Group: group, Number: number, Kind: kind.name,
		Form: fixtures.FormOptions{Seed: seed, DPI: dpi, Seal: kind.design(rng), Crop: number%3 != 0}}
	c.ordinary(rng)
	switch group {
	case Damaged:
		c.damaged(rng, number)
	case Different:
		c.different(rng, number)
	case WrongSize:
		c.wrongSize(rng, number)
	case Copied:
		c.copied(rng, number)
	case Photo:
		c.photographed(rng, number)
	}
	c.Options = c.told()
	return c
}

// told is what the caller of Process knows: the size and the ink, and that a seal has no frame.
func (c Case) told() imprint.Options {
	f := c.Form
	width, height := f.Seal.Size()
	o := imprint.Options{Width: width, Height: height}
	if f.Seal.Shape == fixtures.RoundSeal {
		o.Height = 0
	}
	if f.Seal.Border < 0 {
		o.Shape = imprint.Frameless
	}
	o.Colour = []imprint.Colour{imprint.Red, imprint.Blue, imprint.Purple, imprint.Green}[f.Ink.Colour]
	return o
}

// between draws a number evenly.
func between(rng *rand.Rand, low, high float64) float64 { return low + (high-low)*rng.Float64() }

// pick draws one of several.
func pick[T any](rng *rand.Rand, choices ...T) T { return choices[rng.IntN(len(choices))] }

// ordinary is what differs between forms that nobody would complain about.
func (c *Case) ordinary(rng *rand.Rand) {
	f := &c.Form
	f.Ink = fixtures.Ink{Strength: between(rng, 0.88, 1), Gaps: between(rng, 0.004, 0.025), Pressure: between(rng, 0, 0.15)}
	f.Tilt = between(rng, 0.5, 3)
	f.Rotation = between(rng, -8, 8)
	f.Skew = pick(rng, 0, between(rng, -1, 1), between(rng, -4, 4))
	f.Quality = 75 + rng.IntN(21)
	f.Format = pick(rng, fixtures.JPEG, fixtures.JPEG, fixtures.JPEG, fixtures.JPEG, fixtures.PNG, fixtures.TIFFLZW, fixtures.TIFFJPEG, fixtures.PDFJPEG)
	if f.DPI == 600 && !f.Crop {
		f.Format = pick(rng, fixtures.JPEG, fixtures.PDFJPEG)
	}
	f.Paper = pick(rng, fixtures.OfficePaper, fixtures.OfficePaper, fixtures.OfficePaper, fixtures.CreamPaper, fixtures.RecycledPaper)
	f.Layout = pick(rng, fixtures.BoxesBeside, fixtures.BoxesBeside, fixtures.BoxesBeside, fixtures.BoxesBelow, fixtures.NoBoxes)
	f.Crossing = rng.IntN(5) == 0
	f.Scanner.Fringe = pick(rng, 0, between(rng, 0, 0.03))
	f.Scanner.Uneven = between(rng, 0, 0.12)
	if turn := 1 + rng.IntN(3); !f.Crop && rng.IntN(2) == 0 {
		f.Scanner.Turn = turn // a recognised form is cut upright
	}
	if !f.Crop && rng.IntN(3) == 0 {
		f.Scanner.Margin = between(rng, 3, 14)
	}
	if rng.IntN(6) == 0 {
		f.Ink.Colour = pick(rng, fixtures.BlueInk, fixtures.PurpleInk, fixtures.GreenInk)
	}
	f.Enlarged = 1 + between(rng, -0.002, 0.002)
	if !f.Crop && f.Layout == fixtures.BoxesBeside && f.Seal.Shape == fixtures.RoundSeal && rng.IntN(3) == 0 {
		unit := fixtures.SealDesign{Text: "临江省云山市人民政府", Diameter: 24, Star: true}
		f.UnitSeal = &unit
	}
}

// damages are what goes wrong with imprints and scans; each case has one, every fourth two.
var damages = []struct {
	name string
	do   func(f *fixtures.FormOptions, rng *rand.Rand)
}{
	{"pale", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Ink.Strength = between(rng, 0.62, 0.78) }},
	{"bled", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Ink.Bleed = between(rng, 0.06, 0.15) }},
	{"gaps", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Ink.Gaps = between(rng, 0.06, 0.15) }},
	{"edge gap", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Ink.EdgeGap = between(rng, 15, 50) }},
	{"pressed on one side", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Ink.Pressure = between(rng, 0.3, 0.65) }},
	{"JPEG of low quality", func(f *fixtures.FormOptions, rng *rand.Rand) {
		f.Format, f.Quality = fixtures.JPEG, 55+rng.IntN(12)
	}},
	{"planes out of register", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Scanner.Fringe = between(rng, 0.05, 0.1) }},
	{"signed over", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Signed, f.Crossing = true, true }},
	{"unsharp", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Scanner.Blur = between(rng, 0.04, 0.09) }},
	{"cast and dim light", func(f *fixtures.FormOptions, rng *rand.Rand) {
		f.Scanner.Cast = pick(rng, [3]float64{1, 0.86, 0.7}, [3]float64{0.8, 0.92, 1}, [3]float64{0.85, 1, 0.85})
		f.Scanner.Dark, f.Scanner.Uneven = between(rng, 0.6, 0.85), between(rng, 0.15, 0.35)
	}},
	{"coloured paper", func(f *fixtures.FormOptions, rng *rand.Rand) {
		f.Paper = pick(rng, fixtures.OldPaper, fixtures.PinkPaper, fixtures.BlueTintPaper)
	}},
	{"one imprint only", func(f *fixtures.FormOptions, rng *rand.Rand) { f.Layout = fixtures.OneImprint }},
	{"stretched by the feeder", func(f *fixtures.FormOptions, rng *rand.Rand) {
		f.Scanner.Stretch = 1 + pick(rng, -1.0, 1)*between(rng, 0.002, 0.005)
		f.Crop = false
	}},
	{"second imprint poor", func(f *fixtures.FormOptions, rng *rand.Rand) {
		poor := f.Ink
		poor.Strength, poor.Gaps, poor.EdgeGap = between(rng, 0.6, 0.75), between(rng, 0.05, 0.12), between(rng, 0, 60)
		f.SecondInk = &poor
	}},
}

func (c *Case) damaged(rng *rand.Rand, number int) {
	first := damages[number%len(damages)]
	first.do(&c.Form, rng)
	c.Damage = first.name
	if number%4 == 3 {
		second := damages[(number+1+rng.IntN(len(damages)-1))%len(damages)]
		second.do(&c.Form, rng)
		c.Damage += ", " + second.name
	}
}
