package api

import (
	"strconv"
	"strings"

	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/intake"
	"yinxin/sealer/pdf"
)

// SealingOrder asks for a document to be sealed: one signature, and every place where its seal is shown.
type SealingOrder struct {
	Document string `json:"document" minLength:"1" maxLength:"64" doc:"Identifier of the document."`
	SealingTerms
}

// SealingTerms are how a document is sealed, without saying which.
type SealingTerms struct {
	Seal       string      `json:"seal" pattern:"^[0-9]{14}$" doc:"Code of the seal: 14 digits." example:"29010000000017"`
	Profile    string      `json:"profile,omitempty" enum:"seal,cms-gm,cms" default:"seal" doc:"How the seal is carried: a seal signature of GB/T 38540, signed data of GB/T 35275, or signed data of RFC 5652 as PAdES has it."`
	Placement  *Placement  `json:"placement,omitempty" doc:"One place; the same as a list of one."`
	Placements []Placement `json:"placements,omitempty" maxItems:"64"`
	Straddle   *Straddle   `json:"straddle,omitempty" doc:"骑缝章: one more seal, spread over the edges of the pages."`
	Field      string      `json:"field,omitempty" maxLength:"1000" doc:"Full name of an existing empty signature field to sign; the seal stands in its rectangle."`
	FitField   bool        `json:"fit_field,omitempty" doc:"Make the seal smaller where the field is smaller than the seal."`
	Invisible  bool        `json:"invisible,omitempty" doc:"Show the seal nowhere."`

	Appearance string   `json:"appearance,omitempty" enum:"picture,outline" default:"picture" doc:"Draw the picture of the seal or its vector outline."`
	Lines      []string `json:"lines,omitempty" maxItems:"4" doc:"Text below the seal, such as date and number." example:"[\"2026年11月26日\"]"`

	Certify int        `json:"certify,omitempty" minimum:"0" maximum:"3" doc:"Certify the document: 1 no later changes, 2 form filling, 3 also annotations."`
	Lock    *FieldLock `json:"lock,omitempty" doc:"Form fields that nobody may change from now on."`

	Reason   string `json:"reason,omitempty" maxLength:"200" doc:"Why it is sealed; stands in the signature dictionary of the file."`
	Location string `json:"location,omitempty" maxLength:"200" doc:"Where it is sealed; stands in the signature dictionary of the file."`
	Contact  string `json:"contact,omitempty" maxLength:"200" doc:"Whom to ask; stands in the signature dictionary of the file."`

	AllowOverlap bool     `json:"allow_overlap,omitempty" doc:"Let the seal cover form fields, earlier seals and itself."`
	NoTimeStamp  bool     `json:"no_time_stamp,omitempty" doc:"Leave out the time stamp that proves the signing time."`
	LongTerm     bool     `json:"long_term,omitempty" doc:"Add certificates, revocation lists and OCSP answers, and a document time stamp over them."`
	Accept       []string `json:"accept,omitempty" maxItems:"100" doc:"Codes of findings that the caller has seen and accepts, although the policy would refuse the document."`
}

// Placement says where the seal stands: at a distance from a corner of pages, or on a keyword.
type Placement struct {
	Page  int     `json:"page,omitempty" minimum:"-10000000" maximum:"10000000" doc:"Page, counted from 1; -1 is the last page. With a keyword: only there." example:"1"`
	Pages string  `json:"pages,omitempty" maxLength:"4096" doc:"Pages instead of a page: 1-3,5,-1, odd, even, all. With a keyword: only there; without, all of them." example:"1-3,5,-1"`
	From  string  `json:"from,omitempty" enum:"bottom-left,bottom-right,top-left,top-right,centre" default:"bottom-left" doc:"The corner of the page, as displayed, from which x and y are measured to the nearest corner of the seal; with centre, from the bottom left corner to the middle of the seal."`
	X     float64 `json:"x,omitempty" minimum:"0" maximum:"5000" doc:"Millimetres." example:"120"`
	Y     float64 `json:"y,omitempty" minimum:"0" maximum:"5000" doc:"Millimetres." example:"40"`

	MoveInside bool `json:"move_inside,omitempty" doc:"Move a seal that would leave the page to where it just stands on it."`

	Keyword string  `json:"keyword,omitempty" maxLength:"100" doc:"Put the middle of the seal on this text instead." example:"（盖章）"`
	Nth     int     `json:"nth,omitempty" minimum:"-1000" maximum:"1000" doc:"Which occurrence of the keyword: from 1, -1 is the last, 0 every one."`
	DX      float64 `json:"dx,omitempty" minimum:"-5000" maximum:"5000" doc:"Millimetres from the middle of the keyword to the right."`
	DY      float64 `json:"dy,omitempty" minimum:"-5000" maximum:"5000" doc:"Millimetres from the middle of the keyword upwards."`
}

// Straddle spreads a seal over the edges of the pages.
type Straddle struct {
	Edge      string  `json:"edge,omitempty" enum:"right,left,top,bottom" default:"right" doc:"Edge of the page as displayed."`
	Sides     string  `json:"sides,omitempty" enum:"single,double,fronts" default:"single" doc:"single: every page is the front of a sheet. double: printed on both sides, fronts and backs carry strips. fronts: printed on both sides, only the fronts carry strips."`
	Group     int     `json:"group,omitempty" minimum:"0" maximum:"100000" doc:"How many pages (sheets, where both sides are printed) share one seal; 0 chooses, so that strips are 3 mm wide or more."`
	Pages     string  `json:"pages,omitempty" maxLength:"4096" doc:"Only these pages."`
	SkipFirst int     `json:"skip_first,omitempty" minimum:"0" maximum:"100000" doc:"Leave out that many pages at the front, such as a cover."`
	Align     string  `json:"align,omitempty" enum:"middle,start,end" default:"middle" doc:"From where offset counts along the edge; start is its top or left end."`
	Offset    float64 `json:"offset,omitempty" minimum:"-5000" maximum:"5000" doc:"Millimetres."`
}

