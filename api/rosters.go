package api

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/roster"
)

// RosterPerson is a row of the roster, numbers masked.
type RosterPerson struct {
	Row      int    `json:"row"`
	Holder   string `json:"holder" doc:"Identifier of the person as a user of seals of the unit."`
	Name     string `json:"name"`
	Unit     string `json:"unit"`
	Sex      string `json:"sex"`
	IDType   string `json:"id_type"`
	Identity string `json:"identity" doc:"Masked." example:"2224************1X"`
	Mobile   string `json:"mobile" doc:"Masked."`
	Post     string `json:"post"`
	Status   string `json:"status" enum:"US01,US02"`
	Use      string `json:"use"`
	SealName string `json:"seal_name"`
}

// RosterFinding is something that is wrong with a workbook, or a note that should be known.
type RosterFinding struct {
	Sheet     string `json:"sheet"`
	Row       int    `json:"row,omitempty"`
	Column    int    `json:"column,omitempty"`
	Cell      string `json:"cell,omitempty" example:"F7"`
	Label     string `json:"label,omitempty"`
	Code      string `json:"code"`
	Message   string `json:"message"`
	MessageEN string `json:"message_en"`
	Note      bool   `json:"note,omitempty" doc:"It does not keep the roster from being imported."`
}

const (
	workbookMedia = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	maxWorkbook   = 16 << 20 // as package roster
	// mostFindings of a roster go into one answer; the returned workbook has all.
	mostFindings = 1000
)

func (s *server) rosters() {
	type asked struct {
		Named
		Paging
	}
	type listed struct {
		Body struct {
			Persons []RosterPerson `json:"persons"`
			Next    string         `json:"next,omitempty"`
		}
	}
	const path = applicationPath + "/{id}/roster"
	operate(s, huma.Operation{OperationID: "get-roster", Method: http.MethodGet, Path: path, Tags: []string{tagApplications},
		Summary: "The users of a seal", Description: "With masked numbers, by row.", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, in *asked) (*listed, error) {
			list, err := s.Registration.Enroll.Persons(ctx, actorOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			piece, next := page(list, in.Paging, func(p enroll.Person) string { return strconv.Itoa(p.Row) })
			out := &listed{}
			out.Body.Persons, out.Body.Next = make([]RosterPerson, 0, len(piece)), next
			for _, p := range piece {
				out.Body.Persons = append(out.Body.Persons, RosterPerson{Row: p.Row, Holder: p.Holder, Name: p.Name, Unit: p.Unit, Sex: p.Sex, IDType: p.IDType,
					Identity: p.Identity, Mobile: p.Mobile, Post: p.Post, Status: string(p.Status), Use: p.Use, SealName: p.SealName})
			}
			return out, nil
		})
	marked := with(s.changing(), http.StatusOK, &huma.Response{Description: "Imported", Headers: etagHeader(),
		Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Application{})}}})
	refused := marked[strconv.Itoa(http.StatusUnprocessableEntity)]
	refused.Description = "Not imported: the findings, or as asked for by Accept the workbook with its wrong cells marked"
	refused.Content[workbookMedia] = binary(workbookMedia)[workbookMedia]
	s.stream(huma.Operation{OperationID: "import-roster", Method: http.MethodPost, Path: path, Tags: []string{tagApplications},
		Summary:     "Import the workbook of seal users",
		Description: "An .xlsx of at most 16 MiB (annex 2). It is imported when no cell is wrong. Otherwise the answer is 422 with the first thousand findings, or with Accept: " + workbookMedia + " the workbook to be returned, each wrong cell marked.",
		Parameters: []*huma.Param{parameter("path", "id", "Identifier of the application.", true), ifMatchParameter(),
			parameter("header", "Accept", workbookMedia+" for the returned workbook.", false)},
		RequestBody: uploadOf(workbookMedia), Responses: marked},
		unitSide(), s.importRoster)
	template := with(s.reading(), http.StatusOK, &huma.Response{Description: "The empty table", Content: binary(workbookMedia)})
	s.stream(huma.Operation{OperationID: "blank-roster", Method: http.MethodGet, Path: "/v1/roster-template", Tags: []string{tagRegistration},
		Summary: "The empty table of seal users", Description: "电子印章使用人信息汇总表 as .xlsx.", Responses: template},
		registrationReaders(), func(w http.ResponseWriter, r *http.Request) { s.blankRoster(w, r, roster.Blank{}) })
	s.stream(huma.Operation{OperationID: "application-blank-roster", Method: http.MethodGet, Path: applicationPath + "/{id}/roster-template", Tags: []string{tagApplications},
		Summary: "The empty table for an application", Description: "With the names of unit and seal to choose from.",
		Parameters: []*huma.Param{parameter("path", "id", "Identifier of the application.", true)}, Responses: template},
		registrationReaders(), func(w http.ResponseWriter, r *http.Request) {
			a, err := s.Registration.Enroll.Application(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id"))
			if err != nil {
				s.fail(w, r, err)
				return
			}
			blank := roster.Blank{Unit: a.Form.Unit.Name}
			if a.Form.Seal.Name != "" {
				blank.Seals = []string{a.Form.Seal.Name}
			}
			s.blankRoster(w, r, blank)
		})
}

