package compose

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"yinxin/internal/worker"
)

// WorkerName is the argument with which the program is started as a worker.
const WorkerName = "compose-worker"

// Exit statuses of the worker. A run-time failure of Go, out of memory included, ends with 2.
const (
	statusDone       = 0
	statusUnreadable = 11
	statusStart      = 12
)

const (
	taskScans = "scans"
	taskCopy  = "copy"
	// workerBytes is the memory of the worker, in bytes.
	workerBytes = 2 << 30

	titleProperty, authorProperty = "Title", "Author"
)

// Work reads a task from in, writes the PDF to out, and returns the exit status of the worker process. A reason goes to errs.
func Work(in io.Reader, out, errs io.Writer) int {
	if err := worker.Confine(workerBytes); err != nil {
		fmt.Fprintln(errs, err)
		return statusStart
	}
	h, files, err := receive(in)
	if err != nil {
		fmt.Fprintln(errs, err)
		return statusStart
	}
	result, err := perform(h, files)
	if err == nil {
		_, err = out.Write(result)
	}
	if err != nil {
		fmt.Fprintln(errs, err)
		return statusUnreadable
	}
	return statusDone
}

func receive(in io.Reader) (h head, files [][]byte, err error) {
	var length uint32
	if err := binary.Read(in, binary.BigEndian, &length); err != nil {
		return h, nil, err
	}
	if length > maxHead {
		return h, nil, errors.New("the head is too long")
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(in, text); err != nil {
		return h, nil, err
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, nil, err
	}
	total := 0
	for _, size := range h.Sizes {
		if total += size; size < 0 || total > MaxBytes {
			return h, nil, errors.New("the files are too large")
		}
		f := make([]byte, size)
		if _, err := io.ReadFull(in, f); err != nil {
			return h, nil, err
		}
		files = append(files, f)
	}
	return h, files, nil
}

func perform(h head, files [][]byte) (result []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, fmt.Errorf("pdfcpu: %v", r)
		}
	}()
	// Without this pdfcpu writes its settings and fonts to the home directory.
	api.DisableConfigDir()
	switch {
	case h.Task == taskScans && len(files) > 0 && len(files) == len(h.Names):
		return bind(h.Names, files)
	case h.Task == taskCopy && len(files) > len(h.Laid)+1:
		return assemble(h, files)
	}
	return nil, fmt.Errorf("no such task: %q with %d files", h.Task, len(files))
}

func settings() *model.Configuration {
	c := model.NewDefaultConfiguration()
	c.Offline = true
	c.ValidationMode = model.ValidationRelaxed
	c.Optimize, c.OptimizeBeforeWriting, c.OptimizeResourceDicts = false, false, false
	return c
}

// assemble merges the parts, lays the layers over them, and puts the note behind.
func assemble(h head, files [][]byte) ([]byte, error) {
	parts, rest := files[:len(files)-len(h.Laid)-1], files[len(files)-len(h.Laid)-1:]
	whole, err := merge(parts)
	if err != nil {
		return nil, err
	}
	pages, err := api.PageCount(bytes.NewReader(whole), settings())
	if err != nil {
		return nil, err
	}
	if pages != h.Pages {
		return nil, fmt.Errorf("%d pages instead of %d", pages, h.Pages)
	}
	for i, l := range h.Laid {
		if whole, err = lay(whole, rest[i], l.Opacity); err != nil {
			return nil, err
		}
	}
	if whole, err = merge([][]byte{whole, rest[len(rest)-1]}); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := api.AddProperties(bytes.NewReader(whole), &out, h.Titles, settings()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func merge(files [][]byte) ([]byte, error) {
	readers := make([]io.ReadSeeker, 0, len(files))
	for _, f := range files {
		readers = append(readers, bytes.NewReader(f))
	}
	var out bytes.Buffer
	if err := api.MergeRaw(readers, &out, false, settings()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func lay(under, over []byte, opacity float64) ([]byte, error) {
	stamp, err := api.PDFMultiWatermarkForReadSeeker(bytes.NewReader(over), 1, 1,
		fmt.Sprintf("pos:c, rot:0, scale:1 abs, opacity:%.2f", opacity), true, false, types.POINTS)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := api.AddWatermarks(bytes.NewReader(under), &out, nil, stamp, settings()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
