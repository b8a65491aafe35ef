package truetype

import "yinxin/internal/fault"

var (
	errNotFound = fault.Spec{Kind: fault.Unavailable, Code: "font.not-found",
		ZH: "找不到中文字体，请安装 fonts-arphic-gbsn00lp，或用 YINXIN_FONT 指定一个 TrueType 字体。",
		EN: "No Chinese font was found: install fonts-arphic-gbsn00lp, or name a TrueType font in YINXIN_FONT."}
	errBadFont = fault.Spec{Kind: fault.Invalid, Code: "font.bad-font",
		ZH: "字体文件无法使用，需要 TrueType 字体。", EN: "The font file cannot be used; a TrueType font is needed."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "font.too-large",
		ZH: "字体文件或所需的字形过大。", EN: "The font file, or what is needed of it, is too large."}
	errNotEmbeddable = fault.Spec{Kind: fault.Refused, Code: "font.not-embeddable",
		ZH: "该字体不允许嵌入文件。", EN: "The font may not be embedded in files."}
	errNoGlyph = fault.Spec{Kind: fault.Refused, Code: "font.no-glyph",
		ZH: "字体中没有这个字。", EN: "The font has no glyph for a character."}
)
