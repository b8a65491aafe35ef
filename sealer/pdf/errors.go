package pdf

import "yinxin/internal/fault"

// Errors of reading.
var (
	errNotPDF = fault.Spec{Kind: fault.Invalid, Code: "pdf.not-a-pdf",
		ZH: "这不是 PDF 文件。", EN: "This is not a PDF file."}
	errTruncated = fault.Spec{Kind: fault.Invalid, Code: "pdf.truncated",
		ZH: "PDF 文件不完整，结尾缺失。", EN: "The PDF file is incomplete: its end is missing."}
	errDamagedXref = fault.Spec{Kind: fault.Invalid, Code: "pdf.damaged-xref",
		ZH: "PDF 文件的交叉引用已损坏。", EN: "The cross-reference of the PDF file is damaged."}
	errDamagedObject = fault.Spec{Kind: fault.Invalid, Code: "pdf.damaged-object",
		ZH: "PDF 文件中的对象已损坏。", EN: "An object of the PDF file is damaged."}
	errDamagedStream = fault.Spec{Kind: fault.Invalid, Code: "pdf.damaged-stream",
		ZH: "PDF 文件中的数据流已损坏。", EN: "A stream of the PDF file is damaged."}
	errUnsupportedFilter = fault.Spec{Kind: fault.Invalid, Code: "pdf.unsupported-filter",
		ZH: "PDF 文件使用了不支持的数据流编码。", EN: "A stream of the PDF file uses an encoding that is not supported."}
	errTooDeep = fault.Spec{Kind: fault.TooLarge, Code: "pdf.too-deep",
		ZH: "PDF 文件的对象嵌套过深。", EN: "The objects of the PDF file are nested too deeply."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "pdf.too-large",
		ZH: "PDF 文件超出了可处理的大小。", EN: "The PDF file is larger than can be handled."}
	errDamagedPages = fault.Spec{Kind: fault.Invalid, Code: "pdf.damaged-pages",
		ZH: "PDF 文件的页面结构已损坏。", EN: "The page tree of the PDF file is damaged."}
	errRead = fault.Spec{Kind: fault.Internal, Code: "pdf.read",
		ZH: "读取 PDF 文件失败。", EN: "The PDF file could not be read."}
	errByteRange = fault.Spec{Kind: fault.Invalid, Code: "pdf.bad-byte-range",
		ZH: "签名的 ByteRange 不正确。", EN: "The ByteRange of the signature is not correct."}
	errContents = fault.Spec{Kind: fault.Invalid, Code: "pdf.bad-contents",
		ZH: "签名的 Contents 不正确。", EN: "The Contents of the signature is not correct."}
)

