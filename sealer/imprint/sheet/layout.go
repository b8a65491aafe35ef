package sheet

import (
	"fmt"
	"image"
	"image/color"
	"strings"

	ximage "golang.org/x/image/draw"

	"yinxin/sealer/imprint"
)

const (
	margin  = 14.0 // mm
	inside  = pageWidth - 2*margin
	bottom  = pageHeight - margin
	gap     = 5.0
	caption = 8.0 // points
	small   = 8.0
	leading = 4.0 // mm between lines of small print
)

// source is an imprint as it was scanned.
type source struct {
	label, note   string
	picture       image.Image
	width, height float64 // mm
}

// layout draws a sheet from top to bottom.
type layout struct {
	data     Data
	template seal
	sources  []source
	changes  *changes
	old      image.Image
	versus   image.Image

	on surface
	y  float64 // mm: where the next thing begins
}

func (l *layout) draw(on surface) {
	l.on = on
	l.begin()
	l.head()
	l.trueSize()
	l.enlarged()
	l.gates()
	l.measures()
	if l.data.Against != nil {
		l.against()
	}
}

func (l *layout) begin() {
	l.on.page()
	l.on.text(margin, pageHeight-8, 7, grey, "本页如实记录印模的处理过程，供人工核对；请以 100% 比例打印，不要缩放。", false)
	l.y = margin
}

// room begins a new page where so many millimetres are not left.
func (l *layout) room(mm float64) {
	if l.y+mm > bottom {
		l.begin()
	}
}

// head is the title with the verdict at the right.
func (l *layout) head() {
	r := l.data.Result
	words, c := verdictWords(r.Verdict)
	w := l.on.width(words, 15) + 8
	l.on.fill(pageWidth-margin-w, l.y, w, 9, c)
	l.on.text(pageWidth-margin-w+4, l.y+6.6, 15, white, words, true)
	l.on.text(margin, l.y+6.5, 15, black, "印模核对单", true)
	l.y += 11
	facts := append([]Fact{{"扫描件", l.data.Title}, {"申报尺寸", declaredSize(r)}}, l.data.Facts...)
	for _, f := range facts {
		l.fact(f)
	}
	l.y += 1
	l.line()
}

func (l *layout) fact(f Fact) {
	for i, line := range l.on.wrap(f.Text, 9, inside-22) {
		l.room(leading)
		if i == 0 {
			l.on.text(margin, l.y+3.2, 9, grey, f.Label, false)
		}
		l.on.text(margin+22, l.y+3.2, 9, black, line, false)
		l.y += leading
	}
}

func (l *layout) line() {
	l.on.fill(margin, l.y, inside, .2, rule)
	l.y += 3
}

func (l *layout) heading(s string) {
	l.on.text(margin, l.y+3.2, 10, black, s, true)
	l.y += 5.2
}

// trueSize shows the imprints as scanned and the template side by side, all in one scale: that of life, where it fits.
func (l *layout) trueSize() {
	r := l.data.Result
	const column = 42.0 // mm: what stands below needs it
	widths, tallest := max(r.Width, column), r.Height
	for _, s := range l.sources {
		widths, tallest = widths+max(s.width, column), max(tallest, s.height)
	}
	scale := min(1, (inside-gap*float64(len(l.sources)))/widths)
	words := "原大 1:1"
	if scale < 1 {
		words = fmt.Sprintf("缩小为 %.0f%%", 100*scale)
	}
	l.room(tallest*scale + 2*leading + 8)
	l.heading("原始印模与模板（" + words + "）")
	x := margin
	for _, s := range l.sources {
		w, h := s.width*scale, s.height*scale
		l.on.picture(atMost(s.picture, w, h, 300), x, l.y, w, h)
		l.on.frame(x, l.y, w, h, .15, rule)
		l.captions(x, l.y+h, w, s.label, s.note)
		x += max(w, column*scale) + gap
	}
	w, h := r.Width*scale, r.Height*scale
	l.on.seal(&l.template, x, l.y, w, h)
	l.on.frame(x, l.y, w, h, .1, rule)
	l.captions(x, l.y+h, w, "模板（已校正）", "细线为画布，即申报尺寸")
	l.y += tallest*scale + 2*leading + 2
}

