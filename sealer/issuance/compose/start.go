package compose

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"yinxin/internal/scan"
	"yinxin/internal/worker"
)

const (
	// MaxBytes is the most that is composed into one file, in bytes.
	MaxBytes = 200 << 20
	maxTime  = 2 * time.Minute
	maxHead  = 64 << 10
)

// head is what a worker is told before the files come, with their sizes in bytes.
type head struct {
	Task   string            `json:"task"` // scans, copy
	Names  []string          `json:"names,omitempty"`
	Sizes  []int             `json:"sizes"`
	Laid   []Layer           `json:"laid,omitempty"`
	Pages  int               `json:"pages,omitempty"`
	Titles map[string]string `json:"titles,omitempty"`
}

// Layer is a PDF that is laid over pages: its first page over the first, and so on, each in the middle of the page as
// displayed and at its own size.
type Layer struct {
	PDF     []byte  `json:"-"`
	Opacity float64 `json:"opacity"` // 0 to 1
	Size    int     `json:"size"`    // filled in
}

// Order is a copy to be composed.
type Order struct {
	Parts  [][]byte // PDF files, in their order
	Pages  int      // how many pages the parts have together: another number is refused
	Layers []Layer  // over these pages, one on the other
	Note   []byte   // PDF, behind them
	Code   string   // under CodeProperty
	Title  string
	Author string // whose copy it is: not whoever made the first of the parts
}

// Scan is a file of scanned pages.
type Scan struct {
	Name string
	Data []byte
}

// Scans makes a PDF of JPEG, PNG and TIFF files, a page of each picture in their order, at its true size and the right way
// up; where a file does not say its scale, on A4. Pictures that are stored as JPEG stay as they are. program is the file of
// the program that hands over to Work, empty for the one that is running. Errors: those of package scan, compose.unreadable,
// compose.too-large, compose.worker.
func Scans(ctx context.Context, program string, list ...Scan) ([]byte, error) {
	h := head{Task: taskScans}
	var files [][]byte
	for _, s := range list {
		// Here first: the errors of scans say exactly what is wrong.
		if _, err := scan.Open(s.Name, s.Data, scan.DefaultLimits); err != nil {
			return nil, err
		}
		h.Names, files = append(h.Names, s.Name), append(files, s.Data)
	}
	return run(ctx, program, h, files...)
}

// Copy composes the order. Errors: compose.unreadable, compose.too-large, compose.worker.
func Copy(ctx context.Context, program string, o Order) ([]byte, error) {
	h := head{Task: taskCopy, Pages: o.Pages, Titles: map[string]string{CodeProperty: o.Code, titleProperty: o.Title, authorProperty: o.Author}}
	files := o.Parts
	for _, l := range o.Layers {
		h.Laid = append(h.Laid, Layer{Opacity: l.Opacity, Size: len(l.PDF)})
		files = append(files[:len(files):len(files)], l.PDF)
	}
	return run(ctx, program, h, append(files[:len(files):len(files)], o.Note)...)
}

func run(ctx context.Context, program string, h head, files ...[]byte) ([]byte, error) {
	readers := make([]io.Reader, 1, len(files)+1)
	total := 0
	for _, f := range files {
		h.Sizes = append(h.Sizes, len(f))
		total += len(f)
		readers = append(readers, bytes.NewReader(f))
	}
	if total > MaxBytes {
		return nil, errTooLarge.Sayingf("不超过 %d 字节", "%d bytes allowed", MaxBytes)
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	if len(text) > maxHead {
		return nil, errTooLarge.With("%d files", len(files))
	}
	readers[0] = bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	var out bytes.Buffer
	end, err := worker.Run(ctx, worker.Call{Program: program, Name: WorkerName, In: io.MultiReader(readers...), Out: &out, Time: maxTime})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, errWorker.Because(err)
	case end.Late:
		return nil, errTooLarge.With("%v", maxTime)
	case end.Memory():
		return nil, errTooLarge.Sayingf("内存 %d MB", "%d MB of memory", workerBytes>>20)
	case end.Status == statusUnreadable:
		return nil, errUnreadable.Because(errors.New(end.Reason))
	case end.Status != statusDone:
		return nil, errWorker.Because(fmt.Errorf("status %d: %s", end.Status, end.Reason))
	}
	return out.Bytes(), nil
}
