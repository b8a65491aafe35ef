package accuracy

import (
	"fmt"
	"math/rand/v2"

	"yinxin/fixtures"
)

// must-be-refused forms are good otherwise: nothing else may be the reason for refusing them.
func (c *Case) otherwiseGood() {
	f := &c.Form
	f.Crop, f.UnitSeal, f.Scanner.Margin = true, nil, 0
	if f.Layout == fixtures.NoBoxes {
		f.Layout = fixtures.BoxesBeside
	}
	f.Format = fixtures.JPEG
}

func (c *Case) different(rng *rand.Rand, number int) {
	c.otherwiseGood()
	characters, alike := 1+number%3, number%2 == 0
	other := fixtures.Altered(c.Form.Seal, min(characters, len([]rune(c.Form.Seal.Text))), alike, rng)
	c.Form.Second = &other
	c.Damage = fmt.Sprintf("%d replaced", characters)
	if alike {
		c.Damage += " by look-alikes"
	}
}

func (c *Case) wrongSize(rng *rand.Rand, number int) {
	c.otherwiseGood()
	width, height := c.Form.Seal.Size()
	by := between(rng, 1.1, 4)
	if number%4 < 2 {
		by = between(rng, 1.1, 1.6) // the hard ones
	}
	if number%2 == 1 {
		by = -by
	}
	c.Form.Enlarged = 1 + by/max(width, height)
	c.Damage = fmt.Sprintf("%+.1f mm", by)
}

func (c *Case) copied(rng *rand.Rand, number int) {
	c.otherwiseGood()
	kinds := fixtures.CopyKinds()
	kind := kinds[number%len(kinds)]
	c.Form.Ink.Colour = fixtures.RedInk // printers mix magenta and yellow
	c.Form.Copy = fixtures.Copy{Kind: kind, Tone: between(rng, 0.6, 0.95), Turned: between(rng, 2, 12)}
	switch kind {
	case fixtures.DotScreen:
		c.Form.Copy.Ruling = pick(rng, 85.0, 106, 133, 150)
	case fixtures.LineScreen, fixtures.Photocopy:
		c.Form.Copy.Ruling = pick(rng, 106.0, 133, 150, 200)
	case fixtures.Inkjet:
		c.Form.Copy.Ruling = pick(rng, 300.0, 360, 600)
	}
	c.Damage = kind.String()
}

func (c *Case) photographed(rng *rand.Rand, number int) {
	f := &c.Form
	f.Crop, f.Format, f.NoResolution = false, fixtures.JPEG, number%3 == 0
	f.Layout = fixtures.BoxesBeside
	f.Scanner = fixtures.Scanner{Lean: between(rng, 0.08, 0.25), Dark: between(rng, 0.12, 0.35), Uneven: between(rng, 0.3, 0.6),
		Blur: between(rng, 0.1, 0.3), Noise: between(rng, 4, 9)}
	c.Damage = "from an angle, dark, blurred"
}

// kindsOfSeals are drawn in turn.
var kindsOfSeals = []struct {
	name   string
	design func(rng *rand.Rand) fixtures.SealDesign
}{
	{"round, star", func(rng *rand.Rand) fixtures.SealDesign { return fixtures.OfficialSeal(office(rng)) }},
	{"round, star, line", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SpecialSeal(office(rng), pick(rng, "业务专用章", "财务专用章", "档案专用章"))
	}},
	{"round, emblem", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.EmblemSeal(office(rng), pick(rng, 42.0, 45, 50))
	}},
	{"round, nothing in the middle", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SealDesign{Text: office(rng), Line: "合同专用章", Diameter: pick(rng, 38.0, 40, 42)}
	}},
	{"round, number", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SealDesign{Text: office(rng), Number: digits(rng, 13), Diameter: pick(rng, 40.0, 42), Star: rng.IntN(2) == 0}
	}},
	{"round, inner ring", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SealDesign{Text: office(rng), Diameter: pick(rng, 42.0, 45), Star: true, InnerRing: true}
	}},
	{"oval, tax number", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.InvoiceSeal(office(rng), "29010200"+digits(rng, 10))
	}},
	{"oval, star", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SealDesign{Text: office(rng), Line: "收发章", Shape: fixtures.OvalSeal, Width: 45, Height: 30, Star: true}
	}},
	{"square, two columns", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.NameSeal(person(rng)+"印", pick(rng, 20.0, 22, 25))
	}},
	{"rectangle, two lines", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SealDesign{Text: person(rng) + "之印章", Shape: fixtures.RectangularSeal, Width: 45, Height: 25, Lines: 2, Corner: pick(rng, 0.0, 2)}
	}},
	{"rectangle, one line", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SealDesign{Text: person(rng), Shape: fixtures.RectangularSeal, Width: 40, Height: 16}
	}},
	{"column, inner frame", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SealDesign{Text: person(rng), Shape: fixtures.RectangularSeal, Width: 20, Height: 42, Vertical: true, InnerRing: true}
	}},
	{"square, negative", func(rng *rand.Rand) fixtures.SealDesign {
		d := fixtures.NameSeal(person(rng)+"印", pick(rng, 20.0, 24))
		d.Negative = true
		return d
	}},
	{"no frame", func(rng *rand.Rand) fixtures.SealDesign {
		return fixtures.SealDesign{Text: person(rng), Shape: fixtures.RectangularSeal, Width: 42, Height: 14, Border: -1}
	}},
}

// office makes up a name of seven to sixteen characters.
func office(rng *rand.Rand) string {
	return "临江省" + pick(rng, "云山市", "青石市", "白河县", "古田市", "未央县", "金土县", "日光市") +
		pick(rng, "", "", "千木区", "玉田镇") + pick(rng, "档案馆", "教育局", "人民政府", "财政局", "市场监督管理局", "公共资源中心", "乡村建设局")
}

// person makes up a name of three characters.
func person(rng *rand.Rand) string {
	return pick(rng, "王", "李", "张", "古", "白", "田") + pick(rng, "小", "大", "天", "玉", "青", "云") + pick(rng, "明", "石", "土", "木", "山", "林")
}

func digits(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + rng.IntN(10))
	}
	return string(b)
}
