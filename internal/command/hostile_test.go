package command

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
)

// hostile is a PDF that is made to cost time or memory, written object by object.
type hostile struct {
	bytes.Buffer
	offsets map[int]int
	next    int
	prev    int
}

func newHostile() *hostile {
	h := &hostile{offsets: map[int]int{}, next: 4}
	h.WriteString("%PDF-1.7\n")
	return h
}

func (h *hostile) object(num int, body string) {
	h.offsets[num] = h.Len()
	fmt.Fprintf(h, "%d 0 obj\n%s\nendobj\n", num, body)
	h.next = max(h.next, num+1)
}

func (h *hostile) stream(num int, entries string, data []byte) {
	h.object(num, fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(data), data))
}

// end writes the table of what was written since the last one.
func (h *hostile) end() {
	start := h.Len()
	h.WriteString("xref\n")
	for num := range h.next {
		if at, ok := h.offsets[num]; ok {
			fmt.Fprintf(h, "%d 1\n%010d 00000 n \n", num, at)
		}
	}
	prev := ""
	if h.prev > 0 {
		prev = fmt.Sprintf("/Prev %d", h.prev)
	}
	fmt.Fprintf(h, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", h.next, prev, start)
	h.offsets, h.prev = map[int]int{}, start
}

func (h *hostile) basics(catalog string) {
	h.object(1, "<< /Type /Catalog /Pages 2 0 R "+catalog+" >>")
	h.object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	h.object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>")
}

// signatures adds fields with signature dictionaries whose ranges point at their Contents, or at the end of the file.
func (h *hostile) signatures(n, contents int) string {
	var fields strings.Builder
	for i := range n {
		num := 10 + 2*i
		fmt.Fprintf(&fields, "%d 0 R ", num)
		h.object(num, fmt.Sprintf("<< /FT /Sig /T (S%d) /V %d 0 R >>", i, num+1))
		at := h.Len() + len(fmt.Sprintf("%d 0 obj\n<< /Type /Sig /Filter /X /SubFilter /Y /ByteRange [0 0000000000 0000000000 0000000000] /Contents ", num+1))
		h.object(num+1, fmt.Sprintf("<< /Type /Sig /Filter /X /SubFilter /Y /ByteRange [0 %010d %010d %010d] /Contents <3084%08x%s> >>",
			at, at+contents*2+14, 30, contents-6, strings.Repeat("30", contents)))
	}
	return fields.String()
}

var hostileFiles = []struct {
	name string
	make func() []byte
}{
	{"two thousand signatures", func() []byte {
		h := newHostile()
		fields := h.signatures(2000, 500)
		h.basics("/AcroForm << /Fields [" + fields + "] >>")
		h.end()
		return h.Bytes()
	}},
	{"signatures of ten megabytes", func() []byte {
		h := newHostile()
		fields := h.signatures(6, 10<<20)
		h.basics("/AcroForm << /Fields [" + fields + "] >>")
		h.end()
		return h.Bytes()
	}},
	{"five thousand revisions", func() []byte {
		h := newHostile()
		fields := h.signatures(1, 500)
		h.basics("/AcroForm << /Fields [" + fields + "] >>")
		h.end()
		for i := range 5000 {
			h.object(4+i%3, "(x)")
			h.end()
		}
		return h.Bytes()
	}},
	{"an array nested a million deep", func() []byte {
		h := newHostile()
		h.basics("/X " + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000))
		h.end()
		return h.Bytes()
	}},
	{"fields nested in a circle", func() []byte {
		h := newHostile()
		h.object(10, "<< /T (a) /Kids [11 0 R 10 0 R] >>")
		h.object(11, "<< /T (b) /Kids [10 0 R 11 0 R] >>")
		h.basics("/AcroForm << /Fields [10 0 R 11 0 R] >>")
		h.end()
		return h.Bytes()
	}},
	{"a cross-reference stream of a gigabyte", func() []byte {
		h := newHostile()
		h.basics("")
		start := h.Len()
		h.stream(9, "/Type /XRef /Size 8000000 /W [1 8 8] /Root 1 0 R /Filter /FlateDecode", fixtures.Zeros(1<<10))
		fmt.Fprintf(h, "startxref\n%d\n%%%%EOF\n", start)
		return h.Bytes()
	}},
	{"an object stream of a gigabyte", func() []byte {
		h := newHostile()
		h.basics("/AcroForm 50 0 R")
		h.stream(9, "/Type /ObjStm /N 1 /First 10 /Filter /FlateDecode", fixtures.Zeros(1<<10))
		start := h.Len()
		var table bytes.Buffer
		entry := func(kind, at, index int) {
			table.Write([]byte{byte(kind), byte(at >> 16), byte(at >> 8), byte(at), byte(index)})
		}
		entry(0, 0, 0)
		for num := 1; num <= 3; num++ {
			entry(1, h.offsets[num], 0)
		}
		entry(2, 9, 0)
		h.stream(8, "/Type /XRef /Size 51 /W [1 3 1] /Index [0 4 50 1] /Root 1 0 R", table.Bytes())
		fmt.Fprintf(h, "startxref\n%d\n%%%%EOF\n", start)
		return h.Bytes()
	}},
	{"validation data of many gigabytes", func() []byte {
		h := newHostile()
		bomb := fixtures.Zeros(1 << 10)
		var list strings.Builder
		for i := range 40 {
			h.stream(100+i, "/Filter /FlateDecode", bomb)
			fmt.Fprintf(&list, "%d 0 R ", 100+i)
		}
		refs := "[" + list.String() + "]"
		fields := h.signatures(1, 500)
		h.basics("/AcroForm << /Fields [" + fields + "] >> /DSS << /Certs " + refs + " /CRLs " + refs + " /OCSPs " + refs + " >>")
		h.end()
		return h.Bytes()
	}},
	{"a hundred thousand pieces of validation data", func() []byte {
		h := newHostile()
		var list strings.Builder
		for i := range 100_000 {
			h.stream(100+i, "", []byte{0x30, 0})
			fmt.Fprintf(&list, "%d 0 R ", 100+i)
		}
		fields := h.signatures(1, 500)
		h.basics("/AcroForm << /Fields [" + fields + "] >> /DSS << /Certs [" + list.String() + "] >>")
		h.end()
		return h.Bytes()
	}},
	{"sixty megabytes of ends", func() []byte {
		return bytes.Repeat([]byte("%PDF-1.7\nstartxref\n9\n%%EOF\n"), 60<<20/27)
	}},
	{"many broken updates", func() []byte {
		h := newHostile()
		h.basics("")
		h.end()
		for range 20000 {
			h.WriteString("startxref\n99999999\n%%EOF\n")
		}
		return h.Bytes()
	}},
}

// TestHostileFilesCostLittle verifies files made to be expensive, as processes of their own, and measures them.
func TestHostileFilesCostLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("writes hundreds of megabytes")
	}
	const (
		mostMemory = 256 << 10        // kB
		mostTime   = 15 * time.Second // of a processor, so that others on the machine do not count
	)
	dir := t.TempDir()
	program := linked(t)
	for _, c := range hostileFiles {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "hostile.pdf")
			data := c.make()
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(path)
			verify := exec.Command(program, "verify", "--json", path)
			peak, status, out := costOf(t, verify)
			took := verify.ProcessState.UserTime() + verify.ProcessState.SystemTime()
			t.Logf("%d kB, %v, peak %d kB, status %d", len(data)>>10, took.Round(time.Millisecond), peak, status)
			if peak > mostMemory {
				t.Errorf("needed %d kB", peak)
			}
			if took > mostTime {
				t.Errorf("took %v", took)
			}
			if status != 1 && status != 3 && status != 4 {
				t.Errorf("exit status %d\n%.500s", status, out)
			}
		})
	}
}