func (l *layout) captions(x, y, width float64, label, note string) {
	l.on.text(x, y+3.6, caption, black, label, true)
	if note != "" {
		l.on.text(x, y+3.6+leading-.5, 7, grey, l.on.wrap(note, 7, max(width, 40))[0], false)
	}
}

// enlarged shows the template large, and beside it where it does not come straight from the better imprint.
func (l *layout) enlarged() {
	r := l.data.Result
	width := (inside - gap) / 2
	// What follows shall stand on the same page where it can.
	height := max(55, bottom-l.y-l.below()-14)
	scale := min(width/r.Width, height/r.Height, 5)
	w, h := r.Width*scale, r.Height*scale
	l.room(h + 12)
	l.heading(fmt.Sprintf("放大 %.1f 倍：模板；来源与差异", scale))
	l.on.picture(l.template.picture, margin, l.y, w, h)
	l.on.frame(margin, l.y, w, h, .1, rule)
	x := margin + w + gap
	if l.changes != nil {
		l.on.picture(l.changes.picture, x, l.y, w, h)
		l.on.frame(x, l.y, w, h, .1, rule)
		l.places(x, l.y, scale, r.Measures.Places)
	} else {
		l.on.text(x, l.y+6, 9, grey, "没有保留来源与差异图。", false)
	}
	l.y += h + 1.5
	if l.changes != nil {
		l.legend(l.changes.legend)
	}
	l.y += 2
}

// below is the height of what stands below the enlarged pictures, in millimetres.
func (l *layout) below() float64 {
	lines := 2 + 3 // heads of both tables, measures
	for _, g := range l.data.Result.Gates {
		lines += len(l.on.wrap(g.ZH, small, inside-94))
	}
	return float64(lines)*leading + 12
}

// entry is a colour of a map and what it stands for.
type entry struct {
	colour color.RGBA
	words  string
}

func (l *layout) legend(entries []entry) {
	x := margin
	for _, e := range entries {
		w := 4.5 + l.on.width(e.words, small) + 5
		if x+w > pageWidth-margin {
			x, l.y = margin, l.y+leading
		}
		l.on.fill(x, l.y+.6, 3, 2.6, e.colour)
		l.on.frame(x, l.y+.6, 3, 2.6, .1, rule)
		l.on.text(x+4.2, l.y+3, small, black, e.words, false)
		x += w
	}
	l.y += leading
}

// gates are a table: what was looked at, the verdict, the number, the limits and the sentence.
func (l *layout) gates() {
	columns := []float64{0, 25, 38, 58, 94}
	l.room(3 * leading)
	l.heading("质量检查")
	for i, h := range []string{"检查项", "结论", "测得", "界限（核对 / 不通过）", "说明"} {
		l.on.text(margin+columns[i], l.y+3, small, grey, h, false)
	}
	l.y += leading
	for _, g := range l.data.Result.Gates {
		lines := l.on.wrap(g.ZH, small, inside-columns[4])
		l.room(float64(len(lines)) * leading)
		words, c := verdictWords(g.Verdict)
		l.on.text(margin, l.y+3, small, black, gateName(g), g.Verdict != imprint.Usable)
		l.on.text(margin+columns[1], l.y+3, small, c, words, true)
		l.on.text(margin+columns[2], l.y+3, small, black, valued(g.Value, g), false)
		l.on.text(margin+columns[3], l.y+3, small, grey, limits(g), false)
		for _, line := range lines {
			l.on.text(margin+columns[4], l.y+3, small, black, line, false)
			l.y += leading
		}
	}
	l.y += 1
}

