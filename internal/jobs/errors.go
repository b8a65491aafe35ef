package jobs

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"yinxin/internal/fault"
)

// Errors of this room.
var (
	ErrMigration = fault.Spec{Kind: fault.Internal, Code: "jobs.migration",
		ZH: "任务队列的数据表升级失败。", EN: "The tables of the job queue could not be brought up to date."}
	ErrNotFound = fault.Spec{Kind: fault.NotFound, Code: "jobs.not-found",
		ZH: "没有这项任务。", EN: "There is no such job."}
	ErrRunning = fault.Spec{Kind: fault.Conflict, Code: "jobs.running",
		ZH: "任务正在执行。", EN: "The job is running."}
	ErrDone = fault.Spec{Kind: fault.Conflict, Code: "jobs.done",
		ZH: "任务已经结束。", EN: "The job has ended."}
	ErrCancelled = fault.Spec{Kind: fault.Conflict, Code: "jobs.cancelled",
		ZH: "任务已经取消，不能重试。", EN: "The job was cancelled and cannot be tried again."}
	ErrWaiting = fault.Spec{Kind: fault.Conflict, Code: "jobs.waiting",
		ZH: "任务已在等待执行。", EN: "The job is already waiting to be run."}
	ErrNotFailed = fault.Spec{Kind: fault.Conflict, Code: "jobs.not-failed",
		ZH: "任务没有失败，不能移出列表；可以取消。", EN: "The job has not failed and stays on the list; it can be cancelled."}
	ErrRequest = fault.Spec{Kind: fault.Internal, Code: "jobs.request",
		ZH: "任务的参数无法记录。", EN: "The arguments of the job cannot be recorded."}
	ErrArguments = fault.Spec{Kind: fault.Internal, Code: "jobs.arguments",
		ZH: "任务的参数无法识别。", EN: "The arguments of the job are not understood."}
	ErrPanic = fault.Spec{Kind: fault.Internal, Code: "jobs.panic",
		ZH: "任务执行时程序出错。", EN: "The program failed while it ran the job."}
	ErrTime = fault.Spec{Kind: fault.Unavailable, Code: "jobs.time",
		ZH: "任务超过了时限。", EN: "The job took longer than it may."}
)

// permanent marks an error after which trying again makes no sense.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent says of an error that trying again makes no sense: the job ends as failed at once.
func Permanent(err error) error { return permanent{err} }

// recordable is what the database keeps of an error: code, sentence and detail of a fault, of anything else the type.
// Texts of foreign errors can hold anything: an address that a mail server repeats, a row that a database quotes.
func recordable(err error) string {
	f, ok := fault.Of(err)
	if !ok {
		for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
			err = next
		}
		return fmt.Sprintf("%T", err)
	}
	said := f.Code + ": " + f.EN
	if f.Detail() != "" {
		said += " (" + f.Detail() + ")"
	}
	const most = 500
	if len(said) > most {
		said = said[:most]
		for !utf8.ValidString(said) {
			said = said[:len(said)-1]
		}
	}
	return said
}
