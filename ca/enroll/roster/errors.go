package roster

import "yinxin/internal/fault"

// Why a file is not read at all.
var (
	ErrLegacy = fault.Spec{Kind: fault.Refused, Code: "roster.legacy",
		ZH: "这是旧版 Excel（.xls）或 WPS 表格（.et）文件，请另存为 .xlsx 后重新上传。", EN: "This is a file of old Excel (.xls) or WPS (.et); save it as .xlsx and upload it again."}
	ErrEncrypted = fault.Spec{Kind: fault.Refused, Code: "roster.encrypted",
		ZH: "文件设有打开密码，请去除密码后重新上传。", EN: "The file is protected by a password; remove it and upload the file again."}
	ErrMacros = fault.Spec{Kind: fault.Refused, Code: "roster.macros",
		ZH: "文件含有宏，请另存为不含宏的 .xlsx 后重新上传。", EN: "The file holds macros; save it as .xlsx without macros and upload it again."}
	ErrActive = fault.Spec{Kind: fault.Refused, Code: "roster.active",
		ZH: "文件含有外部链接、数据连接、嵌入对象或控件，请删除后重新上传。", EN: "The file holds external links, data connections, embedded objects or controls; remove them and upload it again."}
	ErrNotWorkbook = fault.Spec{Kind: fault.Invalid, Code: "roster.not-workbook",
		ZH: "这不是 .xlsx 工作簿，请另存为 .xlsx 后重新上传。", EN: "This is no .xlsx workbook; save it as .xlsx and upload it again."}
	ErrBroken = fault.Spec{Kind: fault.Invalid, Code: "roster.broken",
		ZH: "工作簿已损坏或结构不符合规范，请用表格软件打开并另存为 .xlsx 后重新上传。", EN: "The workbook is damaged or not well formed; open it in a spreadsheet program, save it as .xlsx and upload it again."}
	ErrDialect = fault.Spec{Kind: fault.Invalid, Code: "roster.dialect",
		ZH: "工作簿的写法不常见，不能可靠读取，请用 Excel 或 WPS 表格打开，另存为 .xlsx 后重新上传。", EN: "The workbook is written in a way that is not read reliably; open it in a spreadsheet program, save it as .xlsx and upload it again."}
	ErrTooLarge = fault.Spec{Kind: fault.TooLarge, Code: "roster.too-large",
		ZH: "工作簿超出允许的大小，请删除多余的工作表、格式和空白行后重新上传。", EN: "The workbook exceeds what is read; remove superfluous sheets, formats and blank rows and upload it again."}
	ErrTooManyRows = fault.Spec{Kind: fault.TooLarge, Code: "roster.too-many-rows",
		ZH: "人员行数超出上限，请分成多个文件上传。", EN: "There are more rows than one roster may have; upload it in several files."}
	ErrNoHeader = fault.Spec{Kind: fault.Invalid, Code: "roster.no-header",
		ZH: "没有找到表头（姓名、所属单位名称、性别、证件类型、身份证号等），请使用《电子印章使用人信息汇总表》模板。",
		EN: "No header (姓名, 所属单位名称, 性别, 证件类型, 身份证号 …) was found; use the template of the roster."}
	ErrTwoTables = fault.Spec{Kind: fault.Invalid, Code: "roster.two-tables",
		ZH: "多个工作表都含有汇总表的表头，请只保留一个。", EN: "More than one sheet has the header of a roster; keep only one."}
	ErrEmpty = fault.Spec{Kind: fault.Invalid, Code: "roster.empty",
		ZH: "汇总表中没有填写任何人员。", EN: "The roster names nobody."}
)

// What can be wrong with the table.
var (
	ErrColumnMissing = fault.Spec{Kind: fault.Invalid, Code: "roster.column-missing",
		ZH: "缺少必填列。", EN: "A required column is missing."}
	ErrColumnTwice = fault.Spec{Kind: fault.Invalid, Code: "roster.column-twice",
		ZH: "该列与前面的一列重复，请删除其中一列。", EN: "This column is there twice; remove one."}
	ErrDateMissing = fault.Spec{Kind: fault.Invalid, Code: "roster.date-missing",
		ZH: "表格上方没有填报日期。", EN: "The date of the roster is missing above the table."}
	ErrDate = fault.Spec{Kind: fault.Invalid, Code: "roster.date",
		ZH: "填报日期无法识别，请写成“2025年3月24日”的形式。", EN: "The date of the roster cannot be read; write it as 2025年3月24日."}
	ErrDateFuture = fault.Spec{Kind: fault.Invalid, Code: "roster.date-future",
		ZH: "填报日期晚于今天。", EN: "The date of the roster is after today."}
)

