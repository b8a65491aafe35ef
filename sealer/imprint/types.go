package imprint

// Options say what the caller knows about the scan.
type Options struct {
	// Width and Height are the declared size of the seal in millimetres. Height 0 means a round seal of diameter Width.
	Width, Height float64
	// DPI is the resolution of the scan in dots per inch. 0 takes it from the file; a file that does not say is
	// refused with imprint.no-scale.
	DPI float64
}

// Verdict is the result of all gates together.
type Verdict string

const (
	// Usable is an imprint that passed every gate.
	Usable Verdict = "usable"
	// Warn is an imprint that an officer may accept with a reason, where Result.Acceptable says so.
	Warn Verdict = "warn"
	// StampAgain is an imprint that must not become a seal.
	StampAgain Verdict = "stamp-again"
)

// Result is what Process made of a scan. Template and Picture are made whatever the verdict is, so that a person can
// see what was refused; only a Usable one, or an Acceptable one for which an officer gave a reason, may become a seal.
type Result struct {
	// Template is a PNG at 600 dpi: palette with alpha, one colour, alpha the coverage by ink. The canvas is exactly
	// the declared size and the pHYs chunk says so.
	Template []byte `json:"-"`
	// Picture is the same at 300 dpi, for the seal structure, which travels in every sealed file.
	Picture []byte `json:"-"`
	// Width and Height are the size of both pictures in millimetres: the declared size.
	Width    float64  `json:"widthMM"`
	Height   float64  `json:"heightMM"`
	Measures Measures `json:"measures"`
	Gates    []Gate   `json:"gates"`
	Verdict  Verdict  `json:"verdict"`
	Imprints []Found  `json:"imprints"`
}

// Acceptable says whether the template may become a seal once an officer has given a reason for every warning. It is
// false where a gate refuses, and where one warns of what no reason can make good.
func (r *Result) Acceptable() bool {
	for _, g := range r.Gates {
		if g.Verdict == StampAgain || g.Verdict == Warn && !g.Acceptable {
			return false
		}
	}
	return r.Verdict != StampAgain
}

// Measures are figures about the scan and about the imprints that were used, taken together.
type Measures struct {
	Scale Scale `json:"scale"`
	// Diameter is the measured outer diameter in millimetres: of the best imprint that was used.
	Diameter float64 `json:"diameterMM"`
	// SizeDifference is measured minus declared, in millimetres.
	SizeDifference float64 `json:"sizeDifferenceMM"`
	// Angle is how far the best imprint leans on the page, degrees clockwise, already taken out of the pictures.
	Angle float64 `json:"angleDegrees"`
	// Fused is the number of imprints that went into the template: 1 or 2.
	Fused int `json:"fused"`
	// Match is the share of ink strokes on which the two imprints agree within 0.15 mm, 0 to 1; 0 with one imprint.
	Match float64 `json:"match"`
	// Outcome says whether the two imprints are of one seal; empty with one imprint. Mismatch is the ink that one of
	// them lacks in the worst window of 2 mm, in square millimetres, Places where that is more than a pressing explains.
	Outcome  Outcome `json:"outcome,omitempty"`
	Mismatch float64 `json:"mismatchMM2"`
	Places   []Place `json:"places,omitempty"`
	// Twins is how far the unevenness of the ink is the same in both imprints, -1 to 1: about 0 for two pressings.
	Twins float64 `json:"twins"`
	// MissingStrokes is the share of the ring and the star, where solid ink is known to belong, that shows none in the
	// template, 0 to 1.
	MissingStrokes float64 `json:"missingStrokes"`
	// InkArea is the area covered by ink in the template, in square millimetres.
	InkArea float64 `json:"inkAreaMM2"`
	// Eroded is what was taken off every side because the ink had crept on the paper, in millimetres.
	Eroded float64 `json:"erodedMM"`
	// BridgedArea is the area in which ink lay under black print in every used imprint and was carried over from the
	// ink around it, in square millimetres.
	BridgedArea float64 `json:"bridgedAreaMM2"`
	// CompletedArea is the area in which one imprint shows no ink and the other one does, in square millimetres.
	CompletedArea float64 `json:"completedAreaMM2"`
	// Filled lists the places of BridgedArea and CompletedArea, largest first, at most 64.
	Filled []Filled `json:"filled,omitempty"`
}

