package form

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Application is one 机构印章证书申请表: every field of annex 1, and what the service needs to know besides (number, the code
// of an existing seal, the Key concerned).
type Application struct {
	Number        string     `json:"number"` // 申请编号, given by the service: 4 to 32 of A–Z, 0–9 and hyphen
	SealType      SealType   `json:"sealType"`
	SealTypeOther string     `json:"sealTypeOther"` // the text of 其它
	Businesses    []Business `json:"businesses"`    // one, or OrganisationChange with ImprintChange
	FormerName    string     `json:"formerName"`    // 变更前机构名称
	Scopes        []Scope    `json:"scopes"`        // one or both
	Methods       []Method   `json:"methods"`       // one or both
	Unit          Unit       `json:"unit"`
	Approver      string     `json:"approver"` // 审批单位名称
	Purpose       string     `json:"purpose"`  // 申请印章用途
	Handler       Handler    `json:"handler"`
	Agreement     Agreement  `json:"agreement"`
	AppliedOn     string     `json:"appliedOn"` // 申请时间: YYYY-MM-DD, Chinese time
	Seal          Seal       `json:"seal"`
	Key           Key        `json:"key"`      // for KeyReplacement and KeyUnlock
	Personal      Personal   `json:"personal"` // not part of Public
}

// Unit is the applicant.
type Unit struct {
	Name       string   `json:"name"` // 申请单位名称: the full legal name
	Type       UnitType `json:"type"`
	TypeOther  string   `json:"typeOther"`  // the text of 其他
	CreditCode string   `json:"creditCode"` // 统一社会信用代码 (GB 32100)
	Phone      string   `json:"phone"`      // 单位固定电话
	Address    string   `json:"address"`    // 单位地址
}

// Handler is the person whom the unit authorises (经办人). Identity number and mobile are in Personal.
type Handler struct {
	Name    string `json:"name"`
	Email   string `json:"email"`
	Address string `json:"address"` // 收件地址
}

// Agreement is the consent to 《CA数字证书电子认证服务协议》: which version, when and by whom.
type Agreement struct {
	Accepted bool   `json:"accepted"`
	Version  string `json:"version"`
	At       string `json:"at"` // RFC 3339 in UTC; empty while nobody ticked it
	By       string `json:"by"` // the actor who ticked it
}

// Seal is the physical seal that the application is about.
type Seal struct {
	Name string `json:"name"` // 印章名称: the text of the imprint
	Size Size   `json:"size"` // 实物印章直径（或长宽/毫米）
	Code string `json:"code"` // the 14 digits of an existing seal; empty for New
}

// Key is the USB Key that is to be replaced or unlocked. The identity number of its holder is in Personal.
type Key struct {
	Holder string `json:"holder"`
	Serial string `json:"serial"` // as printed on the token; empty where it was lost and nobody knows
}

// Personal are the fields that are stored encrypted and shown masked.
type Personal struct {
	HandlerIdentity   string `json:"handlerIdentity"`   // 身份证号 (GB 11643)
	HandlerMobile     string `json:"handlerMobile"`     // 经办人电话（手机）
	KeyHolderIdentity string `json:"keyHolderIdentity"` // of Key.Holder
	// Salt keeps the digest of these fields, which stands in Public, from telling what they are: identity numbers can be
	// tried one by one. 32 hexadecimal digits, random, made anew with each edit.
	Salt string `json:"salt"`
}

// Size is the size of a physical seal in millimetres: a diameter, or a width and a height.
type Size struct {
	Diameter float64 `json:"diameter"`
	Width    float64 `json:"width"`
	Height   float64 `json:"height"`
}

// Round is the size of a round seal.
func Round(diameter float64) Size { return Size{Diameter: diameter} }

// Extent is width and height in millimetres; both are the diameter of a round seal.
func (s Size) Extent() (width, height float64) {
	if s.Diameter != 0 {
		return s.Diameter, s.Diameter
	}
	return s.Width, s.Height
}

// String is what stands in the field: "42" or "40×30"; empty for the zero Size.
func (s Size) String() string {
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch {
	case s == Size{}:
		return ""
	case s.Diameter != 0:
		return number(s.Diameter)
	}
	return number(s.Width) + "×" + number(s.Height)
}

// ParseSize reads what people write into the field: "42", "42mm", "40×30", "40x30 毫米". False where it is none.
func ParseSize(text string) (Size, bool) {
	text = strings.ToLower(strings.Join(strings.Fields(text), ""))
	for _, unit := range []string{"毫米", "mm", "㎜"} {
		text = strings.ReplaceAll(text, unit, "")
	}
	for _, times := range []string{"x", "*", "＊", "✕"} {
		text = strings.ReplaceAll(text, times, "×")
	}
	var lengths []float64
	for part := range strings.SplitSeq(text, "×") {
		if len(part) > 6 || strings.Trim(part, "0123456789.") != "" {
			return Size{}, false
		}
		v, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return Size{}, false
		}
		lengths = append(lengths, v)
	}
	var s Size
	switch len(lengths) {
	case 1:
		s = Round(lengths[0])
	case 2:
		s = Size{Width: lengths[0], Height: lengths[1]}
	}
	return s, s.valid()
}

// Limits on a physical seal in millimetres; what the rule of 国发〔1999〕25号 says stands in sizes.go.
const minSize, maxSize = 5.0, 100.0

// valid accepts a diameter, or a width and a height, within the limits and measured to a tenth of a millimetre.
func (s Size) valid() bool {
	good := func(v float64) bool {
		return v >= minSize && v <= maxSize && math.Abs(v*10-math.Round(v*10)) < 1e-9
	}
	if s.Diameter != 0 {
		return good(s.Diameter) && s.Width == 0 && s.Height == 0
	}
	return good(s.Width) && good(s.Height)
}

// Has reports whether the application is for a business.
func (a Application) Has(b Business) bool { return slices.Contains(a.Businesses, b) }

// ConcernsSeal reports whether the application is about a seal that exists already.
func (a Application) ConcernsSeal() bool { return len(a.Businesses) > 0 && !a.Has(New) }

// ConcernsKey reports whether the application is about one USB Key.
func (a Application) ConcernsKey() bool { return a.Has(KeyReplacement) || a.Has(KeyUnlock) }

// NeedsImprint reports whether the imprints are stamped into the form to become the picture of a seal. A 机构变更 alone
// does without them only where the text of the seal stays what it was: see Check.
func (a Application) NeedsImprint() bool { return a.Has(New) || a.Has(ImprintChange) }

// NeedsUsers reports whether a roster of seal users (annex 2) belongs to the application: each of them gets a personal
// certificate.
func (a Application) NeedsUsers() bool {
	return slices.Contains(a.Methods, Distributed) && (a.Has(New) || a.Has(OrganisationChange) || a.Has(ImprintChange))
}

// Tidied is the application with its sets in the order of the form and without blanks around the texts.
func (a Application) Tidied() Application {
	a.Businesses = inOrder(businesses, a.Businesses)
	a.Scopes = inOrder(scopes, a.Scopes)
	a.Methods = inOrder(methods, a.Methods)
	for _, text := range a.texts() {
		*text.value = strings.TrimSpace(*text.value)
	}
	return a
}
