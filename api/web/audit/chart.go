package audit

import (
	"unicode/utf8"

	"yinxin/api/web"
)

// chart is a drawing of bars, in pixels. It says what the table beside it says.
type chart struct {
	Width, Height int
	Bars          []bar
	Lines         []line
}

// bar is one with the place of its name and its number.
type bar struct {
	Name, Full       string
	Count            int
	X, Y, W, H       int
	NameX, NameY     int
	NumberX, NumberY int  // the number is left out where NumberY is 0
	Middle           bool // name and number stand in the middle of their places; else the name ends there
}

// line is one of the scale.
type line struct {
	Y     int
	Value int
}

const (
	chartWidth = 440
	mostBars   = 20 // of a chart; the rest is one bar
	nameRoom   = 160
	barRoom    = chartWidth - nameRoom - 56
)

// barsOf draws bars beside each other's names, the longest first.
func barsOf(list []used, language string) chart {
	rest := 0
	if len(list) > mostBars {
		for _, u := range list[mostBars-1:] {
			rest += u.Count
		}
		other := used{Name: web.Text{ZH: "其余 " + web.Number(len(list)-mostBars+1) + " 个", EN: web.Number(len(list)-mostBars+1) + " others"}.In(language), Count: rest}
		list = append(list[:mostBars-1:mostBars-1], other)
	}
	most := mostOf(list)
	c := chart{Width: chartWidth, Height: 30*len(list) + 8}
	for i, u := range list {
		y := 30*i + 6
		w := max(1, u.Count*barRoom/most)
		c.Bars = append(c.Bars, bar{Name: shortened(u.Name), Full: u.Name, Count: u.Count, X: nameRoom, Y: y, W: w, H: 20, NameX: nameRoom - 8, NameY: y + 15, NumberX: nameRoom + w + 6, NumberY: y + 15})
	}
	return c
}

// columnsOf draws columns in the order of the list over a scale.
func columnsOf(list []used) chart {
	const top, foot, left, high = 18, 24, 40, 220
	step := stepOf(mostOf(list))
	scale := (mostOf(list) + step - 1) / step * step
	c := chart{Width: chartWidth, Height: top + high + foot}
	for v := 0; v <= scale; v += step {
		c.Lines = append(c.Lines, line{Y: top + high - v*high/scale, Value: v})
	}
	room := (chartWidth - left) / max(1, len(list))
	every := (len(list) + 11) / 12 // names that would run into each other are left out
	for i, u := range list {
		h := u.Count * high / scale
		b := bar{Full: u.Name, Count: u.Count, X: left + i*room + room/6, Y: top + high - h, W: max(1, room*2/3), H: h, NameY: top + high + 16, NumberY: top + high - h - 4, Middle: true}
		b.NameX = b.X + b.W/2
		if b.NumberX = b.NameX; len(list) > 18 {
			b.NumberY = 0 // numbers would run into each other
		}
		if i%every == 0 {
			b.Name = u.Name[2:] // 26-11
		}
		c.Bars = append(c.Bars, b)
	}
	return c
}

func mostOf(list []used) int {
	most := 1
	for _, u := range list {
		most = max(most, u.Count)
	}
	return most
}

// stepOf is a step of 1, 2 or 5 times a power of ten with which a scale has at most six lines.
func stepOf(most int) int {
	for power := 1; ; power *= 10 {
		for _, n := range []int{1, 2, 5} {
			if most <= 5*n*power {
				return n * power
			}
		}
	}
}

// shortened is a name that has room beside its bar: eleven Chinese signs, or twice as many others.
func shortened(name string) string {
	const room = 22
	width := 0
	for i, r := range name {
		if width++; utf8.RuneLen(r) > 2 {
			width++
		}
		if width > room && i+utf8.RuneLen(r) < len(name) {
			return name[:i] + "…"
		}
	}
	return name
}
