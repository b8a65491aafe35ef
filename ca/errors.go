package ca

import "yinxin/internal/fault"

// The errors of this room.
var (
	ErrRequest = fault.Spec{Kind: fault.Invalid, Code: "ca.request",
		ZH: "证书申请的内容无效。", EN: "The request for a certificate is not valid."}
	ErrPublicKey = fault.Spec{Kind: fault.Invalid, Code: "ca.public-key",
		ZH: "公钥不是有效的 SM2 公钥。", EN: "The public key is not a valid SM2 key."}
	ErrKeyInUse = fault.Spec{Kind: fault.Conflict, Code: "ca.key-in-use",
		ZH: "该公钥已用于其他主体或用途的证书。", EN: "The public key is in a certificate of another subject or purpose."}
	ErrValidity = fault.Spec{Kind: fault.Refused, Code: "ca.issuer-expires",
		ZH: "签发证书的有效期不足，不能签发。", EN: "The issuing certificate expires before the new certificate would."}
	ErrLint = fault.Spec{Kind: fault.Internal, Code: "ca.lint",
		ZH: "待签发的证书不符合规范，已停止签发。", EN: "The certificate to be signed does not keep to its profile; it was not signed."}
	ErrSigning = fault.Spec{Kind: fault.Internal, Code: "ca.signing",
		ZH: "证书签名失败，该序列号已作废。", EN: "Signing the certificate failed; its serial number is void."}
	ErrSuperseded = fault.Spec{Kind: fault.Conflict, Code: "ca.superseded",
		ZH: "签发中断，该序列号已作废，请重新申请。", EN: "The issuance was interrupted and its serial number is void; request it anew."}
	ErrNotEstablished = fault.Spec{Kind: fault.NotFound, Code: "ca.not-established",
		ZH: "尚未建立证书机构。", EN: "The certificate authority has not been established."}
	ErrEstablished = fault.Spec{Kind: fault.Conflict, Code: "ca.established",
		ZH: "证书机构已经建立。", EN: "The certificate authority has been established already."}
	ErrCeremony = fault.Spec{Kind: fault.Invalid, Code: "ca.ceremony",
		ZH: "建立证书机构所需的资料不完整或无效。", EN: "The particulars of the ceremony are incomplete or not valid."}
	ErrOfficers = fault.Spec{Kind: fault.Denied, Code: "ca.officers",
		ZH: "建立证书机构须有两名不同的经办人。", EN: "A ceremony takes two different officers."}
	ErrKey = fault.Spec{Kind: fault.Unavailable, Code: "ca.key",
		ZH: "证书机构的密钥不可用或与证书不符。", EN: "A key of the authority is missing or does not belong to its certificate."}
	ErrNotFound = fault.Spec{Kind: fault.NotFound, Code: "ca.not-found",
		ZH: "没有这张证书。", EN: "There is no such certificate."}
	ErrRenewed = fault.Spec{Kind: fault.Conflict, Code: "ca.renewed",
		ZH: "证书已经更新。", EN: "The certificate has been renewed already."}
	ErrNotRenewable = fault.Spec{Kind: fault.Refused, Code: "ca.not-renewable",
		ZH: "该证书不能自动更新，须重新审批签发。", EN: "The certificate cannot be renewed; a new one takes a new approval."}
	ErrReason = fault.Spec{Kind: fault.Invalid, Code: "ca.reason",
		ZH: "撤销原因无效。", EN: "This is not a reason for which a certificate is revoked here."}
	ErrRevoked = fault.Spec{Kind: fault.Conflict, Code: "ca.revoked",
		ZH: "证书已经撤销。", EN: "The certificate has been revoked already."}
	ErrHeld = fault.Spec{Kind: fault.Conflict, Code: "ca.held",
		ZH: "证书已经冻结。", EN: "The certificate is suspended already."}
	ErrNotHeld = fault.Spec{Kind: fault.Conflict, Code: "ca.not-held",
		ZH: "证书没有被冻结。", EN: "The certificate is not suspended."}
	ErrVanished = fault.Spec{Kind: fault.Internal, Code: "ca.crl-entry-vanished",
		ZH: "新的撤销列表缺少尚未过期的条目，已停止发布。", EN: "An unexpired entry is missing in the new revocation list; it was not published."}
	ErrClock = fault.Spec{Kind: fault.Internal, Code: "ca.clock",
		ZH: "系统时间早于上一份撤销列表，已停止发布。", EN: "The clock is behind the last revocation list; no new one was published."}
	ErrStampClock = fault.Spec{Kind: fault.Unavailable, Code: "ca.stamp-clock",
		ZH: "系统时间早于已签发的时间戳，暂停签发。", EN: "The clock is behind an earlier time stamp; none is made."}
	ErrNoCRL = fault.Spec{Kind: fault.Unavailable, Code: "ca.no-crl",
		ZH: "尚无撤销列表。", EN: "There is no revocation list yet."}
	ErrRootOrder = fault.Spec{Kind: fault.Invalid, Code: "ca.root-order",
		ZH: "根证书的签发单无法读取或自相矛盾。", EN: "The order for the root cannot be read or contradicts itself."}
	ErrRootCRL = fault.Spec{Kind: fault.Refused, Code: "ca.root-crl",
		ZH: "该撤销列表不能作为根撤销列表发布。", EN: "The list cannot be published as that of the root."}
	ErrAnchor = fault.Spec{Kind: fault.Invalid, Code: "ca.anchor",
		ZH: "信任锚的资料不完整或无效。", EN: "The particulars of the trust anchor are incomplete or not valid."}
	ErrAnchorKnown = fault.Spec{Kind: fault.Conflict, Code: "ca.anchor-known",
		ZH: "该证书已作为信任锚导入。", EN: "The certificate is a trust anchor already."}
	ErrAnchorNotFound = fault.Spec{Kind: fault.NotFound, Code: "ca.anchor-not-found",
		ZH: "没有这个信任锚，或已移除。", EN: "There is no such trust anchor, or it was removed."}
	ErrAnchorReason = fault.Spec{Kind: fault.Invalid, Code: "ca.anchor-reason",
		ZH: "请写明移除信任锚的理由。", EN: "Say why the trust in the anchor ends."}
	ErrForeignCRL = fault.Spec{Kind: fault.Refused, Code: "ca.foreign-crl",
		ZH: "吊销列表不是由已导入的信任锚或其下级签发的，不能导入。", EN: "The revocation list was signed neither by an imported trust anchor nor by a CA below one."}
	ErrForeignCRLOld = fault.Spec{Kind: fault.Conflict, Code: "ca.foreign-crl-old",
		ZH: "已有同一份或更新的吊销列表。", EN: "This revocation list, or a newer one, is there already."}
	ErrForeignCRLRoom = fault.Spec{Kind: fault.Refused, Code: "ca.foreign-crl-room",
		ZH: "导入的吊销列表过多或过大。", EN: "There are too many imported revocation lists, or they are too large."}
	ErrNoIssuer = fault.Spec{Kind: fault.NotFound, Code: "ca.no-such-issuer",
		ZH: "没有这个签发机构。", EN: "There is no such issuing CA."}
	ErrNoList = fault.Spec{Kind: fault.NotFound, Code: "ca.no-such-list",
		ZH: "没有这个编号的撤销列表。", EN: "There is no revocation list with this number."}
	ErrKnownCRL = fault.Spec{Kind: fault.Invalid, Code: "ca.known-crl",
		ZH: "该撤销列表不是由本机构的签发证书签发的，不能用于恢复。", EN: "The list is not one of an issuing CA of this installation; it cannot help the restore."}
	ErrIssuing = fault.Spec{Kind: fault.Refused, Code: "ca.issuing",
		ZH: "该证书不能作为签发证书的后继证书。", EN: "The certificate cannot succeed that of the issuing CA."}
)
