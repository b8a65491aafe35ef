package form

import (
	"io"
	"slices"
	"strings"
	"time"

	"rsc.io/qr"

	"yinxin/internal/fault"
	"yinxin/internal/paper"
)

// Draw writes the form as a PDF of one page of A4, to be printed, stamped and signed. What is not filled in stays empty: the
// zero Application gives the form to look at. Font is a TrueType font with Chinese characters (truetype.Find). The file
// holds personal data in full, as the paper does. Errors: form.no-glyph, which names the characters that the font
// lacks; form.does-not-fit; form.number; those of package truetype; those of w.
func Draw(w io.Writer, a Application, font []byte) error {
	a = a.Tidied()
	if a.Number != "" && !ValidNumber(a.Number) {
		return errNumber.At(fault.Field("number"))
	}
	s := &sheet{a: a}
	face, err := paper.NewFace(font, s.allTexts())
	if err != nil {
		return err
	}
	if missing := face.Missing(); len(missing) > 0 {
		return errNoGlyph.With("%s", string(missing))
	}
	document := paper.NewDocument(face)
	s.face, s.page = face, document.Add(paper.A4Width, paper.A4Height)
	s.draw()
	if s.failed != nil {
		return s.failed
	}
	return document.Write(w, paper.Meta{Title: strings.TrimSpace(title + " " + a.Number), Language: "zh-CN", TrueSize: true})
}

// The printed words that are no labels.
const (
	title       = "机构印章证书申请表"
	annex       = "附件1"
	numberBlank = "＿＿＿＿＿＿＿＿（由系统给出）"
	notes       = "填表说明：1. 带 * 的为必填项。本表在系统中填写后打印，仅经办人签字须手写。2. 请在印模1、印模2 框内各加盖一次实物印章；印模应端正，图文和边缘完整、" +
		"清晰可辨，印油不过淡、不洇散，不得用扫描件或图片代替。3. 印章名称须与印模文字完全一致，申请单位名称须与所盖单位公章一致。4. 打印时请选“实际大小”，不要缩放；请勿遮盖二维码和四角的方块。"
	handwritten = "（须手写）"
	noImprint   = "（本业务不采集印模）"
	mayImprint  = "（印章文字不变的，不采集印模）"
)

// mandate is the text of 授权声明. The authority ends when the business is done.
func (a Application) mandate() string {
	name, identity := a.Handler.Name, a.Personal.HandlerIdentity
	if name == "" {
		name = "＿＿＿＿＿＿"
	}
	if identity == "" {
		identity = "＿＿＿＿＿＿＿＿＿＿＿＿"
	}
	return "兹授权本单位经办人" + name + "（身份证号：" + identity + "）办理本表所列的机构印章证书业务。经办人为此签署的文件和提交的材料，本单位均予承认。" +
		"授权自本表盖章之日起生效，至本次业务办结时终止。"
}

// date is the day as the form writes it.
func (a Application) date() string {
	if day, err := time.Parse(time.DateOnly, a.AppliedOn); err == nil {
		return day.Format("2006 年 1 月 2 日")
	}
	return "　　　年　　月　　日"
}

func (a Application) number() string {
	if a.Number == "" {
		return labelNumber + "：" + numberBlank
	}
	return labelNumber + "：" + a.Number
}

func (a Application) consent() string {
	if a.Agreement.Version == "" {
		return labelConsent
	}
	return labelConsent + "（版本：" + a.Agreement.Version + "）"
}

func (a Application) keyHolder() string {
	if a.Personal.KeyHolderIdentity == "" {
		return a.Key.Holder
	}
	return a.Key.Holder + " " + a.Personal.KeyHolderIdentity
}

// aboutImprints is said in the imprint boxes where none is asked for.
func (a Application) aboutImprints() string {
	switch {
	case a.NeedsImprint() || len(a.Businesses) == 0:
		return ""
	case a.Has(OrganisationChange):
		return mayImprint
	}
	return noImprint
}

