package pdf_test

import (
	"slices"
	"testing"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

func TestAPageRangeNamesPages(t *testing.T) {
	cases := []struct {
		text string
		want []int
		code string
	}{
		{"1", []int{1}, ""},
		{"1-3,5,-1", []int{1, 2, 3, 5, 9}, ""},
		{"odd", []int{1, 3, 5, 7, 9}, ""},
		{"even", []int{2, 4, 6, 8}, ""},
		{"all", []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, ""},
		{"5,3,3-4,4", []int{3, 4, 5}, ""},
		{"-3--1", []int{7, 8, 9}, ""},
		{"7--1", []int{7, 8, 9}, ""},
		{"-9-2", []int{1, 2}, ""},
		{"even,1", []int{1, 2, 4, 6, 8}, ""},
		{" 1 - 2 ，\t4", []int{1, 2, 4}, ""},
		{"9-9", []int{9}, ""},
		{"10", nil, "pdf.no-such-page"},
		{"0", nil, "pdf.no-such-page"},
		{"-10", nil, "pdf.no-such-page"},
		{"1-10", nil, "pdf.no-such-page"},
		{"99999999999999999999", nil, "pdf.no-such-page"},
		{"3-2", nil, "pdf.bad-page-range"},
		{"-1--3", nil, "pdf.bad-page-range"},
		{"", nil, "pdf.bad-page-range"},
		{"1,,2", nil, "pdf.bad-page-range"},
		{"1-", nil, "pdf.bad-page-range"},
		{"--1", nil, "pdf.bad-page-range"},
		{"-", nil, "pdf.bad-page-range"},
		{"1-2-3", nil, "pdf.bad-page-range"},
		{"+1", nil, "pdf.bad-page-range"},
		{"Odd", nil, "pdf.bad-page-range"},
		{"1.5", nil, "pdf.bad-page-range"},
	}
	for _, c := range cases {
		got, err := pdf.PageRange(c.text).Resolve(9)
		if codeOf(err) != c.code || !slices.Equal(got, c.want) {
			t.Errorf("%q gives %v, %v; want %v %s", c.text, got, err, c.want, c.code)
		}
	}
	if _, err := pdf.PageRange("even").Resolve(1); fault.CodeOf(err) != "pdf.no-such-page" {
		t.Errorf("the even pages of one page: %v", err)
	}
	if f, ok := fault.Of(mustFail(pdf.PageRange("2,12").Resolve(9))); !ok || f.Place.Field != "pages" {
		t.Errorf("the place of the error is %v", f)
	}
}

func mustFail[T any](_ T, err error) error { return err }

// codeOf is the code of an error, "" for none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}
