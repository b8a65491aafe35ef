package command

import (
	"strings"
	"testing"
)

func TestColumnsOfATableStandBelowEachOtherOnATerminal(t *testing.T) {
	var out strings.Builder
	w := newTable(&out)
	w.row("a", "韩一鸣", "临江省档案局", "x")
	w.row("registrar", "登记员 abc", "局", "")
	w.row("b")
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	want := "a          韩一鸣      临江省档案局  x\n" +
		"registrar  登记员 abc  局\n" +
		"b\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
