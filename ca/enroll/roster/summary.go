package roster

const summarySheet, notesSheet = "核对结果", "填写说明"
