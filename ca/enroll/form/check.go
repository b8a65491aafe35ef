package form

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"yinxin/ca/number"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

// Circumstances are what Check has to know besides the form.
type Circumstances struct {
	Today      time.Time // when the form is judged
	Agreements []string  // the versions that may be agreed to; empty: any
	Existing   *Existing // what the register says of Seal.Code; nil: not asked
	Regions    []string  // beginnings of region codes that are known beside GB/T 2260
	Original   *Reading  // what a person saw on the original paper; nil: it was not looked at
}

// Existing is the seal of the register with the code that the form names.
type Existing struct {
	Unit string // the holder's name
	Name string // the text of the seal
	Type SealType
}

// Reading is what an officer reads off the stamped original, without looking at the data.
type Reading struct {
	StampedUnit string `json:"stampedUnit"` // the name in the ring of 申办单位公章
	ImprintText string `json:"imprintText"` // the text of the imprints; empty where none are asked for
	Measured    Size   `json:"measured"`    // the size of the imprint; zero: not measured
	Centre      Centre `json:"centre"`      // what the imprint has in its middle; empty: not noted
}

// Check judges a form by every rule that it carries: what must be there for its business, what the numbers say, which
// names must be equal, and sizes against 国发〔1999〕25号. Findings come in the order of the form. An empty result lets the
// form pass.
func Check(a Application, c Circumstances) []Finding {
	k := &checker{a: a.Tidied(), c: c}
	k.businesses()
	k.choices()
	k.required()
	k.notAsked()
	k.numbers()
	k.contact()
	k.agreement()
	k.names()
	k.size()
	k.existing()
	k.original()
	slices.SortStableFunc(k.findings, func(x, y Finding) int { return place(x.Field) - place(y.Field) })
	return k.findings
}

// businesses: one of them, or 机构变更 and 印模变更 on one form.
func (k *checker) businesses() {
	b := k.a.Businesses
	switch {
	case len(b) == 0:
		k.wrong("businesses", errRequired)
	case slices.ContainsFunc(b, func(b Business) bool { return b.Label() == "" }):
		k.wrong("businesses", errChoice)
	case len(b) > 1 && !slices.Equal(b, []Business{OrganisationChange, ImprintChange}):
		k.wrong("businesses", errCombination)
	}
	if k.a.ConcernsKey() && !slices.Contains(k.a.Methods, Distributed) {
		k.wrong("methods", errKeyCentral)
	}
}

func (k *checker) choices() {
	choice := func(member string, value, label string) {
		switch {
		case value == "":
			k.wrong(member, errRequired)
		case label == "":
			k.wrong(member, errChoice)
		}
	}
	choice("sealType", string(k.a.SealType), k.a.SealType.Label())
	choice("unit.type", string(k.a.Unit.Type), k.a.Unit.Type.Label())
	if len(k.a.Scopes) == 0 {
		k.wrong("scopes", errRequired)
	} else if slices.ContainsFunc(k.a.Scopes, func(s Scope) bool { return s.Label() == "" }) {
		k.wrong("scopes", errChoice)
	}
	if len(k.a.Methods) == 0 {
		k.wrong("methods", errRequired)
	} else if slices.ContainsFunc(k.a.Methods, func(m Method) bool { return m.Label() == "" }) {
		k.wrong("methods", errChoice)
	}
}

// asked says of each text whether the form must, may or must not have it.
type asked uint8

const (
	may asked = iota
	must
	mustNot
)

func when(condition bool) asked {
	if condition {
		return must
	}
	return mustNot
}

// asks is the table of the texts by business. What is not in it may be there or not: 经办人电话, 邮箱 and 收件地址 carry no
// star on the form.
func (k *checker) asks() map[string]asked {
	a := k.a
	serial := when(a.Has(KeyUnlock))
	if a.Has(KeyReplacement) {
		serial = may // a lost Key cannot be read
	}
	return map[string]asked{
		"number": must, "unit.name": must, "unit.creditCode": must, "unit.phone": must, "unit.address": must, "approver": must, "purpose": must,
		"handler.name": must, "personal.handlerIdentity": must, "appliedOn": must, "seal.name": must,
		"sealTypeOther":              when(a.SealType == SealOther),
		"unit.typeOther":             when(a.Unit.Type == UnitOther),
		"formerName":                 when(a.Has(OrganisationChange)),
		"seal.code":                  when(a.ConcernsSeal()),
		"key.holder":                 when(a.ConcernsKey()),
		"personal.keyHolderIdentity": when(a.ConcernsKey()),
		"key.serial":                 serial,
	}
}