// Filled is a place in the template that does not come straight from the best imprint.
type Filled struct {
	// How is "bridged" (ink under black print, carried over from around it) or "completed" (from the other imprint).
	How string `json:"how"`
	// X and Y are the middle of the place, in millimetres from the left and upper edge of the template.
	X float64 `json:"xMM"`
	Y float64 `json:"yMM"`
	// Area is in square millimetres.
	Area float64 `json:"areaMM2"`
}

// Scale is the resolution of the scan and where it comes from.
type Scale struct {
	// X and Y are dots per inch along the rows and the columns of the page as displayed.
	X float64 `json:"xDPI"`
	Y float64 `json:"yDPI"`
	// Source is "option", "JFIF", "EXIF" or "pHYs".
	Source string `json:"source"`
	// Width and Height are the size of the scan in pixels, as displayed.
	Width  int `json:"widthPixels"`
	Height int `json:"heightPixels"`
	// Page is the paper whose size the scan has at this scale ("A4"), empty when it has none's: a crop.
	Page string `json:"page,omitempty"`
}

// Found is one red mark of the size of a seal, in reading order.
type Found struct {
	// Left, Top, Right and Bottom bound the mark in pixels of the scan as displayed.
	Left   int `json:"leftPixels"`
	Top    int `json:"topPixels"`
	Right  int `json:"rightPixels"`
	Bottom int `json:"bottomPixels"`
	// X and Y are the centre in millimetres from the left and upper edge of the scan.
	X float64 `json:"xMM"`
	Y float64 `json:"yMM"`
	// Diameter is the outer diameter of the fitted circle in millimetres.
	Diameter float64 `json:"diameterMM"`
	// Residual is the root mean square distance of the edge from the fitted circle, in millimetres.
	Residual float64 `json:"residualMM"`
	// Angle is how far the imprint leans, degrees clockwise; AngleFrom is "star", "gap" or "none".
	Angle     float64 `json:"angleDegrees"`
	AngleFrom string  `json:"angleFrom"`
	// Ink is the median absorbance of green light by solid ink, 0 to 1.
	Ink float64 `json:"ink"`
	// EdgeWidth is the width of the outer edge from 10 to 90 per cent of ink, in millimetres.
	EdgeWidth float64 `json:"edgeWidthMM"`
	// Border is the median width of the outer ring, in millimetres.
	Border float64 `json:"borderMM"`
	// EdgeGap is the longest missing part of the outer ring, in degrees; EdgeMissing the missing share, 0 to 1.
	EdgeGap     float64 `json:"edgeGapDegrees"`
	EdgeMissing float64 `json:"edgeMissing"`
	// Hidden is the area inside the seal in which black print hides whether there is ink, in square millimetres.
	Hidden float64 `json:"hiddenMM2"`
	// Missing is the share of the strokes known from the other imprint that this one does not show, 0 to 1.
	Missing float64 `json:"missingStrokes"`
	// Grain is the unevenness of the ink inside the strokes, as a share of its absorbance; Screen how far the highest
	// peak of its spectrum stands out, at ScreenLPI lines per inch. 0 where the strokes are too thin to tell.
	Grain     float64 `json:"grain"`
	Screen    float64 `json:"screen"`
	ScreenLPI float64 `json:"screenLPI"`
	// Used says that the imprint went into the template; otherwise Reason says why not, in Chinese.
	Used   bool   `json:"used"`
	Reason string `json:"reason,omitempty"`
}

// Gate is one check of quality, with the number it looked at and the limits it holds it against.
type Gate struct {
	// Name is stable; see gates.go for the list.
	Name string `json:"name"`
	// Title is what the gate looks for, in Chinese and as stable as Name: 太淡, 洇墨, 不完整, 不端正, 尺寸不符,
	// 两次印模不一致, 疑似不是同一枚印章, 分辨率不足, 疑似复印件或图片. Several gates may look for the same thing.
	Title   string  `json:"title"`
	Verdict Verdict `json:"verdict"`
	// Acceptable says that an officer may accept this gate's warning with a reason. A warning that is not acceptable
	// keeps the imprint from becoming a seal like a refusal does: another seal, a wrong size.
	Acceptable bool    `json:"acceptable"`
	Value      float64 `json:"value"`
	// Unit is of Value and the limits: "mm", "dpi", "degrees", "ratio".
	Unit string `json:"unit"`
	// WarnAt and RefuseAt are the limits; 0 where the gate has none of that kind.
	WarnAt   float64 `json:"warnAt,omitempty"`
	RefuseAt float64 `json:"refuseAt,omitempty"`
	// ZH and EN are a sentence for the person.
	ZH string `json:"zh"`
	EN string `json:"en"`
}