// allTexts is every text that stands on the page.
func (s *sheet) allTexts() []string {
	all := []string{title, annex, notes, handwritten, noImprint, mayImprint, labelUnitSeal, labelSignature, labelAppliedOn, labelImprint1, labelImprint2,
		labelSealName, labelSize, s.a.mandate(), s.a.date(), s.a.number(), s.a.consent(), s.a.keyHolder(), s.a.Seal.Name, s.a.Seal.Size.String()}
	for _, r := range s.rows() {
		for _, c := range r.cells {
			all = append(all, c.text, "*")
			for _, b := range c.choices {
				all = append(all, b.label, b.text)
			}
		}
	}
	return all
}

// row is one row of the table, cell one part of it: a label, a text, or choices with their boxes.
type row struct {
	height float64
	cells  []cell
}

type cell struct {
	width   float64
	label   bool
	text    string
	choices []choice
}

// choice is a box with its label, ticked or not; one that asks for a text has a line for it.
type choice struct {
	ticked bool
	label  string
	lined  bool
	text   string
}

func choicesOf[T ~string](options []option[T], other T, text string, chosen ...T) []choice {
	var all []choice
	for _, o := range options {
		c := choice{ticked: slices.Contains(chosen, o.value), label: o.label}
		if other != "" && o.value == other {
			c.label, c.lined = o.label+"：", true
			if c.ticked {
				c.text = text
			}
		}
		all = append(all, c)
	}
	return all
}

// rows are the rows of the table above the stamp, from the top.
func (s *sheet) rows() []row {
	a := s.a
	label := func(star, text string) cell { return cell{width: labelWidth, label: true, text: star + text} }
	full := func(height float64, star, name, value string) row {
		return row{height, []cell{label(star, name), {width: tableWidth - labelWidth, text: value}}}
	}
	pick := func(height float64, name string, choices []choice) row {
		return row{height, []cell{label("*", name), {width: tableWidth - labelWidth, choices: choices}}}
	}
	return []row{
		pick(sealTypeHeight, labelSealType, choicesOf(sealTypes, SealOther, a.SealTypeOther, a.SealType)),
		pick(rowHeight, labelBusiness, choicesOf(businesses, "", "", a.Businesses...)),
		full(rowHeight, "", labelFormerName, a.FormerName),
		{rowHeight, []cell{label("", labelSealCode), {width: 28, text: a.Seal.Code}, {width: 18, label: true, text: labelKeyHolder}, {width: 50, text: a.keyHolder()},
			{width: 18, label: true, text: labelKeySerial}, {width: 26, text: a.Key.Serial}}},
		pick(rowHeight, labelScope, choicesOf(scopes, "", "", a.Scopes...)),
		pick(rowHeight, labelMethod, choicesOf(methods, "", "", a.Methods...)),
		full(rowHeight, "*", labelUnitName, a.Unit.Name),
		pick(rowHeight, labelUnitType, choicesOf(unitTypes, UnitOther, a.Unit.TypeOther, a.Unit.Type)),
		full(rowHeight, "*", labelApprover, a.Approver),
		full(purposeHeight, "*", labelPurpose, a.Purpose),
		full(rowHeight, "*", labelCreditCode, a.Unit.CreditCode),
		{rowHeight, []cell{label("*", labelPhone), {width: 36, text: a.Unit.Phone}, {width: 20, label: true, text: "*" + labelAddress}, {width: 84, text: a.Unit.Address}}},
		full(mandateHeight, "*", labelMandate, a.mandate()),
		{rowHeight, []cell{label("", labelMobile), {width: 36, text: a.Personal.HandlerMobile}, {width: 26, label: true, text: labelEmail}, {width: 78, text: a.Handler.Email}}},
		full(rowHeight, "", labelPostal, a.Handler.Address),
	}
}

// sheet draws the page. Lengths are millimetres from the upper left corner.
type sheet struct {
	a      Application
	face   *paper.Face
	page   *paper.Page
	failed error
}

