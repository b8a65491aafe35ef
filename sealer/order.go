package sealer

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/sealer/intake"
	"yinxin/sealer/pdf"
)

// Order asks for one document to be sealed: one signature, with all the places where its seal is shown. Without places,
// straddle seal and field the order must say that it is to be invisible.
type Order struct {
	Document string        `json:"document"`
	Seal     string        `json:"seal"` // 14-digit code
	Profile  Profile       `json:"profile,omitempty"`
	Places   []Place       `json:"places,omitempty"`
	Straddle *pdf.Straddle `json:"straddle,omitempty"` // 骑缝章
	// Field is the full name of an existing empty signature field to sign; FitField lets the seal be made smaller where
	// the field is.
	Field     string `json:"field,omitempty"`
	FitField  bool   `json:"fit_field,omitempty"`
	Invisible bool   `json:"invisible,omitempty"`

	Outline bool     `json:"outline,omitempty"` // the vector outline instead of the picture
	Lines   []string `json:"lines,omitempty"`   // text below the seal, such as date and number

	// Certify makes the signature a certification with that level (1 to 3, ISO 32000-2, 12.8.2.2); Lock locks fields.
	Certify int            `json:"certify,omitempty"`
	Lock    *pdf.FieldLock `json:"lock,omitempty"`

	Reason   string `json:"reason,omitempty"`
	Location string `json:"location,omitempty"`
	Contact  string `json:"contact,omitempty"`

	AllowOverlap bool `json:"allow_overlap,omitempty"`
	// NoTimeStamp leaves out the time stamp that a sealing takes when the service has an authority for it.
	NoTimeStamp bool `json:"no_time_stamp,omitempty"`
	// LongTerm adds what proves the certificates, and a document time stamp over it.
	LongTerm bool `json:"long_term,omitempty"`
	// Accept names intake findings that the caller has seen and accepts, although the policy would refuse the document.
	Accept []intake.Code `json:"accept,omitempty"`

	// IdempotencyKey makes the order repeatable: the same key with the same order gives the stored result, with
	// another order sealing.key-reused. Empty: the order is sealed anew each time.
	IdempotencyKey string `json:"-"`

	sandbox bool   // set from the key that the actor came with
	content string // SM3 of a document that comes with the order, in hex: what the key is bound to then
}

// Place is where a seal stands: at a distance from a corner, or by a keyword.
type Place struct {
	pdf.Placement
	Keyword *Keyword `json:"keyword,omitempty"`
}

// Keyword places the seal's centre on a text of the page.
type Keyword struct {
	Text  string        `json:"text"`
	Pages pdf.PageRange `json:"pages,omitempty"` // empty: all
	// Nth picks one occurrence, counted from 1, or from the end with -1 the last; 0 is every one.
	Nth int `json:"nth,omitempty"`
	// DX and DY move the seal from the middle of the text, in millimetres to the right and up on the page as displayed.
	DX float64 `json:"dx,omitempty"`
	DY float64 `json:"dy,omitempty"`
}

// Bounds of an order.
const (
	maxPlaces    = 64
	maxLines     = 4
	maxLineText  = 100
	maxKeyword   = 100
	maxOrderText = 1000
)

// Checked gives the order with its defaults, or says what is wrong with it: sealing.order with the field.
func (o Order) Checked() (Order, error) {
	bad := func(field, detail string, args ...any) (Order, error) {
		return o, errOrder.With(detail, args...).At(fault.Field(field))
	}
	o.Profile = cmp.Or(o.Profile, ProfileSeal)
	if !slices.Contains(Profiles, o.Profile) {
		return bad("profile", "%.40q", o.Profile)
	}
	if len(o.Places) > maxPlaces {
		return bad("places", "more than %d", maxPlaces)
	}
	visible := len(o.Places) > 0 || o.Straddle != nil || o.Field != ""
	if visible == o.Invisible {
		return o, errOrder.Saying("印章要么有盖章位置，要么声明不显示", "a seal is shown somewhere, or is said to be invisible").At(fault.Field("places"))
	}
	if len(o.Lines) > maxLines || slices.ContainsFunc(o.Lines, func(l string) bool { return l == "" || len([]rune(l)) > maxLineText }) {
		return o, errOrder.Saying(fmt.Sprintf("最多 %d 行，每行 1 至 %d 字", maxLines, maxLineText),
			fmt.Sprintf("up to %d lines of 1 to %d characters", maxLines, maxLineText)).At(fault.Field("lines"))
	}
	for _, p := range o.Places {
		if k := p.Keyword; k != nil && (k.Text == "" || len([]rune(k.Text)) > maxKeyword) {
			return bad("keyword", "1 to %d characters", maxKeyword)
		}
		if !finite(p.X, p.Y) || p.Keyword != nil && !finite(p.Keyword.DX, p.Keyword.DY) {
			return bad("places", "a distance that is no number")
		}
	}
	if o.Straddle != nil && !finite(o.Straddle.Offset) {
		return bad("straddle", "a distance that is no number")
	}
	for field, text := range map[string]string{"reason": o.Reason, "location": o.Location, "contact": o.Contact, "field": o.Field} {
		if len(text) > maxOrderText {
			return bad(field, "more than %d bytes", maxOrderText)
		}
	}
	if o.LongTerm && o.NoTimeStamp {
		return o, errOrder.Saying("长期验证需要时间戳", "long-term proof takes a time stamp").At(fault.Field("long_term"))
	}
	for _, code := range o.Accept {
		if code.Severity() == "" {
			return o, errOrder.Saying(fmt.Sprintf("没有 %.40q 这种检查结果", string(code)), fmt.Sprintf("there is no finding %.40q", string(code))).At(fault.Field("accept"))
		}
	}
	return o, nil
}

func finite(numbers ...float64) bool {
	return !slices.ContainsFunc(numbers, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
}

// digest binds an idempotency key to what was asked.
func (o Order) digest() string {
	if o.content != "" {
		o.Document = "sm3:" + o.content
	}
	b, err := json.Marshal(struct {
		Order
		Sandbox bool `json:"sandbox,omitempty"`
	}{o, o.sandbox})
	if err != nil {
		panic("sealer: an order always marshals: " + err.Error())
	}
	d := sm3.Sum(b)
	return hex.EncodeToString(d[:])
}

// placements resolves the order's places: keywords are looked up in the document.
func (s *Service) placements(ctx context.Context, doc *pdf.Document, r io.ReaderAt, size int64, places []Place) ([]pdf.Placement, error) {
	out := make([]pdf.Placement, 0, len(places))
	for _, p := range places {
		if p.Keyword == nil {
			out = append(out, p.Placement)
			continue
		}
		found, err := s.find(ctx, doc, r, size, *p.Keyword)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}
