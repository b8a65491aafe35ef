package imprint

import "yinxin/internal/fault"

// ErrBadTemplate is of Against, Trace, Thumbnail and DecodeTemplate.
var ErrBadTemplate = fault.Spec{Kind: fault.Invalid, Code: "imprint.bad-template",
	ZH: "这不是印章模板，或与所给尺寸的比例不符；印章模板是透明底的 PNG 图像。",
	EN: "This is not a seal template, or not of the proportions of the given size; a seal template is a PNG with a clear ground."}

var (
	errNotAnImage = fault.Spec{Kind: fault.Invalid, Code: "imprint.not-an-image",
		ZH: "文件不是可读取的 JPEG、PNG、TIFF 图像或 PDF 扫描件。", EN: "The file is not a readable JPEG, PNG or TIFF image or a scan in PDF."}
	errTruncated = fault.Spec{Kind: fault.Invalid, Code: "imprint.truncated",
		ZH: "图像文件不完整或已损坏，请重新扫描或重新上传。", EN: "The image file is incomplete or damaged; scan or upload it again."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "imprint.too-large",
		ZH: "图像过大。", EN: "The image is too large."}
	errNoPage = fault.Spec{Kind: fault.Invalid, Code: "imprint.no-page",
		ZH: "文件没有所指的这一页。", EN: "The file has no such page."}
	errBadSize = fault.Spec{Kind: fault.Invalid, Code: "imprint.bad-size",
		ZH: "申报的印章尺寸不合理，应为 7 至 70 毫米。", EN: "The declared size of the seal must be 7 to 70 mm."}
	errBadScale = fault.Spec{Kind: fault.Invalid, Code: "imprint.bad-scale",
		ZH: "分辨率不合理，应为 50 至 4800 dpi。", EN: "The resolution must be 50 to 4800 dpi."}
	errBadOption = fault.Spec{Kind: fault.Invalid, Code: "imprint.bad-option",
		ZH: "印章的形状、阴阳文、颜色或印模框位置的参数无效。", EN: "The shape, polarity, colour or boxes given for the seal are not valid."}
	errNoScale = fault.Spec{Kind: fault.Invalid, Code: "imprint.no-scale",
		ZH: "图像没有分辨率信息，无法确定印章的实际尺寸，请用 --dpi 指定扫描分辨率。",
		EN: "The image does not state its resolution, so millimetres cannot be measured; give the scan's resolution with --dpi."}
	errScaleContradicts = fault.Spec{Kind: fault.Invalid, Code: "imprint.scale-contradicts",
		ZH: "图像标注的分辨率与纸张尺寸矛盾，请用 --dpi 指定扫描分辨率。",
		EN: "The resolution that the image states contradicts the size of the page; give the scan's resolution with --dpi."}
	errNoColour = fault.Spec{Kind: fault.Refused, Code: "imprint.no-colour",
		ZH: "图像是黑白或灰度扫描，请用彩色模式重新扫描。", EN: "The image is a black-and-white or grey scan; scan it again in colour."}
	errIncomplete = fault.Spec{Kind: fault.Refused, Code: "imprint.incomplete",
		ZH: "找到印迹，但不是完整的印模，或形状与申报的不符，请重新盖章。", EN: "A mark was found, but it is not a whole imprint of the declared shape; stamp again."}
	errNoneFound = fault.Spec{Kind: fault.Refused, Code: "imprint.none-found",
		ZH: "图像中没有找到印模。", EN: "No imprint was found in the image."}
	errEvidence = fault.Spec{Kind: fault.Invalid, Code: "imprint.evidence",
		ZH: "文件不是印章模板的制作依据，或其中没有保存印模图像。", EN: "The file is no evidence of a seal template, or holds no pictures of the imprints."}
)
