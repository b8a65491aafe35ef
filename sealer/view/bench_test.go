package view

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"yinxin/fixtures"
)

// BenchmarkStart is from nothing to a worker that is ready, with and without the compiled module.
func BenchmarkStart(b *testing.B) {
	for _, cached := range []bool{false, true} {
		b.Run(fmt.Sprintf("cache=%t", cached), func(b *testing.B) {
			if err := newViewer(b, "", Config{}).Warm(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				v := newViewer(b, "", Config{})
				if !cached {
					v.config.CacheDir = ""
				}
				if err := v.Warm(b.Context()); err != nil {
					b.Fatal(err)
				}
				v.Close()
			}
		})
	}
}

// BenchmarkRender is a page at 100 dpi in a worker that is ready, the document opened anew each time.
func BenchmarkRender(b *testing.B) {
	copied, err := fixtures.ArchivalCopy(1, 3)
	if err != nil {
		b.Skip(err)
	}
	plain, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for name, data := range map[string][]byte{"scan": copied, "text": plain} {
		b.Run(name, func(b *testing.B) {
			v := newViewer(b, "", Config{})
			r, n := reader(data)
			for b.Loop() {
				if _, err := v.Render(b.Context(), r, n, 1, 100); err != nil {
					b.Fatal(err)
				}
			}
			memory(b, v)
		})
	}
}

// BenchmarkFind searches 100 pages of 1500 characters for a word on all of them, and for its last place.
func BenchmarkFind(b *testing.B) {
	var content strings.Builder
	for i := range 50 {
		fmt.Fprintf(&content, "BT /F 10 Tf 40 %d Td (%s) Tj ET\n", 800-15*i, strings.Repeat("archives ", 4)[:30])
	}
	content.WriteString("BT /F 10 Tf 300 30 Td (Seal here) Tj ET\n")
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", ""}
	kids := ""
	for i := range 100 {
		n := 4 + 2*i
		kids += fmt.Sprintf("%d 0 R ", n)
		if i == 0 {
			objects = append(objects, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
		}
		objects = append(objects, fmt.Sprintf("<< /Type /Page /Parent 2 0 R %s /Contents %d 0 R /Resources << /Font << /F 3 0 R >> >> >>", a4, n+1), stream("", content.String()))
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Count 100 /Kids [%s] >>", kids)
	data := build(objects...)
	for _, nth := range []int{0, -1} {
		b.Run(fmt.Sprintf("nth=%d", nth), func(b *testing.B) {
			v := newViewer(b, "", Config{})
			r, n := reader(data)
			for b.Loop() {
				found, err := v.Find(b.Context(), r, n, Query{Text: "Seal here", Nth: nth})
				if err != nil || nth == 0 && len(found) != 100 || nth < 0 && found[0].Page != 100 {
					b.Fatal(len(found), err)
				}
			}
			memory(b, v)
		})
	}
}

// memory reports what the worker takes, where the system says so.
func memory(b *testing.B, v *Viewer) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.idle[0].cmd.Process.Pid))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes float64
		for name, unit := range map[string]string{"VmRSS:": "MB-resident", "VmHWM:": "MB-peak"} {
			if _, err := fmt.Sscanf(line, name+" %f kB", &kilobytes); err == nil {
				b.ReportMetric(kilobytes/1024, unit)
			}
		}
	}
}
