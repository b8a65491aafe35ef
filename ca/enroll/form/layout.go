package form

import (
	"encoding/base32"
	"strings"

	"github.com/emmansun/gmsm/sm3"
)

// Box is a rectangle on the page in millimetres from its upper left corner.
type Box struct {
	X      float64 `json:"xMM"`
	Y      float64 `json:"yMM"`
	Width  float64 `json:"widthMM"`
	Height float64 `json:"heightMM"`
}

// Layout 1 of the printed form, in millimetres from the upper left corner of a sheet of A4. Scans of paper that was
// stamped years ago are read by it: another arrangement needs another number in the QR code, and both are kept.
const (
	sheetWidth, sheetHeight = 210.0, 297.0

	tableLeft, tableTop = 18.0, 34.0
	tableWidth          = 174.0
	labelWidth          = 34.0
	rowHeight           = 7.0
	sealTypeHeight      = 12.0
	purposeHeight       = 9.0
	mandateHeight       = 16.0
	stampHeight         = 46.0 // a seal of 45 mm fits
	nameHeight          = 8.0
	imprintHeight       = 60.0
	rowsHeight          = sealTypeHeight + 13*rowHeight + purposeHeight + mandateHeight

	codeSide        = 20.0 // of the QR code, without its quiet zone
	markSide        = 4.0  // of the squares by which a scan is straightened
	stampTop        = tableTop + rowsHeight
	imprintTop      = stampTop + stampHeight + nameHeight
	tableBottom     = imprintTop + imprintHeight
	unitSealWidth   = 66.0
	signatureWidth  = 58.0
	dateWidth       = tableWidth - unitSealWidth - signatureWidth
	sealNameWidth   = 72.0
	sizeLabelWidth  = 53.0
	sealNameLabel   = 24.0
	sizeWidth       = tableWidth - sealNameLabel - sealNameWidth - sizeLabelWidth
	imprintBoxWidth = tableWidth / 2
)

// The places on the sheet that a scan is asked for.
var (
	codeBox  = Box{tableLeft + tableWidth - codeSide, 10.5, codeSide, codeSide}
	imprints = [2]Box{{tableLeft, imprintTop, imprintBoxWidth, imprintHeight}, {tableLeft + imprintBoxWidth, imprintTop, imprintBoxWidth, imprintHeight}}
	unitSeal = Box{tableLeft, stampTop, unitSealWidth, stampHeight}
	// marks are the middles of the four squares: upper left, upper right, lower left, lower right.
	marks = [4]Point{{11, 11}, {199, 11}, {11, 286}, {199, 286}}
)

// Point is a place on the sheet in millimetres, or on a scan in pixels.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Places are the boxes of the printed form: where the two imprints and the stamp of the unit belong.
func Places() (imprint1, imprint2, unitStamp Box) { return imprints[0], imprints[1], unitSeal }

// codePrefix names the layout in the QR code.
const codePrefix = "YXA1"

// codeText is what the QR code of a form says:
//
//	YXA1:NUMBER:CHECK
//
// with the application number and four characters (A–Z, 2–7) of the base32 of SM3 over "YXA1:NUMBER", which tell our
// codes from others' that look alike. All characters are those of the alphanumeric mode of QR codes.
func codeText(number string) string {
	body := codePrefix + ":" + number
	return body + ":" + codeCheck(body)
}

func codeCheck(body string) string {
	digest := sm3.Sum([]byte(body))
	return base32.StdEncoding.EncodeToString(digest[:5])[:4]
}

// ReadCode reads the text of a QR code: the application number, or false where it is not one of our codes.
func ReadCode(text string) (number string, ok bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || parts[0] != codePrefix || !ValidNumber(parts[1]) {
		return "", false
	}
	return parts[1], parts[2] == codeCheck(parts[0]+":"+parts[1])
}
