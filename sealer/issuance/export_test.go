package issuance

import (
	"strings"

	"yinxin/internal/paper"
)

// For the tests of this package.
var (
	CodeInFile = codeIn
	NewCode    = newCode
	Grouped    = grouped
)

// Note draws a note whose names are as long as they may be.
func Note(font []byte, names, code string) (file []byte, free float64, err error) {
	long := func(s string, n int) string { return strings.Repeat(s, n)[:n*len(s)] }
	c := sheetContent{Number: "CZ-2026-000001", Case: long("W", maxNumber), Holding: names, Receiving: names, Applicant: maskName(long("欧", 50)), Identity: "220***********2326",
		Purpose: long("用", maxPurpose), Reference: Reference{Fonds: long("J", maxFonds), File: long("8", maxOrdinal), Item: long("9", maxOrdinal), Pages: 500, Number: long("档", maxReference)}, Day: "2026-11-26"}
	face, err := paper.NewFace(font, []string{c.sentence(), names})
	if err != nil {
		return nil, 0, err
	}
	_, n := drawn(face, c)
	file, err = note(font, c, code, "https://seal.example/c/"+code)
	return file, n.y - footTop, err
}

// InPiecesOf has the register written in pieces of so many cases while do runs.
func InPiecesOf(n int, do func()) {
	was := registerPiece
	registerPiece = n
	defer func() { registerPiece = was }()
	do()
}