func (k *checker) required() {
	asks := k.asks()
	for _, t := range k.a.texts() {
		if asks[t.member] == must && *t.value == "" {
			k.wrong(t.member, errRequired)
		}
		if !visible(*t.value, t.most) {
			k.add(Error, t.member, errBadText.With("≤ %d", t.most))
		}
	}
	if k.a.Seal.Size == (Size{}) {
		k.wrong("seal.size", errRequired)
	}
}

// notAsked finds what is filled in although the business does not ask for it: one of the two is a mistake.
func (k *checker) notAsked() {
	asks := k.asks()
	for _, t := range k.a.texts() {
		if asks[t.member] == mustNot && *t.value != "" {
			k.wrong(t.member, errNotAsked)
		}
	}
}

func (k *checker) numbers() {
	if n := k.a.Number; n != "" && !ValidNumber(n) {
		k.wrong("number", errNumber)
	}
	if code := k.a.Unit.CreditCode; code != "" {
		err := number.CreditCode(code)
		k.number("unit.creditCode", err)
		if err == nil {
			k.doubt("unit.creditCode", number.DoubtCredit(code, k.c.Regions))
		}
		if err == nil && k.otherKind(code) {
			k.questionable("unit.type", errUnitKind)
		}
	}
	k.identity("personal.handlerIdentity", k.a.Personal.HandlerIdentity)
	k.identity("personal.keyHolderIdentity", k.a.Personal.KeyHolderIdentity)
	if mobile := k.a.Personal.HandlerMobile; mobile != "" {
		k.number("personal.handlerMobile", number.Mobile(mobile))
	}
	if code := k.a.Seal.Code; code != "" && (len(code) != 14 || strings.Trim(code, "0123456789") != "") {
		k.wrong("seal.code", errSealCode)
	}
}

func (k *checker) identity(member, text string) {
	if text != "" {
		_, err := number.Identity(text, k.c.Today)
		k.number(member, err)
		if err == nil {
			k.doubt(member, number.DoubtIdentity(text, k.c.Regions))
		}
	}
}

// otherKind reports whether the first two characters of a credit code name another kind of unit than the form (GB
// 32100-2015, table of authorities and categories: 11 机关, 12 事业单位, 13 编办直接管理的群众团体, 51 社会团体).
func (k *checker) otherKind(code string) bool {
	kinds := map[string]UnitType{"11": UnitAdministrative, "12": UnitInstitution, "13": UnitAssociation, "51": UnitAssociation}
	kind, known := kinds[code[:2]]
	switch k.a.Unit.Type {
	case UnitAdministrative, UnitInstitution, UnitAssociation:
		return kind != k.a.Unit.Type
	}
	return known
}

// landline is a number of the fixed network with or without area code and extension, or a service number.
var landline = regexp.MustCompile(`^(\(?0[1-9][0-9]{1,2}\)?[- ]?)?[2-9][0-9]{6,7}([-转][0-9]{1,6})?$|^[48]00[- ]?[0-9]{3}[- ]?[0-9]{4}$`)

// Landline says whether a text looks like a number of the fixed network, or a service number.
func Landline(text string) bool {
	return landline.MatchString(strings.NewReplacer("（", "(", "）", ")", "－", "-", "—", "-").Replace(text))
}

func (k *checker) contact() {
	if k.a.Unit.Phone != "" && !Landline(k.a.Unit.Phone) {
		k.questionable("unit.phone", errPhone)
	}
	if email := k.a.Handler.Email; email != "" && !validEmail(email) {
		k.wrong("handler.email", errEmail)
	}
	applied, err := time.Parse(time.DateOnly, k.a.AppliedOn)
	switch {
	case k.a.AppliedOn == "":
	case err != nil:
		k.wrong("appliedOn", errDate)
	case applied.After(dayInChina(k.c.Today)):
		k.wrong("appliedOn", errDateAhead)
	}
}

// validEmail accepts an address without a display name whose domain has two labels.
func validEmail(s string) bool {
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || strings.ContainsAny(s, " \"") {
		return false
	}
	domain := s[strings.LastIndexByte(s, '@')+1:]
	return strings.Contains(strings.Trim(domain, "."), ".") && strings.Trim(domain, ".-") == domain
}

