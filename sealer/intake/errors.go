package intake

import "yinxin/internal/fault"

var (
	errPolicy = fault.Spec{Kind: fault.Invalid, Code: "intake.bad-policy",
		ZH: "入库检查策略的写法不正确。", EN: "The intake policy is not written correctly."}
	errRefused = fault.Spec{Kind: fault.Refused, Code: "intake.refused",
		ZH: "文件含有不允许盖章的内容。", EN: "The file contains what must not be sealed."}
)
