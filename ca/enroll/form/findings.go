package form

import "yinxin/internal/fault"

// What Check finds. Those of numbers stand in ca/number.
var (
	errRequired = fault.Spec{Kind: fault.Invalid, Code: "form.required",
		ZH: "此项必填。", EN: "This field must be filled in."}
	errChoice = fault.Spec{Kind: fault.Invalid, Code: "form.unknown-choice",
		ZH: "此项不是表中的选项。", EN: "This is none of the choices of the form."}
	errCombination = fault.Spec{Kind: fault.Invalid, Code: "form.business-combination",
		ZH: "一张申请表只办理一项业务；只有机构变更与印模变更可以合并。", EN: "A form is for one business; only a change of the organisation and of the imprint may share one."}
	errKeyCentral = fault.Spec{Kind: fault.Invalid, Code: "form.key-without-distributed-use",
		ZH: "Key 补办、Key 解锁只适用于分散式用章（USB Key）。", EN: "A Key is replaced or unlocked only where seals are used by USB Key."}
	errNotAsked = fault.Spec{Kind: fault.Invalid, Code: "form.not-applicable",
		ZH: "所选的类型不需要填写此项，请清空或改选类型。", EN: "What was chosen does not ask for this field: clear it, or choose otherwise."}
	errNumber = fault.Spec{Kind: fault.Invalid, Code: "form.number",
		ZH: "申请编号应为 4 至 32 位大写字母、数字和连字符。", EN: "An application number has 4 to 32 capitals, digits and hyphens."}
	errSealCode = fault.Spec{Kind: fault.Invalid, Code: "form.seal-code",
		ZH: "印章编码应为 14 位数字。", EN: "A seal code has 14 digits."}
	errUnitKind = fault.Spec{Kind: fault.Invalid, Code: "form.unit-kind",
		ZH: "申请单位类型与统一社会信用代码前两位表示的机构类别不一致，请核实。", EN: "The type of the unit is not the one that the first two characters of its credit code name."}
	errPhone = fault.Spec{Kind: fault.Invalid, Code: "form.phone",
		ZH: "单位固定电话不像固定电话号码，请核实。", EN: "The telephone number does not look like one of the fixed network."}
	errEmail = fault.Spec{Kind: fault.Invalid, Code: "form.email",
		ZH: "邮箱地址不正确。", EN: "The e-mail address is not one."}
	errDate = fault.Spec{Kind: fault.Invalid, Code: "form.date",
		ZH: "申请时间应为实际存在的日期，格式为年-月-日。", EN: "The date must be one of the calendar, written year-month-day."}
	errDateAhead = fault.Spec{Kind: fault.Invalid, Code: "form.date-ahead",
		ZH: "申请时间晚于今天。", EN: "The date lies ahead."}
	errAgreement = fault.Spec{Kind: fault.Invalid, Code: "form.agreement",
		ZH: "须阅读并同意《CA数字证书电子认证服务协议》。", EN: "The certificate service agreement must be accepted."}
	errAgreementVersion = fault.Spec{Kind: fault.Invalid, Code: "form.agreement-version",
		ZH: "同意的协议版本缺失或已不是现行版本，请重新阅读并同意。", EN: "The accepted version of the agreement is missing or no longer current: read and accept it again."}
	errAgreementWhen = fault.Spec{Kind: fault.Invalid, Code: "form.agreement-record",
		ZH: "缺少何时、由何人同意协议的记录。", EN: "It is not recorded when and by whom the agreement was accepted."}
	errNameLong = fault.Spec{Kind: fault.Invalid, Code: "form.name-too-long",
		ZH: "申请单位名称过长，无法写入证书。", EN: "The name of the unit is too long for a certificate."}
	errNameBlank = fault.Spec{Kind: fault.Invalid, Code: "form.name-blank",
		ZH: "名称中有空格，请核对是否与印章文字一致。", EN: "The name has a blank inside: compare it with the text of the seal."}
	errOfficialName = fault.Spec{Kind: fault.Invalid, Code: "form.official-name",
		ZH: "法定名称章（公章）的印章名称与申请单位名称不一致，请核实。", EN: "The text of the official seal is not the name of the unit."}
	errSpecialName = fault.Spec{Kind: fault.Invalid, Code: "form.special-name",
		ZH: "专用章的名称应与单位公章有所区别（国发〔1999〕25号）。", EN: "A special seal must differ in name from the official seal."}
	errSpecialUnit = fault.Spec{Kind: fault.Invalid, Code: "form.special-unit",
		ZH: "专用章的印章名称不以申请单位名称开头，请核实。", EN: "The text of the special seal does not begin with the name of the unit."}
	errSameName = fault.Spec{Kind: fault.Invalid, Code: "form.same-name",
		ZH: "变更前机构名称与申请单位名称相同，请核实变更的内容。", EN: "The former name is the present one: say what has changed."}
	errImprintStays = fault.Spec{Kind: fault.Invalid, Code: "form.imprint-unchanged",
		ZH: "机构名称已变更而未申请印模变更，请确认印章文字没有变化。", EN: "The name has changed and no change of the imprint is asked for: make sure that the text of the seal stays."}
	errImprintNeeded = fault.Spec{Kind: fault.Invalid, Code: "form.imprint-needed",
		ZH: "印章文字已变化，须同时申请印模变更并采集新印模。", EN: "The text of the seal changes: a change of the imprint must be asked for on the same form, with a new imprint."}
	errFormerName = fault.Spec{Kind: fault.Invalid, Code: "form.former-name",
		ZH: "变更前机构名称与原印章登记的单位名称不一致。", EN: "The former name is not the name under which the seal is registered."}
	errHolder = fault.Spec{Kind: fault.Invalid, Code: "form.other-holder",
		ZH: "申请单位名称与原印章登记的单位名称不一致；名称已变更的，请办理机构变更。", EN: "The seal is registered under another name: where the name has changed, a change of the organisation is needed."}
	errSealText = fault.Spec{Kind: fault.Invalid, Code: "form.other-seal-text",
		ZH: "印章名称与原印章登记的名称不一致。", EN: "The text of the seal is not the registered one."}
	errOtherType = fault.Spec{Kind: fault.Invalid, Code: "form.other-seal-type",
		ZH: "印章类型与原印章登记的类型不一致，请核实。", EN: "The type of the seal is not the registered one."}
	errStampedUnit = fault.Spec{Kind: fault.Invalid, Code: "form.stamped-unit",
		ZH: "申办单位公章上的单位名称与申请单位名称不一致。", EN: "The unit's stamp on the form names another unit than the form."}
	errImprintText = fault.Spec{Kind: fault.Invalid, Code: "form.imprint-text",
		ZH: "印模上的文字与印章名称不一致。", EN: "The text of the imprint is not the name of the seal on the form."}
	errSize = fault.Spec{Kind: fault.Invalid, Code: "form.size",
		ZH: "印章尺寸应为直径，或长×宽，单位毫米，最多一位小数。", EN: "The size of a seal is a diameter, or width × height, in millimetres with one decimal at most."}
	errNotRound = fault.Spec{Kind: fault.Invalid, Code: "form.not-round",
		ZH: "该类印章一般为圆形（国发〔1999〕25号），请核实尺寸。", EN: "Seals of this type are round as a rule: make sure of the size."}
	errSizeRule = fault.Spec{Kind: fault.Invalid, Code: "form.size-rule",
		ZH: "印章尺寸与国发〔1999〕25号及通行做法不符，请核实。", EN: "The size is not the one of the State Council's rule, or of common practice."}
	errMeasured = fault.Spec{Kind: fault.Invalid, Code: "form.size-measured",
		ZH: "印模的实测尺寸与填报尺寸相差超过 1 毫米。", EN: "The measured size of the imprint differs from the declared one by more than 1 mm."}
	errCentre = fault.Spec{Kind: fault.Invalid, Code: "form.centre",
		ZH: "印章中央的图案与国发〔1999〕25号及通行做法不符，请核实。", EN: "The middle of the seal is not the one of the State Council's rule, or of common practice."}
)