// dayInChina is the calendar day in China at a moment, as midnight UTC like time.Parse gives days.
func dayInChina(t time.Time) time.Time {
	year, month, day := t.In(civil.China).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func (k *checker) agreement() {
	g := k.a.Agreement
	at, err := time.Parse(time.RFC3339, g.At)
	switch {
	case !g.Accepted:
		k.wrong("agreement.accepted", errAgreement)
	case g.Version == "" || len(k.c.Agreements) > 0 && !slices.Contains(k.c.Agreements, g.Version):
		k.wrong("agreement.version", errAgreementVersion)
	case err != nil || at.After(k.c.Today):
		k.wrong("agreement.at", errAgreementWhen)
	case g.By == "":
		k.wrong("agreement.by", errAgreementWhen)
	}
}

// maxUnitName is what fits into a certificate behind the 18 characters of the credit code (ub-organization-name of RFC
// 5280 appendix A.1: 64 characters).
const maxUnitName = 64 - 18

// names: a certificate has room for the name, and the texts of seals follow the unit's.
func (k *checker) names() {
	unit, seal := k.a.Unit.Name, k.a.Seal.Name
	if utf8.RuneCountInString(unit) > maxUnitName {
		k.add(Error, "unit.name", errNameLong.With("≤ %d", maxUnitName))
	}
	k.blanks("unit.name", unit)
	k.blanks("seal.name", seal)
	k.blanks("approver", k.a.Approver)
	if unit == "" || seal == "" {
		return
	}
	switch k.a.SealType {
	case SealOfficial:
		if seal != unit {
			k.questionable("seal.name", errOfficialName)
		}
	case SealApproval, SealInvoice, SealContract, SealFinance:
		// 国发〔1999〕25号: special seals differ from the official one in name and style.
		if seal == unit {
			k.wrong("seal.name", errSpecialName)
		} else if !strings.HasPrefix(seal, unit) {
			k.questionable("seal.name", errSpecialUnit)
		}
	}
	if k.a.Has(OrganisationChange) && k.a.FormerName == unit {
		k.questionable("formerName", errSameName)
	}
}

func (k *checker) blanks(member, name string) {
	if strings.ContainsAny(name, " 　") {
		k.questionable(member, errNameBlank)
	}
}

// existing compares with the seal of the register that the form names.
func (k *checker) existing() {
	a, e := k.a, k.c.Existing
	changed := a.Has(OrganisationChange)
	if changed && !a.Has(ImprintChange) && e == nil && a.FormerName != a.Unit.Name {
		k.questionable("businesses", errImprintStays)
	}
	if e == nil || !a.ConcernsSeal() {
		return
	}
	if changed {
		k.equal("formerName", a.FormerName, e.Unit, errFormerName)
	} else {
		k.equal("unit.name", a.Unit.Name, e.Unit, errHolder)
	}
	switch {
	case a.Seal.Name == e.Name:
	case changed && !a.Has(ImprintChange):
		k.wrong("businesses", errImprintNeeded)
	case a.Has(ImprintChange):
		if !changed {
			k.questionable("seal.name", errSealText)
		}
	default:
		k.wrong("seal.name", errSealText)
	}
	if e.Type != "" && e.Type != a.SealType {
		k.questionable("sealType", errOtherType)
	}
}

// equal notes where a name that is filled in is not the one that it must be.
func (k *checker) equal(member, name, other string, s fault.Spec) {
	if name != "" && name != other {
		k.wrong(member, s)
	}
}

// original compares with what was read off the paper.
func (k *checker) original() {
	r := k.c.Original
	if r == nil {
		return
	}
	if r.StampedUnit == "" {
		k.wrong("original.stampedUnit", errRequired)
	}
	k.equal("original.stampedUnit", r.StampedUnit, k.a.Unit.Name, errStampedUnit)
	if k.a.NeedsImprint() && r.ImprintText == "" {
		k.wrong("original.imprintText", errRequired)
	}
	k.equal("original.imprintText", r.ImprintText, k.a.Seal.Name, errImprintText)
	k.measured(*r)
}

// ValidNumber reports whether an application number is one: 4 to 32 capitals, digits and hyphens.
func ValidNumber(n string) bool {
	return len(n) >= 4 && len(n) <= 32 && strings.Trim(n, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == "" && n[0] != '-' && n[len(n)-1] != '-'
}
