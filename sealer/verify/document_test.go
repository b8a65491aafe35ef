package verify

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/sealer/ses"
)

// house is a small province for tests: a CA, a seal maker, an institution with a seal.
type house struct {
	root, issuing, maker, institution *chaintest.Holder
	seal                              []byte
	form                              *ses.Form
	propertyLength                    int
	token                             func(value []byte) []byte // makes the time stamp of a seal signature; nil: none
	profile                           cms.Profile               // in which seal signs; empty: as a seal signature
}

const propertyLength = 48

var (
	signed = chaintest.Start.Add(30 * 24 * time.Hour)
	now    = chaintest.Start.Add(60 * 24 * time.Hour)
)

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{root: chaintest.Root(t, "云岭根CA")}
	h.issuing = h.root.Issue(t, "云岭签发CA", chaintest.CA(0))
	h.maker = h.issuing.Issue(t, "云岭制章")
	h.institution = h.issuing.Issue(t, "53000000000001")
	h.makeSeal(t, ses.Version4, chaintest.Start.Add(time.Hour), chaintest.Start.Add(chaintest.Year))
	return h
}

// makeSeal makes the institution's seal anew.
func (h *house) makeSeal(t testing.TB, version int, start, end time.Time) {
	t.Helper()
	h.makeSealOf(t, ses.SealInfo{Version: version, VendorID: "YX", ID: "53000000000001", Type: 1,
		Name: "云岭省档案馆档案证明专用章", Certificates: [][]byte{h.institution.Certificate.Raw},
		CreateDate: start, ValidStart: start, ValidEnd: end,
		Picture: ses.Picture{Type: "PNG", Data: bytes.Repeat([]byte{0x89}, 900), Width: 42, Height: 42}})
}

func (h *house) makeSealOf(t testing.TB, info ses.SealInfo) {
	t.Helper()
	der, err := info.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	h.seal, err = ses.AssembleSeal(der, h.maker.Certificate.Raw, h.sign(t, h.maker, der))
	if err != nil {
		t.Fatal(err)
	}
	h.propertyLength = propertyLength
	h.form, err = ses.NewForm(h.seal, propertyLength)
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) sign(t testing.TB, by *chaintest.Holder, message []byte) []byte {
	t.Helper()
	value, err := by.Key.Sign(rand.Reader, message, sm2.DefaultSM2SignerOpts)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// options trust the root and have a current list of an issuing CA that revoked nothing.
func (h *house) options(t testing.TB) Options {
	return Options{Chain: h.trust(t), At: now, Language: "en"}
}

func (h *house) trust(t testing.TB, crls ...*chain.CRL) *chain.Verifier {
	if crls == nil {
		crls = []*chain.CRL{h.issuing.ParsedCRL(t, 1, now.Add(-time.Hour), now.Add(24*time.Hour))}
	}
	crls = append(crls, h.root.ParsedCRL(t, 1, now.Add(-time.Hour), now.Add(24*time.Hour)))
	return &chain.Verifier{Anchors: chain.NewAnchors(h.root.Certificate),
		Intermediates: []*chain.Certificate{h.issuing.Certificate}, Revocation: chain.NewCRLSource(crls...)}
}

// file is a PDF under construction, revision by revision, as a producer with a classic table would write it.
type file struct {
	data   []byte
	next   int // the next free object number
	prev   int // where the last table stands
	annots string
	fields string
	page   string // the page without /Annots
	root   string // the catalog without /AcroForm
}

const (
	catalogObject = 1
	pagesObject   = 2
	pageObject    = 3
	contentObject = 4
	fontObject    = 5
	infoObject    = 6
)

func newFile() *file {
	f := &file{next: 7, page: "/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >>",
		root: "/Type /Catalog /Pages 2 0 R"}
	f.data = []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	f.update("", map[int]string{
		catalogObject: "<< " + f.root + " >>",
		pagesObject:   "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		pageObject:    "<< " + f.page + " >>",
		contentObject: stream("", "BT /F1 24 Tf 100 700 Td (Grade: 85) Tj ET"),
		fontObject:    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		infoObject:    "<< /Title (Archival copy) >>",
	})
	return f
}

func stream(entries, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(data), data)
}

func (f *file) clone() *file {
	c := *f
	c.data = bytes.Clone(f.data)
	return &c
}

// update appends a revision with the objects; empty text frees an object. trailer adds entries to the trailer.
func (f *file) update(trailer string, objects map[int]string) *file {
	offsets := map[int]int{}
	for num := range f.next + 1000 {
		body, ok := objects[num]
		if !ok || body == "" {
			continue
		}
		offsets[num] = len(f.data)
		f.data = fmt.Appendf(f.data, "%d 0 obj\n%s\nendobj\n", num, body)
		f.next = max(f.next, num+1)
	}
	start := len(f.data)
	f.data = append(f.data, "xref\n"...)
	if f.prev == 0 {
		f.data = append(f.data, "0 1\n0000000000 65535 f \n"...)
	}
	for num := range f.next {
		if body, ok := objects[num]; ok && body == "" {
			f.data = fmt.Appendf(f.data, "%d 1\n0000000000 00001 f \n", num)
		} else if ok {
			f.data = fmt.Appendf(f.data, "%d 1\n%010d 00000 n \n", num, offsets[num])
		}
	}
	f.trailer(trailer, start)
	return f
}

func (f *file) trailer(entries string, start int) {
	if !strings.Contains(entries, "/Root") {
		entries += " /Root 1 0 R"
	}
	if !strings.Contains(entries, "/Info") {
		entries += " /Info 6 0 R"
	}
	if f.prev != 0 && !strings.Contains(entries, "/Prev") {
		entries += fmt.Sprintf(" /Prev %d", f.prev)
	}
	f.data = fmt.Appendf(f.data, "trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n", f.next, entries, start)
	f.prev = start
}

