package batch

import "yinxin/internal/fault"

var (
	errNotFound = fault.Spec{Kind: fault.NotFound, Code: "batch.not-found",
		ZH: "没有这个批次。", EN: "There is no such batch."}
	errFiles = fault.Spec{Kind: fault.Invalid, Code: "batch.files",
		ZH: "批次的文件清单不正确。", EN: "The list of files is not valid."}
	errKeyReused = fault.Spec{Kind: fault.Conflict, Code: "batch.key-reused",
		ZH: "同一个幂等键已用于另一个批次。", EN: "This idempotency key was used for a different batch."}
	errEnded = fault.Spec{Kind: fault.Conflict, Code: "batch.ended",
		ZH: "批次已经结束。", EN: "The batch has ended."}
	errCancelled = fault.Spec{Kind: fault.Conflict, Code: "batch.cancelled",
		ZH: "批次已经取消。", EN: "The batch was cancelled."}
	errNothingFailed = fault.Spec{Kind: fault.Conflict, Code: "batch.nothing-failed",
		ZH: "批次中没有失败的文件。", EN: "No file of the batch has failed."}
)
