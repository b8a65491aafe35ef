package ledger

import "yinxin/internal/fault"

var (
	errEvent = fault.Spec{Kind: fault.Internal, Code: "ledger.event",
		ZH: "账本事件不完整或过大。", EN: "The event for the ledger is incomplete or too large."}
	errNotFound = fault.Spec{Kind: fault.NotFound, Code: "ledger.not-found",
		ZH: "账本中没有这一条目。", EN: "There is no such entry in the ledger."}
	// ErrPending is an entry that has no place in the tree yet.
	ErrPending = fault.Spec{Kind: fault.Unavailable, Code: "ledger.pending",
		ZH: "该条目尚未编入账本，请稍后再试。", EN: "The entry has not been given its place in the ledger yet; try again."}
	errEmpty = fault.Spec{Kind: fault.NotFound, Code: "ledger.no-checkpoint",
		ZH: "账本还没有检查点。", EN: "The ledger has no checkpoint yet."}
	errDamaged = fault.Spec{Kind: fault.Internal, Code: "ledger.damaged",
		ZH: "账本与其签名的检查点不符，已停止写入检查点。", EN: "The ledger does not match its signed checkpoint; no further checkpoint is signed."}
	errCheckpoint = fault.Spec{Kind: fault.Invalid, Code: "ledger.checkpoint",
		ZH: "检查点格式错误或签名无效。", EN: "The checkpoint is malformed or its signature is not valid."}
	errProof = fault.Spec{Kind: fault.Invalid, Code: "ledger.proof",
		ZH: "账本证明无效。", EN: "The proof of the ledger is not valid."}
)
