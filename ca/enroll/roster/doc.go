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
// An .xlsx (ECMA-376) with the table on one of its sheets, wherever it stands there: title rows, merged cells, blank
// rows, more columns, another order, hidden rows and full-width digits are people's ways, not faults. Formulas are never
// evaluated: a cell that has one is a fault. A sheet with the header is looked for; two are refused. What is passed over
// is said in a finding that is a Note.
//
// Spreadsheets are the library's (excelize): it reads the values and writes the returned workbook. Before it sees a file,
// the archive is guarded (guard.go) and each XML part is surveyed as a stream (survey.go, sheet.go): what would cost the
// library too much is refused, and so is what it would read wrongly: cells that do not say where they are, foreign
// elements among them, the strict namespaces of ISO 29500, strings or formats in parts of other names (ErrDialect, with
// the advice to save the workbook anew). The survey also says which cells have formulas and of what kind they are; a
// value that the library finds where the survey saw no cell is refused as well. The declared dimension is looked at by
// neither.
//
// # Promises
//
// Whatever arrives, reading and returning take bounded time and memory: a file has at most 16 MiB, its parts 24 MiB each
// and 64 MiB together unpacked, 40 MiB of these XML, a table 20,000 people. Nothing is put into temporary files. In the
// returned workbook the values, kinds and formulas of cells, the formats of cells that are not marked, merged ranges,
// widths and heights, lists, pictures and the other sheets are as before when they are read back; its bytes are the
// library's. A marked cell has its own format with another fill. No finding and no error repeats an identity or a mobile
// number, and a Person prints itself masked.
//
// What it does not do: it knows no database and no application, does not judge whether a person exists, and does not
// read or write .xls or .et. It marks a sheet without comments where the comments that are there are not numbered as their
// drawing is, since the library would write into the wrong part; the summary says how many cells that are.
package roster
