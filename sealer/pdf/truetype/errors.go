package truetype

import "yinxin/internal/fault"

var (
	errBadFont = fault.Spec{Kind: fault.Invalid, Code: "font.bad-font",
		ZH: "字体文件无法使用，需要TrueType字体。", EN: "The font file cannot be used; a TrueType font is needed."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "font.too-large",
		ZH: "字体文件或所需的字形过大。", EN: "The font file, or what is needed of it, is too large."}
	errNotEmbeddable = fault.Spec{Kind: fault.Refused, Code: "font.not-embeddable",
		ZH: "该字体不允许嵌入文件。", EN: "The font does not allow to be embedded in files."}
	errNoGlyph = fault.Spec{Kind: fault.Refused, Code: "font.no-glyph",
		ZH: "字体中没有这个字。", EN: "The font has no glyph for a character."}
)
