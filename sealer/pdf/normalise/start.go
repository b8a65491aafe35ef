package normalise

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"yinxin/internal/fault"
)

const (
	// MaxBytes is the largest file that is written anew, in bytes.
	MaxBytes = 200 << 20
	// maxTime is how long the worker may take.
	maxTime = 2 * time.Minute
)

// Errors of normalising.
var (
	errEncrypted = fault.Spec{Kind: fault.Refused, Code: "normalise.encrypted",
		ZH: "文件已加密，不能重新生成。", EN: "The file is encrypted and is not written anew."}
	errSigned = fault.Spec{Kind: fault.Refused, Code: "normalise.signed",
		ZH: "文件含有签名，重新生成会使签名失效。", EN: "The file has signatures, which would not be good in a file written anew."}
	errUnreadable = fault.Spec{Kind: fault.Invalid, Code: "normalise.unreadable",
		ZH: "文件损坏过重，无法重新生成。", EN: "The file is too damaged to be written anew."}
	errTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "normalise.too-large",
		ZH: "文件太大，重新生成所需的内存或时间超出限制。", EN: "The file is too large: writing it anew takes more memory or time than allowed."}
	errWorker = fault.Spec{Kind: fault.Internal, Code: "normalise.worker",
		ZH: "无法启动重新生成文件的进程。", EN: "The process that writes files anew could not be run."}
)

// Start writes the PDF in anew to out, in a worker process: program is the file of the program that hands over to
// Work, empty for the one that is running. out may have been written to when an error comes back. Errors:
// normalise.encrypted, normalise.signed, normalise.unreadable, normalise.too-large, normalise.worker.
func Start(ctx context.Context, program string, in io.Reader, out io.Writer) error {
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return errWorker.Because(err)
		}
	}
	limited, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	worker := exec.CommandContext(limited, program, WorkerName)
	// Nothing of the environment is handed over: neither settings of pdfcpu nor secrets of the service.
	worker.Env = []string{"HOME=/nonexistent", "GOTRACEBACK=none"}
	worker.Dir = os.TempDir()
	reason := &head{left: 4 * maxDetail}
	worker.Stdin, worker.Stdout, worker.Stderr = in, out, reason
	worker.WaitDelay = time.Second
	err := worker.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if limited.Err() != nil {
		return errTooLarge.With("%v", maxTime)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return errWorker.Because(err)
	}
	switch exit.ExitCode() {
	case statusUnreadable:
		return errUnreadable.With("%s", reason.line())
	case statusEncrypted:
		return errEncrypted.New()
	case statusSigned:
		return errSigned.New()
	case statusTooLarge:
		return errTooLarge.With("%d bytes allowed", MaxBytes)
	case 2, -1:
		// Go ends with 2 when memory runs out, the kernel kills.
		return errTooLarge.With("%d MB of memory", workerBytes>>20)
	}
	return errWorker.Because(err)
}

// head keeps the beginning of what is written to it.
type head struct {
	bytes.Buffer
	left int
}

func (h *head) Write(p []byte) (int, error) {
	n := min(len(p), h.left)
	h.left -= n
	h.Buffer.Write(p[:n])
	return len(p), nil
}

// line is the first line, without anything that is no plain character.
func (h *head) line() string {
	text, _, _ := strings.Cut(h.String(), "\n")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, text)
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "")
	}
	return text
}
