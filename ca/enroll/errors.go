package enroll

import "yinxin/internal/fault"

// The errors of this room.
var (
	ErrNotFound = fault.Spec{Kind: fault.NotFound, Code: "enroll.not-found",
		ZH: "没有这份申请。", EN: "There is no such application."}
	ErrConflict = fault.Spec{Kind: fault.Conflict, Code: "enroll.conflict",
		ZH: "该内容已被他人更改，请刷新后再办理。", EN: "Somebody else has changed this meanwhile; look again and then act."}
	ErrState = fault.Spec{Kind: fault.Refused, Code: "enroll.state",
		ZH: "当前状态不能办理此步骤。", EN: "This step is not possible in the present state."}
	ErrDenied = fault.Spec{Kind: fault.Denied, Code: "enroll.denied",
		ZH: "当前用户不能办理此步骤。", EN: "The actor may not take this step."}
	ErrReason = fault.Spec{Kind: fault.Invalid, Code: "enroll.reason",
		ZH: "须填写理由，不超过 200 字。", EN: "A reason is needed, of at most 200 characters."}
	// ErrRemark is a remark about a field that an application does not have.
	ErrRemark = fault.Spec{Kind: fault.Invalid, Code: "enroll.remark-field",
		ZH: "退回理由所指的栏目不存在：应为申请表的字段（如 seal.name）、附件（attachments.form）或汇总表（roster）。",
		EN: "A remark is about a field that there is not: name a field of the form (seal.name), a scan (attachments.form) or the roster."}
	ErrPersonal = fault.Spec{Kind: fault.Invalid, Code: "enroll.personal-data",
		ZH: "此处不得填写身份证号或手机号。", EN: "An identity number or mobile number must not stand here."}
	ErrField = fault.Spec{Kind: fault.Invalid, Code: "enroll.field",
		ZH: "该项缺失或无效。", EN: "This is missing or not valid."}
	ErrTelephone = fault.Spec{Kind: fault.Invalid, Code: "enroll.telephone",
		ZH: "对外联系电话须为固定电话或 400、800 等服务号码。", EN: "The public telephone is one of the fixed network or a service number."}
	ErrUnit = fault.Spec{Kind: fault.NotFound, Code: "enroll.unit-not-found",
		ZH: "没有这个单位或地区。", EN: "There is no such unit or area."}
	ErrMember = fault.Spec{Kind: fault.Conflict, Code: "enroll.member",
		ZH: "该用户已代表其他单位或地区。", EN: "The actor stands for another unit or area already."}
	ErrDirect = fault.Spec{Kind: fault.Refused, Code: "enroll.direct",
		ZH: "该单位直接报送省级，不由市级汇总。", EN: "The unit hands in to the province directly."}
	ErrNotHandedIn = fault.Spec{Kind: fault.Refused, Code: "enroll.not-handed-in",
		ZH: "市级尚未报送，省级不能接收。", EN: "The city bureau has not handed this in yet."}
	ErrAgreement = fault.Spec{Kind: fault.Refused, Code: "enroll.agreement",
		ZH: "尚未同意现行的服务协议。", EN: "The agreement in force has not been accepted."}
	ErrNoAgreement = fault.Spec{Kind: fault.NotFound, Code: "enroll.agreement-not-found",
		ZH: "没有这一版本的服务协议。", EN: "There is no such version of the agreement."}
	ErrAgreementExists = fault.Spec{Kind: fault.Conflict, Code: "enroll.agreement-exists",
		ZH: "这一版本的服务协议已经发布，不能更改。", EN: "This version of the agreement was published already and does not change."}
	ErrFindings = fault.Spec{Kind: fault.Refused, Code: "enroll.findings",
		ZH: "尚有未解决的问题。", EN: "There are findings that have not been resolved."}
	ErrNoFinding = fault.Spec{Kind: fault.NotFound, Code: "enroll.finding-not-found",
		ZH: "没有需要确认的这个问题。", EN: "There is no such finding to confirm."}
	ErrPlan = fault.Spec{Kind: fault.Internal, Code: "enroll.plan",
		ZH: "这份申请没有可办理的事项。", EN: "The application leads to nothing that could be carried out."}
	ErrInk = fault.Spec{Kind: fault.Refused, Code: "enroll.wet-ink",
		ZH: "尚未确认印模是在原件上用印泥加盖的。", EN: "It was not confirmed that the imprints on the original are of wet ink."}
	ErrTerm = fault.Spec{Kind: fault.Refused, Code: "enroll.term-over",
		ZH: "提出异议的期限已过，视为接受。", EN: "The term for objections is over; the certificates count as accepted."}
	ErrUnderWay = fault.Spec{Kind: fault.Refused, Code: "enroll.under-way",
		ZH: "已开始签发，不能更改或撤回。", EN: "Certificates or seals are being made already; this cannot be changed any more."}
	ErrNothingDone = fault.Spec{Kind: fault.Refused, Code: "enroll.nothing-done",
		ZH: "尚未开始签发，可以修改、退回或撤回，不必中止。", EN: "Nothing has been carried out yet: edit, return or withdraw the application instead."}
	ErrUnfinished = fault.Spec{Kind: fault.Refused, Code: "enroll.unfinished",
		ZH: "尚有批准的事项没有办完。", EN: "Not everything that was approved has been carried out."}
	ErrAttachment = fault.Spec{Kind: fault.NotFound, Code: "enroll.attachment-not-found",
		ZH: "没有这份附件。", EN: "There is no such attachment."}
	ErrAttachmentSize = fault.Spec{Kind: fault.TooLarge, Code: "enroll.attachment-size",
		ZH: "附件过大或过多。", EN: "The attachment is too large, or there are too many."}
	ErrRoster = fault.Spec{Kind: fault.Invalid, Code: "enroll.roster",
		ZH: "使用人信息汇总表为空、过大或有错误。", EN: "The roster is empty, too large or has errors."}
	ErrAltered = fault.Spec{Kind: fault.Internal, Code: "enroll.altered",
		ZH: "保存的数据与其摘要不符。", EN: "Stored data does not belong to its digest."}
	ErrBatch = fault.Spec{Kind: fault.NotFound, Code: "enroll.batch-not-found",
		ZH: "没有这个汇总批次。", EN: "There is no such batch."}
	ErrHandedIn = fault.Spec{Kind: fault.Refused, Code: "enroll.handed-in",
		ZH: "该批次已经报送。", EN: "The batch has been handed in already."}
	ErrEmptyBatch = fault.Spec{Kind: fault.Refused, Code: "enroll.batch-empty",
		ZH: "该批次中没有申请。", EN: "There is no application in the batch."}
	ErrHolder = fault.Spec{Kind: fault.NotFound, Code: "enroll.holder-not-found",
		ZH: "没有这个印章使用人。", EN: "There is no such user of a seal."}
	ErrSuspension = fault.Spec{Kind: fault.NotFound, Code: "enroll.suspension-not-found",
		ZH: "没有这个停用记录。", EN: "There is no such suspension."}
	ErrSuspended = fault.Spec{Kind: fault.Conflict, Code: "enroll.suspended",
		ZH: "该使用人已经停用。", EN: "The user is suspended already."}
	ErrDecided = fault.Spec{Kind: fault.Conflict, Code: "enroll.suspension-decided",
		ZH: "该停用已有结果或正在等待审批。", EN: "The suspension was decided already, or waits for a decision."}
	ErrNoRotation = fault.Spec{Kind: fault.Conflict, Code: "enroll.no-rotation",
		ZH: "没有正在进行的密钥轮换。", EN: "No rotation of the key is under way."}
	ErrRotationStale = fault.Spec{Kind: fault.Refused, Code: "enroll.rotation-unfinished",
		ZH: "仍有数据在旧密钥版本下加密，旧版本不能销毁。", EN: "Some data is still sealed under an older version of the key, which cannot be destroyed."}
	ErrRotationEarly = fault.Spec{Kind: fault.Refused, Code: "enroll.rotation-early",
		ZH: "旧密钥版本须在全部数据重新加密一天后才能销毁。", EN: "Older versions of the key are destroyed at the earliest a day after everything was sealed anew."}
)

