package pdf

import (
	"time"

	"yinxin/internal/fault"
)

// SealRequest describes one signature to plan, with all the places where its seal is shown.
//
// The picture stands once in the file, however many places show it. The field's only widget (ISO 32000-2, 12.7.5.5
// allows no second) is the first place: that of Field, else the first of Placements, else the first part of Straddle.
// All others are locked annotations of the same update. Without any place the signature is invisible.
type SealRequest struct {
	Filter, SubFilter Name
	ContentsSize      int // bytes reserved for the DER; /Contents takes two characters for each
	Time              time.Time
	// Signer, Reason, Location and Contact are shown by readers; empty ones are left out.
	Signer, Reason, Location, Contact string
	// Appearance is the picture; an invisible signature needs none.
	Appearance *Appearance
	Placements []Placement
	// Straddle, if not nil, spreads one more seal over the edges of the pages.
	Straddle *Straddle

	// Watermark, if not nil, is laid over every page. A document that is signed already does not take one.
	Watermark *Watermark

	// Field names an existing empty signature field to sign, by its full name; empty: a new field is made. The seal
	// stands at its true size in the middle of the field's rectangle. FitField lets it be made smaller where the
	// rectangle is, instead of refusing.
	Field    string
	FitField bool

	// Certify makes the signature a certification (DocMDP) that lets later changes in: 1 none, 2 form filling,
	// 3 also annotations. 0 makes an approval signature.
	Certify int
	// Lock, if not nil, locks fields from then on (FieldMDP). An existing field may bring a lock of its own.
	Lock *FieldLock

	// AllowOverlap lets the seal cover form fields, earlier seals and itself.
	AllowOverlap bool
	// TimeStamped says that /Contents will carry a time stamp, which the seed values of a field may demand.
	TimeStamped bool
}

const (
	// maxContents bounds the space for a signature: seals are tens of kilobytes.
	maxContents = 16 << 20
	// maxPlacements bounds the placements of one request, each of which may name many pages.
	maxPlacements = 256
	// maxPlaces bounds how many places one signature may have.
	maxPlaces = 20_000
)

func (r SealRequest) check() error {
	switch {
	case r.Filter == "" || r.SubFilter == "":
		return errBadRequest.At(fault.Field("filter"))
	case r.ContentsSize <= 0 || r.ContentsSize > maxContents:
		return errBadRequest.With("%d bytes", r.ContentsSize).At(fault.Field("contentsSize"))
	case r.Appearance == nil && (len(r.Placements) > 0 || r.Straddle != nil):
		return errBadRequest.At(fault.Field("appearance"))
	case r.Time.IsZero() || r.Time.Year() > 9999:
		return errBadRequest.At(fault.Field("time"))
	case len(r.Signer)+len(r.Reason)+len(r.Location)+len(r.Contact) > 64<<10:
		return errBadRequest.Saying("文字过长", "text too long")
	case len(r.Placements) > maxPlacements:
		return errTooManyPlaces.With("%d placements", len(r.Placements))
	case r.Certify < 0 || r.Certify > 3:
		return errBadRequest.With("level %d", r.Certify).At(fault.Field("certify"))
	}
	if r.Lock != nil {
		if err := r.Lock.check(); err != nil {
			return err
		}
	}
	if r.Straddle != nil {
		return r.Straddle.check()
	}
	return nil
}

// visible reports whether the request asks for any place beside that of an existing field.
func (r SealRequest) visible() bool { return len(r.Placements) > 0 || r.Straddle != nil }
