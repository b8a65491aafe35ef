package imprint

// Options say what the caller knows about the scan.
type Options struct {
	// Width and Height are the declared size of the seal in millimetres, upright. Height 0 means a round seal of
	// diameter Width.
	Width, Height float64
	// DPI is the resolution of the scan in dots per inch. 0 takes it from the file; a file that does not say is
	// refused with imprint.no-scale.
	DPI float64
	// Page is the page of the file that the imprints are on, counted from 1. 0 takes the first page with a mark of the ink's
	// colour and of the size of a seal.
	Page int
	// Shape is the outline of the seal. AnyShape takes it from the size and the scan: Height 0 is round; else it is
	// what fits the ink, an ellipse, a rectangle or a seal without a frame.
	Shape Shape
	// Polarity says whether the characters are red or the ground is. AnyPolarity looks.
	Polarity Polarity
	// Colour is the colour of the ink; empty means Red.
	Colour Colour
	// Boxes are where imprints may stand, in the order of the form. With boxes, marks elsewhere are reported and never
	// used; a mark belongs to the box that holds its middle. Without any, the two marks that look most like a pair
	// of the declared seal are taken.
	Boxes []Box
}

// Box is a printed box of the form, in millimetres from the left and upper edge of the page as displayed.
type Box struct{ Left, Top, Width, Height float64 }

// Shape is the outline of a seal.
type Shape string

const (
	AnyShape  Shape = ""
	Round     Shape = "round"
	Ellipse   Shape = "ellipse"
	Rectangle Shape = "rectangle" // square too; corners may be rounded
	Frameless Shape = "frameless" // characters only: its edge is that of the ink
)

// Polarity is what of a seal prints.
type Polarity string

const (
	AnyPolarity Polarity = ""
	Positive    Polarity = "positive" // 阳文: the characters are ink
	Negative    Polarity = "negative" // 阴文: the ground is ink, the characters are paper
)

// Colour is the colour of the ink. Grey and black are none: nothing would tell them from print.
type Colour string

const (
	Red    Colour = "red"
	Blue   Colour = "blue"
	Purple Colour = "purple"
	Green  Colour = "green"
)

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

	source *source
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
	// Page is the page of the file that was read, counted from 1, and Sheet how the paper lies on it.
	Page  int   `json:"page"`
	Sheet Sheet `json:"sheet"`
	// Shape and Polarity are what was declared or, failing that, found.
	Shape    Shape    `json:"shape"`
	Polarity Polarity `json:"polarity"`
	// Diameter is the measured outer diameter of a round seal in millimetres: of the best imprint that was used. 0 for
	// other shapes.
	Diameter float64 `json:"diameterMM"`
	// Width and Height are the measured size of the same imprint, upright, in millimetres.
	Width  float64 `json:"widthMM"`
	Height float64 `json:"heightMM"`
	// WidthDifference and HeightDifference are measured minus declared; SizeDifference is the larger one by amount.
	WidthDifference  float64 `json:"widthDifferenceMM"`
	HeightDifference float64 `json:"heightDifferenceMM"`
	SizeDifference   float64 `json:"sizeDifferenceMM"`
	// Angle is how far the best imprint leans on the page, degrees clockwise, already taken out of the pictures.
	// AngleError is its estimated standard error, in degrees.
	Angle      float64 `json:"angleDegrees"`
	AngleError float64 `json:"angleErrorDegrees"`
	// Fused is the number of imprints that went into the template: 1 or 2.
	Fused int `json:"fused"`
	// Match is the share of ink strokes on which the two imprints agree within 0.15 mm, 0 to 1; 0 with one imprint.
	Match float64 `json:"match"`
	// Outcome says whether the two imprints are of one seal; empty with one imprint. Mismatch is the area of the
	// strokes that one of them lacks at the worst place, in square millimetres, Places where that is more than a pressing
	// explains.
	Outcome  Outcome `json:"outcome,omitempty"`
	Mismatch float64 `json:"mismatchMM2"`
	Places   []Place `json:"places,omitempty"`
	// Twins is how far the unevenness of the ink is the same in both imprints, -1 to 1: about 0 for two pressings.
	// TwinsDifference is what is not the same, as a share of the ink's absorbance.
	Twins           float64 `json:"twins"`
	TwinsDifference float64 `json:"twinsDifference"`
	// MissingStrokes is the share of the border and the star, where solid ink is known to belong, that shows none in the
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
	// Source is "option", "JFIF", "EXIF", "pHYs", "TIFF" or "PDF".
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
	// Shape and Polarity are what was fitted; empty where nothing was.
	Shape    Shape    `json:"shape,omitempty"`
	Polarity Polarity `json:"polarity,omitempty"`
	// Box is the number of the box that holds the mark, from 1 in the order of Options.Boxes; 0 is none.
	Box int `json:"box,omitempty"`
	// Diameter is the outer diameter of the fitted circle in millimetres; 0 for other shapes.
	Diameter float64 `json:"diameterMM"`
	// Width and Height are the outer size, upright, in millimetres.
	Width  float64 `json:"widthMM"`
	Height float64 `json:"heightMM"`
	// Residual is the root mean square distance of the edge from the fitted outline, in millimetres.
	Residual float64 `json:"residualMM"`
	// Angle is how far the imprint leans, degrees clockwise, and AngleError its estimated standard error; AngleFrom is
	// "star", "gap", "emblem", "rows", "axes", "sides" or "none". AngleDoubted says that which way is up could not be
	// told and was taken from the page.
	Angle        float64 `json:"angleDegrees"`
	AngleError   float64 `json:"angleErrorDegrees"`
	AngleFrom    string  `json:"angleFrom"`
	AngleDoubted bool    `json:"angleDoubted,omitempty"`
	// Ink is the median absorbance of green light by solid ink, 0 to 1.
	Ink float64 `json:"ink"`
	// EdgeWidth is the width of the outer edge from 10 to 90 per cent of ink, in millimetres.
	EdgeWidth float64 `json:"edgeWidthMM"`
	// Border is the median width of the outer ring or frame, in millimetres; 0 without one.
	Border float64 `json:"borderMM"`
	// EdgeGap is the longest missing part of the outer edge, in degrees around the middle; EdgeMissing the missing share,
	// 0 to 1.
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
	// Colorants is how much of that unevenness in one colour of light does not follow in another, 0 to 1, and
	// ColorantsDeviation how much it is, as a share of the paper's light: print is mixed of several inks. 0 where the strokes
	// are too thin or the scan too coarse to tell.
	Colorants          float64 `json:"colorants"`
	ColorantsDeviation float64 `json:"colorantsDeviation"`
	// Used says that the imprint went into the template; otherwise Reason says why not, in Chinese.
	Used   bool   `json:"used"`
	Reason string `json:"reason,omitempty"`
}

// Gate is one check of quality, with the number it looked at and the limits it holds it against.
type Gate struct {
	// Name is stable; one of the Gate constants.
	Name string `json:"name"`
	// Title is what the gate looks for, in Chinese and as stable as Name: 太淡, 洇墨, 不完整, 不端正, 尺寸不符,
	// 两次印模不一致, 疑似不是同一枚印章, 分辨率不足, 疑似复印件或图片. Several gates may look for the same thing, and
	// the gate of the same seal goes by 两次印模不一致 where ink is missing and it cannot tell.
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
