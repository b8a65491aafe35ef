package clock

import "yinxin/internal/fault"

// The errors of this package. Codes never change their meaning.
var (
	// ErrJumped is a clock that was set since it was last looked at.
	ErrJumped = fault.Spec{Kind: fault.Unavailable, Code: "clock.jumped",
		ZH: "系统时钟发生跳变，尚未核实，暂停签发时间。", EN: "The clock jumped and was not confirmed since; no times are signed."}
	// ErrOff is a clock that the references contradict.
	ErrOff = fault.Spec{Kind: fault.Unavailable, Code: "clock.off",
		ZH: "系统时钟与参考时间不符，暂停签发时间。", EN: "The clock is further off than allowed; no times are signed."}
	// ErrUnconfirmed is a clock that no reference has confirmed for too long.
	ErrUnconfirmed = fault.Spec{Kind: fault.Unavailable, Code: "clock.unconfirmed",
		ZH: "参考时间源长时间无应答，系统时钟未经核实，暂停签发时间。", EN: "No reference has confirmed the clock for too long; no times are signed."}
	// ErrReference is a reference that gave no usable time.
	ErrReference = fault.Spec{Kind: fault.Unavailable, Code: "clock.reference",
		ZH: "参考时间源没有给出可用的时间。", EN: "The time reference gave no usable time."}
)
