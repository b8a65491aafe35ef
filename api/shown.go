package api

import (
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/roster"
	"yinxin/sealer/issuance"
)

// The shapes of registration, for the command line, which prints as JSON what the API answers.

// ApplicationOf is an application as the API shows it.
func ApplicationOf(a enroll.Application) Application { return applicationOf(a) }

// SummariesOf are applications in a list.
func SummariesOf(list []enroll.Summary) []ApplicationSummary {
	all := make([]ApplicationSummary, 0, len(list))
	for _, a := range list {
		all = append(all, summaryOf(a))
	}
	return all
}

// AttachmentOf describes a scan.
func AttachmentOf(a enroll.Attachment) Attachment { return attachmentOf(a) }

// FindingsOf are what is wrong or doubtful with an application.
func FindingsOf(list []enroll.Finding) []ApplicationFinding {
	all := make([]ApplicationFinding, 0, len(list))
	for _, f := range list {
		all = append(all, findingOf(f))
	}
	return all
}

// HistoryOf is what happened to an application.
func HistoryOf(list []enroll.Line) []HistoryLine {
	all := make([]HistoryLine, 0, len(list))
	for _, l := range list {
		all = append(all, lineOf(l))
	}
	return all
}

// ActsOf are what an application takes.
func ActsOf(list []business.Act) []Act {
	all := make([]Act, 0, len(list))
	for _, a := range list {
		all = append(all, Act{Number: a.Number, Kind: a.Kind, Phase: a.Phase, Actor: a.Actor, Name: a.Name, Profile: string(a.Profile), Object: a.Object,
			Done: a.Done, Result: a.Result, Request: a.Request})
	}
	return all
}

// UnitsOf are units.
func UnitsOf(list []enroll.Unit) []Unit {
	all := make([]Unit, 0, len(list))
	for _, u := range list {
		all = append(all, unitOf(u))
	}
	return all
}

// AgreementOf is a version of the service agreement.
func AgreementOf(a enroll.Agreement) Agreement { return agreementOf(a) }

// BatchOf is a batch, ProgressOf with the standing of its units.
func BatchOf(b enroll.Batch) Batch { return batchOf(b) }

// ProgressOf is a batch with the standing of its units.
func ProgressOf(p enroll.Progress) BatchProgress { return progressOf(p) }

// SuspensionOf is a suspension.
func SuspensionOf(x enroll.Suspension) Suspension { return suspensionOf(x) }

// RenewalOf is a renewal.
func RenewalOf(r business.Renewal) Renewal { return renewalOf(r) }

// SOPINOf is an SO PIN on its way out.
func SOPINOf(p business.SOPIN) SOPIN { return sopinOf(p) }

// PersonsOf are the people of a roster, as masked as they come.
func PersonsOf(list []enroll.Person) []RosterPerson {
	all := make([]RosterPerson, 0, len(list))
	for _, p := range list {
		all = append(all, RosterPerson{Row: p.Row, Holder: p.Holder, Name: p.Name, Unit: p.Unit, Sex: p.Sex, IDType: p.IDType, Identity: p.Identity,
			Mobile: p.Mobile, Post: p.Post, Status: string(p.Status), Use: p.Use, SealName: p.SealName})
	}
	return all
}

// RosterFindingsOf are what is wrong with a workbook.
func RosterFindingsOf(list []roster.Finding) []RosterFinding {
	all := make([]RosterFinding, 0, len(list))
	for _, f := range list {
		all = append(all, RosterFinding{Sheet: f.Sheet, Row: f.Row, Column: f.Column, Cell: f.Cell, Label: f.Label, Code: f.Code, Message: f.ZH, MessageEN: f.EN, Note: f.Note})
	}
	return all
}

// PersonalOf are personal data in the clear.
func PersonalOf(u enroll.Unmasked) PersonalData {
	v := PersonalData{HandlerIdentity: u.Personal.HandlerIdentity, HandlerMobile: u.Personal.HandlerMobile, KeyHolderIdentity: u.Personal.KeyHolderIdentity}
	for _, p := range u.Persons {
		v.Persons = append(v.Persons, PersonalNumber{p.Row, p.Name, p.Identity, p.Mobile})
	}
	return v
}

// MembersOf are those who act for a unit or an area.
func MembersOf(list []enroll.Member) []Member {
	all := make([]Member, 0, len(list))
	for _, m := range list {
		all = append(all, Member(m))
	}
	return all
}

// IssuanceOf is a case of remote issuing as the API shows it.
func IssuanceOf(c issuance.Case) Issuance { return issuanceOf(c) }

// IssuedRecordOf is what whoever has the code of a copy may know.
func IssuedRecordOf(p issuance.Public) IssuedRecord { return issuedRecordOf(p) }

// IssuanceStatisticsOf are the numbers of a year.
func IssuanceStatisticsOf(st issuance.Statistics) IssuanceStatistics {
	out := IssuanceStatistics{Year: st.Year, Archives: make([]IssuanceTally, 0, len(st.Archives)), Total: tallyOf(st.Total)}
	for _, t := range st.Archives {
		out.Archives = append(out.Archives, tallyOf(t))
	}
	return out
}