func (s *server) blankRoster(w http.ResponseWriter, r *http.Request, blank roster.Blank) {
	var book bytes.Buffer
	if err := roster.Template(&book, blank); err != nil {
		s.fail(w, r, err)
		return
	}
	s.giveFile(w, r, workbookMedia, "电子印章使用人信息汇总表.xlsx", book.Bytes())
}

func (s *server) importRoster(w http.ResponseWriter, r *http.Request) {
	ref, err := refOf(chi.URLParam(r, "id"), r.Header.Get("If-Match"))
	if err == nil {
		// Before 16 MiB come in for somebody who may not.
		_, err = s.Registration.Enroll.Application(r.Context(), actorOf(r.Context()), ref.ID)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	_, book, done, err := s.received(r, maxWorkbook, workbookMedia)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer done()
	a, read, err := s.Registration.Enroll.ImportRoster(r.Context(), actorOf(r.Context()), ref, book)
	switch {
	case err == nil:
		w.Header().Set("ETag", tagOf(a.Revision))
		s.giveJSON(w, r, http.StatusOK, applicationOf(a))
	case read == nil || read.Good():
		s.fail(w, r, err)
	case accepts(r, workbookMedia):
		s.returnRoster(w, r, read)
	default:
		p := s.problem(r.Context(), err)
		p.Status = http.StatusUnprocessableEntity
		p.finish(r.Context())
		for _, f := range read.Findings[:min(len(read.Findings), mostFindings)] {
			p.Findings = append(p.Findings, RosterFinding{Sheet: f.Sheet, Row: f.Row, Column: f.Column, Cell: f.Cell, Label: f.Label, Code: f.Code,
				Message: f.ZH, MessageEN: f.EN, Note: f.Note})
		}
		s.giveProblem(w, r, p)
	}
}

func (s *server) returnRoster(w http.ResponseWriter, r *http.Request, read *roster.Roster) {
	var book bytes.Buffer
	if err := read.Return(&book); err != nil {
		s.fail(w, r, err)
		return
	}
	factsOf(r.Context()).code = enroll.ErrRoster.Code
	h := w.Header()
	h.Set("Content-Type", workbookMedia)
	h.Set("Content-Disposition", attachment("核对结果.xlsx"))
	h.Set("Content-Length", strconv.Itoa(book.Len()))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnprocessableEntity)
	s.send(w, r, book.Bytes())
}

// accepts reports whether an Accept field asks for a type by its name.
func accepts(r *http.Request, media string) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept"), ","), func(item string) bool {
		name, _, _ := strings.Cut(item, ";")
		return strings.EqualFold(strings.TrimSpace(name), media)
	})
}
