package roster

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	// author and marker tell our comments from people's in the next round.
	author = "印信"
	marker = "【核对】"
	// maxComments is how many cells get a comment, and maxCommentRows bounds the comments times the rows of the sheet, since
	// the library goes through all rows several times for each. The other cells are still marked and in the summary.
	maxComments    = 20_000
	maxCommentRows = 60_000_000
)

// comment writes the comments of the marks: a cell that has a comment keeps it and gets ours after it; what we said in an
// earlier round goes. It gives the number of marks that stay without a comment.
func (r *Roster) comment(f *excelize.File, marks []mark) (without int, err error) {
	place, err := r.findComments(f)
	if err != nil {
		return 0, err
	}
	fresh, gone, err := place.renew(f, marks)
	if err != nil {
		return 0, err
	}
	if !place.usual {
		return len(fresh), nil
	}
	if err := place.remove(f, gone); err != nil {
		return 0, err
	}
	most := min(maxComments-place.count, maxCommentRows/max(r.grid.lastRow, 1))
	for i, m := range fresh {
		if i >= most {
			return len(fresh) - i, nil
		}
		lines := 1 + strings.Count(m.text, "\n") + len([]rune(m.text))/18
		comment := excelize.Comment{Cell: m.cell(), Author: author, Text: m.text, Width: 300, Height: uint(20 * lines)}
		if err := f.AddComment(r.Sheet, comment); err != nil {
			return 0, err
		}
		place.sign(f)
	}
	return 0, nil
}

// commentPlace is where the comments of the sheet are.
type commentPlace struct {
	sheet   string
	part    string // xl/comments1.xml; the next one where there are none
	drawing string // of their boxes: xl/drawings/vmlDrawing1.vml
	usual   bool   // both are where the library would put new ones
	count   int
}

// usualDrawing is how the library names drawings; it finds the comments by the number.
var usualDrawing = regexp.MustCompile(`^xl/drawings/vmlDrawing([1-9][0-9]{0,4})\.vml$`)

// findComments reads the comments. The library takes the part of new comments from the number of the drawing, without a
// look at what the sheet refers to: where the two differ it would write into a part of nobody or of another sheet.
func (r *Roster) findComments(f *excelize.File) (commentPlace, error) {
	p := commentPlace{sheet: r.Sheet}
	rels, err := r.book.relations(r.part)
	if err != nil {
		return p, err
	}
	for _, rel := range rels {
		if rel.kind == "comments" {
			p.part = rel.target
		}
	}
	p.drawing = rels[r.grid.legacy].target
	switch number := usualDrawing.FindStringSubmatch(p.drawing); {
	case p.drawing == "" && p.part == "":
		p.usual = strings.HasPrefix(r.part, "xl/worksheets/")
		p.part = reserve(f)
	case number != nil && p.part == "":
		p.part = "xl/comments" + number[1] + ".xml"
		_, taken := f.Pkg.Load(p.part)
		p.usual = !taken && r.relative(p.drawing)
	case number != nil:
		p.usual = p.part == "xl/comments"+number[1]+".xml" && r.relative(p.drawing)
	}
	if _, err := f.GetComments(r.Sheet); err != nil { // reads them into f.Comments
		return p, err
	}
	if c := f.Comments[p.part]; c != nil {
		p.count = len(c.CommentList.Comment)
	}
	return p, nil
}

// relative tells whether the sheet refers to a drawing in the one way that the library understands.
func (r *Roster) relative(drawing string) bool {
	data, err := r.book.read(relsOf(r.part))
	return err == nil && strings.HasPrefix(r.part, "xl/worksheets/") && strings.Contains(string(data), `"..`+strings.TrimPrefix(drawing, "xl")+`"`)
}

// reserve makes the library number new comments so that neither their part nor their drawing is there already: it counts
// parts, and a drawing may belong to the header of another sheet. It gives the name of the part.
func reserve(f *excelize.File) string {
	count := 0
	f.Pkg.Range(func(name, _ any) bool {
		if strings.Contains(name.(string), "xl/comments") {
			count++
		}
		return true
	})
	for {
		part := fmt.Sprintf("xl/comments%d.xml", count+1)
		_, taken := f.Pkg.Load(part)
		_, drawn := f.Pkg.Load(fmt.Sprintf("xl/drawings/vmlDrawing%d.vml", count+1))
		if !taken && !drawn {
			return part
		}
		count++
		f.Comments[fmt.Sprintf("xl/comments reserved %d", count)] = nil // counted, and not written since it is nil
	}
}

