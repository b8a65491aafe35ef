package web

import (
	"net/url"
	"time"

	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// SealingStates are the states of a sealing, for filters.
var SealingStates = []Option{{"released", Text{"已盖章", "sealed"}}, {"failed", Text{"失败", "failed"}}, {"abandoned", Text{"已放弃", "abandoned"}}, {"intended", Text{"进行中", "under way"}}}

var sealingClasses = map[string]string{"released": "good", "failed": "bad", "abandoned": "none", "intended": "note"}

// SealingWord is a state of a sealing in words, and its class.
func SealingWord(state, language string) (word, class string) {
	for _, o := range SealingStates {
		if o.Value == state {
			return o.Label.In(language), sealingClasses[state]
		}
	}
	return state, "none"
}

// FromUntil are the filters for a span of days, and Days what they say.
var FromUntil = []Filter{{Name: "from", Label: Text{"从", "From"}, Kind: "date"}, {Name: "until", Label: Text{"至", "Until"}, Kind: "date"}}

// Days reads FromUntil; until is the beginning of the day after, and what is not given is zero. Error:
// page.day.
func Days(query url.Values) (from, until time.Time, err error) {
	if day := query.Get("from"); day != "" {
		if from, err = civil.ParseDay(day); err != nil {
			return from, until, errDay.With("%.20q", day).Because(err)
		}
	}
	if day := query.Get("until"); day != "" {
		if until, err = civil.ParseDay(day); err != nil {
			return from, until, errDay.With("%.20q", day).Because(err)
		}
		until = until.AddDate(0, 0, 1)
	}
	return from, until, nil
}

var errDay = fault.Spec{Kind: fault.Invalid, Code: "page.day", ZH: "日期写作 2026-11-26。", EN: "A day is written 2026-11-26."}

// Places is where a seal stands in a document: the template "places" tells it.
type Places struct {
	Whole    []pdf.Mark
	Straddle []pdf.Mark // the first and the last of the strips of a straddle seal
	Strips   int
}

// PlacesOf sorts the marks of a sealing.
func PlacesOf(marks []pdf.Mark) (p Places) {
	for _, m := range marks {
		if m.Kind != pdf.MarkStraddle {
			p.Whole = append(p.Whole, m)
			continue
		}
		if p.Strips++; p.Strips > 1 {
			p.Straddle = p.Straddle[:1]
		}
		p.Straddle = append(p.Straddle, m)
	}
	return p
}