// Errors of sealing.
var (
	errEncrypted = fault.Spec{Kind: fault.Refused, Code: "pdf.encrypted",
		ZH: "文件已加密，不能盖章。", EN: "The file is encrypted and cannot be sealed."}
	errCertified = fault.Spec{Kind: fault.Refused, Code: "pdf.certified",
		ZH: "文件已被认证，不允许再盖章。", EN: "The file is certified against changes and cannot be sealed."}
	errLocked = fault.Spec{Kind: fault.Refused, Code: "pdf.locked",
		ZH: "文件中已有的签名锁定了表单，不能再盖章。", EN: "A signature in the file locks its fields, so it cannot be sealed again."}
	errXFA = fault.Spec{Kind: fault.Refused, Code: "pdf.xfa",
		ZH: "文件含有 XFA 动态表单，不能盖章。", EN: "The file holds an XFA form and cannot be sealed."}
	errNoSuchPage = fault.Spec{Kind: fault.Refused, Code: "pdf.no-such-page",
		ZH: "文件没有这一页。", EN: "The file has no such page."}
	errOutsidePage = fault.Spec{Kind: fault.Refused, Code: "pdf.outside-page",
		ZH: "印章超出了页面范围。", EN: "The seal would stand outside the page."}
	errAmbiguous = fault.Spec{Kind: fault.Refused, Code: "pdf.ambiguous",
		ZH: "文件的对象含有重复的键，内容不明确，不能盖章。", EN: "An object that sealing must change has the same key twice, so its meaning is not clear and the file cannot be sealed."}
	errAbsurdSize = fault.Spec{Kind: fault.Refused, Code: "pdf.absurd-size",
		ZH: "文件声明的对象数量不合理。", EN: "The file claims an absurd number of objects."}
	errTooManyFields = fault.Spec{Kind: fault.TooLarge, Code: "pdf.too-many-fields",
		ZH: "文件的表单域过多。", EN: "The file has too many form fields."}
	errBadPicture = fault.Spec{Kind: fault.Invalid, Code: "pdf.bad-picture",
		ZH: "印章图片无法使用。", EN: "The picture of the seal cannot be used."}
	errWatermarkSigned = fault.Spec{Kind: fault.Refused, Code: "pdf.watermark-signed",
		ZH: "文件已有签名，不能再加测试标记。", EN: "The file is signed already and takes no watermark."}
	errNoFont = fault.Spec{Kind: fault.Refused, Code: "pdf.no-font",
		ZH: "没有可用的中文字体，不能在印章旁写日期或编号。", EN: "No Chinese font is available, so no date or number can be written with the seal."}
	errBadLines = fault.Spec{Kind: fault.Invalid, Code: "pdf.bad-lines",
		ZH: "印章旁的文字行不正确。", EN: "The lines of text with the seal are not correct."}
	errBadRequest = fault.Spec{Kind: fault.Invalid, Code: "pdf.bad-request",
		ZH: "盖章请求不正确。", EN: "The request to seal is not correct."}
	errBadPageRange = fault.Spec{Kind: fault.Invalid, Code: "pdf.bad-page-range",
		ZH: "页码范围写得不正确。", EN: "The range of pages is not written correctly."}
	errTooManyPlaces = fault.Spec{Kind: fault.TooLarge, Code: "pdf.too-many-places",
		ZH: "盖章位置过多。", EN: "The request names too many places for the seal."}
	errThinStrips = fault.Spec{Kind: fault.Refused, Code: "pdf.straddle-too-thin",
		ZH: "骑缝章每份过窄，请减少每组页数。", EN: "The strips of the straddle seal would be too thin: put fewer pages into a group."}
	errNothingShown = fault.Spec{Kind: fault.Refused, Code: "pdf.straddle-nothing",
		ZH: "没有可以加盖骑缝章的页面：至少需要两页。", EN: "No page can carry the straddle seal: it needs at least two."}
	errOverlap = fault.Spec{Kind: fault.Refused, Code: "pdf.overlap",
		ZH: "印章会遮盖已有的印章或表单域。", EN: "The seal would cover an earlier seal or a form field."}
	errNoSuchField = fault.Spec{Kind: fault.Refused, Code: "pdf.no-such-field",
		ZH: "文件没有这个签名域。", EN: "The file has no such signature field."}
	errFieldSigned = fault.Spec{Kind: fault.Refused, Code: "pdf.field-signed",
		ZH: "这个签名域已经签过名。", EN: "The signature field is signed already."}
	errFieldTooSmall = fault.Spec{Kind: fault.Refused, Code: "pdf.field-too-small",
		ZH: "签名域小于印章的实际尺寸。", EN: "The signature field is smaller than the seal at its true size."}
	errSeedValue = fault.Spec{Kind: fault.Refused, Code: "pdf.seed-value",
		ZH: "签名域的强制要求无法满足。", EN: "The signature field demands what this seal cannot satisfy."}
	errAlreadySigned = fault.Spec{Kind: fault.Refused, Code: "pdf.certify-signed",
		ZH: "文件已有签名，不能再作认证签名。", EN: "The file is signed already: only its first signature can certify it."}
	errBadUpdate = fault.Spec{Kind: fault.Internal, Code: "pdf.bad-update",
		ZH: "保存的盖章数据已损坏。", EN: "The stored data of a planned seal are damaged."}
	errContentsTooLong = fault.Spec{Kind: fault.Internal, Code: "pdf.contents-too-long",
		ZH: "签章数据超出了预留空间。", EN: "The signature does not fit the space that was reserved for it."}
)
