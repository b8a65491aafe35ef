package outline

import "yinxin/internal/fault"

var (
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "outline.too-large",
		ZH: "图像过大，不能描出轮廓。", EN: "The picture is too large to be traced."}
	errTooComplex = fault.Spec{Kind: fault.TooLarge, Code: "outline.too-complex",
		ZH: "图像过于杂乱，不能描出轮廓。", EN: "The picture has too many edges to be traced."}
	errTooManyColours = fault.Spec{Kind: fault.Refused, Code: "outline.too-many-colours",
		ZH: "图像的颜色超过四种，不能描出轮廓。", EN: "The picture has more than four colours and cannot be traced."}
	errEmpty = fault.Spec{Kind: fault.Refused, Code: "outline.empty",
		ZH: "图像中没有可描的内容。", EN: "The picture shows nothing that could be traced."}
)

// Refused reports whether an error says that a picture is not one for tracing, rather than that something failed.
func Refused(err error) bool {
	for _, s := range []fault.Spec{errTooLarge, errTooComplex, errTooManyColours, errEmpty} {
		if fault.Has(err, s) {
			return true
		}
	}
	return false
}
