package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/ca/enroll"
)

// Batch is what a city bureau gathers in one go.
type Batch struct {
	ID       string    `json:"id"`
	Area     string    `json:"area"`
	Title    string    `json:"title"`
	Deadline time.Time `json:"deadline"`
	Created  time.Time `json:"created"`
	By       string    `json:"by"`
	HandedIn time.Time `json:"handed_in,omitzero" doc:"Absent: still open."`
	Revision int64     `json:"revision"`
}

func batchOf(b enroll.Batch) Batch {
	return Batch{ID: b.ID, Area: b.Area, Title: b.Title, Deadline: b.Deadline.UTC(), Created: b.Created.UTC(), By: b.By, HandedIn: b.HandedIn.UTC(), Revision: b.Revision}
}

// BatchProgress is a batch with the standing of every unit of its area.
type BatchProgress struct {
	Batch
	Late  bool           `json:"late" doc:"It was not handed in by its deadline."`
	Units []UnitStanding `json:"units"`
}

// UnitStanding is how far a unit has come.
type UnitStanding struct {
	Unit         Unit                 `json:"unit"`
	Missing      bool                 `json:"missing" doc:"It is expected and has nothing in the batch."`
	Label        string               `json:"label" doc:"In Chinese." example:"未开始"`
	Applications []ApplicationSummary `json:"applications"`
}

type batchOutput struct {
	ETag string `header:"ETag"`
	Body Batch
}

func showBatch(b enroll.Batch, err error) (*batchOutput, error) {
	if err != nil {
		return nil, err
	}
	return &batchOutput{ETag: tagOf(b.Revision), Body: batchOf(b)}, nil
}

const batchPath = "/v1/batches"

func (s *server) batches() {
	e := s.Registration.Enroll
	type filter struct {
		Paging
		Area string `query:"area" maxLength:"6"`
		Open bool   `query:"open" doc:"Only those that were not handed in."`
	}
	type listed struct {
		Body struct {
			Batches []Batch `json:"batches"`
			Next    string  `json:"next,omitempty"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-batches", Method: http.MethodGet, Path: batchPath, Tags: []string{tagRegistration},
		Summary: "List batches", Description: "Those that the caller may see, the newest first.", Responses: s.answers(401, 403, 422)},
		batchReaders(), func(ctx context.Context, in *filter) (*listed, error) {
			all, err := e.Batches(ctx, actorOf(ctx))
			if err != nil {
				return nil, err
			}
			some := []Batch{}
			for _, b := range all {
				if (in.Area == "" || b.Area == in.Area) && (!in.Open || b.HandedIn.IsZero()) {
					some = append(some, batchOf(b))
				}
			}
			out := &listed{}
			out.Body.Batches, out.Body.Next = page(some, in.Paging, func(b Batch) string { return b.ID })
			return out, nil
		})
	type opened struct {
		Body struct {
			Area     string    `json:"area" pattern:"^[0-9]{6}$" example:"222400"`
			Title    string    `json:"title" minLength:"1" maxLength:"100" example:"2026年第四季度"`
			Deadline time.Time `json:"deadline" example:"2026-12-20T09:00:00Z"`
		}
	}
	operate(s, huma.Operation{OperationID: "open-batch", Method: http.MethodPost, Path: batchPath, Tags: []string{tagRegistration},
		Summary: "Open a batch", Description: "For an area, with a deadline. Applications go in by their step gather.", DefaultStatus: http.StatusCreated,
		Responses: s.answers(400, 401, 403, 404, 408, 413, 415, 422)},
		citySide(), func(ctx context.Context, in *opened) (*batchOutput, error) {
			return showBatch(e.OpenBatch(ctx, actorOf(ctx), in.Body.Area, in.Body.Title, in.Body.Deadline))
		})
	operate(s, huma.Operation{OperationID: "hand-in-batch", Method: http.MethodPost, Path: batchPath + "/{id}/hand-in", Tags: []string{tagRegistration},
		Summary: "Hand a batch in to the province", Description: "From now on its applications can be received.", Responses: s.changing()},
		citySide(), func(ctx context.Context, in *Reference) (*batchOutput, error) {
			ref, err := in.ref()
			if err != nil {
				return nil, err
			}
			return showBatch(e.HandIn(ctx, actorOf(ctx), ref))
		})
	type progress struct {
		ETag string `header:"ETag"`
		Body BatchProgress
	}
	operate(s, huma.Operation{OperationID: "batch-progress", Method: http.MethodGet, Path: batchPath + "/{id}", Tags: []string{tagRegistration},
		Summary: "How far a batch has come", Description: "With every unit that its area's bureau gathers, and who is missing.", Responses: s.reading()},
		batchReaders(), func(ctx context.Context, in *Named) (*progress, error) {
			p, err := e.Progress(ctx, actorOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return &progress{tagOf(p.Revision), progressOf(p)}, nil
		})
	s.stream(huma.Operation{OperationID: "export-batch", Method: http.MethodGet, Path: batchPath + "/{id}/list.xlsx", Tags: []string{tagRegistration},
		Summary: "The list of a batch as a workbook", Description: "One row per application, then the units that are missing. No personal data.",
		Parameters: []*huma.Param{parameter("path", "id", "Identifier of the batch.", true)},
		Responses:  with(s.reading(), http.StatusOK, &huma.Response{Description: "The list", Content: binary(workbookMedia)})},
		batchReaders(), func(w http.ResponseWriter, r *http.Request) {
			p, err := e.Progress(r.Context(), actorOf(r.Context()), chi.URLParam(r, "id"))
			var book bytes.Buffer
			if err == nil {
				err = p.Export(&book)
			}
			if err != nil {
				s.fail(w, r, err)
				return
			}
			s.giveFile(w, r, workbookMedia, "汇总清单.xlsx", book.Bytes())
		})
}

func progressOf(p enroll.Progress) BatchProgress {
	v := BatchProgress{Batch: batchOf(p.Batch), Late: p.Late, Units: make([]UnitStanding, 0, len(p.Units))}
	for _, u := range p.Units {
		standing := UnitStanding{Unit: unitOf(u.Unit), Missing: u.Missing, Label: u.Label(), Applications: make([]ApplicationSummary, 0, len(u.Applications))}
		for _, a := range u.Applications {
			standing.Applications = append(standing.Applications, summaryOf(a))
		}
		v.Units = append(v.Units, standing)
	}
	return v
}
