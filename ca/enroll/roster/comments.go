package roster

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

const (
	// author and marker tell our comments from people's in the next round.
	author = "印信"
	marker = "【核对】"
	// maxComments is how many cells get a comment; the others are still marked and in the summary. Spreadsheet programs
	// become slow beyond it.
	maxComments = 20_000
)

// mark is a cell to be marked.
type mark struct {
	row, column int
	shade       shade
	text        string // of the comment: a line per finding
}

// comment is one that the sheet has already.
type comment struct {
	span
	author     int
	inner      [2]int // content of its text element
	row        int
	column     int
	plainChild bool // the text is a t element, not runs
}

// commentPart is the comments part of a sheet (ECMA-376-1, 18.7).
type commentPart struct {
	data     []byte
	prefix   string
	authors  *container
	list     *container
	ourID    int
	names    []string
	comments []comment
}

func emptyComments(strict bool) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" +
		`<comments xmlns="` + mainNamespace(strict) + `"><authors></authors><commentList></commentList></comments>`)
}

func readComments(data []byte) (*commentPart, error) {
	prefix, found, err := containers(data, "authors", "commentList")
	if err != nil {
		return nil, err
	}
	p := &commentPart{data: data, prefix: prefix, authors: found["authors"], list: found["commentList"], ourID: -1}
	if p.authors == nil || p.list == nil || len(p.list.items) > maxCells {
		return nil, ErrBroken.New()
	}
	s := scan(bytes.NewReader(data))
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		e, ok := token.(xml.StartElement)
		switch {
		case ok && s.own(e.Name) == "author":
			name, err := s.all()
			if err != nil {
				return nil, err
			}
			if name == author {
				p.ourID = len(p.names)
			}
			p.names = append(p.names, name)
		case ok && s.own(e.Name) == "comment":
			if err := p.take(s, e); err != nil {
				return nil, err
			}
		}
	}
}

// all reads to the end of the element just started and gives its text.
func (s *scanner) all() (string, error) {
	var b strings.Builder
	depth := s.depth()
	for {
		token, err := s.next()
		if err != nil {
			return "", asBroken(err)
		}
		switch t := token.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.EndElement:
			if s.depth() < depth {
				return b.String(), nil
			}
		}
	}
}

func (p *commentPart) take(s *scanner, e xml.StartElement) error {
	c := comment{span: span{start: int(s.start), tagEnd: int(s.end)}}
	c.column, c.row, _ = cellOf(attr(e, "ref"))
	c.author, _ = strconv.Atoi(attr(e, "authorId"))
	depth := s.depth()
	for {
		token, err := s.next()
		if err != nil {
			return asBroken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch name := s.own(t.Name); {
			case name == "text" && s.depth() == depth+1:
				c.inner = [2]int{int(s.end), int(s.end)}
			case name == "t" && s.depth() == depth+2:
				c.plainChild = true
			}
		case xml.EndElement:
			if s.own(t.Name) == "text" && s.depth() == depth {
				c.inner[1] = max(int(s.start), c.inner[0])
			}
			if s.depth() < depth {
				c.end = int(s.end)
				p.comments = append(p.comments, c)
				return nil
			}
		}
	}
}

// merge writes the marks into the comments: a cell that has a comment keeps it and gets ours after it; what we said in an
// earlier round goes. fresh are the marks that have a new comment, gone the cells whose comment was only ours.
func (p *commentPart) merge(marks []mark) (data []byte, fresh []mark, gone map[[2]int]bool) {
	byCell := map[[2]int]*mark{}
	for i := range marks {
		byCell[[2]int{marks[i].row, marks[i].column}] = &marks[i]
	}
	gone = map[[2]int]bool{}
	var edits []edit
	for _, c := range p.comments {
		at := [2]int{c.row, c.column}
		m := byCell[at]
		inner := p.data[c.inner[0]:c.inner[1]]
		kept := p.withoutOurs(inner)
		switch {
		case len(kept) != len(inner) && !hasText(kept):
			gone[at] = true
			edits = append(edits, edit{c.start, c.end, ""})
			continue // if the cell is still wrong it gets a new one
		case m != nil:
			text := string(kept)
			if c.plainChild {
				text = "<" + p.prefix + "r>" + text + "</" + p.prefix + "r>"
			}
			edits = append(edits, edit{c.inner[0], c.inner[1], text + p.run("\n"+m.text)})
			delete(byCell, at)
		case len(kept) != len(inner):
			edits = append(edits, edit{c.inner[0], c.inner[1], string(kept)})
		}
	}
	for i := range marks {
		if byCell[[2]int{marks[i].row, marks[i].column}] != nil && len(fresh) < maxComments {
			fresh = append(fresh, marks[i])
		}
	}
	return p.write(edits, fresh), fresh, gone
}

