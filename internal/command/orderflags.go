package command

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"yinxin/api"
	"yinxin/internal/fault"
)

// orderFlags say what a seal looks like and where it stands: the same for yinxin seal and yinxin preview, here and
// through a server.
type orderFlags struct {
	Page string   `help:"Pages: 3, 1-3,5,-1 (-1 is the last), odd, even, all. Without any place: the last." placeholder:"PAGES" group:"place"`
	X    *float64 `name:"x" help:"Distance of the seal from the corner of the page, mm, across (default: 25, less on small pages)." placeholder:"MM" group:"place"`
	Y    *float64 `name:"y" help:"Distance of the seal from the corner of the page, mm, up or down (default: 30, less on small pages)." placeholder:"MM" group:"place"`
	From string   `help:"Corner of the page as displayed from which --x and --y count to the nearest corner of the seal: ${enum}. centre: from the lower left corner to the middle of the seal." placeholder:"CORNER" enum:"bottom-left,bottom-right,top-left,top-right,centre" default:"bottom-right" group:"place"`
	At   []string `name:"at" help:"One more place: PAGES@CORNER:X,Y, as in 1@top-left:20,20. May be repeated." placeholder:"PLACE" sep:"none" group:"place"`

	Keyword *string `help:"Put the middle of the seal on this text of the page; --page says on which pages to look (default: all)." placeholder:"TEXT" group:"place"`
	Nth     string  `help:"Which occurrence: a number, last, or all (default: ${default})." default:"last" placeholder:"N" group:"place"`
	DX      float64 `name:"dx" help:"Move it from the middle of the text, mm to the right." placeholder:"MM" group:"place"`
	DY      float64 `name:"dy" help:"Move it from the middle of the text, mm upwards." placeholder:"MM" group:"place"`

	Field        *string `help:"Sign this existing empty signature field; the seal stands in its rectangle." placeholder:"NAME" group:"place"`
	FitField     bool    `help:"Make the seal smaller where the field is smaller than the seal." group:"place"`
	Invisible    bool    `help:"Show the seal nowhere." group:"place"`
	AllowOverlap bool    `help:"Let the seal cover form fields and earlier seals." group:"place"`

	Straddle       string  `help:"骑缝章: spread one more seal over this edge of the pages: right, left, top or bottom." enum:",right,left,top,bottom" default:"" placeholder:"EDGE" group:"straddle seal"`
	StraddleSides  string  `help:"single: one page to a sheet. double: printed on both sides. fronts: on both sides, strips on the fronts only." placeholder:"SIDES" enum:"single,double,fronts" default:"single" group:"straddle seal"`
	StraddleGroup  int     `help:"Pages (or sheets) that share one seal; 0 chooses." placeholder:"N" group:"straddle seal"`
	StraddlePages  string  `help:"Only these pages." placeholder:"PAGES" group:"straddle seal"`
	StraddleSkip   int     `help:"Leave out so many pages at the front, such as a cover." placeholder:"N" group:"straddle seal"`
	StraddleAlign  string  `help:"From where the offset counts along the edge: ${enum} (of the displayed edge, from the top or the left)." placeholder:"WHERE" enum:"middle,start,end" default:"middle" group:"straddle seal"`
	StraddleOffset float64 `help:"Offset along the edge, mm." placeholder:"MM" group:"straddle seal"`

	Outline bool     `help:"Draw the vector outline of the seal instead of its picture." group:"look"`
	Line    []string `help:"A line of text below the seal, such as the date; it counts as part of the seal for the distances from a corner. May be repeated." placeholder:"TEXT" sep:"none" group:"look"`

	Profile     string   `help:"How the seal is carried: seal (GB/T 38540), cms-gm (GB/T 35275) or cms (PAdES, keeps PDF/A-2 and -3). Default: ${default}." placeholder:"PROFILE" enum:"seal,cms-gm,cms" default:"seal" group:"signature"`
	Certify     int      `help:"Certify the document: 1 no later changes, 2 form filling, 3 also annotations." placeholder:"LEVEL" group:"signature"`
	Lock        string   `help:"Lock form fields: all, or names separated by commas; a leading ! locks all but those." placeholder:"FIELDS" group:"signature"`
	Reason      string   `help:"Reason, recorded in the signature." placeholder:"TEXT" group:"signature"`
	Location    string   `help:"Place of sealing, recorded in the signature." placeholder:"TEXT" group:"signature"`
	Contact     string   `help:"Whom to ask, recorded in the signature." placeholder:"TEXT" group:"signature"`
	NoTimeStamp bool     `help:"Take no time stamp." group:"signature"`
	LongTerm    bool     `help:"Add what proves the certificates for long, and a document time stamp." group:"signature"`
	Accept      []string `help:"Seal in spite of these findings (codes, as in the refusal)." placeholder:"CODE" group:"signature"`
}