// renew takes what we said in an earlier round out of the comments and puts what we say now after people's words. fresh
// are the marks that need a comment of their own, gone the cells whose comment was only ours.
func (p *commentPlace) renew(f *excelize.File, marks []mark) (fresh []mark, gone map[string]bool, err error) {
	said := map[string]string{}
	for _, m := range marks {
		said[m.cell()] = m.text
	}
	gone = map[string]bool{}
	if all := f.Comments[p.part]; all != nil {
		for i := range all.CommentList.Comment {
			c := &all.CommentList.Comment[i]
			ours, now := said[c.Ref]
			delete(said, c.Ref)
			var texts []*string // of the runs, in their order
			if c.Text.T != nil {
				texts = append(texts, c.Text.T)
			}
			for k := range c.Text.R {
				if t := c.Text.R[k].T; t != nil {
					texts = append(texts, &t.Val)
				}
			}
			theirs, cut := cutOurs(texts)
			switch {
			case now && len(texts) == 0:
				c.Text.T = &ours
			case now && theirs:
				*texts[len(texts)-1] += "\n" + ours
			case now:
				*texts[0] = ours
			case cut && !theirs:
				gone[c.Ref] = true
			}
		}
	}
	for _, m := range marks {
		if _, ok := said[m.cell()]; ok {
			fresh = append(fresh, m)
		}
	}
	return fresh, gone, nil
}

// cutOurs takes away all from the marker on, since ours comes last. Programs divide a text into runs as they like, so
// that the marker may begin in one and end in another.
func cutOurs(texts []*string) (theirs, cut bool) {
	whole := ""
	for _, t := range texts {
		whole += *t
	}
	at := strings.Index(whole, marker)
	if at < 0 {
		return strings.TrimSpace(whole) != "", false
	}
	kept := len(strings.TrimRight(whole[:at], " \t\r\n"))
	for _, t := range texts {
		n := min(len(*t), kept)
		*t, kept = (*t)[:n], kept-n
	}
	return strings.TrimSpace(whole[:at]) != "", true
}

var (
	shapeRow    = regexp.MustCompile(`<x:Row>\s*([0-9]{1,7})\s*</x:Row>`)
	shapeColumn = regexp.MustCompile(`<x:Column>\s*([0-9]{1,5})\s*</x:Column>`)
)

// remove takes comments and their boxes out. The library finds a box by its corner, which is right for boxes that it
// drew itself; here it goes by the cell that the box names.
func (p *commentPlace) remove(f *excelize.File, gone map[string]bool) error {
	if len(gone) == 0 {
		return nil
	}
	for cell := range gone { // the first by the library, which so reads the drawing
		if err := f.DeleteComment(p.sheet, cell); err != nil {
			return err
		}
		break
	}
	all, drawing := f.Comments[p.part], f.VMLDrawing[p.drawing]
	if all == nil || drawing == nil {
		return ErrBroken.New()
	}
	list := all.CommentList.Comment[:0]
	for _, c := range all.CommentList.Comment {
		if !gone[c.Ref] {
			list = append(list, c)
		}
	}
	all.CommentList.Comment = list
	shapes := drawing.Shape[:0]
	for _, s := range drawing.Shape {
		row, column := shapeRow.FindStringSubmatch(s.Val), shapeColumn.FindStringSubmatch(s.Val)
		if row != nil && column != nil {
			r, _ := strconv.Atoi(row[1])
			c, _ := strconv.Atoi(column[1])
			if gone[refOf(c+1, r+1)] {
				continue
			}
		}
		shapes = append(shapes, s)
	}
	drawing.Shape = shapes
	return nil
}

// sign names us as the author of the comment that was added last; the library takes the first author for every one whose
// name is there already.
func (p *commentPlace) sign(f *excelize.File) {
	if all := f.Comments[p.part]; all != nil && len(all.CommentList.Comment) > 0 {
		all.CommentList.Comment[len(all.CommentList.Comment)-1].AuthorID = max(slices.Index(all.Authors.Author, author), 0)
	}
}
