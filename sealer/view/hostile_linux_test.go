package view

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"yinxin/internal/fault"
)

// hostile files and what must come of them: a picture or one of these codes, in time and in memory.
func hostile() map[string][]byte {
	forms := func(levels, copies int, last string) []byte { // each form draws the next one several times
		more := make([]string, levels)
		for i := range more {
			draw := strings.Repeat("/X Do ", copies)
			next := fmt.Sprintf("/Resources << /XObject << /X %d 0 R >> >>", 6+i)
			if i == levels-1 {
				draw, next = last, ""
			}
			more[i] = stream("/Type /XObject /Subtype /Form /BBox [0 0 500 500] "+next, draw)
		}
		return onePage(a4+" /Resources << /XObject << /X 5 0 R >> >>", "/X Do", more...)
	}
	tree := func(depth int) []byte {
		objects := []string{"<< /Type /Catalog /Pages 2 0 R >>"}
		for i := range depth {
			objects = append(objects, fmt.Sprintf("<< /Type /Pages /Count 1 /Kids [%d 0 R] >>", i+3))
		}
		return build(append(objects, "<< /Type /Page "+a4+" >>")...)
	}
	return map[string][]byte{
		"forms that multiply":      forms(12, 10, "0 0 400 400 re f"),
		"a form in itself":         onePage(a4+" /Resources << /XObject << /X 5 0 R >> >>", "/X Do", stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >>", "/X Do /X Do")),
		"forms a thousand deep":    forms(1000, 1, "0 0 400 400 re f"),
		"arrays in arrays":         onePage(a4, strings.Repeat("[", 1_000_000)),
		"dictionaries in the page": onePage(a4+" /X "+strings.Repeat("<< /A ", 100_000)+"1"+strings.Repeat(" >>", 100_000), ""),
		"saved states":             onePage(a4, strings.Repeat("q ", 2_000_000)),
		"a page tree in a ring":    build("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 5 /Kids [2 0 R 2 0 R] >>"),
		"a deep page tree":         tree(5000),
		"a huge image":             onePage(a4+" /Resources << /XObject << /X 5 0 R >> >>", "400 0 0 400 0 0 cm /X Do", stream("/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /BitsPerComponent 8 /ColorSpace /DeviceRGB", "x")),
		"a fine pattern":           onePage(a4+" /Resources << /Pattern << /P 5 0 R >> >>", "/Pattern cs /P scn 0 0 595 841 re f", stream("/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.001 /YStep 0.001 /Resources << >>", "0 0 1 1 re f")),
		"a million characters":     onePage(a4+" /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>", "BT /F 1 Tf 1 1 Td ("+strings.Repeat("a", 1_500_000)+") Tj ET"),
		"a function of itself":     onePage(a4+" /Resources << /Shading << /S << /ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 500 500] /Function 5 0 R >> >> >>", "/S sh", "<< /FunctionType 3 /Domain [0 1] /Functions [5 0 R 5 0 R] /Bounds [0.5] /Encode [0 1 0 1] >>"),
	}
}

func TestHostileFilesEndInTimeAndMemory(t *testing.T) {
	const timeout = 4 * time.Second
	v := newViewer(t, "", Config{Timeout: timeout, Spare: true, Memory: 256 << 20})
	for name, data := range hostile() {
		t.Run(name, func(t *testing.T) {
			works(t, v)
			v.mu.Lock()
			used := v.idle[len(v.idle)-1]
			v.mu.Unlock()
			for _, op := range []struct {
				name string
				do   func(io.ReaderAt, int64) error
			}{
				{"render", func(r io.ReaderAt, n int64) error { _, err := v.Render(t.Context(), r, n, 1, 72); return err }},
				{"find", func(r io.ReaderAt, n int64) error {
					_, err := v.Find(t.Context(), r, n, Query{Text: "盖章"})
					return err
				}},
			} {
				r, n := reader(data)
				start := time.Now()
				err := op.do(r, n)
				took := time.Since(start)
				outcome := "done"
				if err != nil {
					outcome = fault.CodeOf(err)
				}
				t.Logf("%s: %s in %s", op.name, outcome, took.Round(time.Millisecond))
				if f, ok := fault.Of(err); err != nil && (!ok || f.Kind == fault.Internal) {
					t.Errorf("%s: %v", op.name, err)
				}
				if took > timeout+4*time.Second {
					t.Errorf("%s took %s", op.name, took)
				}
			}
			select {
			case <-used.ended:
				if usage, ok := used.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && usage.Maxrss > 900<<10 {
					t.Errorf("the worker took %d MB", usage.Maxrss>>10)
				}
			default:
			}
			works(t, v)
		})
	}
}

// sparse is a large document of which only two ends have bytes.
type sparse struct {
	head, tail string
	size       int64
	read       int64
}

func (s *sparse) ReadAt(p []byte, off int64) (int, error) {
	s.read += int64(len(p))
	clear(p)
	if off < int64(len(s.head)) {
		copy(p, s.head[off:])
	}
	if begin := s.size - int64(len(s.tail)); off+int64(len(p)) > begin {
		if off >= begin {
			copy(p, s.tail[off-begin:])
		} else {
			copy(p[begin-off:], s.tail)
		}
	}
	if n := s.size - off; n < int64(len(p)) {
		return int(n), io.EOF
	}
	return len(p), nil
}

func TestALargeFileCostsWhatIsReadOfIt(t *testing.T) {
	whole := string(onePage("/MediaBox [0 0 200 100]", "0 0 100 100 re f"))
	cut := strings.Index(whole, "xref\n")
	s := &sparse{head: whole[:cut], size: 1 << 30}
	// The offset grew by some digits, so the table begins that much earlier.
	s.tail = strings.Replace(whole[cut:], fmt.Sprintf("startxref\n%d", cut), fmt.Sprintf("startxref\n%d", s.size-int64(len(whole)-cut)-int64(10-len(fmt.Sprint(cut)))), 1)
	v := newViewer(t, "", Config{})
	works(t, v)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p, err := v.Render(t.Context(), s, s.size, 1, 72)
	runtime.ReadMemStats(&after)
	if err != nil || p.Width != 200 {
		t.Fatal(p, err)
	}
	t.Logf("%d bytes read, %d allocated here", s.read, after.TotalAlloc-before.TotalAlloc)
	if s.read > 4<<20 || after.TotalAlloc-before.TotalAlloc > 8<<20 {
		t.Errorf("%d bytes read, %d allocated here", s.read, after.TotalAlloc-before.TotalAlloc)
	}
	if _, err := v.Render(t.Context(), s, 3<<30, 1, 72); fault.CodeOf(err) != "view.too-large" {
		t.Errorf("3 GB: %v", err)
	}
}