// Where a seal stands when nothing is said: where a 落款 does, at the lower right.
const defaultX, defaultY = 25, 30

// order makes the order, without document.
func (f orderFlags) order(seal string) (api.SealingOrder, error) {
	o := api.SealingOrder{SealingTerms: api.SealingTerms{Seal: seal, Profile: f.Profile, FitField: f.FitField, Invisible: f.Invisible, Lines: f.Line,
		Certify: f.Certify, Reason: f.Reason, Location: f.Location, Contact: f.Contact, AllowOverlap: f.AllowOverlap,
		NoTimeStamp: f.NoTimeStamp, LongTerm: f.LongTerm, Accept: f.Accept}}
	for flag, mm := range map[string]*float64{"--x": f.X, "--y": f.Y, "--dx": &f.DX, "--dy": &f.DY, "--straddle-offset": &f.StraddleOffset} {
		if mm == nil {
			continue
		}
		if mm := *mm; math.IsNaN(mm) || math.IsInf(mm, 0) {
			return o, errFlag.At(fault.Field(flag)).With("%g", mm)
		}
	}
	if f.Outline {
		o.Appearance = "outline"
	}
	if f.Field != nil {
		if *f.Field == "" {
			return o, errEmptyFlag.At(fault.Field("--field"))
		}
		o.Field = *f.Field
	}
	pages := f.Page
	if pages == "" && f.Keyword == nil && f.Field == nil && f.Straddle == "" && !f.Invisible && len(f.At) == 0 {
		pages = "-1"
	}
	if f.Keyword != nil {
		if *f.Keyword == "" {
			return o, errEmptyFlag.At(fault.Field("--keyword"))
		}
		nth, err := nthOf(f.Nth)
		if err != nil {
			return o, err
		}
		o.Placements = append(o.Placements, api.Placement{Keyword: *f.Keyword, Pages: f.Page, Nth: nth, DX: f.DX, DY: f.DY})
	} else if pages != "" {
		p := place(pages, f.From, defaultX, defaultY)
		if f.X != nil {
			p.X = *f.X
		}
		if f.Y != nil {
			p.Y = *f.Y
		}
		p.MoveInside = f.X == nil && f.Y == nil // nobody asked for these distances
		o.Placements = append(o.Placements, p)
	}
	for _, text := range f.At {
		p, err := placeOf(text)
		if err != nil {
			return o, err
		}
		o.Placements = append(o.Placements, p)
	}
	if f.Straddle != "" {
		o.Straddle = &api.Straddle{Edge: f.Straddle, Sides: f.StraddleSides, Group: f.StraddleGroup, Pages: f.StraddlePages,
			SkipFirst: f.StraddleSkip, Align: f.StraddleAlign, Offset: f.StraddleOffset}
	}
	if f.Lock != "" {
		o.Lock = lockOf(f.Lock)
	}
	return o, nil
}

// place is one on pages; a single number goes as a number, which costs no walk through all pages.
func place(pages, from string, x, y float64) api.Placement {
	p := api.Placement{From: from, X: x, Y: y}
	if n, err := strconv.Atoi(pages); err == nil {
		p.Page = n
	} else {
		p.Pages = pages
	}
	return p
}

// placeOf reads PAGES@CORNER:X,Y.
func placeOf(text string) (api.Placement, error) {
	bad := errFlag.At(fault.Field("--at")).Saying(fmt.Sprintf("%.80q，应如 1@top-left:20,20", text), fmt.Sprintf("%.80q, not as in 1@top-left:20,20", text))
	pages, rest, ok1 := strings.Cut(text, "@")
	from, numbers, ok2 := strings.Cut(rest, ":")
	across, along, ok3 := strings.Cut(numbers, ",")
	x, err1 := strconv.ParseFloat(across, 64)
	y, err2 := strconv.ParseFloat(along, 64)
	if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || math.IsNaN(x+y) || math.IsInf(x+y, 0) {
		return api.Placement{}, bad
	}
	return place(pages, from, x, y), nil
}

func nthOf(text string) (int, error) {
	switch text {
	case "all":
		return 0, nil
	case "last":
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n == 0 {
		return 0, errFlag.At(fault.Field("--nth")).Saying(fmt.Sprintf("%.40q，应为第几处（1、2、…）、last 或 all", text), fmt.Sprintf("%.40q, not a number, last or all", text))
	}
	return n, nil
}

func lockOf(text string) *api.FieldLock {
	if text == "all" {
		return &api.FieldLock{Action: "all"}
	}
	if names, ok := strings.CutPrefix(text, "!"); ok {
		return &api.FieldLock{Action: "exclude", Fields: strings.Split(names, ",")}
	}
	return &api.FieldLock{Action: "include", Fields: strings.Split(text, ",")}
}
