package normalise

import (
	"context"
	"io"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/worker"
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
	end, err := worker.Run(ctx, worker.Call{Program: program, Name: WorkerName, In: in, Out: out, Time: maxTime})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return errWorker.Because(err)
	case end.Late:
		return errTooLarge.With("%v", maxTime)
	case end.Memory():
		return errTooLarge.Sayingf("内存 %d MB", "%d MB of memory", workerBytes>>20)
	}
	switch end.Status {
	case statusDone:
		return nil
	case statusUnreadable:
		return errUnreadable.With("%s", end.Reason)
	case statusEncrypted:
		return errEncrypted.New()
	case statusSigned:
		return errSigned.New()
	case statusTooLarge:
		return errTooLarge.Sayingf("不超过 %d 字节", "%d bytes allowed", MaxBytes)
	}
	return errWorker.With("status %d", end.Status)
}
