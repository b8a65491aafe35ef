package scan

import "yinxin/internal/fault"

// What is refused.
var (
	ErrUnknown = fault.Spec{Kind: fault.Invalid, Code: "attachment.unknown-format",
		ZH: "附件应为 PDF、JPEG、PNG 或 TIFF 文件。", EN: "An attachment must be a PDF, JPEG, PNG or TIFF file."}
	ErrName = fault.Spec{Kind: fault.Invalid, Code: "attachment.not-what-it-says",
		ZH: "文件内容与文件名的后缀不符，请另存为正确的格式后再上传。", EN: "The file is not what its name says: save it in the format of its name and upload it again."}
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "attachment.too-large",
		ZH: "附件过大。", EN: "The attachment is too large."}
	ErrPages = fault.Spec{Kind: fault.TooLarge, Code: "attachment.too-many-pages",
		ZH: "附件页数过多。", EN: "The attachment has too many pages."}
	ErrPixels = fault.Spec{Kind: fault.TooLarge, Code: "attachment.too-many-pixels",
		ZH: "图像尺寸过大，请用 300 dpi 重新扫描。", EN: "The picture is too large: scan it again at 300 dpi."}
	ErrBroken = fault.Spec{Kind: fault.Invalid, Code: "attachment.broken",
		ZH: "附件已损坏或不完整，请重新扫描。", EN: "The attachment is damaged or incomplete: scan it again."}
	ErrEncrypted = fault.Spec{Kind: fault.Refused, Code: "attachment.encrypted",
		ZH: "PDF 已加密，请去掉密码后再上传。", EN: "The PDF is encrypted: remove the password and upload it again."}
	ErrNoPicture = fault.Spec{Kind: fault.Refused, Code: "attachment.no-picture",
		ZH: "该页不是扫描图像。", EN: "The page is not the picture of a scanner."}
	ErrCoding = fault.Spec{Kind: fault.Refused, Code: "attachment.unsupported-coding",
		ZH: "图像的压缩方式不受支持，请另存为 JPEG 或 PNG。", EN: "The picture is coded in a way that is not supported: save it as JPEG or PNG."}
)
