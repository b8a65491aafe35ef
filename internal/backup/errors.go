package backup

import "yinxin/internal/fault"

// The errors of this room. The place names the file within the backup.
var (
	ErrNotBackup = fault.Spec{Kind: fault.Invalid, Code: "backup.not-a-backup",
		ZH: "这不是 Yinxin 的备份，或备份不完整。", EN: "This is not a backup of Yinxin, or it is not complete."}
	ErrDamaged = fault.Spec{Kind: fault.Invalid, Code: "backup.damaged",
		ZH: "备份中的文件与清单不符，未恢复任何内容。", EN: "A file of the backup is not what the manifest says; nothing was restored."}
	ErrSignature = fault.Spec{Kind: fault.Denied, Code: "backup.signature",
		ZH: "备份清单的签名无效，或不是由该日志密钥签署的。", EN: "The signature of the manifest is wrong, or another ledger's."}
	ErrVersion = fault.Spec{Kind: fault.Refused, Code: "backup.version",
		ZH: "备份的数据库结构与本程序不同；请用制作备份的版本恢复，然后升级。", EN: "The backup's database has another structure than this program's; restore it with the version that made it, then upgrade."}
	ErrExists = fault.Spec{Kind: fault.Conflict, Code: "backup.exists",
		ZH: "备份的位置已有文件，未做任何更改。", EN: "There is something where the backup is to be written; nothing was changed."}
	ErrNotEmpty = fault.Spec{Kind: fault.Conflict, Code: "backup.database-not-empty",
		ZH: "目标数据库不是空的，未做任何更改。", EN: "The database to restore into is not empty; nothing was changed."}
)
