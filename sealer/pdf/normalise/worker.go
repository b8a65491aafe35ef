package normalise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"yinxin/internal/worker"
	"yinxin/sealer/pdf"
)

// WorkerName is the argument with which the program is started as a worker.
const WorkerName = "normalise-worker"

// Exit statuses of the worker. A run-time failure of Go, out of memory included, ends with 2.
const (
	statusDone       = 0
	statusUnreadable = 11
	statusEncrypted  = 12
	statusSigned     = 13
	statusTooLarge   = 14
)

// workerBytes is the memory of the worker, in bytes. pdfcpu takes some ten times the file.
const workerBytes = 2 << 30

var (
	errEncryptedInput = errors.New("encrypted")
	errSignedInput    = errors.New("signed")
)

// Work reads a PDF from in, writes it anew to out, and returns the exit status of the worker process. A reason goes to
// errs.
func Work(in io.Reader, out, errs io.Writer) int {
	if err := worker.Confine(workerBytes); err != nil {
		fmt.Fprintln(errs, err)
		return statusUnreadable
	}
	data, err := io.ReadAll(io.LimitReader(in, MaxBytes+1))
	if err != nil {
		fmt.Fprintln(errs, err)
		return statusUnreadable
	}
	if len(data) > MaxBytes {
		return statusTooLarge
	}
	result, err := rewrite(data)
	if err == nil {
		_, err = out.Write(result)
	}
	switch {
	case errors.Is(err, errEncryptedInput):
		return statusEncrypted
	case errors.Is(err, errSignedInput):
		return statusSigned
	case err != nil:
		fmt.Fprintln(errs, err)
		return statusUnreadable
	}
	return statusDone
}

// rewrite reads and writes with pdfcpu, without any optimisation, and checks what came out with the house's reader.
func rewrite(data []byte) (result []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, fmt.Errorf("pdfcpu: %v", r)
		}
	}()
	// Without this pdfcpu writes its settings and fonts to the home directory.
	api.DisableConfigDir()
	conf := model.NewDefaultConfiguration()
	conf.Offline = true
	conf.Optimize, conf.OptimizeBeforeWriting, conf.OptimizeResourceDicts = false, false, false
	conf.ValidationMode = model.ValidationRelaxed
	c, err := api.ReadContext(bytes.NewReader(data), conf)
	if err != nil {
		if errors.Is(err, pdfcpu.ErrWrongPassword) {
			err = errEncryptedInput
		}
		return nil, err
	}
	if c.Encrypt != nil {
		return nil, errEncryptedInput
	}
	if err := c.EnsurePageCount(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := api.WriteContext(c, &out); err != nil {
		return nil, err
	}
	return out.Bytes(), check(out.Bytes(), c.PageCount)
}

// check opens the result as sealing and verifying will: it must be sound, have the pages, and no signature, which could
// not be good in another file.
func check(data []byte, pages int) error {
	ctx := context.Background()
	d, err := pdf.Open(ctx, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	n, err := d.PageCount()
	if err != nil {
		return err
	}
	if n != pages || n == 0 {
		return fmt.Errorf("%d pages became %d", pages, n)
	}
	for i := range n {
		if _, err := d.Page(i + 1); err != nil {
			return err
		}
	}
	fields, err := d.SignatureFields(ctx)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if f.Dict != nil {
			return errSignedInput
		}
	}
	return nil
}
