package form

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"yinxin/internal/fault"
)

// text is one text of an application: its member in JSON, and how many characters it may have.
type text struct {
	member string
	most   int
	value  *string
}

// texts are all texts that come from outside. Each fits its place on the printed form: see TestTheLongestTextsFit.
func (a *Application) texts() []text {
	return []text{
		{"number", 32, &a.Number},
		{"sealTypeOther", 30, &a.SealTypeOther},
		{"formerName", 100, &a.FormerName},
		{"unit.name", 100, &a.Unit.Name},
		{"unit.typeOther", 30, &a.Unit.TypeOther},
		{"unit.creditCode", 40, &a.Unit.CreditCode},
		{"unit.phone", 30, &a.Unit.Phone},
		{"unit.address", 80, &a.Unit.Address},
		{"approver", 100, &a.Approver},
		{"purpose", 120, &a.Purpose},
		{"handler.name", 40, &a.Handler.Name},
		{"handler.email", 72, &a.Handler.Email},
		{"handler.address", 120, &a.Handler.Address},
		{"agreement.version", 40, &a.Agreement.Version},
		{"agreement.at", 40, &a.Agreement.At},
		{"agreement.by", 100, &a.Agreement.By},
		{"appliedOn", 10, &a.AppliedOn},
		{"seal.name", 100, &a.Seal.Name},
		{"seal.code", 20, &a.Seal.Code},
		{"key.holder", 25, &a.Key.Holder},
		{"key.serial", 22, &a.Key.Serial},
		{"personal.handlerIdentity", 20, &a.Personal.HandlerIdentity},
		{"personal.handlerMobile", 20, &a.Personal.HandlerMobile},
		{"personal.keyHolderIdentity", 20, &a.Personal.KeyHolderIdentity},
		{"personal.salt", 32, &a.Personal.Salt},
	}
}

// The labels of annex 1, exactly; pages, exports and findings use them. Those after the blank line are our own.
const (
	labelSealType   = "印章类型"
	labelBusiness   = "业务类型"
	labelFormerName = "变更前机构名称"
	labelScope      = "用章范围"
	labelMethod     = "用章方式"
	labelUnitName   = "申请单位名称"
	labelUnitType   = "申请单位类型"
	labelApprover   = "审批单位名称"
	labelPurpose    = "申请印章用途"
	labelCreditCode = "统一社会信用代码"
	labelPhone      = "单位固定电话"
	labelAddress    = "单位地址"
	labelMandate    = "授权声明"
	labelMobile     = "经办人电话（手机）"
	labelEmail      = "邮箱（Email）"
	labelPostal     = "收件地址"
	labelConsent    = "已阅读并同意《CA数字证书电子认证服务协议》"
	labelUnitSeal   = "申办单位公章（盖章）"
	labelSignature  = "单位经办人签字"
	labelAppliedOn  = "申请时间"
	labelSealName   = "印章名称"
	labelSize       = "实物印章直径（或长宽/毫米）"
	labelImprint1   = "印模1"
	labelImprint2   = "印模2"

	labelNumber      = "申请编号"
	labelAgreement   = "协议版本"
	labelHandler     = "经办人姓名"
	labelIdentity    = "经办人身份证号"
	labelSealCode    = "原印章编码"
	labelKeyHolder   = "Key 持有人"
	labelKeyIdentity = "Key 持有人身份证号"
	labelKeySerial   = "Key 序列号"
)

// checkTexts refuses texts that are too long or that a person cannot see in full: control characters, marks of writing
// direction, exotic blanks. Error: form.bad-text.
func (a *Application) checkTexts() error {
	for _, t := range a.texts() {
		if !visible(*t.value, t.most) {
			return errBadText.At(fault.Field(t.member)).With("%s ≤ %d", LabelOf(t.member), t.most)
		}
	}
	for _, set := range []int{len(a.Businesses), len(a.Scopes), len(a.Methods)} {
		if set > len(businesses) {
			return errBadEncoding.At(fault.Field("businesses"))
		}
	}
	return nil
}

func visible(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError })
}