// contentsRoom is what the tests reserve for a structure, in bytes.
const contentsRoom = 20000

// parts are the texts of a seal's update, which a test may change before it is signed.
type parts struct {
	signature, widget string // dictionaries without their brackets; the signature's without Contents and ByteRange
	rect              string
	subFilter         string
	typeEntry         string
	time              time.Time
	extra             map[int]string
	contents          func(der []byte) []byte
	make              func(covered []byte) []byte // makes the structure in place of the house's seal
	filter            string
	dataHash          func(d [32]byte) [32]byte
	catalog           string // added to the catalog
	appearance        string // the content of the seal's appearance
	uncovered         int    // bytes at the end that the signature leaves out
}

// seal appends a revision with a seal and signs it.
func (f *file) seal(t testing.TB, h *house, changes ...func(*parts)) *file {
	t.Helper()
	p := parts{appearance: "1 0 0 rg 0 0 119 119 re f", rect: "400 100 519 219", filter: "GM.PKILite", subFilter: "GM.sm2seal", typeEntry: "/Type /Sig", time: signed, extra: map[int]string{}}
	if h.profile != "" {
		h.message(t, h.profile)(&p)
	}
	for _, change := range changes {
		change(&p)
	}
	widget, value, appearance := f.next, f.next+1, f.next+2
	f.annots += fmt.Sprintf(" %d 0 R", widget)
	f.fields += fmt.Sprintf(" %d 0 R", widget)
	placeholder := "[0 0000000000 0000000000 0000000000]"
	objects := map[int]string{
		catalogObject: "<< " + f.root + p.catalog + " /AcroForm << /SigFlags 3 /Fields [" + f.fields + " ] >> >>",
		pageObject:    "<< " + f.page + " /Annots [" + f.annots + " ] >>",
		widget: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal%d) /F 132 /P 3 0 R /Rect [%s] /V %d 0 R /AP << /N %d 0 R >> %s >>",
			widget, p.rect, value, appearance, p.widget),
		value: fmt.Sprintf("<< %s /Filter /%s /SubFilter /%s /ByteRange %s /Contents <%s> %s >>",
			p.typeEntry, p.filter, p.subFilter, placeholder, strings.Repeat("0", 2*contentsRoom), p.signature),
		appearance: stream("/Type /XObject /Subtype /Form /BBox [0 0 119 119]", p.appearance),
	}
	for num, body := range p.extra {
		objects[num] = body
	}
	begin := len(f.data)
	f.update("", objects)
	open := begin + bytes.Index(f.data[begin:], []byte("/Contents <")) + len("/Contents ")
	shut := open + 2*contentsRoom + 2
	ranges := fmt.Sprintf("[0 %010d %010d %010d]", open, shut, len(f.data)-shut-p.uncovered)
	copy(f.data[begin+bytes.Index(f.data[begin:], []byte(placeholder)):], ranges)
	digest := sm3.New()
	digest.Write(f.data[:open])
	digest.Write(f.data[shut : len(f.data)-p.uncovered])
	var sum [32]byte
	digest.Sum(sum[:0])
	if p.dataHash != nil {
		sum = p.dataHash(sum)
	}
	var der []byte
	if p.make != nil {
		covered := append(bytes.Clone(f.data[:open]), f.data[shut:len(f.data)-p.uncovered]...)
		if p.dataHash != nil {
			covered = append(covered, 'x')
		}
		der = p.make(covered)
	} else {
		der = h.signature(t, sum, p.time, ranges)
	}
	if p.contents != nil {
		der = p.contents(der)
	}
	if len(der) > contentsRoom {
		t.Fatalf("the structure has %d bytes", len(der))
	}
	copy(f.data[open+1:], fmt.Sprintf("%x", der))
	return f
}

// signature makes the SES_Signature over a digest.
func (h *house) signature(t testing.TB, digest [32]byte, at time.Time, property string) []byte {
	t.Helper()
	property += strings.Repeat(" ", max(0, h.propertyLength-len(property)))
	suffix, err := h.form.Suffix(at, digest, property)
	if err != nil {
		t.Fatal(err)
	}
	message := append(bytes.Clone(h.form.Prefix()), suffix...)
	value := h.sign(t, h.institution, message)
	var token []byte
	if h.token != nil {
		token = h.token(value)
	}
	der, err := h.form.Assemble(suffix, h.institution.Certificate.Raw, value, token)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (f *file) verify(t testing.TB, o Options) *Report {
	t.Helper()
	return File(context.Background(), "test.pdf", bytes.NewReader(f.data), int64(len(f.data)), o)
}

// want checks the verdict and, when reason is not empty, that the summary of the file or the detail of some check or
// change contains it.
func want(t testing.TB, r *Report, v Verdict, reason string) {
	t.Helper()
	var all strings.Builder
	fmt.Fprintln(&all, r.Summary)
	for _, s := range r.Signatures {
		fmt.Fprintln(&all, " ", s.Field, s.Verdict, s.Summary)
		for _, c := range s.Checks {
			fmt.Fprintln(&all, "   ", c.Name, c.Result, c.Detail)
		}
		for _, c := range s.ChangesAfter {
			fmt.Fprintln(&all, "    after:", c.Kind, c.Permitted, c.Page, c.Object, c.Detail)
		}
	}
	if r.Error != nil {
		fmt.Fprintln(&all, "  error:", r.Error.Code, r.Error.Detail)
	}
	if r.Verdict != v {
		t.Errorf("verdict %s, want %s\n%s", r.Verdict, v, all.String())
	} else if !strings.Contains(all.String(), reason) {
		t.Errorf("the reason %q is not given\n%s", reason, all.String())
	}
}
