package form

import "yinxin/internal/fault"

// Severity says what a finding asks for.
type Severity string

const (
	// Error must be corrected: the form goes back.
	Error Severity = "error"
	// Confirm is let pass by an officer with a reason.
	Confirm Severity = "confirm"
)

// Finding is one thing that is wrong with a form, or that an officer must look at. It never holds a personal value.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`  // stable: form.… or number.…, see docs/errors.md
	Field    string   `json:"field"` // the member of Application, "unit.name", or of Reading, "original.stampedUnit"
	Label    string   `json:"label"` // the label on the form
	ZH       string   `json:"zh"`
	EN       string   `json:"en"`
}

// Key names the finding within its form: a confirmation with a reason is kept under it.
func (f Finding) Key() string { return f.Code + "@" + f.Field }

// checker collects findings.
type checker struct {
	a        Application
	c        Circumstances
	findings []Finding
}

// add notes what is wrong with a member.
func (k *checker) add(s Severity, member string, f *fault.Fault) {
	k.findings = append(k.findings, Finding{s, f.Code, member, LabelOf(member), f.Sentence("zh"), f.Sentence("en")})
}

func (k *checker) wrong(member string, s fault.Spec)        { k.add(Error, member, s.New()) }
func (k *checker) questionable(member string, s fault.Spec) { k.add(Confirm, member, s.New()) }

// number notes the refusal of a number, which has a sentence of its own.
func (k *checker) number(member string, err error) {
	if f, ok := fault.Of(err); ok {
		k.add(Error, member, f)
	}
}

// doubt notes what an officer should look at in a number.
func (k *checker) doubt(member string, err error) {
	if f, ok := fault.Of(err); ok {
		k.add(Confirm, member, f)
	}
}

// members are the fields in the order of the form, with their labels.
var members = []struct{ name, label string }{
	{"number", labelNumber}, {"sealType", labelSealType}, {"sealTypeOther", labelSealType}, {"businesses", labelBusiness},
	{"formerName", labelFormerName}, {"seal.code", labelSealCode}, {"key.holder", labelKeyHolder},
	{"personal.keyHolderIdentity", labelKeyIdentity}, {"key.serial", labelKeySerial}, {"scopes", labelScope}, {"methods", labelMethod},
	{"unit.name", labelUnitName}, {"unit.type", labelUnitType}, {"unit.typeOther", labelUnitType}, {"approver", labelApprover},
	{"purpose", labelPurpose}, {"unit.creditCode", labelCreditCode}, {"unit.phone", labelPhone}, {"unit.address", labelAddress},
	{"handler.name", labelHandler}, {"personal.handlerIdentity", labelIdentity}, {"personal.handlerMobile", labelMobile},
	{"handler.email", labelEmail}, {"handler.address", labelPostal}, {"agreement.accepted", labelConsent},
	{"agreement.version", labelAgreement}, {"agreement.at", labelAgreement}, {"agreement.by", labelAgreement},
	{"appliedOn", labelAppliedOn}, {"seal.name", labelSealName}, {"seal.size", labelSize},
	{"original.stampedUnit", labelUnitSeal}, {"original.imprintText", labelImprint1}, {"original.measured", labelSize}, {"original.centre", labelImprint1},
}

// LabelOf is the label that a member of Application ("unit.name") has on the form, empty for one that is not on it.
func LabelOf(member string) string {
	if i := place(member); i < len(members) {
		return members[i].label
	}
	return ""
}

// place is where a member stands on the form, counted from the top.
func place(member string) int {
	for i, m := range members {
		if m.name == member {
			return i
		}
	}
	return len(members)
}
