package api

import "yinxin/internal/fault"

var (
	errKeyMissing = fault.Spec{Kind: fault.Unauthenticated, Code: "request.key-missing",
		ZH: "请求没有带接口密钥。", EN: "The request carries no API key."}
	errClosed = fault.Spec{Kind: fault.Denied, Code: "request.denied",
		ZH: "您的角色不能使用此接口。", EN: "Your role may not use this."}
	errNoRoute = fault.Spec{Kind: fault.NotFound, Code: "request.no-such-path",
		ZH: "没有这个地址。", EN: "There is nothing at this address."}
	errMethod = fault.Spec{Kind: fault.Invalid, Code: "request.method",
		ZH: "此地址不接受这种请求方法。", EN: "This address does not take this method."}
	errInvalid = fault.Spec{Kind: fault.Invalid, Code: "request.invalid",
		ZH: "请求不符合接口说明。", EN: "The request is not as the API description asks for."}
	errText = fault.Spec{Kind: fault.Invalid, Code: "request.text",
		ZH: "请求中有不能使用的字符（空字符或编码错误）。", EN: "The request holds characters that cannot be used: NUL, or broken UTF-8."}
	errMediaType = fault.Spec{Kind: fault.Invalid, Code: "request.media-type",
		ZH: "此地址不接受这种内容类型。", EN: "This address does not take this content type."}
	errNotAcceptable = fault.Spec{Kind: fault.Invalid, Code: "request.not-acceptable",
		ZH: "无法按所要求的格式回答。", EN: "There is no answer in the format asked for."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "request.too-large",
		ZH: "请求或文件超过允许的大小。", EN: "The request or its file is larger than allowed."}
	errTooSlow = fault.Spec{Kind: fault.Invalid, Code: "request.too-slow",
		ZH: "数据传输过慢，已中止，没有保存任何内容。", EN: "The data came too slowly; the upload was ended and nothing was kept."}
	errBroken = fault.Spec{Kind: fault.Invalid, Code: "request.broken-off",
		ZH: "上传中断，没有保存任何内容。", EN: "The upload broke off; nothing was kept."}
	errNoFile = fault.Spec{Kind: fault.Invalid, Code: "request.no-file",
		ZH: "没有收到文件，或文件是空的（可能没有下载完）。", EN: "No file arrived, or an empty one: it may not have been downloaded to its end."}
	errUnconditional = fault.Spec{Kind: fault.Invalid, Code: "request.if-match-missing",
		ZH: "修改须在 If-Match 中带上所见内容的 ETag。", EN: "A change carries in If-Match the ETag of what was seen."}
	errBusy = fault.Spec{Kind: fault.Unavailable, Code: "service.busy",
		ZH: "正在验证的文件太多，请稍后再试。", EN: "Too many files are being verified; try again shortly."}
	errTooMany = fault.Spec{Kind: fault.Unavailable, Code: "request.too-many",
		ZH: "您所在的网络地址在一分钟内的请求较多，请稍等一分钟再试。同一单位的多台电脑可能共用一个地址。",
		EN: "Your network address has made many requests within a minute: please wait a minute and try again. Computers of one organisation may share an address."}
	errTooManyAtOnce = fault.Spec{Kind: fault.Unavailable, Code: "request.too-many-at-once",
		ZH: "您所在的网络地址同时在验证的文件较多，请等前面的完成后再试。同一单位的多台电脑可能共用一个地址；这与您的文件无关。",
		EN: "Your network address has several files being verified at the moment: try again when they are done. Computers of one organisation may share an address; it says nothing about your file."}
	errKeyRate = fault.Spec{Kind: fault.Unavailable, Code: "request.key-rate",
		ZH: "该密钥或用户的请求过于频繁，请稍后再试。", EN: "Too many requests came with this key, or from this person; try again later."}
	errSealRate = fault.Spec{Kind: fault.Unavailable, Code: "request.seal-rate",
		ZH: "该印章的用印请求过于频繁，请稍后再试。", EN: "Too many orders came for this seal; try again later."}
	errNotReady = fault.Spec{Kind: fault.Unavailable, Code: "service.not-ready",
		ZH: "服务尚未就绪。", EN: "The service is not ready."}
	errScratch = fault.Spec{Kind: fault.Unavailable, Code: "service.scratch",
		ZH: "暂存空间不可用。", EN: "The space for temporary files is not available."}
	errInternal = fault.Spec{Kind: fault.Internal, Code: "internal",
		ZH: "服务内部错误。请把请求编号告诉管理员。", EN: "The service failed. Tell its administrator the identifier of the request."}
)
