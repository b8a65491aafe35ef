package view

import (
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"strings"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	pdfium_errors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"

	"yinxin/internal/fault"
)

const (
	wasmPage = 64 << 10
	maxPages = 100_000
)

// engine is PDFium, compiled and ready to open documents.
type engine struct{ pool pdfium.Pool }

// newEngine compiles the module, or takes it from the cache. The module sees no files but the fonts, which are in memory,
// no environment and no arguments; what it prints is dropped.
func newEngine(h hello) (*engine, error) {
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(uint32(h.Memory / wasmPage))
	if h.CacheDir != "" {
		// A cache that cannot be used is no reason not to show a page: it only saves time.
		if cache, err := wazero.NewCompilationCacheWithDir(h.CacheDir); err == nil {
			config = config.WithCompilationCache(cache)
		}
	}
	pool, err := webassembly.Init(webassembly.Config{MinIdle: 0, MaxIdle: 1, MaxTotal: 1, ReuseWorkers: false,
		FSConfig: readFonts(h.Fonts).mount(), // without one go-pdfium would mount the root directory
		Stdout:   io.Discard, Stderr: io.Discard, RuntimeConfig: config})
	if err != nil {
		return nil, fmt.Errorf("preparing PDFium: %w", err)
	}
	return &engine{pool: pool}, nil
}

// paper is one open document in an instance of the module that nothing else uses.
type paper struct {
	pdfium.Pdfium
	doc   references.FPDF_DOCUMENT
	pages int
}

// open opens a document in a fresh instance.
func (e *engine) open(s *source) (*paper, error) {
	instance, err := e.pool.GetInstance(time.Minute) // only one document at a time: never waits
	if err != nil {
		return nil, crash("an instance", err)
	}
	p := &paper{Pdfium: instance}
	doc, err := p.OpenDocument(&requests.OpenDocument{FileReader: s, FileReaderSize: s.size})
	switch {
	case errors.Is(err, pdfium_errors.ErrPassword), errors.Is(err, pdfium_errors.ErrSecurity):
		return nil, errors.Join(ErrEncrypted.Because(err), p.Close())
	case err != nil && orderly(err):
		return nil, errors.Join(ErrUnreadable.Because(err), p.Close())
	case err != nil:
		return nil, crash("opening", err)
	}
	p.doc = doc.Document
	count, err := p.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: p.doc})
	if err != nil {
		return nil, crash("counting pages", err)
	}
	if p.pages = count.PageCount; p.pages <= 0 || p.pages > maxPages {
		if p.pages > 0 {
			return nil, errors.Join(ErrTooLarge.With("%d > %d pages", p.pages, maxPages), p.Close())
		}
		return nil, errors.Join(ErrUnreadable.With("0 pages"), p.Close())
	}
	return p, nil
}

// crashed is a failure inside the module, after which nothing in it can be relied on: the worker ends.
type crashed struct {
	doing string
	err   error
}

func (c crashed) Error() string { return c.doing + ": " + c.err.Error() }

func crash(doing string, err error) error { return crashed{doing, err} }

// orderly reports whether an error is PDFium's own answer, not a failure of the module.
func orderly(err error) bool {
	for _, known := range []error{pdfium_errors.ErrSuccess, pdfium_errors.ErrUnknown, pdfium_errors.ErrFile, pdfium_errors.ErrFormat,
		pdfium_errors.ErrPassword, pdfium_errors.ErrSecurity, pdfium_errors.ErrPage} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// load loads a page, counted from 1. Unload it before the next.
func (p *paper) load(number int) (requests.Page, error) {
	if number < 1 || number > p.pages {
		return requests.Page{}, ErrNoPage.At(fault.Page(number)).With("%d", p.pages)
	}
	page, err := p.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: p.doc, Index: number - 1})
	if err != nil {
		if orderly(err) {
			return requests.Page{}, ErrUnreadable.At(fault.Page(number)).Because(err)
		}
		return requests.Page{}, crash("loading a page", err)
	}
	return requests.Page{ByReference: &page.Page}, nil
}

func (p *paper) unload(page requests.Page) error {
	if _, err := p.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: *page.ByReference}); err != nil {
		return crash("closing a page", err)
	}
	return nil
}

