package roster

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"yinxin/ca/number"
	"yinxin/internal/fault"
)

// longest is how many characters a field may have. Names go into certificates (RFC 5280 appendix A.1: ub-common-name and
// ub-organization-name, 64).
var longest = [required]int{
	fieldName: 50, fieldUnit: 64, fieldSex: 10, fieldType: 30, fieldNumber: 40, fieldMobile: 30, fieldDuty: 60, fieldStatus: 20,
	fieldPurpose: 200, fieldSeal: 64,
}

// youngest is the age at which a person may be employed (劳动法 第十五条).
const youngest = 16

// fieldChecks are those of one field alone; the number of the document is checked after them, against type and sex.
func (c *check) fieldChecks() [required]func(string, *Person) *fault.Fault {
	return [required]func(string, *Person) *fault.Fault{
		fieldName: checkName, fieldUnit: c.checkUnit, fieldSex: checkSex, fieldMobile: checkMobile, fieldDuty: checkDuty,
		fieldStatus: checkStatus, fieldPurpose: checkPurpose, fieldSeal: c.checkSeal, fieldType: c.checkType,
	}
}

// person checks the cells of a row and adds the person if nothing is wrong.
func (c *check) person(l *line) {
	bad := false
	add := func(f field, why *fault.Fault, note bool) {
		v := c.value(l, f)
		column := c.header.column[f]
		if column == 0 {
			column = c.header.firstColumn()
		}
		if m := c.mergedAt(column, v.row); m != nil { // a comment shows only at the first of merged cells
			v.row = m.top
		}
		c.roster.Findings = append(c.roster.Findings, finding(why, c.roster.Sheet, v.row, column, f.label(), note))
	}
	refuse := func(f field, why *fault.Fault) { bad = true; add(f, why, false) }

	p := Person{Row: l.number}
	var typed [required]string
	for f := range required {
		s, why := c.read(l, f)
		if c.header.column[f] == 0 {
			bad = true // said once, at the header
		} else if why != nil {
			refuse(f, why)
		}
		typed[f] = s
	}
	for f, check := range c.checks {
		if typed[f] != "" && check != nil {
			if why := check(typed[f], &p); why != nil {
				refuse(field(f), why)
			}
		}
	}
	note := func(f field, why *fault.Fault) { add(f, why, true) }
	if typed[fieldNumber] != "" {
		c.checkNumber(typed[fieldNumber], &p, refuse, note)
	}
	c.checkCredit(l, refuse, note)
	c.twice(&p, refuse, note)
	if !bad {
		c.roster.Persons = append(c.roster.Persons, p)
	}
}

// read gives the text of a field, or why it has none that can be checked.
func (c *check) read(l *line, f field) (string, *fault.Fault) {
	cell := c.value(l, f).cell
	switch {
	case cell == nil || cell.kind == blank && !cell.formula:
		return "", ErrRequired.New()
	case cell.formula:
		return "", ErrFormula.New()
	case cell.kind == failed || cell.kind == logical:
		return "", ErrCellError.New()
	}
	s, lost := cell.plain()
	if lost || f == fieldNumber && scientific.MatchString(fold(s)) {
		return "", ErrNumberLost.New()
	}
	if utf8.RuneCountInString(s) > 4*longest[f] || utf8.RuneCountInString(tidy(s)) > longest[f] {
		return "", ErrTooLong.With("> %d", longest[f])
	}
	s = tidy(s)
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		return "", ErrCharacters.New()
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) { // "/", "—", "？"
		return "", ErrNoText.New()
	}
	return s, nil
}

func checkName(s string, p *Person) *fault.Fault {
	p.Name = strings.Map(func(r rune) rune {
		switch r {
		case '•', '‧', '・', '∙', '⋅', '･': // all of them are typed for the dot in the names of minorities
			return '·'
		}
		return r
	}, s)
	letters := 0
	for _, r := range p.Name {
		switch {
		case unicode.IsLetter(r):
			letters++
		case !strings.ContainsRune("· -.'’", r):
			letters = -1000
		}
	}
	if letters < 2 {
		p.Name = ""
		return ErrName.New()
	}
	return nil
}

func (c *check) checkUnit(s string, p *Person) *fault.Fault {
	p.Unit = s
	if c.expect.unit == "" {
		return nil
	}
	if fold(s) != c.expect.unit {
		return ErrUnitDiffers.With("%s", c.rules.Expect.Unit)
	}
	p.Unit = c.rules.Expect.Unit
	return nil
}

func (c *check) checkSeal(s string, p *Person) *fault.Fault {
	p.Seal = s
	if c.expect.seals == nil {
		return nil
	}
	as, ok := c.expect.seals[fold(s)]
	if !ok {
		return ErrSealDiffers.With("%s", strings.Join(c.rules.Expect.Seals[:min(len(c.rules.Expect.Seals), 5)], "、"))
	}
	p.Seal = as
	return nil
}