// FieldLock locks form fields.
type FieldLock struct {
	Action string   `json:"action" enum:"all,include,exclude" doc:"all fields, those that are named, or all but those."`
	Fields []string `json:"fields,omitempty" maxItems:"1000" doc:"Full names."`
}

var (
	corners = map[string]pdf.Corner{"": pdf.BottomLeft, "bottom-left": pdf.BottomLeft, "bottom-right": pdf.BottomRight,
		"top-left": pdf.TopLeft, "top-right": pdf.TopRight, "centre": pdf.Centre}
	edges  = map[string]pdf.Edge{"": pdf.RightEdge, "right": pdf.RightEdge, "left": pdf.LeftEdge, "top": pdf.TopEdge, "bottom": pdf.BottomEdge}
	sides  = map[string]pdf.Sides{"": pdf.SingleSided, "single": pdf.SingleSided, "double": pdf.DoubleSided, "fronts": pdf.FrontsOnly}
	aligns = map[string]pdf.Align{"": pdf.AlignMiddle, "middle": pdf.AlignMiddle, "start": pdf.AlignStart, "end": pdf.AlignEnd}
	locks  = map[string]pdf.LockAction{"all": pdf.LockAll, "include": pdf.LockInclude, "exclude": pdf.LockExclude}
)

// Order is what the sealer takes. Words that are none of the listed ones are request.invalid with the field.
func (o SealingOrder) Order() (sealer.Order, error) {
	out, err := o.SealingTerms.Order()
	out.Document = o.Document
	return out, err
}

// Order gives the order of the domain, for no document yet; what it says otherwise is for the domain to judge.
func (o SealingTerms) Order() (sealer.Order, error) {
	out := sealer.Order{Seal: o.Seal, Profile: sealer.Profile(o.Profile), Field: o.Field, FitField: o.FitField,
		Invisible: o.Invisible, Outline: o.Appearance == "outline", Lines: o.Lines, Certify: o.Certify, Reason: o.Reason,
		Location: o.Location, Contact: o.Contact, AllowOverlap: o.AllowOverlap, NoTimeStamp: o.NoTimeStamp, LongTerm: o.LongTerm}
	places := o.Placements
	if o.Placement != nil {
		places = append([]Placement{*o.Placement}, places...)
	}
	for _, p := range places {
		place, err := p.place()
		if err != nil {
			return out, err
		}
		out.Places = append(out.Places, place)
	}
	if s := o.Straddle; s != nil {
		edge, ok1 := edges[s.Edge]
		side, ok2 := sides[s.Sides]
		align, ok3 := aligns[s.Align]
		if !ok1 || !ok2 || !ok3 {
			return out, errInvalid.At(fault.Field("straddle"))
		}
		out.Straddle = &pdf.Straddle{Edge: edge, Sides: side, Group: s.Group, Pages: pdf.PageRange(s.Pages), SkipFirst: s.SkipFirst, Align: align, Offset: s.Offset}
	}
	if l := o.Lock; l != nil {
		action, ok := locks[strings.ToLower(l.Action)]
		if !ok {
			return out, errInvalid.At(fault.Field("lock"))
		}
		out.Lock = &pdf.FieldLock{Action: action, Fields: l.Fields}
	}
	for _, code := range o.Accept {
		out.Accept = append(out.Accept, intake.Code(code))
	}
	return out, nil
}

func (p Placement) place() (sealer.Place, error) {
	from, ok := corners[p.From]
	if !ok {
		return sealer.Place{}, errInvalid.Saying("角是 bottom-left、bottom-right、top-left、top-right 或 centre",
			"the corner is bottom-left, bottom-right, top-left, top-right or centre").At(fault.Field("placement.from"))
	}
	ok = p.Page == 0 || p.Pages == ""
	if p.Keyword != "" {
		ok = ok && from == pdf.BottomLeft && p.X == 0 && p.Y == 0
	} else {
		if p.Page == 0 && p.Pages == "" {
			return sealer.Place{}, errInvalid.Saying("页码从 1 起，-1 是末页", "pages count from 1; -1 is the last").At(fault.Field("placement.page"))
		}
		ok = ok && p.Nth == 0 && p.DX == 0 && p.DY == 0
	}
	if !ok {
		return sealer.Place{}, errInvalid.Saying("位置由页码加距离，或关键字加偏移给出", "a place is a page or pages with a distance, or a keyword with a shift").At(fault.Field("placement"))
	}
	if p.Keyword == "" {
		return sealer.Place{Placement: pdf.Placement{Page: p.Page, Pages: pdf.PageRange(p.Pages), From: from, X: p.X, Y: p.Y, MoveInside: p.MoveInside}}, nil
	}
	pages := p.Pages
	if p.Page != 0 {
		pages = strconv.Itoa(p.Page)
	}
	return sealer.Place{Keyword: &sealer.Keyword{Text: p.Keyword, Pages: pdf.PageRange(pages), Nth: p.Nth, DX: p.DX, DY: p.DY}}, nil
}
