package pdf

import (
	"slices"
	"strconv"
	"strings"

	"yinxin/internal/fault"
)

// PageRange names pages: items separated by commas, each a page ("3"), pages from one to another ("1-3"), "odd",
// "even" or "all". Pages count from 1; negative ones from the end, "-1" is the last page and "-3--1" are the last
// three. White space does not count, and the comma may be the Chinese one.
type PageRange string

// maxRangeText bounds the text of a range.
const maxRangeText = 4096

// Resolve lists the pages that the range names in a document with that many pages: rising, each once. Errors:
// pdf.bad-page-range, and pdf.no-such-page for a page outside the document; "odd" and "even" may find nothing as long
// as something else does.
func (r PageRange) Resolve(total int) ([]int, error) {
	if len(r) > maxRangeText {
		return nil, errBadPageRange.With("%d characters", len(r))
	}
	text := strings.NewReplacer("，", ",", " ", "", "\t", "", "\u3000", "").Replace(string(r))
	var pages []int
	for item := range strings.SplitSeq(text, ",") {
		first, last, step, err := rangeItem(item, total)
		if err != nil {
			return nil, err
		}
		if len(pages)+(last-first)/step > 4*maxRangedPages {
			return nil, errTooManyPlaces.With("%s", item)
		}
		for n := first; n <= last; n += step {
			pages = append(pages, n)
		}
	}
	slices.Sort(pages)
	pages = slices.Compact(pages)
	if len(pages) == 0 {
		return nil, noSuchPage(text, total)
	}
	return pages, nil
}

// rangeItem reads one item of a range.
func rangeItem(item string, total int) (first, last, step int, err error) {
	switch item {
	case "all":
		return 1, total, 1, nil
	case "odd":
		return 1, total, 2, nil
	case "even":
		return 2, total, 2, nil
	}
	from, to := item, ""
	if i := strings.IndexByte(strings.TrimPrefix(item, "-"), '-'); i >= 0 {
		i += len(item) - len(strings.TrimPrefix(item, "-"))
		from, to = item[:i], item[i+1:]
		if to == "" {
			return 0, 0, 0, badRange(item)
		}
	}
	if first, err = rangePage(item, from, total); err != nil {
		return 0, 0, 0, err
	}
	last = first
	if to != "" {
		if last, err = rangePage(item, to, total); err != nil {
			return 0, 0, 0, err
		}
	}
	if last < first {
		return 0, 0, 0, badRange(item)
	}
	return first, last, 1, nil
}

// rangePage reads the number of a page.
func rangePage(item, number string, total int) (int, error) {
	digits := strings.TrimPrefix(number, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, badRange(item)
	}
	n, err := strconv.Atoi(number)
	if err == nil && n < 0 {
		n += total + 1
	}
	if err != nil || n < 1 || n > total {
		return 0, noSuchPage(number, total).At(fault.Field("pages"))
	}
	return n, nil
}

func badRange(item string) error {
	return errBadPageRange.With("%.40q", item).At(fault.Field("pages"))
}