// The sizes of letters and lines.
const (
	textSize  = 3.5 // 10 points
	smallest  = 2.0 // to which a long value may shrink: what still can be read
	leading   = 1.3 // from line to line, in sizes
	thinLine  = 0.2
	thickLine = 0.45
	inset     = 1.5
)

const pointsPerMM = 72 / 25.4

func (s *sheet) draw() {
	s.text(tableLeft, 15, 3.2, annex, false)
	s.centred(sheetWidth/2, 22.5, 6.4, title)
	s.text(tableLeft, 31.5, 3.4, s.a.number(), false)
	s.registration()
	y := tableTop
	for _, r := range s.rows() {
		x := tableLeft
		for _, c := range r.cells {
			s.cell(Box{x, y, c.width, r.height}, c)
			x += c.width
		}
		y += r.height
	}
	s.consent(Box{tableLeft, y, tableWidth, rowHeight})
	s.stamps()
	s.imprints()
	s.frame(Box{tableLeft, tableTop, tableWidth, tableBottom - tableTop}, thickLine)
	s.block(Box{tableLeft - inset, tableBottom + 0.5, tableWidth + 2*inset, 11}, 2.7, notes, false)
}

// registration draws the QR code and the squares in the corners.
func (s *sheet) registration() {
	for _, m := range marks {
		s.fill(Box{m.X - markSide/2, m.Y - markSide/2, markSide, markSide})
	}
	if s.a.Number == "" {
		return
	}
	// Level Q: a quarter of the code may be covered or creased. 42 characters at most take 29 × 29 modules.
	code, err := qr.Encode(codeText(s.a.Number), qr.Q)
	if err != nil {
		s.failed = errNumber.Because(err)
		return
	}
	b := codeBox
	s.page.Squares(b.X*pointsPerMM, paper.A4Height-(b.Y+b.Height)*pointsPerMM, b.Width*pointsPerMM, code.Size, code.Black, paper.Black)
}

func (s *sheet) consent(b Box) {
	s.frame(b, thinLine)
	s.choices(b, []choice{{ticked: s.a.Agreement.Accepted, label: s.a.consent()}})
}

// stamps draws the row for the unit's seal, the handler's signature and the date.
func (s *sheet) stamps() {
	x := tableLeft
	for i, width := range []float64{unitSealWidth, signatureWidth, dateWidth} {
		b := Box{x, stampTop, width, stampHeight}
		s.frame(b, thinLine)
		switch i {
		case 0:
			s.text(b.X+inset, b.Y+4.5, textSize, labelUnitSeal, false)
		case 1:
			s.text(b.X+inset, b.Y+4.5, textSize, labelSignature, false)
			s.text(b.X+inset, b.Y+9.2, 2.9, handwritten, false)
		case 2:
			s.text(b.X+inset, b.Y+4.5, textSize, labelAppliedOn, false)
			s.centred(b.X+b.Width/2, b.Y+b.Height/2+1.2, textSize, s.a.date())
		}
		x += width
	}
}

// imprints draws name and size of the seal and the two boxes.
func (s *sheet) imprints() {
	x := tableLeft
	for _, c := range []cell{{width: sealNameLabel, label: true, text: "*" + labelSealName}, {width: sealNameWidth, text: s.a.Seal.Name},
		{width: sizeLabelWidth, label: true, text: "*" + labelSize}, {width: sizeWidth, text: s.a.Seal.Size.String()}} {
		s.cell(Box{x, imprintTop - nameHeight, c.width, nameHeight}, c)
		x += c.width
	}
	for i, b := range imprints {
		s.frame(b, thinLine)
		s.text(b.X+inset, b.Y+4.5, textSize, []string{labelImprint1, labelImprint2}[i], false)
		if about := s.a.aboutImprints(); about != "" {
			s.text(b.X+inset+12, b.Y+4.4, 2.9, about, false)
		}
	}
}

func (s *sheet) cell(b Box, c cell) {
	s.frame(b, thinLine)
	if len(c.choices) > 0 {
		s.choices(b, c.choices)
		return
	}
	s.block(b, textSize, c.text, c.label)
}