// What can be found in an application beside the rules of the form.
var (
	findingSeal = fault.Spec{Kind: fault.Refused, Code: "enroll.seal-unknown",
		ZH: "登记簿中没有这个印章编码。", EN: "There is no seal with this code in the register."}
	findingUnitName = fault.Spec{Kind: fault.Refused, Code: "enroll.unit-name",
		ZH: "申请单位名称与单位名册不一致。", EN: "The name of the unit is not that of the register of units."}
	findingUnitCode = fault.Spec{Kind: fault.Refused, Code: "enroll.unit-credit-code",
		ZH: "统一社会信用代码与单位名册不一致。", EN: "The credit code is not that of the register of units."}
	findingUnitArea = fault.Spec{Kind: fault.Refused, Code: "enroll.unit-area",
		ZH: "统一社会信用代码的登记机关所在市州与申请单位所属市州不一致，请核实。", EN: "The credit code was given in another prefecture than that of the applying unit. Please make sure."}
	findingAttachment = fault.Spec{Kind: fault.Refused, Code: "enroll.attachment-missing",
		ZH: "缺少这份附件的扫描件。", EN: "The scan of this paper is missing."}
	findingNoRoster = fault.Spec{Kind: fault.Refused, Code: "enroll.roster-missing",
		ZH: "分散式用章须附使用人信息汇总表，并至少有一名状态为 US01 的使用人。", EN: "Distributed sealing takes a roster with at least one user whose status is US01."}
	findingRosterUnit = fault.Spec{Kind: fault.Refused, Code: "enroll.roster-unit",
		ZH: "汇总表中的所属单位名称与申请单位名称不一致。", EN: "A unit in the roster is not the applying unit."}
	findingRosterSeal = fault.Spec{Kind: fault.Refused, Code: "enroll.roster-seal",
		ZH: "汇总表中的需使用印章名称与申请表的印章名称不一致。", EN: "A seal in the roster is not the seal of the application."}
	findingRosterRegion = fault.Spec{Kind: fault.Refused, Code: "enroll.roster-region",
		ZH: "汇总表中有人的身份证号前六位不在历年行政区划代码表中，请核实。", EN: "Somebody in the roster has an identity number whose region was never in the table of regions. Please make sure."}
	findingElsewhere = fault.Spec{Kind: fault.Refused, Code: "enroll.person-elsewhere",
		ZH: "汇总表中有人同时登记为其他单位的使用人。", EN: "Somebody in the roster is a user of another unit as well."}
	findingStopped = fault.Spec{Kind: fault.Refused, Code: "enroll.person-suspended",
		ZH: "汇总表中状态为 US01 的人员目前处于停用状态。", EN: "Somebody whose status is US01 is suspended at present."}
	findingDuplicate = fault.Spec{Kind: fault.Refused, Code: "enroll.duplicate",
		ZH: "同一枚印章的同一业务另有一份申请正在办理。", EN: "Another application for the same seal and business is under way."}
)
