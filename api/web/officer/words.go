package officer

import (
	"strings"

	"yinxin/api/web"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/sealer/imprint"
)

var notices = map[string]web.Text{
	"done":        {ZH: "已办理。", EN: "Done."},
	"saved":       {ZH: "已保存。", EN: "Saved."},
	"created":     {ZH: "已新建申请（草稿）。请补齐附件后提交。", EN: "The application was begun as a draft. Add its scans, then hand it in."},
	"attached":    {ZH: "附件已添加。", EN: "The scan was attached."},
	"removed":     {ZH: "附件已移除。", EN: "The scan was taken away."},
	"roster":      {ZH: "汇总表已导入。", EN: "The roster was imported."},
	"template":    {ZH: "印章模板已保存。", EN: "The template of the seal was kept."},
	"approved":    {ZH: "已批准。", EN: "Approved."},
	"rejected":    {ZH: "已驳回。", EN: "Refused."},
	"requested":   {ZH: "已提交，等待另一人审批。", EN: "Requested; a second person decides."},
	"held":        {ZH: "证书已冻结，立即生效。", EN: "The certificate is on hold, at once."},
	"suspended":   {ZH: "已停用，立即生效。", EN: "Suspended, at once."},
	"handed-in":   {ZH: "批次已报送省级。", EN: "The batch was handed in to the province."},
	"written":     {ZH: "已登记：Key 中已有证书和加密密钥。应答文件不再发放。", EN: "Recorded: the Key has its certificates and its encryption key. The answer is not handed out any more."},
	"handed-over": {ZH: "交付已登记。", EN: "The hand-over is on record."},
	"confirmed":   {ZH: "已登记：Key 的 SO PIN 已改好。", EN: "Recorded: the Key has its new SO PIN."},
	"renewed":     {ZH: "已准备续期，等待持有人接受。", EN: "The renewal is made and waits for its holder's acceptance."},
	"assigned":    {ZH: "已登记。", EN: "Recorded."},
}

// labelled gives a word in both languages for what is known by a key.
type labelled map[string]web.Text

func (l labelled) of(key, language string) string {
	if t, ok := l[key]; ok {
		return t.In(language)
	}
	return key
}

var stateWords = labelled{
	"draft": {ZH: "草稿", EN: "draft"}, "submitted": {ZH: "已提交", EN: "handed in"}, "gathered": {ZH: "市级已汇总", EN: "gathered"}, "received": {ZH: "省级已接收", EN: "received"},
	"original-received": {ZH: "已收到原件", EN: "original received"}, "returned": {ZH: "已退回", EN: "returned"}, "examined": {ZH: "待审批", EN: "waits for approval"},
	"approved": {ZH: "已批准、办理中", EN: "approved"}, "issued": {ZH: "待接受", EN: "waits for acceptance"}, "accepted": {ZH: "已接受", EN: "accepted"}, "objected": {ZH: "有异议", EN: "objected to"},
	"closed": {ZH: "已办结", EN: "closed"}, "withdrawn": {ZH: "已撤回", EN: "withdrawn"}, "rejected": {ZH: "不予批准", EN: "rejected"}, "expired": {ZH: "已失效", EN: "expired"},
}

var states = []enroll.State{enroll.StateDraft, enroll.StateSubmitted, enroll.StateGathered, enroll.StateReceived, enroll.StateOriginal, enroll.StateReturned,
	enroll.StateExamined, enroll.StateApproved, enroll.StateIssued, enroll.StateAccepted, enroll.StateObjected, enroll.StateClosed, enroll.StateWithdrawn,
	enroll.StateRejected, enroll.StateExpired}

// stateClass is the colour of a state: of what waits, is good, came to nothing.
func stateClass(s enroll.State) string {
	switch s {
	case enroll.StateAccepted, enroll.StateClosed:
		return "good"
	case enroll.StateReturned, enroll.StateObjected:
		return "bad"
	case enroll.StateWithdrawn, enroll.StateRejected, enroll.StateExpired, enroll.StateDraft:
		return "none"
	case enroll.StateExamined, enroll.StateIssued:
		return "doubt"
	}
	return "note"
}

var businessWords = labelled{
	"new": {ZH: form.New.Label(), EN: "new seal"}, "organisation-change": {ZH: form.OrganisationChange.Label(), EN: "change of the organisation"},
	"imprint-change": {ZH: form.ImprintChange.Label(), EN: "change of the imprint"}, "key-replacement": {ZH: form.KeyReplacement.Label(), EN: "replacement of a USB Key"},
	"key-unlock": {ZH: form.KeyUnlock.Label(), EN: "unlocking of a USB Key"}, "cancellation": {ZH: form.Cancellation.Label(), EN: "cancellation"},
}

