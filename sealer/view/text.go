package view

import (
	"fmt"
	"math"
	"slices"
	"unicode"
	"unicode/utf16"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// find searches the pages that the query names until it has what the query asks for: from the front for the n-th match,
// from the back for the n-th last, so that the last one of a thousand pages costs one page.
func (p *paper) find(q Query) ([]Match, error) {
	numbers, err := q.pages(p.pages)
	if err != nil {
		return nil, err
	}
	needle := normal(q.Text, q.FoldCase)
	if q.Nth < 0 {
		slices.Reverse(numbers)
	}
	wanted := max(q.Nth, -q.Nth)
	var found []Match
	seen := 0
	for _, number := range numbers {
		onPage, err := p.findOn(number, needle, q.FoldCase)
		if err != nil {
			return nil, err
		}
		switch {
		case wanted == 0:
			if found = append(found, onPage...); len(found) > maxMatches {
				return nil, ErrTooLarge.With("%q: > %d", q.Text, maxMatches)
			}
		case seen+len(onPage) >= wanted:
			i := wanted - seen - 1
			if q.Nth < 0 {
				i = len(onPage) - 1 - i
			}
			return onPage[i : i+1], nil
		}
		seen += len(onPage)
	}
	switch {
	case seen == 0:
		return nil, ErrNotFound.With("%q", q.Text)
	case wanted > 0:
		return nil, ErrNotFound.Saying(fmt.Sprintf("%q 只有 %d 处，要的是第 %d 处", q.Text, seen, wanted),
			fmt.Sprintf("%q stands there %d times, wanted is number %d", q.Text, seen, wanted))
	}
	return found, nil
}

// pages are the numbers of the pages to search, in order.
func (q Query) pages(count int) ([]int, error) {
	if len(q.Pages) == 0 {
		numbers := make([]int, count)
		for i := range numbers {
			numbers[i] = i + 1
		}
		return numbers, nil
	}
	numbers := slices.Clone(q.Pages)
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	for _, n := range numbers {
		if n < 1 || n > count {
			return nil, ErrNoPage.At(fault.Page(n)).With("%d", count)
		}
	}
	return numbers, nil
}

func (p *paper) findOn(number int, needle []rune, fold bool) ([]Match, error) {
	page, err := p.load(number)
	if err != nil {
		return nil, err
	}
	text, err := p.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: page})
	if err != nil {
		return nil, crash("reading text", err)
	}
	layer, err := p.layer(number, page, text.TextPage)
	if err != nil {
		return nil, err
	}
	found := layer.matches(number, needle, fold)
	if _, err := p.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: text.TextPage}); err != nil {
		return nil, crash("closing text", err)
	}
	return found, p.unload(page)
}

// layer reads the characters of a page; their boxes are read when a match needs them.
func (p *paper) layer(number int, page requests.Page, text references.FPDF_TEXTPAGE) (textLayer, error) {
	rotation, err := p.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: page})
	if err != nil {
		return textLayer{}, crash("reading a page's rotation", err)
	}
	box, err := p.FPDF_GetPageBoundingBox(&requests.FPDF_GetPageBoundingBox{Page: page})
	if err != nil {
		return textLayer{}, crash("reading a page's box", err)
	}
	count, err := p.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: text})
	if err != nil {
		return textLayer{}, crash("counting characters", err)
	}
	if count.Count > maxChars {
		return textLayer{}, ErrTooLarge.At(fault.Page(number)).With("%d > %d characters", count.Count, maxChars)
	}
	layer := textLayer{rotate: 90 * (int(rotation.PageRotation) & 3),
		page: pdf.Rect{X1: float64(box.Rect.Left), Y1: float64(box.Rect.Bottom), X2: float64(box.Rect.Right), Y2: float64(box.Rect.Top)},
		box:  func(i int) (pdf.Rect, bool) { return p.box(text, i) }}
	layer.runes, err = p.characters(text, max(count.Count, 0))
	return layer, err
}

// characters are the count characters of a page. Asking for all at once is several times as fast as one by one, but it
// leaves out those without a meaning and splits those outside the basic plane; only a text with neither has its
// characters at their indexes.
func (p *paper) characters(text references.FPDF_TEXTPAGE, count int) ([]rune, error) {
	if count == 0 {
		return nil, nil
	}
	all, err := p.FPDFText_GetText(&requests.FPDFText_GetText{TextPage: text, Count: count})
	if err != nil {
		return nil, crash("reading characters", err)
	}
	runes := []rune(all.Text)
	if len(runes) == count && !slices.ContainsFunc(runes, func(r rune) bool { return r > 0xffff || r == unicode.ReplacementChar }) {
		return runes, nil
	}
	runes = make([]rune, count)
	for i := range runes {
		c, err := p.FPDFText_GetUnicode(&requests.FPDFText_GetUnicode{TextPage: text, Index: i})
		if err != nil {
			return nil, crash("reading a character", err)
		}
		runes[i] = rune(c.Unicode)
		if i > 0 { // a character outside the basic plane may come as two halves
			if whole := utf16.DecodeRune(runes[i-1], runes[i]); whole != unicode.ReplacementChar {
				runes[i-1], runes[i] = whole, 0
			}
		}
	}
	return runes, nil
}

// box is the place of a character: its advance by the font's ascent and descent, or, where the font gives nothing
// sensible for these, the box of its ink.
func (p *paper) box(text references.FPDF_TEXTPAGE, i int) (pdf.Rect, bool) {
	var ink pdf.Rect
	if tight, err := p.FPDFText_GetCharBox(&requests.FPDFText_GetCharBox{TextPage: text, Index: i}); err == nil {
		ink = pdf.Rect{X1: tight.Left, Y1: tight.Bottom, X2: tight.Right, Y2: tight.Top}
	}
	loose, err := p.FPDFText_GetLooseCharBox(&requests.FPDFText_GetLooseCharBox{TextPage: text, Index: i})
	if err == nil {
		r := pdf.Rect{X1: min(float64(loose.Rect.Left), float64(loose.Rect.Right)), X2: max(float64(loose.Rect.Left), float64(loose.Rect.Right)),
			Y1: min(float64(loose.Rect.Bottom), float64(loose.Rect.Top)), Y2: max(float64(loose.Rect.Bottom), float64(loose.Rect.Top))}
		// A font that claims an ascent of several sizes would move the middle of the keyword.
		if solid(r) && (!solid(ink) || r.Height() <= 4*max(ink.Height(), ink.Width()) || r.Width() <= 4*max(ink.Height(), ink.Width())) {
			return r, true
		}
	}
	return ink, solid(ink)
}

// solid reports whether r is a rectangle with an area, of finite and possible coordinates.
func solid(r pdf.Rect) bool {
	const reach = 1 << 24
	for _, v := range []float64{r.X1, r.Y1, r.X2, r.Y2} {
		if math.IsNaN(v) || math.Abs(v) > reach {
			return false
		}
	}
	return r.X1 < r.X2 && r.Y1 < r.Y2
}
