package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

// sealRecovering seals with recovery allowed and tells whether it was needed.
func sealRecovering(data []byte, r pdf.SealRequest) (sealed []byte, recovered error, err error) {
	ctx := context.Background()
	d, err := pdf.OpenRecovering(ctx, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, nil, err
	}
	u, err := d.PlanSeal(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	update, err := u.Fill([]byte{0x30, 0x03, 0x02, 0x01, 0x07})
	return append(bytes.Clone(data), update...), d.Recovered(), err
}

func TestEveryDamageIsRecoveredOrRefusedForItsReason(t *testing.T) {
	for _, damage := range fixtures.Damages() {
		t.Run(string(damage), func(t *testing.T) {
			t.Parallel()
			data, err := fixtures.Damaged(damage, 1)
			if err != nil {
				t.Fatal(err)
			}
			r := request(t)
			once, recovered, err := sealRecovering(data, r)
			got := fixtures.SealedAsIs
			if recovered != nil {
				got = fixtures.SealedRecovered
			}
			if err != nil {
				got = fault.CodeOf(err)
			}
			if want := damage.Sealing(); got != want {
				t.Fatalf("%s, want %s: %v %v", got, want, err, recovered)
			}
			if got == fixtures.SealedRecovered {
				// mupdf complains of every file whose header is not at the start, and wrong lengths of streams stay wrong.
				quiet := damage != fixtures.DamageTailOffset && damage != fixtures.DamageLineEnds
				checkRecovered(t, data, once, r, quiet)
			}
		})
	}
}

// checkRecovered checks that a recovered and sealed file is sound by itself: no reader has to repair it, its only
// section is complete, and a second seal goes on it like on any other file.
func checkRecovered(t *testing.T, original, sealed []byte, r pdf.SealRequest, quiet bool) {
	t.Helper()
	if !bytes.HasPrefix(sealed, original) {
		t.Fatal("the sealed file does not begin with the original")
	}
	d := opened(t, sealed)
	sections := d.Sections()
	if len(sections) != 1 || sections[0].Start < int64(len(original)) || sections[0].End != int64(len(sealed)) {
		t.Fatalf("%d sections, the newest at %d to %d", len(sections), sections[0].Start, sections[0].End)
	}
	if sections[0].Trailer.Has("Prev") {
		t.Error("the trailer leads back to the damaged part")
	}
	head := false
	err := sections[0].Objects(context.Background(), func(e pdf.XrefEntry) error {
		if e.State == pdf.Free {
			head = head || e.Num == 0
			return nil
		}
		o, err := d.Object(pdf.Ref{Num: e.Num, Gen: e.Gen})
		if stream, ok := o.(*pdf.Stream); ok && err == nil {
			_, err = d.StreamData(stream, 1<<20)
		}
		return err
	})
	if err != nil || !head {
		t.Errorf("an object of the section: %v, the head of the free list: %v", err, head)
	}
	checkWithTools(t, save(t, sealed), quiet)
	r.Placements[0] = pdf.Placement{Page: -1, From: pdf.TopRight, X: 5, Y: 5}
	twice := seal(t, sealed, r)
	checkWithTools(t, save(t, twice), quiet)
	changes, err := pdf.Compare(context.Background(), d, opened(t, twice))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if !c.Permitted {
			t.Errorf("the second seal is a change that is not permitted: %s", c.EN)
		}
	}
	// A reader that repairs nothing, or not this, or takes half a minute for it, has no opinion on the original.
	if was, is := drawnText(t, original, 3*time.Second), drawnText(t, twice, time.Minute); was != is && was != "" {
		t.Errorf("the text of the pages was\n%s\nand is\n%s", was, is)
	}
}

