package sheet

import (
	"fmt"

	"yinxin/internal/paper"
)

// The page in points: A4 with its margins.
const (
	left, right = 45.0, paper.A4Width - 45
	top, bottom = paper.A4Height - 48, 56.0
	maxPages    = 500
)

// layout fills pages from the top. y is where the next thing stands, measured from the bottom.
type layout struct {
	face     *paper.Face
	document *paper.Document
	pages    []*paper.Page
	say      func(zh, en string) string
	y        float64
	pictures map[[32]byte]picture // by the digest of their bytes
}

func (l *layout) page() *paper.Page { return l.pages[len(l.pages)-1] }

func (l *layout) newPage() {
	l.pages = append(l.pages, l.document.Add(paper.A4Width, paper.A4Height))
	l.y = top
}

// need begins a new page where so many points are no longer there.
func (l *layout) need(height float64) {
	if l.y-height < bottom {
		l.newPage()
	}
}

// text writes one line with its baseline at y.
func (l *layout) text(x, y, size float64, class, s string, heavy bool) {
	l.page().Text(x, y, size, colours[class], s, heavy)
}

// paragraph writes a sentence over as many lines as it needs, and as many pages.
func (l *layout) paragraph(x, width, size float64, class, s string, heavy bool) {
	for _, line := range l.face.Wrap(s, size, width) {
		l.need(size * 1.5)
		l.y -= size * 1.5
		l.text(x, l.y+size*0.35, size, class, line, heavy)
	}
}

func (l *layout) rectangle(x, y, w, h float64, class string) {
	l.page().Fill(x, y, w, h, colours[class])
}

func (l *layout) rule(class string, thickness float64) {
	l.rectangle(left, l.y-thickness, right-left, thickness, class)
	l.y -= thickness
}

// icon draws the mark of a class in a square of the given size with its lower left corner at x, y.
func (l *layout) icon(class string, x, y, size float64) {
	p := l.page()
	s := size / 24
	p.Draw("q %.4f 0 0 %.4f %.2f %.2f cm %s rg 1 1 1 RG 2.6 w 1 J 1 j\n", s, s, x, y, rgb(class))
	if class == "doubt" {
		p.Draw("12 23 m 24 1 l 0 1 l h f 12 15 m 12 9 l S 12 5 m 12 4.6 l S Q\n")
		return
	}
	// A circle of four Bézier curves.
	const k = 12 * 0.5523
	p.Draw("24 12 m 24 %.2f %.2f 24 12 24 c %.2f 24 0 %.2f 0 12 c 0 %.2f %.2f 0 12 0 c %.2f 0 24 %.2f 24 12 c f\n",
		12+k, 12+k, 12-k, 12+k, 12-k, 12-k, 12+k, 12-k)
	switch class {
	case "good":
		p.Draw("6.5 11.5 m 10.5 7.5 l 17.5 15.5 l S")
	case "note":
		p.Draw("12 13 m 12 6 l S 12 18 m 12 17.4 l S")
	case "bad":
		p.Draw("7.5 16.5 m 16.5 7.5 l S 16.5 16.5 m 7.5 7.5 l S")
	default:
		p.Draw("7 12 m 17 12 l S")
	}
	p.Draw(" Q\n")
}

// lay lays out a whole document.
func (l *layout) lay(c content) error {
	l.newPage()
	l.y -= 22
	l.text(left, l.y+4, 20, "ink", c.Heading, true)
	brand := l.say("印信", "Yinxin")
	l.text(right-l.face.Width(brand, 11), l.y+4, 11, "none", brand, false)
	l.y -= 6
	l.rule("ink", 1.2)
	l.y -= 12
	l.verdict(c)
	l.facts(c.Facts, left, right-left)
	for _, d := range c.Cards {
		l.card(d)
		if len(l.pages) > maxPages {
			return errLong.New()
		}
	}
	if c.Hidden != "" {
		l.y -= 8
		l.paragraph(left, right-left, 9.5, "ink", c.Hidden, false)
	}
	if len(c.Notes) > 0 {
		l.section(l.say("说明", "Notes"), c.Notes)
	}
	unchecked := c.Unchecked
	if len(unchecked) == 0 {
		unchecked = []string{l.say("无。", "Nothing.")}
	}
	l.section(l.say("未检查或无法确认的事项", "What was not checked or is not known"), unchecked)
	l.y -= 10
	l.need(40)
	l.rule("line", 0.8)
	l.y -= 4
	for _, s := range c.Closing {
		l.paragraph(left, right-left, 8.5, "none", s, false)
	}
	if len(l.pages) > maxPages {
		return errLong.New()
	}
	l.footers()
	return nil
}

// verdict draws the frame with the answer.
func (l *layout) verdict(c content) {
	const inset, size = 22.0, 16.0
	width := right - left - 2*inset
	summary := l.face.Wrap(c.Summary, 11, width)
	next := l.face.Wrap(c.Look.Next, 10, width)
	title := l.face.Wrap(c.Look.Title, size, width-30)
	height := 18 + float64(len(title))*size*1.45 + float64(len(summary))*16.5 + float64(len(next))*15 + 8
	height = min(height, top-bottom-60)
	l.rectangle(left, l.y-height, right-left, height, c.Look.Class)
	l.rectangle(left+8, l.y-height+1.5, right-left-9.5, height-3, "white")
	end := l.y - height
	l.y -= 9
	l.icon(c.Look.Class, left+inset, l.y-21, 20)
	for _, line := range title {
		l.y -= size * 1.45
		l.text(left+inset+30, l.y+5, size, c.Look.Class, line, true)
	}
	l.y -= 4
	for _, line := range summary {
		if l.y -= 16.5; l.y < end+6 {
			break
		}
		l.text(left+inset, l.y+4, 11, "ink", line, true)
	}
	for _, line := range next {
		if l.y -= 15; l.y < end+4 {
			break
		}
		l.text(left+inset, l.y+4, 10, "ink", line, false)
	}
	l.y = end - 10
}

