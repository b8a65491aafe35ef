package number

import "yinxin/internal/fault"

// What can be wrong with a number. No detail is ever added: it would be personal data.
var (
	ErrCreditLength = fault.Spec{Kind: fault.Invalid, Code: "number.credit-length",
		ZH: "统一社会信用代码应为 18 位。", EN: "A unified social credit code has 18 characters."}
	ErrCreditCharacter = fault.Spec{Kind: fault.Invalid, Code: "number.credit-character",
		ZH: "统一社会信用代码只能由数字和大写字母组成（不使用 I、O、S、V、Z），且第 3 至 8 位为数字。",
		EN: "A unified social credit code consists of digits and capital letters without I, O, S, V and Z, with digits in positions 3 to 8."}
	ErrCreditAuthority = fault.Spec{Kind: fault.Invalid, Code: "number.credit-authority",
		ZH: "统一社会信用代码的前两位（登记管理部门、机构类别）不是国家标准规定的代码。",
		EN: "The first two characters of the unified social credit code do not name a registration authority and a category of the standard."}
	ErrCreditRegion = fault.Spec{Kind: fault.Invalid, Code: "number.credit-region",
		ZH: "统一社会信用代码的行政区划码（第 3 至 8 位）不属于任何省级行政区。",
		EN: "The region in the unified social credit code (positions 3 to 8) belongs to no province."}
	// ErrCreditRegionUnknown and ErrIdentityRegionUnknown are doubts, not refusals: see DoubtCredit, DoubtIdentity.
	ErrCreditRegionUnknown = fault.Spec{Kind: fault.Invalid, Code: "number.credit-region-unknown",
		ZH: "统一社会信用代码的行政区划码（第 3 至 8 位）不在行政区划代码表（GB/T 2260）中，可能是开发区或新设行政区划的代码，请核实。",
		EN: "The region in the unified social credit code (positions 3 to 8) is not in the table of GB/T 2260; it may belong to a development zone or a new district. Please make sure."}
	ErrCreditOrganisation = fault.Spec{Kind: fault.Invalid, Code: "number.credit-organisation",
		ZH: "统一社会信用代码中的组织机构代码（第 9 至 17 位）校验不通过。",
		EN: "The check character of the organisation code inside the unified social credit code (positions 9 to 17) is wrong."}
	ErrCreditCheck = fault.Spec{Kind: fault.Invalid, Code: "number.credit-check",
		ZH: "统一社会信用代码的校验码（第 18 位）不正确。", EN: "The check character of the unified social credit code is wrong."}

	ErrIdentityLength = fault.Spec{Kind: fault.Invalid, Code: "number.identity-length",
		ZH: "身份证号应为 18 位。", EN: "An identity number has 18 characters."}
	ErrIdentityOld = fault.Spec{Kind: fault.Invalid, Code: "number.identity-old",
		ZH: "15 位的旧身份证号已停止使用，请填写 18 位身份证号。", EN: "Identity numbers of 15 digits are no longer in use; give the one of 18 characters."}
	ErrIdentityCharacter = fault.Spec{Kind: fault.Invalid, Code: "number.identity-character",
		ZH: "身份证号前 17 位应为数字，末位应为数字或 X。", EN: "An identity number has 17 digits and then a digit or X."}
	ErrIdentityRegion = fault.Spec{Kind: fault.Invalid, Code: "number.identity-region",
		ZH: "身份证号的前两位不是省级行政区划代码。", EN: "The first two digits of the identity number are no province."}
	ErrIdentityRegionUnknown = fault.Spec{Kind: fault.Invalid, Code: "number.identity-region-unknown",
		ZH: "身份证号的前六位不在历年行政区划代码表（GB/T 2260）中，可能是新设行政区划的代码，请核实。",
		EN: "The first six digits of the identity number were never in the table of GB/T 2260; they may be a new district. Please make sure."}
	ErrIdentityBirth = fault.Spec{Kind: fault.Invalid, Code: "number.identity-birth",
		ZH: "身份证号中的出生日期（第 7 至 14 位）不合理。", EN: "The date of birth in the identity number (positions 7 to 14) cannot be."}
	ErrIdentityCheck = fault.Spec{Kind: fault.Invalid, Code: "number.identity-check",
		ZH: "身份证号的校验码（第 18 位）不正确。", EN: "The check character of the identity number is wrong."}

	ErrMobile = fault.Spec{Kind: fault.Invalid, Code: "number.mobile",
		ZH: "手机号应为 11 位数字，以 13 至 19 开头。", EN: "A mobile number has 11 digits and begins with 13 to 19."}
)
