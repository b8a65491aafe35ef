package issuance

import (
	"time"

	"yinxin/internal/civil"
)

// sheetContent is what stands on the note of a copy, and what whoever has the code may read. It is kept sealed.
type sheetContent struct {
	Number    string    `json:"number"` // 出证编号
	Case      string    `json:"case"`   // 业务编号
	Holding   string    `json:"holding"`
	Receiving string    `json:"receiving"`
	Applicant string    `json:"applicant"` // masked
	Identity  string    `json:"identity"`  // masked
	Purpose   string    `json:"purpose"`
	Reference Reference `json:"reference"`
	Day       string    `json:"day"` // of issue
}

func (r row) sheet(number string, now time.Time) sheetContent {
	a := r.Applicant.Masked()
	return sheetContent{Number: number, Case: r.Number, Holding: r.Holding, Receiving: r.Receiving, Applicant: a.Name, Identity: a.Identity,
		Purpose: a.Purpose, Reference: r.Reference, Day: civil.Day(now)}
}