// sizes gives the size of every page without interpreting its content.
func (p *paper) sizes() ([]PageSize, error) {
	sizes := make([]PageSize, 0, p.pages)
	for i := range p.pages {
		size, err := p.size(i + 1)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}

func (p *paper) size(number int) (PageSize, error) {
	s, err := p.FPDF_GetPageSizeByIndexF(&requests.FPDF_GetPageSizeByIndexF{Document: p.doc, Index: number - 1})
	if err != nil && trapped(err) {
		return PageSize{}, crash("measuring a page", err)
	}
	if err != nil {
		return PageSize{}, ErrUnreadable.At(fault.Page(number)).Because(err)
	}
	size := PageSize{Width: float64(s.Size.Width), Height: float64(s.Size.Height)}
	if !positive(size.Width) || !positive(size.Height) {
		return PageSize{}, ErrUnreadable.At(fault.Page(number)).With("%g × %g", size.Width, size.Height)
	}
	return size, nil
}

// trapped reports whether the module itself failed; go-pdfium hands on wazero's error, which has no type to ask for.
func trapped(err error) bool { return strings.Contains(err.Error(), "wasm error") }

func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

// render draws a page with its annotations and form fields on white, as a viewer shows it. The pixels lie in the memory
// of the module: they are gone with the next call.
func (p *paper) render(number int, dpi float64, maxPixels int64) (*image.NRGBA, error) {
	if number < 1 || number > p.pages {
		return nil, ErrNoPage.At(fault.Page(number)).With("%d", p.pages)
	}
	size, failure := p.size(number)
	if failure != nil {
		return nil, failure
	}
	width, height, limit := pixels(size.Width, size.Height, dpi, maxPixels)
	if limit != nil {
		return nil, limit.At(fault.Page(number))
	}
	page, failure := p.load(number)
	if failure != nil {
		return nil, failure
	}
	bitmap, failure := p.FPDFBitmap_Create(&requests.FPDFBitmap_Create{Width: width, Height: height})
	if failure != nil {
		return nil, crash("making a bitmap", failure)
	}
	if _, err := p.FPDFBitmap_FillRect(&requests.FPDFBitmap_FillRect{Bitmap: bitmap.Bitmap, Width: width, Height: height, Color: 0xffffffff}); err != nil {
		return nil, crash("filling a bitmap", err)
	}
	const flags = enums.FPDF_RENDER_FLAG_ANNOT | enums.FPDF_RENDER_FLAG_REVERSE_BYTE_ORDER
	if _, err := p.FPDF_RenderPageBitmap(&requests.FPDF_RenderPageBitmap{Bitmap: bitmap.Bitmap, Page: page, SizeX: width, SizeY: height, Flags: flags}); err != nil {
		return nil, crash("drawing", err)
	}
	if err := p.drawForm(bitmap.Bitmap, page, width, height, flags); err != nil {
		return nil, err
	}
	stride, failure := p.FPDFBitmap_GetStride(&requests.FPDFBitmap_GetStride{Bitmap: bitmap.Bitmap})
	if failure != nil {
		return nil, crash("reading a bitmap", failure)
	}
	buffer, failure := p.FPDFBitmap_GetBuffer(&requests.FPDFBitmap_GetBuffer{Bitmap: bitmap.Bitmap})
	if failure != nil || len(buffer.Buffer) < stride.Stride*height || stride.Stride < 4*width {
		return nil, crash("reading a bitmap", errors.Join(failure, errors.New("the bitmap is not in memory")))
	}
	for i := 3; i < len(buffer.Buffer); i += 4 {
		buffer.Buffer[i] = 0xff // the bitmap has no alpha; what the fourth byte holds is not defined
	}
	return &image.NRGBA{Pix: buffer.Buffer, Stride: stride.Stride, Rect: image.Rect(0, 0, width, height)}, nil
}

// pixels is the size of a page in pixels, at least one.
func pixels(width, height, dpi float64, limit int64) (w, h int, over *fault.Fault) {
	if !positive(width) || !positive(height) {
		return 0, 0, ErrUnreadable.With("%g × %g", width, height)
	}
	x, y := math.Max(1, math.Ceil(width*dpi/72-0.01)), math.Max(1, math.Ceil(height*dpi/72-0.01))
	if !(x*y <= float64(limit)) {
		return 0, 0, ErrTooLarge.With("%.0f × %.0f > %d", x, y, limit)
	}
	return int(x), int(y), nil
}