func (p *commentPart) write(edits []edit, fresh []mark) []byte {
	if len(fresh) > 0 {
		id := p.ourID
		if id < 0 {
			id = len(p.names)
			edits = append(edits, p.authors.insert(p.data, p.prefix, "authors", "<"+p.prefix+"author>"+author+"</"+p.prefix+"author>", "")...)
		}
		var b strings.Builder
		for _, m := range fresh {
			fmt.Fprintf(&b, `<%[1]scomment ref="%[2]s" authorId="%[3]d"><%[1]stext>%[4]s</%[1]stext></%[1]scomment>`, p.prefix, refOf(m.column, m.row), id, p.run(m.text))
		}
		edits = append(edits, p.list.insert(p.data, p.prefix, "commentList", b.String(), "")...)
	}
	return apply(p.data, edits)
}

func (p *commentPart) run(text string) string {
	return "<" + p.prefix + "r><" + p.prefix + `t xml:space="preserve">` + escape(text) + "</" + p.prefix + "t></" + p.prefix + "r>"
}

// withoutOurs takes what we wrote out of the content of a text element: all from the marker on, since ours comes last.
// Programs divide a text into runs as they like, so that the marker's run may not be the only one.
func (p *commentPart) withoutOurs(inner []byte) []byte {
	i := bytes.Index(inner, []byte(marker))
	if i < 0 {
		return inner
	}
	length := bytes.IndexByte(inner[i:], '<')
	if length < 0 {
		return nil // not well formed; containers has refused that
	}
	closing := "</" + p.prefix + "r>"
	last := inner[i+length:]
	if end := bytes.Index(last, []byte(closing)); end >= 0 {
		last = last[:end+len(closing)]
	}
	return append(bytes.TrimRight(inner[:i:i], " \t\r\n"), last...)
}

var tags = regexp.MustCompile(`<[^>]*>`)

func hasText(inner []byte) bool {
	return len(bytes.TrimSpace(tags.ReplaceAll(inner, nil))) > 0
}

const emptyDrawing = `<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel">` +
	`<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout>` +
	`<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>` +
	`</xml>`

var (
	shapeID     = regexp.MustCompile(`_x0000_s([0-9]{1,7})`)
	shapeRow    = regexp.MustCompile(`<x:Row>\s*([0-9]{1,7})\s*</x:Row>`)
	shapeColumn = regexp.MustCompile(`<x:Column>\s*([0-9]{1,5})\s*</x:Column>`)
)

// drawComments adds the boxes of new comments to a legacy drawing and takes out those that are gone (ECMA-376-4, 19.4).
// Drawings are read as bytes, since Excel writes some that are no XML.
func drawComments(data []byte, fresh []mark, gone map[[2]int]bool) ([]byte, error) {
	closing := bytes.LastIndex(data, []byte("</xml>"))
	if closing < 0 {
		return nil, ErrBroken.New()
	}
	next := 1024
	for _, m := range shapeID.FindAllSubmatch(data, -1) {
		if n, _ := strconv.Atoi(string(m[1])); n > next {
			next = n
		}
	}
	var edits []edit
	for at := 0; len(gone) > 0; {
		start := bytes.Index(data[at:], []byte("<v:shape "))
		if start < 0 {
			break
		}
		start += at
		length := bytes.Index(data[start:], []byte("</v:shape>"))
		if length < 0 {
			break
		}
		at = start + length + len("</v:shape>")
		row, column := shapeRow.FindSubmatch(data[start:at]), shapeColumn.FindSubmatch(data[start:at])
		if row == nil || column == nil {
			continue
		}
		r, _ := strconv.Atoi(string(row[1]))
		c, _ := strconv.Atoi(string(column[1]))
		if gone[[2]int{r + 1, c + 1}] && at <= closing {
			edits = append(edits, edit{start, at, ""})
		}
	}
	var b strings.Builder
	for i, m := range fresh {
		height := 2 + 2*strings.Count(m.text, "\n") + len([]rune(m.text))/24
		fmt.Fprintf(&b, `<v:shape id="_x0000_s%d" type="#_x0000_t202" style="position:absolute;margin-left:60pt;margin-top:2pt;width:220pt;height:%dpt;z-index:%d;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">`+
			`<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>`+
			`<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>%d, 15, %d, 2, %d, 15, %d, 4</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>%d</x:Row><x:Column>%d</x:Column></x:ClientData></v:shape>`,
			next+1+i, 15*(height+1), i+1, m.column, max(m.row-2, 0), m.column+3, max(m.row-2, 0)+height+1, m.row-1, m.column-1)
	}
	edits = append(edits, edit{closing, closing, b.String()})
	return apply(data, edits), nil
}
