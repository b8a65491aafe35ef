package command

import (
	"time"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
)

// The shapes that the commands of registration print as JSON. Members are named as in the API.

type applicationJSON struct {
	ID          string           `json:"id"`
	Number      string           `json:"number"`
	Unit        string           `json:"unit"`
	State       enroll.State     `json:"state"`
	StateLabel  string           `json:"state_label"`
	Since       time.Time        `json:"since"`
	Revision    int64            `json:"revision"`
	Version     int              `json:"version"`
	Created     time.Time        `json:"created"`
	By          string           `json:"by"`
	Batch       string           `json:"batch,omitempty"`
	Form        form.Application `json:"form"`
	Original    *originalJSON    `json:"original,omitempty"`
	Ink         *inkJSON         `json:"ink,omitempty"`
	Examination string           `json:"examination,omitempty"`
	Approved    time.Time        `json:"approved,omitzero"`
	Issued      time.Time        `json:"issued,omitzero"`
	ObjectUntil time.Time        `json:"object_until,omitzero"`
	Attachments []attachmentJSON `json:"attachments"`
	Roster      *rosterInfoJSON  `json:"roster,omitempty"`
	Acts        []actJSON        `json:"acts,omitempty"`
}

type originalJSON struct {
	On     string `json:"on"`
	Number string `json:"number"`
	By     string `json:"by"`
}

type inkJSON struct {
	By      string        `json:"by"`
	Reading *form.Reading `json:"reading,omitempty"`
}

type rosterInfoJSON struct {
	ID       string `json:"id"`
	FilledOn string `json:"filled_on"`
	Persons  int    `json:"persons"`
	SM3      string `json:"sm3"`
}

type attachmentJSON struct {
	ID      string                `json:"id"`
	Kind    enroll.AttachmentKind `json:"kind"`
	Label   string                `json:"label"`
	Media   string                `json:"media"`
	Size    int64                 `json:"size"`
	SM3     string                `json:"sm3"`
	Matched string                `json:"matched"`
	Added   time.Time             `json:"added"`
	By      string                `json:"by"`
}

type actJSON struct {
	Number  int    `json:"number"`
	Kind    string `json:"kind"`
	Phase   string `json:"phase"`
	Actor   string `json:"actor,omitempty"`
	Name    string `json:"name,omitempty"`
	Profile string `json:"profile,omitempty"`
	Object  string `json:"object,omitempty"`
	Done    bool   `json:"done"`
	Result  string `json:"result,omitempty"`
	Request string `json:"request,omitempty"`
}

func applicationOf(a enroll.Application) applicationJSON {
	v := applicationJSON{ID: a.ID, Number: a.Number, Unit: a.Unit, State: a.State, StateLabel: a.State.Label(), Since: a.Since.UTC(), Revision: a.Revision,
		Version: a.Version, Created: a.Created.UTC(), By: a.By, Batch: a.Batch, Form: a.Form, Examination: a.Examination, Approved: a.Approved.UTC(),
		Issued: a.Issued.UTC(), ObjectUntil: a.ObjectUntil.UTC(), Attachments: []attachmentJSON{}}
	if a.Original != nil {
		v.Original = &originalJSON{On: a.Original.On, Number: a.Original.Number, By: a.Original.By}
	}
	if a.InkBy != "" {
		v.Ink = &inkJSON{By: a.InkBy, Reading: a.Reading}
	}
	for _, at := range a.Attachments {
		v.Attachments = append(v.Attachments, attachmentOf(at))
	}
	if r := a.Roster; r != nil {
		v.Roster = &rosterInfoJSON{ID: r.ID, FilledOn: r.FilledOn, Persons: r.Persons, SM3: r.Digest}
	}
	return v
}

func attachmentOf(a enroll.Attachment) attachmentJSON {
	return attachmentJSON{ID: a.ID, Kind: a.Kind, Label: a.Kind.Label(), Media: a.Media, Size: a.Size, SM3: a.Digest, Matched: a.Matched, Added: a.Added.UTC(), By: a.By}
}

func actsOf(acts []business.Act) []actJSON {
	list := make([]actJSON, 0, len(acts))
	for _, a := range acts {
		list = append(list, actJSON{a.Number, a.Kind, a.Phase, a.Actor, a.Name, string(a.Profile), a.Object, a.Done, a.Result, a.Request})
	}
	return list
}

