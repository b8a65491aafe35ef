package intake

import "yinxin/internal/fault"

var (
	errPolicy = fault.Spec{Kind: fault.Invalid, Code: "intake.bad-policy",
		ZH: "入库检查策略不正确。", EN: "The policy for looking through documents is not correct."}
	errRefused = fault.Spec{Kind: fault.Refused, Code: "intake.refused",
		ZH: "文件含有不允许盖章的内容。", EN: "The file contains what must not be sealed."}
)
