package form

import "slices"

// SealType is 印章类型.
type SealType string

// The seal types.
const (
	SealOfficial SealType = "official"
	SealApproval SealType = "approval"
	SealInvoice  SealType = "invoice"
	SealContract SealType = "contract"
	SealFinance  SealType = "finance"
	SealName     SealType = "name"
	SealOther    SealType = "other" // with a text
)

// Business is one kind of 业务类型.
type Business string

// The six businesses.
const (
	New                Business = "new"
	OrganisationChange Business = "organisation-change"
	ImprintChange      Business = "imprint-change"
	KeyReplacement     Business = "key-replacement"
	KeyUnlock          Business = "key-unlock"
	Cancellation       Business = "cancellation"
)

// Scope is one kind of 用章范围.
type Scope string

// The scopes.
const (
	GovernmentNetwork Scope = "government-network"
	Internet          Scope = "internet"
)

// Method is one kind of 用章方式.
type Method string

// The methods.
const (
	Central     Method = "central"
	Distributed Method = "distributed"
)

// UnitType is 申请单位类型.
type UnitType string

// The unit types.
const (
	UnitAdministrative UnitType = "administrative"
	UnitInstitution    UnitType = "institution"
	UnitAssociation    UnitType = "association"
	UnitOther          UnitType = "other" // with a text
)

// option is one choice of a field: the value that is stored and the words that stand on the form.
type option[T ~string] struct {
	value T
	label string
}

// The choices in the order and with the words of the form.
var (
	sealTypes = []option[SealType]{{SealOfficial, "电子法定名称章（公章）"}, {SealApproval, "行政审批章"}, {SealInvoice, "电子发票专用章"},
		{SealContract, "电子合同专用章"}, {SealFinance, "电子财务专用章"}, {SealName, "电子名章"}, {SealOther, "其它"}}
	businesses = []option[Business]{{New, "新申请"}, {OrganisationChange, "机构变更"}, {ImprintChange, "印模变更"},
		{KeyReplacement, "Key 补办"}, {KeyUnlock, "Key 解锁"}, {Cancellation, "注销"}}
	scopes    = []option[Scope]{{GovernmentNetwork, "政务外网"}, {Internet, "互联网"}}
	methods   = []option[Method]{{Central, "集中式用章（系统用章）"}, {Distributed, "分散式用章（USB Key）"}}
	unitTypes = []option[UnitType]{{UnitAdministrative, "国家行政机关"}, {UnitInstitution, "事业单位"},
		{UnitAssociation, "社会团体"}, {UnitOther, "其他"}}
)

// Label is the word of the form, empty for a value that is none of its choices.
func (t SealType) Label() string { return labelOf(sealTypes, t) }

// Label is the word of the form, empty for a value that is none of its choices.
func (b Business) Label() string { return labelOf(businesses, b) }

// Label is the word of the form, empty for a value that is none of its choices.
func (s Scope) Label() string { return labelOf(scopes, s) }

// Label is the word of the form, empty for a value that is none of its choices.
func (m Method) Label() string { return labelOf(methods, m) }

// Label is the word of the form, empty for a value that is none of its choices.
func (t UnitType) Label() string { return labelOf(unitTypes, t) }

// SealTypes are the choices in the order of the form.
func SealTypes() []SealType { return values(sealTypes) }

// Businesses are the choices in the order of the form.
func Businesses() []Business { return values(businesses) }

// Scopes are the choices in the order of the form.
func Scopes() []Scope { return values(scopes) }

// Methods are the choices in the order of the form.
func Methods() []Method { return values(methods) }

// UnitTypes are the choices in the order of the form.
func UnitTypes() []UnitType { return values(unitTypes) }

func labelOf[T ~string](options []option[T], value T) string {
	for _, o := range options {
		if o.value == value {
			return o.label
		}
	}
	return ""
}

func values[T ~string](options []option[T]) []T {
	all := make([]T, len(options))
	for i, o := range options {
		all[i] = o.value
	}
	return all
}

// inOrder sorts a set of choices as the form lists them and drops what is there twice; unknown ones come last.
func inOrder[T ~string](options []option[T], set []T) []T {
	rank := func(value T) int {
		if i := slices.IndexFunc(options, func(o option[T]) bool { return o.value == value }); i >= 0 {
			return i
		}
		return len(options)
	}
	sorted := append([]T{}, set...) // never nil, which is encoded in another way than an empty set
	slices.SortStableFunc(sorted, func(a, b T) int { return rank(a) - rank(b) })
	return slices.Compact(sorted)
}
