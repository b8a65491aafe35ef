package keystore

import "yinxin/internal/fault"

// The errors of the keystore.
var (
	ErrPassphrase = fault.Spec{Kind: fault.Denied, Code: "keystore.passphrase",
		ZH: "密钥库口令不正确。", EN: "The passphrase of the keystore is wrong."}
	ErrNoPassphrase = fault.Spec{Kind: fault.Invalid, Code: "keystore.no-passphrase",
		ZH: "没有提供密钥库口令。", EN: "No passphrase for the keystore was given."}
	ErrDamaged = fault.Spec{Kind: fault.Internal, Code: "keystore.damaged",
		ZH: "密钥库文件已损坏或被改动。", EN: "A file of the keystore is damaged or was altered."}
	ErrExists = fault.Spec{Kind: fault.Conflict, Code: "keystore.exists",
		ZH: "此处已有密钥库。", EN: "There is a keystore here already."}
	ErrNotFound = fault.Spec{Kind: fault.NotFound, Code: "keystore.not-found",
		ZH: "此处没有密钥库。", EN: "There is no keystore here."}
	ErrKeyNotFound = fault.Spec{Kind: fault.NotFound, Code: "keystore.key-not-found",
		ZH: "没有这个密钥。", EN: "There is no such key."}
	ErrKeyExists = fault.Spec{Kind: fault.Conflict, Code: "keystore.key-exists",
		ZH: "已有同名密钥。", EN: "There is a key of that name already."}
	ErrKeySuspended = fault.Spec{Kind: fault.Refused, Code: "keystore.key-suspended",
		ZH: "密钥已停用，不能签名。", EN: "The key is suspended and does not sign."}
	ErrKeyDestroyed = fault.Spec{Kind: fault.Refused, Code: "keystore.key-destroyed",
		ZH: "密钥已销毁。", EN: "The key was destroyed."}
	ErrName = fault.Spec{Kind: fault.Invalid, Code: "keystore.name",
		ZH: "密钥名称只能由小写字母、数字、点、连字符和下划线组成，长度不超过 96。", EN: "A key name consists of at most 96 lower-case letters, digits, dots, hyphens and underscores, and begins with a letter or digit."}
	ErrPurpose = fault.Spec{Kind: fault.Denied, Code: "keystore.purpose",
		ZH: "不允许此用途的密钥。", EN: "A key of this purpose is not within reach here."}
	ErrState = fault.Spec{Kind: fault.Invalid, Code: "keystore.state",
		ZH: "密钥状态无效。", EN: "This is not a state of a key."}
	ErrOptions = fault.Spec{Kind: fault.Invalid, Code: "keystore.options",
		ZH: "密钥库参数无效。", EN: "The options of the keystore are not usable."}
	ErrSafeSealed = fault.Spec{Kind: fault.Internal, Code: "keystore.safe-sealed",
		ZH: "加密数据已损坏，或者不属于此处。", EN: "Sealed data is damaged or does not belong where it was found."}
	ErrSafeEnded = fault.Spec{Kind: fault.Refused, Code: "keystore.safe-ended",
		ZH: "加密这些数据的密钥版本已销毁。", EN: "The version of the key that sealed this was destroyed."}
	ErrSafeSize = fault.Spec{Kind: fault.TooLarge, Code: "keystore.safe-size",
		ZH: "要加密的数据过大。", EN: "There is too much data to seal in one piece."}
	ErrTokenMissing = fault.Spec{Kind: fault.Unavailable, Code: "keystore.token-missing",
		ZH: "密钥所在的密码设备尚未启用。", EN: "The token that holds the key is not in use here."}
	ErrTokenWaits = fault.Spec{Kind: fault.Unavailable, Code: "keystore.token-waits",
		ZH: "密钥所在的密码设备须由管理员处理后才能使用。", EN: "The token that holds the key waits for its operator."}
	ErrTokenUnfit = fault.Spec{Kind: fault.Refused, Code: "keystore.token-unfit",
		ZH: "该密码设备不能保管密钥库的密钥：不支持对 SM2 摘要签名。", EN: "The token cannot hold keys of a keystore: it does not sign SM2 digests."}
	ErrTokenKey = fault.Spec{Kind: fault.Refused, Code: "keystore.token-key",
		ZH: "密码设备中的密钥与密钥库记录的不一致。", EN: "The key on the token is not the one that the keystore knows."}
	ErrTokenKeyTaken = fault.Spec{Kind: fault.Conflict, Code: "keystore.token-key-taken",
		ZH: "密码设备中的这个密钥已登记为另一个密钥。", EN: "The key on the token is another key of this keystore already."}
	ErrStorage = fault.Spec{Kind: fault.Unavailable, Code: "keystore.storage",
		ZH: "无法读写密钥库文件。", EN: "The files of the keystore cannot be read or written."}
	ErrShare = fault.Spec{Kind: fault.Invalid, Code: "keystore.share",
		ZH: "密钥份额的文字不完整或有误。", EN: "The text of a key share is incomplete or was altered."}
	ErrShareNumbers = fault.Spec{Kind: fault.Invalid, Code: "keystore.share-numbers",
		ZH: "份额至少须 2 份合用，总数不超过 16 份。", EN: "A split takes a threshold of at least 2 and at most 16 shares."}
	ErrShareForeign = fault.Spec{Kind: fault.Denied, Code: "keystore.share-foreign",
		ZH: "该份额不属于这个密钥库。", EN: "The share belongs to another split, not to this keystore."}
	ErrShareWrong = fault.Spec{Kind: fault.Denied, Code: "keystore.share-wrong",
		ZH: "该份额的内容与分割时公布的承诺不符。", EN: "The share is not the one that was handed out: it contradicts the commitments of the split."}
	ErrShareTwice = fault.Spec{Kind: fault.Invalid, Code: "keystore.share-twice",
		ZH: "同一份额出现了两次。", EN: "The same share was given twice."}
	ErrShareTooFew = fault.Spec{Kind: fault.Denied, Code: "keystore.share-too-few",
		ZH: "份额数量不足，无法恢复。", EN: "There are too few shares to restore the secret."}
	ErrSharesNeeded = fault.Spec{Kind: fault.Denied, Code: "keystore.shares-needed",
		ZH: "该密钥库须由多份份额共同打开，而不是口令。", EN: "This keystore is opened by several shares, not by a passphrase."}
	ErrNoShares = fault.Spec{Kind: fault.Invalid, Code: "keystore.no-shares",
		ZH: "该密钥库由口令打开，没有份额。", EN: "This keystore is opened by a passphrase; there are no shares."}
)
