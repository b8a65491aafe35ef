package form

import (
	"math"
	"slices"
	"strings"
)

// Centre is what a seal has in its middle.
type Centre string

// The centres of 国发〔1999〕25号.
const (
	Emblem   Centre = "emblem" // 国徽
	Star     Centre = "star"   // 五角星
	NoCentre Centre = "none"
)

// standard is one row of 国发〔1999〕25号: the diameters in millimetres that it allows, and the centres. A row with limits
// instead lets everything between them pass.
type standard struct {
	owner           string
	diameters       []float64
	atLeast, atMost float64
	centres         []Centre
}

// The rows that the words of a form can tell apart. Ministries and their peers have 50 or 45 by their rank, which no form
// says; both pass.
var (
	stateCouncil       = standard{"国务院", []float64{60}, 0, 0, []Centre{Emblem}}
	provincial         = standard{"省级人民政府", []float64{50}, 0, 0, []Centre{Emblem}}
	stateBodies        = standard{"国务院办公厅、各部委、直属机构、办事机构、直属事业单位", []float64{50, 45, 42}, 0, 0, []Centre{Emblem, Star}}
	prefectureToCounty = standard{"自治州、市、县、区人民政府", []float64{45}, 0, 0, []Centre{Emblem}}
	prefectureOffice   = standard{"地区（盟）行政公署", []float64{45}, 0, 0, []Centre{Star}}
	missions           = standard{"驻外使馆、领事馆", []float64{42}, 0, 0, []Centre{Emblem}}
	township           = standard{"乡（镇）人民政府", []float64{42}, 0, 0, []Centre{Emblem, Star}}
	subordinate        = standard{"行政机关内设机构和直属单位", nil, 0, 45, []Centre{Star}}
	bodies             = standard{"企业、事业单位、社会团体", nil, 0, 45, []Centre{Star}}
	// Local practice, no national law: contract seals up to 58, others 38 to 42, none with a star.
	special  = standard{"专用章", nil, 38, 42, []Centre{NoCentre}}
	contract = standard{"合同专用章", nil, 38, 58, []Centre{NoCentre}}
)

// standardFor is the row for an official seal by the type and the name of its unit.
func standardFor(u UnitType, name string) standard {
	if u != UnitAdministrative {
		return bodies
	}
	ends := func(words ...string) bool {
		for _, w := range words {
			if strings.HasSuffix(name, w) {
				return true
			}
		}
		return false
	}
	switch {
	case name == "国务院" || name == "中华人民共和国国务院":
		return stateCouncil
	case ends("大使馆", "领事馆"):
		return missions
	case strings.Contains(name, "中华人民共和国"), strings.HasPrefix(name, "国家"), strings.HasPrefix(name, "国务院"):
		return stateBodies
	case ends("行政公署"):
		return prefectureOffice
	case ends("人民政府"):
		return government(strings.TrimSuffix(name, "人民政府"))
	}
	return subordinate
}

// government is the row of a people's government by the place that it governs: what the last place in its name is.
func government(place string) standard {
	switch {
	case strings.HasSuffix(place, "乡"), strings.HasSuffix(place, "镇"):
		return township
	case strings.HasSuffix(place, "省"), place == "北京市", place == "天津市", place == "上海市", place == "重庆市":
		return provincial
	case strings.HasSuffix(place, "自治区"), strings.HasSuffix(place, "特别行政区"):
		return provincial
	}
	return prefectureToCounty
}

// standard is the row that the form's seal belongs to; false where none does: 电子名章 and 其它.
func (a Application) standard() (standard, bool) {
	switch a.SealType {
	case SealOfficial:
		return standardFor(a.Unit.Type, a.Unit.Name), a.Unit.Type.Label() != ""
	case SealContract:
		return contract, true
	case SealApproval, SealInvoice, SealFinance:
		return special, true
	}
	return standard{}, false
}

// size judges the declared size. Every deviation is for an officer to confirm: part of the table was not read in the text
// of the rule itself, and the rule has exceptions.
func (k *checker) size() {
	s := k.a.Seal.Size
	if s == (Size{}) {
		return
	}
	if !s.valid() {
		k.add(Error, "seal.size", errSize.With("%g–%g mm", minSize, maxSize))
		return
	}
	row, known := k.a.standard()
	if !known {
		return
	}
	if s.Diameter == 0 {
		// Seals of the rule are round; the invoice seal is an ellipse of 40 × 30 by practice.
		if k.a.SealType != SealInvoice || s.Width != 40 || s.Height != 30 {
			k.questionable("seal.size", errNotRound)
		}
		return
	}
	if !row.allows(s.Diameter) {
		k.add(Confirm, "seal.size", errSizeRule.With("%s：%s", row.owner, row.says()))
	}
}

func (r standard) allows(diameter float64) bool {
	if r.atMost > 0 {
		return diameter >= r.atLeast && diameter <= r.atMost
	}
	return slices.Contains(r.diameters, diameter)
}

func (r standard) says() string {
	switch {
	case r.atLeast > 0:
		return Round(r.atLeast).String() + "–" + Round(r.atMost).String() + " mm"
	case r.atMost > 0:
		return "≤ " + Round(r.atMost).String() + " mm"
	}
	var all []string
	for _, d := range r.diameters {
		all = append(all, Round(d).String())
	}
	return strings.Join(all, " / ") + " mm"
}

// maxDifference is how far a measured size may be from the declared one, in millimetres.
const maxDifference = 1.0

// measured compares what was measured and seen on the imprint.
func (k *checker) measured(r Reading) {
	if r.Measured != (Size{}) && k.a.Seal.Size.valid() {
		declaredWidth, declaredHeight := k.a.Seal.Size.Extent()
		width, height := r.Measured.Extent()
		if !(math.Abs(width-declaredWidth) <= maxDifference+1e-9 && math.Abs(height-declaredHeight) <= maxDifference+1e-9) {
			k.add(Error, "original.measured", errMeasured.With("%s ≠ %s mm", r.Measured, k.a.Seal.Size))
		}
	}
	row, known := k.a.standard()
	if !known || r.Centre == "" {
		return
	}
	if !slices.Contains(row.centres, r.Centre) {
		k.questionable("original.centre", errCentre)
	}
}