// drawnText is the text of all pages, as a reader that repairs files finds it.
func drawnText(t *testing.T, data []byte, patience time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool(t, "mutool"), "draw", "-q", "-F", "txt", save(t, data)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// TestAKeyWithoutValueIsNotGivenTheNewOne: "<</A>>" is a dictionary whose last key means null.
func TestAKeyWithoutValueIsNotGivenTheNewOne(t *testing.T) {
	objects := onePage("/A")
	sealed := seal(t, file{objects: objects}.bytes(), request(t))
	page, err := opened(t, sealed).Page(1)
	if list, ok := page.Dict.Get("Annots").(pdf.Array); err != nil || !ok || len(list) != 1 || page.Dict.Get("A") != nil {
		t.Errorf("%v, %v", page.Dict, err)
	}
}

// TestWhatIsLeftOfTheTrailerIsKept: a recovered document keeps its information and the first half of its identifier.
func TestWhatIsLeftOfTheTrailerIsKept(t *testing.T) {
	for _, damage := range []fixtures.Damage{fixtures.DamageNoStart, fixtures.DamageOffsets, fixtures.DamageTailPacked, fixtures.DamageStreamData} {
		data, err := fixtures.Damaged(damage, 1)
		if err != nil {
			t.Fatal(err)
		}
		sealed, _, err := sealRecovering(data, request(t))
		if err != nil {
			t.Fatal(err)
		}
		trailer := opened(t, sealed).Trailer()
		if trailer.Get("Info") != pdf.Object(pdf.Ref{Num: 4}) {
			t.Errorf("%s: /Info is %v", damage, trailer.Get("Info"))
		}
		id, _ := trailer.Get("ID").(pdf.Array)
		if len(id) != 2 || !bytes.Contains(data, fmt.Appendf(nil, "/ID [<%x>", id[0].(pdf.String).Value)) {
			t.Errorf("%s: /ID is %v", damage, id)
		}
	}
}

// TestRecoveryIsOnlyForSealing: what opens a file to judge it must not repair it.
func TestRecoveryIsOnlyForSealing(t *testing.T) {
	for _, damage := range fixtures.Damages() {
		data, err := fixtures.Damaged(damage, 1)
		if err != nil {
			t.Fatal(err)
		}
		if damage.Sealing() != fixtures.SealedRecovered {
			continue
		}
		ctx := context.Background()
		d, err := pdf.Open(ctx, bytes.NewReader(data), int64(len(data)))
		if err == nil {
			_, err = d.PlanSeal(ctx, request(t))
		}
		if err == nil || d != nil && d.Recovered() != nil {
			t.Errorf("%s: Open repaired it", damage)
		}
		whole := append(bytes.Clone(data), '\n')
		if d, err := pdf.OpenRecovering(ctx, bytes.NewReader(whole), int64(len(whole))); err == nil {
			if p, err := d.Prefix(ctx, int64(len(data))); err == nil && p.Recovered() != nil {
				t.Errorf("%s: Prefix repaired it", damage)
			}
		}
	}
}

// TestCheckingFindsAWrongEntryThatSealingDoesNotMeet: at the intake the whole cross-reference is looked at.
func TestCheckingFindsAWrongEntryThatSealingDoesNotMeet(t *testing.T) {
	ctx := context.Background()
	data, err := fixtures.Damaged(fixtures.DamageContentEntry, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened(t, data).CheckEntries(ctx); fault.CodeOf(err) != "pdf.damaged-xref" {
		t.Errorf("without recovery: %v", err)
	}
	d, err := pdf.OpenRecovering(ctx, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckEntries(ctx); err != nil || d.Recovered() == nil {
		t.Errorf("with recovery: %v, recovered for %v", err, d.Recovered())
	}
	for _, s := range []fixtures.Shape{fixtures.ShapeTable, fixtures.ShapeHeaderOffset, fixtures.ShapeObjectStreams,
		fixtures.ShapeHybridWord, fixtures.ShapeLinearisedUpdated, fixtures.ShapeRevisionsMixed, fixtures.ShapeGeneration} {
		if err := opened(t, shape(t, s)).CheckEntries(ctx); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// TestASoundFileIsNotScanned counts what opening and planning read of a large file with and without recovery allowed.
func TestASoundFileIsNotScanned(t *testing.T) {
	data := largeFile(2000)
	read := func(open func(context.Context, *counting) (*pdf.Document, error)) int64 {
		c := &counting{Reader: bytes.NewReader(data)}
		d, err := open(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.PlanSeal(context.Background(), request(t)); err != nil {
			t.Fatal(err)
		}
		if d.Recovered() != nil {
			t.Fatal("it was recovered")
		}
		return c.bytes
	}
	plain := read(func(ctx context.Context, c *counting) (*pdf.Document, error) {
		return pdf.Open(ctx, c, int64(len(data)))
	})
	careful := read(func(ctx context.Context, c *counting) (*pdf.Document, error) {
		return pdf.OpenRecovering(ctx, c, int64(len(data)))
	})
	if careful != plain || careful > 100_000 {
		t.Errorf("%d bytes of %d read, %d without recovery", careful, len(data), plain)
	}
}

type counting struct {
	*bytes.Reader
	bytes int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.bytes += int64(len(p))
	return c.Reader.ReadAt(p, off)
}

// largeFile has one page and n other streams of a kilobyte each.
func largeFile(n int) []byte {
	objects := onePage("")
	content := strings.Repeat("0 0 m 10 10 l S\n", 64)
	for range n {
		objects = append(objects, fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content))
	}
	return file{objects: objects}.bytes()
}

// BenchmarkRecover reads a file of 20 MB without its startxref, beside what reading its bytes takes.
func BenchmarkRecover(b *testing.B) {
	data := largeFile(20_000)
	data = data[:bytes.LastIndex(data, []byte("startxref"))]
	b.Run("recover", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			d, err := pdf.OpenRecovering(context.Background(), bytes.NewReader(data), int64(len(data)))
			if err != nil || d.Recovered() == nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		buf := make([]byte, 128<<10)
		lines := 0
		for b.Loop() {
			for off := 0; off < len(data); off += len(buf) {
				lines += bytes.Count(buf[:copy(buf, data[off:])], []byte("\n"))
			}
		}
		_ = lines
	})
}

// FuzzRecover seals whatever bytes there are with recovery allowed. Nothing may panic, every refusal has a code, and
// what was sealed after recovery opens without it and has the same first page.
func FuzzRecover(f *testing.F) {
	for _, d := range fixtures.Damages() {
		if data, err := fixtures.Damaged(d, 1); err == nil && len(data) < 64<<10 {
			f.Add(data)
		}
	}
	small := pdf.Limits{ObjectBytes: 1 << 20, ObjectStreamBytes: 1 << 20, XrefBytes: 1 << 20, WorkBytes: 1 << 20,
		PageNodes: 10_000, Fields: 10_000}
	r := request(f)
	r.ContentsSize = 64
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := context.Background()
		d, err := small.OpenRecovering(ctx, bytes.NewReader(data), int64(len(data)))
		if err != nil {
			checkCode(t, err)
			return
		}
		u, err := d.PlanSeal(ctx, r)
		if err != nil {
			checkCode(t, err)
			return
		}
		if d.Recovered() == nil {
			return
		}
		update, err := u.Fill([]byte{0x30, 0x00})
		if err != nil {
			t.Fatal(err)
		}
		sealed := append(bytes.Clone(data), update...)
		after, err := small.Open(ctx, bytes.NewReader(sealed), int64(len(sealed)))
		if err != nil {
			t.Fatalf("what was sealed does not open: %v", err)
		}
		if n := len(after.Sections()); n != 1 {
			t.Fatalf("%d sections", n)
		}
		was, err1 := d.Page(1)
		is, err2 := after.Page(1)
		if was.Ref != is.Ref || err1 != nil || err2 != nil {
			t.Fatalf("page %v (%v) became %v (%v)", was.Ref, err1, is.Ref, err2)
		}
		fields, err := after.SignatureFields(ctx)
		if err != nil || len(fields) == 0 {
			t.Fatalf("%d fields: %v", len(fields), err)
		}
	})
}

// hostileFile is a header and then the same bytes over and over, as long as one likes.
type hostileFile struct {
	pattern string
	size    int64
	read    int64
}

func (h *hostileFile) ReadAt(p []byte, off int64) (int, error) {
	h.read += int64(len(p))
	const head = "%PDF-1.7\n"
	for i := range p {
		at := off + int64(i)
		if at >= h.size {
			return i, io.EOF
		}
		if at < int64(len(head)) {
			p[i] = head[at]
			continue
		}
		p[i] = h.pattern[(at-int64(len(head)))%int64(len(h.pattern))]
	}
	return len(p), nil
}

// TestRecoveryOfHostileFilesEnds: no more is read than a few times the file, and the heap stays small.
func TestRecoveryOfHostileFilesEnds(t *testing.T) {
	const size = 24 << 20
	for _, c := range []struct{ name, pattern, want string }{
		{"nothing but noise", "x9 0 ob\xff\x00>>(", "pdf.incomplete-damage"},
		{"one object again and again", "1 0 obj null endobj\n", "pdf.ambiguous-damage"},
		{"streams that claim to reach far", "7 0 obj<</Length 9000000>>stream\nendstream\n", ""},
		{"streams whose length is far", "8 0 obj<</Length 8 0 R>>stream\nendstream endobj\n", ""},
		{"streams without end", "9 0 obj<</Length 1>>stream\n", "pdf.incomplete-damage"},
		{"tables that share one end", "xref % ", "pdf.too-large"},
		{"trailers", "trailer<</Root 1 0 R>> ", ""},
		{"dictionaries without end", "5 0 obj<<", ""},
		{"words", "obj endobj startxref stream endstream R ", "pdf.incomplete-damage"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			size := int64(len("%PDF-1.7\n") + size/len(c.pattern)*len(c.pattern))
			h := &hostileFile{pattern: c.pattern, size: size}
			began := time.Now()
			_, err := pdf.OpenRecovering(context.Background(), h, size)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			checkCode(t, err)
			if code := fault.CodeOf(err); c.want != "" && code != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			t.Logf("%v, %d MB read, %d MB allocated: %v", took, h.read>>20, (after.TotalAlloc-before.TotalAlloc)>>20, err)
			if h.read > 12*size+512<<20 || took > time.Minute {
				t.Errorf("%v and %d bytes read for %d", took, h.read, size)
			}
			if grown := after.HeapSys - before.HeapSys; int64(grown) > 200<<20 {
				t.Errorf("the heap grew by %d MB", grown>>20)
			}
		})
	}
}