// measures are the figures behind the gates.
func (l *layout) measures() {
	r := l.data.Result
	m := r.Measures
	parts := []string{
		"分辨率 " + dpi(m.Scale), shapes[m.Shape] + polarities[m.Polarity] + "，实测 " + extent(m), "与申报相差 " + number(m.SizeDifference, 3) + " 毫米",
		"已扶正 " + number(m.Angle, 2) + " 度", fmt.Sprintf("采用印模 %d 处", m.Fused),
		"墨迹面积 " + number(m.InkArea, 1) + " 平方毫米", "笔画缺失 " + withUnit(m.MissingStrokes, "ratio"),
	}
	if m.Scale.Page != "" {
		parts = append(parts, "纸张 "+m.Scale.Page)
	}
	if m.Fused == 2 {
		parts = append(parts, "两次印模吻合 "+withUnit(m.Match, "ratio"), "局部最大差异 "+number(m.Mismatch, 3)+" 平方毫米")
	}
	if m.Eroded > 0 {
		parts = append(parts, "洇墨收边 "+number(m.Eroded, 3)+" 毫米")
	}
	parts = append(parts, "由另一处补足 "+number(m.CompletedArea, 2)+" 平方毫米", "黑字下接续 "+number(m.BridgedArea, 2)+" 平方毫米")
	if v := l.data.Vector; v != nil {
		parts = append(parts, fmt.Sprintf("矢量轮廓 %d 段，偏差最大 %s、平均 %s 毫米", v.Measures.Segments, number(v.Measures.MaxDeviation, 3), number(v.Measures.MeanDeviation, 4)))
	}
	l.room(3 * leading)
	l.heading("测量数据")
	l.paragraph(strings.Join(parts, "；") + "。")
}

func (l *layout) paragraph(s string) {
	for _, line := range l.on.wrap(s, small, inside) {
		l.room(leading)
		l.on.text(margin, l.y+3, small, black, line, false)
		l.y += leading
	}
}

// against shows the earlier template, the new one and what differs.
func (l *layout) against() {
	a := l.data.Against
	width := (inside - 2*gap) / 3
	r := l.data.Result
	scale := min(width/r.Width, width/r.Height, 1.5)
	w, h := r.Width*scale, r.Height*scale
	l.y += 2
	l.room(h + 22)
	l.line()
	words, c := outcomeWords(a.Outcome)
	l.heading("与原模板比较")
	l.on.text(margin, l.y+3, 9, c, words, true)
	l.on.text(margin+l.on.width(words, 9)+3, l.y+3, 9, black, a.Sentence, false)
	l.y += 5.5
	for i, p := range []struct {
		label   string
		picture image.Image
	}{{"原模板", l.old}, {"新模板", l.template.picture}, {"差异", l.versus}} {
		x := margin + float64(i)*(width+gap)
		if p.picture != nil {
			pw, ph := fit(p.picture, w, h)
			l.on.picture(p.picture, x, l.y, pw, ph)
		}
		l.on.frame(x, l.y, w, h, .1, rule)
		l.on.text(x, l.y+h+3.6, caption, black, p.label, true)
	}
	l.y += h + 5.5
	if l.versus != nil {
		l.legend([]entry{{color.RGBA{0x80, 0x80, 0x80, 255}, "两者都有"}, {completedColour, "仅原模板有"}, {color.RGBA{0xE6, 0, 0x12, 255}, "仅新印模有"}})
	}
}

// fit is the largest size of a picture's shape within w by h.
func fit(m image.Image, w, h float64) (float64, float64) {
	b := m.Bounds()
	if b.Empty() {
		return w, h
	}
	s := min(w/float64(b.Dx()), h/float64(b.Dy()))
	return float64(b.Dx()) * s, float64(b.Dy()) * s
}

// atMost shrinks a picture that has more than so many dots per inch where it is shown: paper's grain does not pack.
func atMost(m image.Image, w, h, dpi float64) image.Image {
	b := m.Bounds()
	most := image.Pt(max(1, int(w/25.4*dpi)), max(1, int(h/25.4*dpi)))
	if b.Dx() <= most.X && b.Dy() <= most.Y {
		return m
	}
	out := image.NewNRGBA(image.Rectangle{Max: most})
	ximage.CatmullRom.Scale(out, out.Rect, m, b, ximage.Src, nil)
	return out
}