func (c *check) checkCredit(l *line, refuse, note func(field, *fault.Fault)) {
	v := c.value(l, fieldCredit)
	if v.cell == nil || v.cell.kind == blank && !v.cell.formula {
		return
	}
	s, lost := v.cell.plain()
	switch code := number.Normal(s); {
	case v.cell.formula:
		refuse(fieldCredit, ErrFormula.New())
	case lost:
		refuse(fieldCredit, ErrNumberLost.New())
	case c.expect.credit != "" && code != c.expect.credit:
		refuse(fieldCredit, ErrCreditDiffers.New())
	default:
		if f, wrong := fault.Of(number.CreditCode(code)); wrong {
			refuse(fieldCredit, f)
		} else if f, doubtful := fault.Of(number.DoubtCredit(code, c.rules.Regions)); doubtful {
			note(fieldCredit, f)
		}
	}
}

// coded splits a value such as “1-男” or "US01 － 生效" into code and name; either may be missing. Every dash counts.
func coded(s string) (code, name string) {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '‐', '‑', '–', '—', '−', '_', '.', '、', ':':
			return '-'
		}
		return r
	}, fold(s))
	code = strings.ToUpper(strings.TrimRight(s[:len(s)-len(strings.TrimLeft(s, asciiWord))], "-"))
	return code, strings.Trim(s[len(s)-len(strings.TrimLeft(s, asciiWord)):], "-()")
}

const asciiWord = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"

func checkSex(s string, p *Person) *fault.Fault {
	code, name := coded(s)
	switch {
	case (code == "1" || code == "") && (name == "男" || name == "男性"), code == "1" && name == "":
		p.Sex = number.Male
	case (code == "2" || code == "") && (name == "女" || name == "女性"), code == "2" && name == "":
		p.Sex = number.Female
	default:
		return ErrSex.New()
	}
	return nil
}

func checkStatus(s string, p *Person) *fault.Fault {
	code, name := coded(s)
	switch {
	case (code == "US01" || code == "") && name == "生效", code == "US01" && name == "":
		p.Status = InForce
	case (code == "US02" || code == "") && name == "失效", code == "US02" && name == "":
		p.Status = Withdrawn
	default:
		return ErrStatus.New()
	}
	return nil
}

// residentCard is 居民身份证 in GA/T 517.
const residentCard = "111"

func (c *check) checkType(s string, p *Person) *fault.Fault {
	code, name := coded(s)
	switch {
	case (code == residentCard || code == "") && (name == "居民身份证" || name == "身份证"), code == residentCard && name == "":
		p.DocumentType = residentCard
		return nil
	}
	for accepted, label := range c.rules.DocumentTypes {
		if code == accepted && (name == "" || name == fold(label)) || code == "" && name == fold(label) {
			p.DocumentType = accepted
			return nil
		}
	}
	return ErrDocumentType.New()
}

// unquoted drops the apostrophe by which people make a number text, where it became part of the text when it was copied.
func unquoted(s string) string { return strings.TrimLeft(s, "'’‘`＇") }

func checkMobile(s string, p *Person) *fault.Fault {
	mobile := number.NormalMobile(unquoted(s))
	if f, wrong := fault.Of(number.Mobile(mobile)); wrong {
		return f
	}
	p.Mobile = mobile
	return nil
}

func checkDuty(s string, p *Person) *fault.Fault    { p.Duty = s; return nil }
func checkPurpose(s string, p *Person) *fault.Fault { p.Purpose = s; return nil }

// checkNumber checks the number of the document: an identity number with all that it says; another document's only for
// its form.
func (c *check) checkNumber(s string, p *Person, refuse, note func(field, *fault.Fault)) {
	text := number.Normal(unquoted(s))
	if p.DocumentType != residentCard && p.DocumentType != "" {
		if len(text) < 5 || len(text) > 32 || strings.Trim(text, asciiWord) != "" {
			refuse(fieldNumber, ErrDocumentNumber.New())
			return
		}
		p.Number = text
		return
	}
	bearer, err := number.Identity(text, c.expect.today)
	if f, wrong := fault.Of(err); wrong {
		refuse(fieldNumber, f)
		return
	}
	p.Number = text
	if f, doubtful := fault.Of(number.DoubtIdentity(text, c.rules.Regions)); doubtful {
		note(fieldNumber, f)
	}
	if p.Sex != 0 && p.Sex != bearer.Sex {
		refuse(fieldSex, ErrSexDiffers.New())
	}
	if bearer.Age(c.expect.today) < youngest {
		refuse(fieldNumber, ErrAge.New())
	}
}
