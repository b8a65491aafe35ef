package hsm

import "yinxin/internal/fault"

// The errors of tokens. None carries a PIN, and none a value that was signed.
var (
	ErrNotBuilt = fault.Spec{Kind: fault.Refused, Code: "hsm.not-built",
		ZH: "本程序编译时未包含 PKCS#11 支持，不能使用密码设备。", EN: "This program was built without PKCS#11 and cannot use tokens."}
	ErrModule = fault.Spec{Kind: fault.Invalid, Code: "hsm.module",
		ZH: "无法加载 PKCS#11 模块。", EN: "The PKCS#11 module cannot be loaded."}
	ErrProfile = fault.Spec{Kind: fault.Invalid, Code: "hsm.profile",
		ZH: "密码设备厂商配置文件有误。", EN: "A vendor profile cannot be understood."}
	ErrProfileNotFound = fault.Spec{Kind: fault.NotFound, Code: "hsm.profile-not-found",
		ZH: "没有这个密码设备厂商配置。", EN: "There is no vendor profile of this name."}
	ErrOptions = fault.Spec{Kind: fault.Invalid, Code: "hsm.options",
		ZH: "密码设备参数无效。", EN: "The options of the token are not usable."}
	ErrTokenNotFound = fault.Spec{Kind: fault.Unavailable, Code: "hsm.token-not-found",
		ZH: "没有找到密码设备，请插入后再试。", EN: "The token was not found; insert it and try again."}
	ErrTokenAmbiguous = fault.Spec{Kind: fault.Conflict, Code: "hsm.token-ambiguous",
		ZH: "有多个密码设备符合条件，请给出序列号。", EN: "Several tokens fit; name the serial number."}
	ErrTokenInUse = fault.Spec{Kind: fault.Conflict, Code: "hsm.token-in-use",
		ZH: "本程序已在使用这个密码设备。", EN: "This program uses the token already."}
	ErrRemoved = fault.Spec{Kind: fault.Unavailable, Code: "hsm.removed",
		ZH: "密码设备已拔出，请重新插入。", EN: "The token was pulled out; insert it again."}
	ErrOtherToken = fault.Spec{Kind: fault.Refused, Code: "hsm.other-token",
		ZH: "插入的不是原来的密码设备。", EN: "Another token is in the place of this one."}
	ErrDevice = fault.Spec{Kind: fault.Unavailable, Code: "hsm.device",
		ZH: "密码设备出错，请稍后再试。", EN: "The token failed; try again later."}
	ErrPaused = fault.Spec{Kind: fault.Unavailable, Code: "hsm.paused",
		ZH: "密码设备连续出错，暂停使用，请稍后再试。", EN: "The token failed several times in a row and is left alone for a while; try again later."}
	ErrTimeout = fault.Spec{Kind: fault.Unavailable, Code: "hsm.timeout",
		ZH: "密码设备没有及时应答，请稍后再试。", EN: "The token did not answer in time; try again later."}
	ErrClosed = fault.Spec{Kind: fault.Unavailable, Code: "hsm.closed",
		ZH: "密码设备已停用。", EN: "The token is no longer in use here."}

	ErrPINNeeded = fault.Spec{Kind: fault.Denied, Code: "hsm.pin-needed",
		ZH: "请输入密码设备的 PIN。", EN: "The PIN of the token has to be given."}
	ErrPINWrong = fault.Spec{Kind: fault.Denied, Code: "hsm.pin-wrong",
		ZH: "PIN 不正确。系统不会自动重试，请重新输入。", EN: "The PIN is wrong. It is not tried again; give the PIN anew."}
	ErrPINLow = fault.Spec{Kind: fault.Denied, Code: "hsm.pin-low",
		ZH: "PIN 剩余尝试次数不多，须由人确认后才能再试。", EN: "Few tries of the PIN are left; a person has to confirm the next one."}
	ErrPINLocked = fault.Spec{Kind: fault.Denied, Code: "hsm.pin-locked",
		ZH: "PIN 已锁定，请先解锁。", EN: "The PIN is locked; the token has to be unlocked first."}
	ErrPINUnset = fault.Spec{Kind: fault.Denied, Code: "hsm.pin-unset",
		ZH: "密码设备尚未设置用户 PIN，或者 PIN 已过期。", EN: "The token has no user PIN yet, or the PIN has expired."}
	ErrNewPIN = fault.Spec{Kind: fault.Invalid, Code: "hsm.new-pin",
		ZH: "新 PIN 不符合密码设备的长度要求。", EN: "The new PIN does not have the length that the token asks for."}
	ErrSOPINWrong = fault.Spec{Kind: fault.Denied, Code: "hsm.so-pin-wrong",
		ZH: "SO PIN 不正确。系统不会自动重试，请重新输入。", EN: "The SO PIN is wrong. It is not tried again; give it anew."}
	ErrSOPINLow = fault.Spec{Kind: fault.Denied, Code: "hsm.so-pin-low",
		ZH: "SO PIN 剩余尝试次数不多，须由人确认后才能再试。", EN: "Few tries of the SO PIN are left; a person has to confirm the next one."}
	ErrSOPINLocked = fault.Spec{Kind: fault.Denied, Code: "hsm.so-pin-locked",
		ZH: "SO PIN 已锁定，本设备不能再解锁。", EN: "The SO PIN is locked; this token can no longer be unlocked."}
	ErrSOPINKept = fault.Spec{Kind: fault.Unavailable, Code: "hsm.so-pin-kept",
		ZH: "用户 PIN 已设置，但 SO PIN 未能更换；请用同样的 SO PIN 再做一次。", EN: "The user PIN is set, but the SO PIN was not changed; do the same once more, with the same SO PINs."}
	ErrLabel = fault.Spec{Kind: fault.Invalid, Code: "hsm.label",
		ZH: "密码设备的标签须为 1 至 32 个字节。", EN: "The label of a token has 1 to 32 bytes."}

	ErrKeyNotFound = fault.Spec{Kind: fault.NotFound, Code: "hsm.key-not-found",
		ZH: "密码设备中没有这个密钥。", EN: "The token has no such key."}
	ErrKeyAmbiguous = fault.Spec{Kind: fault.Conflict, Code: "hsm.key-ambiguous",
		ZH: "密码设备中有多个密钥符合条件。", EN: "Several keys of the token fit."}
	ErrKeyExists = fault.Spec{Kind: fault.Conflict, Code: "hsm.key-exists",
		ZH: "密码设备中已有此编号的密钥。", EN: "The token has a key of this identifier already."}
	ErrOtherKey = fault.Spec{Kind: fault.Refused, Code: "hsm.other-key",
		ZH: "密码设备中此编号的密钥已不是原来的密钥。", EN: "The key under this identifier is not the one that was there before."}
	ErrPublicKey = fault.Spec{Kind: fault.Refused, Code: "hsm.public-key",
		ZH: "密码设备给出的公钥与厂商配置不符。", EN: "The public key on the token does not have the form that the profile says."}
	ErrSelfTest = fault.Spec{Kind: fault.Refused, Code: "hsm.self-test",
		ZH: "密码设备自检失败，该密钥不予启用。", EN: "The self-test of the key failed; it is not used."}
	ErrEncoding = fault.Spec{Kind: fault.Internal, Code: "hsm.encoding",
		ZH: "密码设备返回的签名格式不符。", EN: "The token answered with a signature of another form than agreed."}
	ErrAlgorithm = fault.Spec{Kind: fault.Refused, Code: "hsm.algorithm",
		ZH: "该密码设备或厂商配置不支持此算法。", EN: "The token or its profile does not serve this algorithm."}
	ErrObject = fault.Spec{Kind: fault.Invalid, Code: "hsm.object",
		ZH: "不能存入密码设备：内容无效。", EN: "This cannot be stored on a token."}
	ErrObjectSize = fault.Spec{Kind: fault.TooLarge, Code: "hsm.object-size",
		ZH: "内容过大，不能存入密码设备。", EN: "This is too large to be stored on a token."}
)
