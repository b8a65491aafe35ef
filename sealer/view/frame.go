package view

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"yinxin/sealer/pdf"
)

// The pipe between viewer and worker carries frames: one byte of kind, four bytes of length (big endian), the payload.
//
//	viewer → worker   hello   JSON hello, once
//	worker → viewer   ready   empty, once
//	viewer → worker   request JSON request
//	worker → viewer   need    offset (8 bytes), length (4 bytes): bytes of the document
//	viewer → worker   data    exactly those bytes, or
//	                  noData  empty: they cannot be read
//	worker → viewer   part    a piece of the picture
//	worker → viewer   answer  JSON answer: the request is done
//	                  failed  JSON failed: the request is refused
//
// The worker speaks only when asked, and reads only what it needs. Both sides refuse frames that are longer than the
// kind allows or come out of turn; the viewer then kills the worker.
type kind byte

const (
	kindHello   kind = 'H'
	kindReady   kind = 'R'
	kindRequest kind = 'Q'
	kindNeed    kind = 'N'
	kindData    kind = 'D'
	kindNoData  kind = 'E'
	kindPart    kind = 'P'
	kindAnswer  kind = 'A'
	kindFailed  kind = 'F'
)

const (
	blockSize = 64 << 10  // bytes of the document in one data frame at most
	partSize  = 256 << 10 // bytes of a picture in one part frame at most
	noteSize  = 64 << 10  // hello, request, failed
	headSize  = 5
)

// maxPayload is the length that a frame of the kind may have.
func maxPayload(k kind) int {
	switch k {
	case kindHello, kindRequest, kindFailed:
		return noteSize
	case kindNeed:
		return 12
	case kindData:
		return blockSize
	case kindPart:
		return partSize
	case kindAnswer:
		return 8 << 20 // sizes of a hundred thousand pages
	}
	return 0
}

var errFrame = errors.New("the frame is not what this side of the pipe may send")

// writeFrame writes a frame in one write.
func writeFrame(w io.Writer, k kind, payload []byte) error {
	if len(payload) > maxPayload(k) {
		return fmt.Errorf("frame %q of %d bytes: %w", k, len(payload), errFrame)
	}
	b := make([]byte, headSize, headSize+len(payload))
	b[0] = byte(k)
	binary.BigEndian.PutUint32(b[1:], uint32(len(payload)))
	_, err := w.Write(append(b, payload...))
	return err
}

func writeJSON(w io.Writer, k kind, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, k, b)
}

// readFrame reads a frame of one of the kinds.
func readFrame(r io.Reader, kinds ...kind) (kind, []byte, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	k, n := kind(head[0]), binary.BigEndian.Uint32(head[1:])
	known := false
	for _, allowed := range kinds {
		known = known || allowed == k
	}
	if !known || int64(n) > int64(maxPayload(k)) {
		return 0, nil, fmt.Errorf("frame %q of %d bytes: %w", k, n, errFrame)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return k, payload, nil
}

// hello is what a worker is told when it starts.
type hello struct {
	Memory   int64    `json:"memory"`              // bytes that the WebAssembly module may use
	CacheDir string   `json:"cache_dir,omitempty"` // for the compiled module; empty: compile each time
	Fonts    []string `json:"fonts,omitempty"`     // paths, read before the worker gives up files
	Seconds  int      `json:"seconds"`             // of processor time per request, before the system ends the worker
}

// op is what a request asks for.
type op string

const (
	opPages  op = "pages"
	opRender op = "render"
	opFind   op = "find"
)

// request is one thing to do with one document.
type request struct {
	Op        op      `json:"op"`
	Size      int64   `json:"size"`                 // of the document, bytes
	Page      int     `json:"page,omitempty"`       // render: from 1
	DPI       float64 `json:"dpi,omitempty"`        // render
	MaxPixels int64   `json:"max_pixels,omitempty"` // render
	Query     *Query  `json:"query,omitempty"`      // find
}

// answer is the result of a request; the picture of render came before, in parts.
type answer struct {
	Pages   []PageSize `json:"pages,omitempty"`
	Width   int        `json:"width,omitempty"` // pixels
	Height  int        `json:"height,omitempty"`
	Matches []Match    `json:"matches,omitempty"`
	Held    int64      `json:"held"` // bytes that the worker has from the system after the request
}

// failed is a fault on its way to the viewer.
type failed struct {
	Code     string `json:"code"`
	Detail   string `json:"detail,omitempty"`
	DetailZH string `json:"detail_zh,omitempty"`
	Cause    string `json:"cause,omitempty"`
	Page     int    `json:"page,omitempty"`
	Fatal    bool   `json:"fatal,omitempty"` // the worker ends
}

// PageSize is the size of a page as displayed: cropped and rotated, in points of 1/72 inch times UserUnit.
type PageSize struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// Query says what to find.
type Query struct {
	// Text is the keyword. Text and pages are compared after compatibility decomposition (NFKD), so full and half width
	// are the same, and without white space, line ends, and characters that show nothing.
	Text string `json:"text"`
	// Pages to search, from 1; none means all. Order and repetition do not matter.
	Pages []int `json:"pages,omitempty"`
	// Nth picks one match in the order of pages, counted from 1, or from the end with -1 the last; 0 gives all.
	Nth int `json:"nth,omitempty"`
	// FoldCase makes upper and lower case the same.
	FoldCase bool `json:"fold_case,omitempty"`
}

// Match is one place where the keyword stands.
type Match struct {
	Page int `json:"page"` // from 1
	// Rect is around the whole match, in user space (see the package comment). It goes across the line by the font's
	// ascent and descent, so it does not depend on which letters the keyword has.
	Rect pdf.Rect `json:"rect"`
	// Lines is one rectangle for every line that the match stands on; more than one when it breaks.
	Lines []pdf.Rect `json:"lines"`
	// Text is the matched text as the page has it, with its white space.
	Text string `json:"text"`
}
