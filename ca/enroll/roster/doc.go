// Package roster reads the 电子印章使用人信息汇总表 (annex 2 of 吉档字〔2025〕8号), the table of the people who may use a
// seal, as units fill it in, checks every cell, and gives it back with what is wrong:
//
//	r, err := roster.Read(data, roster.Rules{Today: now, Expect: roster.Expectation{Unit: unit, Seals: seals}})
//	for _, p := range r.Persons { … }   // rows without fault
//	for _, f := range r.Findings { … }  // cell, code and sentence
//	err = r.Return(w)                   // the same workbook, wrong cells marked, with comments and a sheet 核对结果
//	err = roster.Template(w, roster.Blank{…})  // the empty table
//
// # What is read
//
// An .xlsx (ECMA-376, also ISO 29500 strict) with the table on one of its sheets, wherever it stands there: title rows,
// merged cells, blank rows, more columns, another order, hidden rows and full-width digits are people's ways, not
// faults. Formulas are never evaluated: a cell that has one is a fault. A sheet with the header is looked for; two are
// refused. What is passed over is said in a finding that is a Note.
//
// # Promises
//
// Whatever arrives, reading takes bounded time and memory: a file has at most 16 MiB, its parts 24 MiB each and 40 MiB
// together unpacked, a table 20,000 people; what stands in far cells costs what it costs in near ones. In the returned
// workbook every part that has nothing to do with marking is the original's, byte for byte, and in the table's part only
// the marked cells have changed, in their format. No finding and no error repeats an identity or a mobile number, and a
// Person prints itself masked.
//
// What it does not do: it knows no database and no application, does not judge whether a person exists, and does not
// write .xls or .et. The reader and the marking are our own, since a library that models the workbook evaluates the
// declared dimension, fills the rows up to the last cell and writes every part anew.
package roster