// What can be wrong with a cell.
var (
	ErrRequired = fault.Spec{Kind: fault.Invalid, Code: "roster.required",
		ZH: "此项必填。", EN: "This must be filled in."}
	ErrFormula = fault.Spec{Kind: fault.Invalid, Code: "roster.formula",
		ZH: "此格是公式，请改为填写具体内容。", EN: "The cell holds a formula; write the value itself."}
	ErrCellError = fault.Spec{Kind: fault.Invalid, Code: "roster.cell-error",
		ZH: "此格的内容是错误值或逻辑值，请重新填写。", EN: "The cell holds an error or a logical value; fill it in again."}
	ErrTooLong = fault.Spec{Kind: fault.Invalid, Code: "roster.too-long",
		ZH: "内容过长。", EN: "The text is too long."}
	ErrCharacters = fault.Spec{Kind: fault.Invalid, Code: "roster.characters",
		ZH: "含有不能使用的字符（如换行、制表符或不可见字符）。", EN: "There are characters that must not be there, such as line breaks or invisible ones."}
	ErrNoText = fault.Spec{Kind: fault.Invalid, Code: "roster.no-text",
		ZH: "内容无效，应填写文字，不能只有符号。", EN: "There must be words, not only signs."}
	ErrName = fault.Spec{Kind: fault.Invalid, Code: "roster.name",
		ZH: "姓名无效，应为二个以上的汉字或字母。", EN: "This is no name of a person: two or more Chinese characters or letters."}
	ErrUnitDiffers = fault.Spec{Kind: fault.Invalid, Code: "roster.unit-differs",
		ZH: "所属单位名称与申请表的申请单位名称不一致。", EN: "The unit is not the one of the application."}
	ErrCreditDiffers = fault.Spec{Kind: fault.Invalid, Code: "roster.credit-differs",
		ZH: "统一社会信用代码与申请表不一致。", EN: "The unified social credit code is not the one of the application."}
	ErrSealDiffers = fault.Spec{Kind: fault.Invalid, Code: "roster.seal-differs",
		ZH: "需使用印章名称与申请表的印章名称不一致。", EN: "The seal is not one of the application."}
	ErrSex = fault.Spec{Kind: fault.Invalid, Code: "roster.sex",
		ZH: "性别应为“1-男”或“2-女”。", EN: "The sex is written 1-男 or 2-女."}
	ErrSexDiffers = fault.Spec{Kind: fault.Invalid, Code: "roster.sex-differs",
		ZH: "性别与身份证号第 17 位不符。", EN: "The sex does not agree with the 17th digit of the identity number."}
	ErrDocumentType = fault.Spec{Kind: fault.Invalid, Code: "roster.document-type",
		ZH: "证件类型不在允许的范围内，应为“111-居民身份证”。", EN: "This kind of document is not accepted; write 111-居民身份证."}
	ErrDocumentNumber = fault.Spec{Kind: fault.Invalid, Code: "roster.document-number",
		ZH: "证件号码无效，应为 5 至 32 位字母和数字。", EN: "The number of the document is not valid: 5 to 32 letters and digits."}
	ErrNumberLost = fault.Spec{Kind: fault.Invalid, Code: "roster.number-lost",
		ZH: "号码以数值存储，末尾几位已丢失：请将该列设为文本格式后重新填写。", EN: "The number is stored as a numeric value and lost its last digits: format the column as text and fill it in again."}
	ErrAge = fault.Spec{Kind: fault.Invalid, Code: "roster.age",
		ZH: "按身份证号，该人员未满十六周岁。", EN: "By the identity number this person is not yet sixteen."}
	ErrStatus = fault.Spec{Kind: fault.Invalid, Code: "roster.status",
		ZH: "人员状态应为“US01-生效”或“US02-失效”。", EN: "The status is written US01-生效 or US02-失效."}
	ErrDuplicate = fault.Spec{Kind: fault.Conflict, Code: "roster.duplicate",
		ZH: "同一人员与同一印章重复填写。", EN: "The same person and seal are there twice."}
	ErrTwoNames = fault.Spec{Kind: fault.Conflict, Code: "roster.two-names",
		ZH: "同一证件号码对应不同的姓名。", EN: "The same document number stands with different names."}
)

// What is said without sending a row back.
var (
	NoteExtraColumn = fault.Spec{Kind: fault.Invalid, Code: "roster.extra-column",
		ZH: "该列不属于汇总表，内容不予采用。", EN: "This column is not part of the roster and is ignored."}
	NoteExtraSheet = fault.Spec{Kind: fault.Invalid, Code: "roster.extra-sheet",
		ZH: "该工作表不含汇总表，内容不予采用。", EN: "This sheet holds no roster and is ignored."}
	NoteSample = fault.Spec{Kind: fault.Invalid, Code: "roster.sample",
		ZH: "示例行，不予采用。", EN: "A sample row; it is ignored."}
	NoteRemark = fault.Spec{Kind: fault.Invalid, Code: "roster.remark",
		ZH: "表格之外的说明行或重复的表头，不予采用。", EN: "A remark or a repeated header, not a person; it is ignored."}
	NoteHidden = fault.Spec{Kind: fault.Invalid, Code: "roster.hidden",
		ZH: "隐藏的行、列或工作表中的内容同样予以核对和采用。", EN: "What is hidden is checked and used like the rest."}
	NoteSameMobile = fault.Spec{Kind: fault.Invalid, Code: "roster.same-mobile",
		ZH: "不同人员填写了相同的手机号，请核实。", EN: "Different people have the same mobile number; please make sure."}
)
