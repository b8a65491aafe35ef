package web

import (
	"slices"
	"strings"
	"unicode/utf8"

	"yinxin/internal/access"
)

// Item is an entry of the menu, for those who have one of the roles.
type Item struct {
	Path  string
	Label Text
	Roles []access.Role
	// Group is what the entry stands under, with others; one that is alone there stands by itself.
	Group Text
}

// Holdings is what certificates, seals and what belongs to them stand under.
var Holdings = Text{"证书与印章", "Seals & keys"}

// entry is what stands in the row of the menu: an item, or items that open under a word.
type entry struct {
	Label   Text
	Path    string // of an item that stands by itself
	Current bool
	Items   []menuItem // that open under the word
}

type menuItem struct {
	Item
	Current bool
}

// menu is what the actor may open, in the order of the areas. What the row of the menu has no room for opens under its
// last word.
func (s *Site) menu(actor access.Actor, at []string, language string) []entry {
	all := s.entries(actor)
	here := currentOf(all, at)
	for i := range all {
		e := &all[i]
		for j := range e.Items {
			e.Items[j].Current = e.Items[j].Path == here
			e.Current = e.Current || e.Items[j].Current
		}
		if len(e.Items) == 1 {
			*e = entry{Label: e.Items[0].Label, Path: e.Items[0].Path, Current: e.Current}
		}
	}
	return fitted(all, language)
}

// items are those of all menus.
func (s *Site) items() (all []Item) {
	for _, a := range s.areas {
		all = append(all, a.Menu...)
	}
	return all
}

// entries are those of all areas, with the items of a group together.
func (s *Site) entries(actor access.Actor) (all []entry) {
	for _, i := range s.items() {
		if !slices.ContainsFunc(i.Roles, actor.Has) {
			continue
		}
		at := -1
		if i.Group != (Text{}) {
			at = slices.IndexFunc(all, func(e entry) bool { return e.Label == i.Group })
		}
		if at < 0 {
			label := i.Group
			if label == (Text{}) {
				label = i.Label
			}
			all = append(all, entry{Label: label})
			at = len(all) - 1
		}
		all[at].Items = append(all[at].Items, menuItem{Item: i})
	}
	return all
}

// currentOf is the path of the item where one is: of the page itself, or of the nearest step above it that the menu has,
// or else of the item below which the page's address lies; of two that begin alike the longer one.
func currentOf(all []entry, at []string) (here string) {
	for _, path := range at {
		for _, e := range all {
			if slices.ContainsFunc(e.Items, func(i menuItem) bool { return i.Path == path }) {
				return path
			}
		}
	}
	for _, e := range all {
		for _, i := range e.Items {
			if len(at) > 0 && strings.HasPrefix(at[0], i.Path+"/") && len(i.Path) > len(here) {
				here = i.Path
			}
		}
	}
	return here
}

// row is how wide the row of the menu may be, in rem: the room that a window of 1024 px leaves between the name of the
// service and that of the account.
const row = 41

// more is what the rest of a menu opens under.
var more = Text{"更多", "More"}

// fitted puts what the row has no room for under its last word. Widths are estimates, on the wide side: a Chinese sign
// is as wide as its font is high, a Latin letter a little more than half of that.
func fitted(all []entry, language string) []entry {
	width := func(e entry) float64 {
		w := 1.3 // space around the word and before the next
		if len(e.Items) > 0 {
			w += .9 // the mark of what opens
		}
		for _, r := range e.Label.In(language) {
			if utf8.RuneLen(r) > 2 {
				w += .96
			} else {
				w += .53
			}
		}
		return w
	}
	whole := 0.0
	for _, e := range all {
		whole += width(e)
	}
	if whole <= row {
		return all
	}
	used, fits := width(entry{Label: more, Items: []menuItem{{}}}), 0
	for fits < len(all) && used+width(all[fits]) <= row {
		used += width(all[fits])
		fits++
	}
	last := entry{Label: more}
	for _, e := range all[fits:] {
		if e.Path != "" {
			e.Items = []menuItem{{Item: Item{Path: e.Path, Label: e.Label}, Current: e.Current}}
		}
		last.Items = append(last.Items, e.Items...)
		last.Current = last.Current || e.Current
	}
	return append(slices.Clip(all[:fits]), last)
}