type summaryJSON struct {
	ID         string          `json:"id"`
	Number     string          `json:"number"`
	Unit       string          `json:"unit"`
	UnitName   string          `json:"unit_name"`
	SealName   string          `json:"seal_name"`
	Businesses []form.Business `json:"businesses"`
	State      enroll.State    `json:"state"`
	StateLabel string          `json:"state_label"`
	Since      time.Time       `json:"since"`
	Created    time.Time       `json:"created"`
	Revision   int64           `json:"revision"`
	Batch      string          `json:"batch,omitempty"`
}

func summariesOf(list []enroll.Summary) []summaryJSON {
	all := make([]summaryJSON, 0, len(list))
	for _, a := range list {
		all = append(all, summaryJSON{a.ID, a.Number, a.Unit, a.UnitName, a.SealName, a.Businesses, a.State, a.State.Label(), a.Since.UTC(), a.Created.UTC(),
			a.Revision, a.Batch})
	}
	return all
}

type findingJSON struct {
	Key       string               `json:"key"`
	Severity  form.Severity        `json:"severity"`
	Code      string               `json:"code"`
	Field     string               `json:"field"`
	Label     string               `json:"label"`
	Message   string               `json:"message"`
	MessageEN string               `json:"message_en"`
	Confirmed *enroll.Confirmation `json:"confirmed,omitempty"`
}

func findingsOf(list []enroll.Finding) []findingJSON {
	all := make([]findingJSON, 0, len(list))
	for _, f := range list {
		all = append(all, findingJSON{f.Key(), f.Severity, f.Code, f.Field, f.Label, f.ZH, f.EN, f.Confirmed})
	}
	return all
}

type historyJSON struct {
	At           time.Time       `json:"at"`
	Actor        string          `json:"actor,omitempty"`
	Name         string          `json:"name,omitempty"`
	Organisation string          `json:"organisation,omitempty"`
	Step         enroll.Step     `json:"step"`
	From         enroll.State    `json:"from,omitempty"`
	To           enroll.State    `json:"to"`
	Version      int             `json:"version"`
	Reason       string          `json:"reason,omitempty"`
	Remarks      []enroll.Remark `json:"remarks,omitempty"`
	Sentence     string          `json:"sentence"`
}

func historyOf(list []enroll.Line) []historyJSON {
	all := make([]historyJSON, 0, len(list))
	for _, l := range list {
		all = append(all, historyJSON{l.At.UTC(), l.Actor, l.Name, l.Organisation, l.Step, l.From, l.To, l.Version, l.Reason, l.Remarks, l.Sentence()})
	}
	return all
}

type batchJSON struct {
	ID       string    `json:"id"`
	Area     string    `json:"area"`
	Title    string    `json:"title"`
	Deadline time.Time `json:"deadline"`
	Created  time.Time `json:"created"`
	By       string    `json:"by"`
	HandedIn time.Time `json:"handed_in,omitzero"`
	Revision int64     `json:"revision"`
}

func batchOf(b enroll.Batch) batchJSON {
	return batchJSON{b.ID, b.Area, b.Title, b.Deadline.UTC(), b.Created.UTC(), b.By, b.HandedIn.UTC(), b.Revision}
}

type suspensionJSON struct {
	ID          string                 `json:"id"`
	Holder      string                 `json:"holder"`
	Name        string                 `json:"name"`
	Unit        string                 `json:"unit"`
	Cause       enroll.SuspensionCause `json:"cause"`
	Application string                 `json:"application,omitempty"`
	Reason      string                 `json:"reason"`
	Opened      time.Time              `json:"opened"`
	By          string                 `json:"by"`
	State       enroll.SuspensionState `json:"state"`
	Revision    int64                  `json:"revision"`
	Request     string                 `json:"request,omitempty"`
	Decided     time.Time              `json:"decided,omitzero"`
}

func suspensionOf(x enroll.Suspension) suspensionJSON {
	return suspensionJSON{x.ID, x.Holder, x.Name, x.Unit, x.Cause, x.Application, x.Reason, x.Opened.UTC(), x.By, x.State, x.Revision, x.Request, x.Decided.UTC()}
}
