package issuance

import (
	"bytes"
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"rsc.io/qr"

	"yinxin/internal/civil"
	"yinxin/internal/paper"
)

// The note (证明页) in points: A4, a frame, a table, and room for a seal of 45 mm over name and date.
const (
	noteLeft, noteRight = 68.0, paper.A4Width - 68
	noteTop             = paper.A4Height - 92
	tableRow            = 30.0
	tableNames          = 92.0
	textSize            = 12.0
	qrSide              = 96.0
	// sealX and sealY are where the middle of the seal stands, from the left and the bottom of the page.
	sealX, sealY = noteRight - 100, 236.0
	// footTop is where the foot begins: seal and QR code stand below.
	footTop = 305.0
)

const pointsPerMM = 72 / 25.4

var (
	inkColour   = color.RGBA{0x1c, 0x1f, 0x23, 255}
	lineColour  = color.RGBA{0x8a, 0x90, 0x98, 255}
	frameColour = color.RGBA{0xb0, 0x2a, 0x22, 255}
	nameColour  = color.RGBA{0x4a, 0x50, 0x58, 255}
	shadeColour = color.RGBA{0xf4, 0xf5, 0xf7, 255}
)

const noteTitle = "档案复制件出具证明"

// entries are the rows of the table: one value over the whole width, or two side by side.
func (c sheetContent) entries() [][]string {
	r := c.Reference
	return [][]string{
		{"出证编号", c.Number, "业务编号", c.Case},
		{"保管单位", c.Holding},
		{"接收单位", c.Receiving},
		{"申请人", c.Applicant, "证件号码", c.Identity},
		{"用途", c.Purpose},
		{"档号", r.Number},
		{"全宗号", r.Fonds, "案卷号", orDash(r.File)},
		{"件号", orDash(r.Item), "页数", strconv.Itoa(r.Pages) + " 页"},
	}
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

func (c sheetContent) sentence() string {
	return fmt.Sprintf("兹证明：本文件所附档案复制件共 %d 页，系由%s从本馆所藏档案（档号：%s）复制，与馆藏档案内容一致，经%s转交申请人。",
		c.Reference.Pages, c.Holding, c.Reference.Number, c.Receiving)
}

// hints are what whoever holds the paper should know.
var hints = []string{
	"1. 本证明与所附复制件为一个整体，加盖骑缝章，拆开、缺页或涂改无效。",
	"2. 电子文件请用原始 PDF 验证电子印章；纸质件请扫描二维码，或凭验证码查询，并逐页比对。",
	"3. 查看复制件页面须同时提供验证码和出证日期。本证明仅供所列用途使用。",
}

// note draws the note; address is what the QR code holds.
func note(font []byte, c sheetContent, code, address string) ([]byte, error) {
	texts := []string{noteTitle, c.sentence(), c.Holding, dayInWords(c.Day), "验证码" + codeAlphabet + "-"}
	texts = append(texts, hints...)
	for _, row := range c.entries() {
		texts = append(texts, row...)
	}
	face, err := paper.NewFace(font, texts)
	if err != nil {
		return nil, err
	}
	d, n := drawn(face, c)
	if err := n.foot(c, code, address); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = d.Write(&out, paper.Meta{Title: noteTitle, Language: "zh-CN"})
	return out.Bytes(), err
}

// drawn draws heading and table, as large as leaves room for the foot: names may be long.
func drawn(face *paper.Face, c sheetContent) (*paper.Document, *notePage) {
	for scale := 1.0; ; scale *= 0.92 {
		d := paper.NewDocument(face)
		n := &notePage{Page: d.Add(paper.A4Width, paper.A4Height), face: face, scale: scale}
		n.heading(c)
		n.table(c.entries())
		if n.y >= footTop || scale < 0.4 {
			return d, n
		}
	}
}

type notePage struct {
	*paper.Page
	face *paper.Face
	// scale is how large text is, 1 where there is room.
	scale float64
	y     float64 // where the next thing stands
}

func (n *notePage) heading(c sheetContent) {
	n.Frame(42, 42, paper.A4Width-84, paper.A4Height-84, 1.4, frameColour)
	n.Frame(46, 46, paper.A4Width-92, paper.A4Height-92, 0.5, frameColour)
	const size = 24.0
	width := n.face.Width(noteTitle, size) + 6*float64(len([]rune(noteTitle))-1)
	x := (paper.A4Width - width) / 2
	n.y = noteTop - size
	for _, r := range noteTitle { // spaced, as titles of documents are
		n.Text(x, n.y, size, inkColour, string(r), true)
		x += n.face.Width(string(r), size) + 6
	}
	n.y -= 18
	n.Fill((paper.A4Width-180)/2, n.y, 180, 1.2, frameColour)
	n.y -= 30
	n.paragraph(c.sentence(), textSize*n.scale, 21*n.scale)
	n.y -= 8
}

// paragraph writes a sentence with its first line indented by two characters.
func (n *notePage) paragraph(s string, size, leading float64) {
	for i, line := range n.face.Wrap("　　"+s, size, noteRight-noteLeft) {
		if i == 0 {
			line = strings.TrimLeft(line, "　")
			n.Text(noteLeft+2*size, n.y, size, inkColour, line, false)
		} else {
			n.Text(noteLeft, n.y, size, inkColour, line, false)
		}
		n.y -= leading
	}
}

func (n *notePage) table(rows [][]string) {
	top, size, leading := n.y, (textSize-1)*n.scale, 15*n.scale
	for _, r := range rows {
		lines := 1
		width := (noteRight - noteLeft) / float64(len(r)/2)
		for i := 1; i < len(r); i += 2 {
			lines = max(lines, len(n.face.Wrap(r[i], size, width-tableNames-16)))
		}
		height := tableRow*n.scale + float64(lines-1)*leading
		for i := 0; i < len(r); i += 2 {
			x := noteLeft + width*float64(i/2)
			n.Fill(x, n.y-height, tableNames, height, shadeColour)
			n.Frame(x, n.y-height, tableNames, height, 0.6, lineColour)
			n.Frame(x+tableNames, n.y-height, width-tableNames, height, 0.6, lineColour)
			n.Text(x+(tableNames-n.face.Width(r[i], size))/2, n.y-height/2-0.36*size, size, nameColour, r[i], false)
			for k, line := range n.face.Wrap(r[i+1], size, width-tableNames-16) {
				n.Text(x+tableNames+8, n.y-19*n.scale-leading*float64(k), size, inkColour, line, false)
			}
		}
		n.y -= height
	}
	n.Frame(noteLeft, n.y, noteRight-noteLeft, top-n.y, 1.2, inkColour)
}

// foot draws the QR code with the verification code, the place of the seal, and the hints.
func (n *notePage) foot(c sheetContent, code, address string) error {
	q, err := qr.Encode(address, qr.M)
	if err != nil {
		return err
	}
	bottom := sealY - qrSide/2 + 8
	n.Squares(noteLeft+8, bottom, qrSide, q.Size, q.Black, paper.Black)
	n.Text(noteLeft+8, bottom-17, 10, nameColour, "验证码", false)
	n.Text(noteLeft+8, bottom-33, 11.5, inkColour, grouped(code), true)
	middle := func(y, size float64, s string) {
		n.Text(sealX-n.face.Width(s, size)/2, y, size, inkColour, s, false)
	}
	// The seal stands over name and date (GB/T 9704-2012, 7.3.5.1).
	size := 13.0
	for size > 4 && len(n.face.Wrap(c.Holding, size, 210)) > 2 {
		size *= 0.9
	}
	for i, line := range n.face.Wrap(c.Holding, size, 210) {
		middle(sealY+8-1.4*size*float64(i), size, line)
	}
	middle(sealY-30, 13, dayInWords(c.Day))
	n.y = 146
	n.Fill(noteLeft, n.y, noteRight-noteLeft, 0.6, lineColour)
	n.y -= 17
	for _, h := range hints {
		for _, line := range n.face.Wrap(h, 9.5, noteRight-noteLeft) {
			n.Text(noteLeft, n.y, 9.5, nameColour, line, false)
			n.y -= 15.5
		}
	}
	return nil
}

// dayInWords writes a day as documents do: 2026年11月26日.
func dayInWords(day string) string {
	t, err := civil.ParseDay(day)
	if err != nil {
		return day
	}
	return t.In(civil.China).Format("2006年1月2日")
}
