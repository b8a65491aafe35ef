package web

import (
	"encoding/base64"
	"html/template"

	"yinxin/sealer/verify/versions"
)

// comparison is versions beside each other as the template shows them.
type comparison struct {
	*versions.Comparison
	Versions []laterVersion
}

type laterVersion struct {
	versions.Version
	Pages []comparedPage
}

type comparedPage struct {
	versions.Page
	Before, After *side
}

// side is one picture, with what is marked on it.
type side struct {
	URL           template.URL
	Width, Height int
	Areas         []versions.Area
}

// labelled is a side with what stands above it.
type labelled struct {
	Label  string
	Number int
	Side   *side
}

func versionsOf(c *versions.Comparison) *comparison {
	out := &comparison{Comparison: c}
	for _, v := range c.Versions {
		later := laterVersion{Version: v}
		for _, p := range v.Pages {
			later.Pages = append(later.Pages, comparedPage{Page: p, Before: sideOf(p.Before, p.Areas), After: sideOf(p.After, p.Areas)})
		}
		out.Versions = append(out.Versions, later)
	}
	return out
}

func sideOf(s *versions.Side, areas []versions.Area) *side {
	if s == nil {
		return nil
	}
	return &side{URL: template.URL("data:" + s.Type + ";base64," + base64.StdEncoding.EncodeToString(s.Data)), Width: s.Width, Height: s.Height, Areas: areas}
}