var sealTypeWords = labelled{
	"official": {ZH: form.SealOfficial.Label(), EN: "official seal"}, "approval": {ZH: form.SealApproval.Label(), EN: "approval seal"}, "invoice": {ZH: form.SealInvoice.Label(), EN: "invoice seal"},
	"contract": {ZH: form.SealContract.Label(), EN: "contract seal"}, "finance": {ZH: form.SealFinance.Label(), EN: "finance seal"}, "name": {ZH: form.SealName.Label(), EN: "name seal"},
	"other": {ZH: form.SealOther.Label(), EN: "other"},
}

var unitTypeWords = labelled{
	"administrative": {ZH: form.UnitAdministrative.Label(), EN: "administration"}, "institution": {ZH: form.UnitInstitution.Label(), EN: "institution"},
	"association": {ZH: form.UnitAssociation.Label(), EN: "association"}, "other": {ZH: form.UnitOther.Label(), EN: "other"},
}

var scopeWords = labelled{"government-network": {ZH: form.GovernmentNetwork.Label(), EN: "government network"}, "internet": {ZH: form.Internet.Label(), EN: "internet"}}

var methodWords = labelled{"central": {ZH: form.Central.Label(), EN: "central"}, "distributed": {ZH: form.Distributed.Label(), EN: "USB Key"}}

// fieldWords are the members of the form in English; the Chinese labels are those of the paper.
var fieldWords = map[string]string{
	"sealType": "Kind of seal", "sealTypeOther": "Other kind of seal", "businesses": "Business", "formerName": "Former name of the unit", "seal.code": "Code of the seal", "key.holder": "Holder of the USB Key",
	"personal.keyHolderIdentity": "Identity number of the holder", "key.serial": "Serial number of the USB Key", "scopes": "Scope of use", "methods": "Way of sealing", "unit.name": "Applying unit",
	"unit.type": "Kind of unit", "unit.typeOther": "Other kind of unit", "approver": "Approving body", "purpose": "Purpose", "unit.creditCode": "Unified social credit code", "unit.phone": "Telephone",
	"unit.address": "Address", "handler.name": "Handler", "personal.handlerIdentity": "Identity number of the handler", "personal.handlerMobile": "Mobile of the handler", "handler.email": "Mail address",
	"handler.address": "Postal address", "appliedOn": "Date of the application", "seal.name": "Name of the seal", "seal.size": "Size of the seal (mm)", "agreement.accepted": "Agreement", "agreement.version": "Version of the agreement", "number": "Number of the application",
}

func fieldLabel(member, language string) string {
	if language == "en" {
		if word, ok := fieldWords[member]; ok {
			return word
		}
		if kind, ok := strings.CutPrefix(member, "attachments."); ok {
			return attachmentWords.of(kind, language)
		}
		if member == "roster" || strings.HasPrefix(member, "roster.") {
			return "roster of users"
		}
	}
	if label := form.LabelOf(member); label != "" {
		return label
	}
	return member
}

var sealStateWords = labelled{"making": {ZH: "制作中", EN: "being made"}, "active": {ZH: "已启用", EN: "in use"}, "suspended": {ZH: "已停用", EN: "suspended"},
	"collected": {ZH: "已收缴", EN: "collected"}, "cancelled": {ZH: "已注销", EN: "cancelled"}}

var sealStateClass = map[string]string{"making": "note", "active": "good", "suspended": "bad", "collected": "none", "cancelled": "none"}

var certificateWords = labelled{"pending": {ZH: "签发中", EN: "being issued"}, "failed": {ZH: "签发失败", EN: "failed"}, "good": {ZH: "有效", EN: "good"}, "held": {ZH: "已冻结", EN: "on hold"},
	"revoked": {ZH: "已吊销", EN: "revoked"}, "expired": {ZH: "已过期", EN: "expired"}}

var certificateClass = map[string]string{"pending": "note", "failed": "none", "good": "good", "held": "doubt", "revoked": "bad", "expired": "none"}

var profileWords = labelled{"root": {ZH: "根证书", EN: "root"}, "issuing": {ZH: "签发机构证书", EN: "issuing authority"}, "institution": {ZH: "机构印章证书", EN: "institution's seal"}, "personal": {ZH: "个人证书", EN: "person"},
	"encryption": {ZH: "加密证书", EN: "encryption"}, "seal-maker": {ZH: "制章人证书", EN: "seal maker"}, "ocsp": {ZH: "OCSP 应答证书", EN: "OCSP responder"}, "tsa": {ZH: "时间戳证书", EN: "time stamps"}}

