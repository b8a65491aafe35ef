package enroll

import (
	"context"

	"yinxin/ca/enroll/roster"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

// ImportRoster reads the workbook of an application's seal users, checks it against the form, and attaches it if nothing
// is wrong. Otherwise the error is enroll.roster and the roster that comes back gives the marked workbook (Roster.Return).
// A workbook that cannot be read is an error of package roster.
func (s *Service) ImportRoster(ctx context.Context, by access.Actor, ref Ref, workbook []byte) (Application, *roster.Roster, error) {
	a, err := s.Application(ctx, by, ref.ID)
	if err != nil {
		return Application{}, nil, err
	}
	read, err := roster.Read(workbook, roster.Rules{Today: s.Clock(), DocumentTypes: s.DocumentTypes, Regions: s.Regions,
		Expect: roster.Expectation{Unit: a.Form.Unit.Name, CreditCode: a.Form.Unit.CreditCode, Seals: []string{a.Form.Seal.Name}}})
	if err != nil {
		return Application{}, nil, err
	}
	if !read.Good() || read.Date.IsZero() {
		return Application{}, read, ErrRoster.With("%d", wrongCells(read))
	}
	persons := make([]Person, len(read.Persons))
	for i, p := range read.Persons {
		persons[i] = Person{Row: p.Row, Name: p.Name, Unit: p.Unit, Sex: p.Sex.String(), IDType: p.DocumentType, Post: p.Duty,
			Status: Status(p.Status), Use: p.Purpose, SealName: p.Seal, Identity: p.Number, Mobile: p.Mobile}
	}
	done, err := s.AttachRoster(ctx, by, ref, civil.Day(read.Date), persons)
	if f, ok := fault.Of(err); ok && f.Place.Row > 0 {
		return Application{}, read, err
	}
	return done, read, err
}

func wrongCells(r *roster.Roster) int {
	n := 0
	for _, f := range r.Findings {
		if !f.Note {
			n++
		}
	}
	return n
}