// facts writes names and values in two columns.
func (l *layout) facts(facts []fact, x, width float64) {
	const size, names = 9.5, 100.0
	for _, f := range facts {
		if f.Value == "" {
			continue
		}
		value := f.Value
		lines := l.face.Wrap(value, size, width-names)
		l.need(size * 1.6)
		begin := true
		for _, line := range lines {
			l.need(size * 1.5)
			l.y -= size * 1.5
			if begin {
				l.text(x, l.y+3, size, "none", f.Name, false)
				begin = false
			}
			l.text(x+names, l.y+3, size, "ink", line, false)
		}
		if f.Fine == "" {
			continue
		}
		last := l.face.Width(lines[len(lines)-1], size) + 6
		if fine := l.face.Width(f.Fine, 8); last+fine <= width-names {
			l.text(x+names+last, l.y+3, 8, "none", f.Fine, false)
		} else {
			l.paragraph(x+names, width-names, 8, "none", f.Fine, false)
		}
	}
}

// card writes one signature.
func (l *layout) card(d card) {
	const side = 104.0
	l.y -= 14
	l.need(190)
	l.rule(d.Look.Class, 3)
	l.y -= 4
	badge := l.face.Width(d.Look.Word, 11)
	heading := l.face.Wrap(d.Heading, 13, right-left-badge-40)
	for i, line := range heading {
		l.need(20)
		l.y -= 19
		l.text(left, l.y+5, 13, "ink", line, true)
		if i == 0 {
			l.text(right-badge, l.y+5, 11, d.Look.Class, d.Look.Word, true)
			l.icon(d.Look.Class, right-badge-18, l.y+3, 13)
		}
	}
	l.y -= 4
	start, pages := l.y, len(l.pages)
	if len(d.Picture) > 0 {
		if p := l.addPicture(d.Picture); p.number >= 0 {
			scale := min(side/float64(p.width), side/float64(p.height))
			w, h := float64(p.width)*scale, float64(p.height)*scale
			l.page().Show(p.number, left+(side-w)/2, start-side+(side-h)/2, w, h)
		}
	} else {
		l.page().Draw("q %s RG 0.8 w [3 3] 0 d %.2f %.2f %.2f %.2f re S Q\n", rgb("line"), left+2, start-side+2, side-4, side-4)
	}
	l.y = start - side - 2
	for _, line := range l.face.Wrap(d.Caption, 7.5, side) {
		l.y -= 10
		l.text(left+(side-l.face.Width(line, 7.5))/2, l.y+2, 7.5, "none", line, false)
	}
	under := l.y
	l.y = start
	l.facts(d.Facts, left+side+16, right-left-side-16)
	if len(l.pages) == pages {
		l.y = min(l.y, under)
	}
	l.y -= 4
	l.paragraph(left, right-left, 10, "ink", d.Summary, true)
	l.changes(d)
	l.heading(l.say("检查项目", "Checks"))
	for _, s := range d.Steps {
		l.step(s)
	}
}

func (l *layout) heading(s string) {
	l.y -= 6
	l.need(36)
	l.y -= 15
	l.text(left, l.y+4, 10, "none", s, true)
}

func (l *layout) changes(d card) {
	if len(d.Changes) == 0 {
		return
	}
	l.heading(l.say("盖章之后的变化", "What came after"))
	for _, g := range d.Changes {
		l.need(16)
		l.icon(g.Class, left, l.y-11, 9)
		l.paragraph(left+16, right-left-16, 9, "ink", g.Detail+" · "+g.Fine, false)
	}
	if d.More != "" {
		l.paragraph(left+16, right-left-16, 8.5, "none", d.More, false)
	}
}

// step writes one check: mark, word, name, detail.
func (l *layout) step(s step) {
	const size, word, name = 8.5, 74.0, 200.0
	details := l.face.Wrap(s.Detail, size, right-left-name-8)
	names := l.face.Wrap(s.Name, size, name-word-8)
	l.need(float64(min(max(len(details), len(names)), 6))*12.5 + 4)
	l.rectangle(left, l.y-0.4, right-left, 0.4, "line")
	l.y -= 2
	l.icon(s.Class, left, l.y-10.5, 9)
	l.text(left+14, l.y-9, size, s.Class, s.Word, false)
	for i := range max(len(details), len(names)) {
		l.need(13)
		l.y -= 12.5
		if i < len(names) {
			l.text(left+word, l.y+3.5, size, "ink", names[i], false)
		}
		if i < len(details) {
			l.text(left+name, l.y+3.5, size, "ink", details[i], false)
		}
	}
	l.y -= 1.5
}

func (l *layout) section(title string, items []string) {
	l.y -= 8
	l.heading(title)
	for _, s := range items {
		l.need(14)
		l.rectangle(left+3, l.y-8, 2.5, 2.5, "none")
		l.paragraph(left+14, right-left-14, 9, "ink", s, false)
	}
}

// footers numbers the pages.
func (l *layout) footers() {
	last := len(l.pages)
	pages := l.pages
	for i := range pages {
		l.pages = pages[:i+1]
		number := fmt.Sprintf(l.say("第 %d 页，共 %d 页", "page %d of %d"), i+1, last)
		l.text(right-l.face.Width(number, 8), 34, 8, "none", number, false)
	}
	l.pages = pages
}