var renewalWords = labelled{"waiting": {ZH: "等待接受", EN: "waiting"}, "in-use": {ZH: "已启用", EN: "in use"}, "objected": {ZH: "有异议", EN: "objected to"}}
var renewalClass = map[string]string{"waiting": "doubt", "in-use": "good", "objected": "bad"}

var suspensionWords = labelled{"open": {ZH: "已停用，待确认", EN: "suspended, undecided"}, "confirmed": {ZH: "已确认停用", EN: "final"}, "lifted": {ZH: "已恢复", EN: "lifted"}}
var suspensionClass = map[string]string{"open": "bad", "confirmed": "none", "lifted": "good"}

var causeWords = labelled{"roster": {ZH: "汇总表注明失效", EN: "the roster says so"}, "emergency": {ZH: "紧急停用", EN: "emergency"}}

var kindWords = labelled{
	"certificate.issue": {ZH: "签发证书", EN: "issue a certificate"}, "certificate.revoke": {ZH: "吊销证书", EN: "revoke a certificate"}, "certificate.suspend": {ZH: "冻结证书", EN: "put a certificate on hold"},
	"certificate.resume": {ZH: "恢复证书", EN: "release a certificate"}, "seal.make": {ZH: "制作印章", EN: "make a seal"}, "seal.cancel": {ZH: "注销印章", EN: "cancel a seal"}, "seal.suspend": {ZH: "停用印章", EN: "suspend a seal"},
	"seal.resume": {ZH: "恢复印章", EN: "put a seal back into use"}, "seal.grant": {ZH: "用印授权", EN: "let somebody use a seal"}, "role.grant": {ZH: "授予角色", EN: "grant a role"},
	"application.approve": {ZH: "批准申请", EN: "approve an application"}, "suspension.confirm": {ZH: "确认停用使用人", EN: "make a suspension final"}, "suspension.lift": {ZH: "恢复使用人", EN: "lift a suspension"},
	"key.recover": {ZH: "恢复托管密钥", EN: "recover a key in escrow"}, "key.destroy": {ZH: "销毁托管密钥", EN: "destroy a key in escrow"}, "escrow.change": {ZH: "更换托管恢复密钥", EN: "change the recovery key"},
	"key.unlock": {ZH: "解锁 USB Key", EN: "unlock a USB Key"}, "anchor.import": {ZH: "导入信任锚", EN: "import a trust anchor"},
}

var actWords = labelled{"certificate": {ZH: "签发证书", EN: "issue a certificate"}, "seal": {ZH: "制作印章", EN: "make a seal"}, "grant": {ZH: "用印授权", EN: "grant"}, "role": {ZH: "授予角色", EN: "grant a role"},
	"revoke": {ZH: "吊销证书", EN: "revoke a certificate"}, "resume": {ZH: "恢复证书", EN: "release a certificate"}, "cancel": {ZH: "注销印章", EN: "cancel the seal"}, "unlock": {ZH: "解锁 USB Key", EN: "unlock a USB Key"}}

var verdictWords = labelled{"usable": {ZH: "合格", EN: "passes"}, "warn": {ZH: "提示", EN: "doubtful"}, "stamp-again": {ZH: "须重新盖章", EN: "stamp again"}, "pass": {ZH: "合格", EN: "passes"}, "same": {ZH: "同一枚印章", EN: "the same seal"},
	"different": {ZH: "不是同一枚印章", EN: "another seal"}, "cannot-tell": {ZH: "无法判断", EN: "cannot be told"}}

var verdictClass = map[string]string{"usable": "good", "pass": "good", "warn": "doubt", "stamp-again": "bad", "same": "good", "different": "bad", "cannot-tell": "doubt"}

var attachmentWords = labelled{"form": {ZH: enroll.AttachForm.Label(), EN: "stamped form"}, "credit-code": {ZH: enroll.AttachCredit.Label(), EN: "credit code certificate"},
	"identity": {ZH: enroll.AttachIdentity.Label(), EN: "identity card of the handler"}, "other": {ZH: enroll.AttachOther.Label(), EN: "other"}}

// gateWords are what the gates of an imprint look for, in English.
var gateWords = map[string]string{
	imprint.GateResolution: "resolution", imprint.GateSize: "size", imprint.GateOutline: "outline", imprint.GateInk: "too faint", imprint.GateBleeding: "ink bled", imprint.GateEdge: "edge incomplete",
	imprint.GateStrokes: "strokes incomplete", imprint.GateUpright: "not upright", imprint.GateAgreement: "the two imprints differ", imprint.GateSameSeal: "perhaps another seal",
	imprint.GateScreen: "perhaps a copy: screen", imprint.GateColorants: "perhaps a copy: inks", imprint.GateGrain: "perhaps a copy: grain", imprint.GateTwins: "perhaps a copy: twins",
}
