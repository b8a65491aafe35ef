package api

import (
	"archive/zip"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/internal/fault"
	"yinxin/sealer/batch"
)

// SealingBatch is many documents that are sealed in the same way.
type SealingBatch struct {
	ID       string    `json:"id"`
	Title    string    `json:"title,omitempty"`
	Seal     string    `json:"seal" doc:"Code of the seal."`
	State    string    `json:"state" enum:"running,done,cancelled" doc:"A batch that is done may have files that failed; retrying lets it run again."`
	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished,omitzero" doc:"Absent while it runs."`
	Total    int       `json:"total"`
	Waiting  int       `json:"waiting"`
	Sealed   int       `json:"sealed"`
	Failed   int       `json:"failed"`
	Dropped  int       `json:"cancelled" doc:"Not begun when the batch was cancelled."`
}

func sealingBatchOf(b batch.Batch) SealingBatch {
	out := SealingBatch{ID: b.ID, Title: b.Title, Seal: b.Seal, State: string(b.State), Created: b.Created.UTC(), Total: b.Total,
		Waiting: b.Count[batch.FileWaiting], Sealed: b.Count[batch.FileSealed], Failed: b.Count[batch.FileFailed], Dropped: b.Count[batch.FileCancelled]}
	if !b.Finished.IsZero() {
		out.Finished = b.Finished.UTC()
	}
	return out
}

// SealingBatchFile is one document of a batch.
type SealingBatchFile struct {
	Number    int           `json:"number" doc:"From 1, in the order of the request."`
	Document  string        `json:"document" doc:"Identifier; empty for a file of a form that could not be read, whose failure says why."`
	Reference string        `json:"reference,omitempty"`
	State     string        `json:"state" enum:"waiting,sealed,failed,cancelled"`
	Tries     int           `json:"tries"`
	Sealing   string        `json:"sealing,omitempty" doc:"Identifier of the sealing, as in the ledger."`
	Result    string        `json:"result,omitempty" doc:"Identifier of the sealed document."`
	Failure   *BatchFailure `json:"failure,omitempty"`
}

// BatchFailure is why a document of a batch was not sealed.
type BatchFailure struct {
	Code      string       `json:"code" example:"document.not-found"`
	Message   string       `json:"message"`
	MessageEN string       `json:"message_en"`
	Place     *fault.Place `json:"place,omitempty"`
}

func sealingBatchFileOf(f batch.File) SealingBatchFile {
	out := SealingBatchFile{Number: f.Number, Document: f.Document, Reference: f.Reference, State: string(f.State), Tries: f.Tries, Sealing: f.Sealing, Result: f.Result}
	if f.Failure != nil {
		out.Failure = &BatchFailure{Code: f.Failure.Code, Message: f.Failure.ZH, MessageEN: f.Failure.EN}
		if f.Failure.Place != (fault.Place{}) {
			place := f.Failure.Place
			out.Failure.Place = &place
		}
	}
	return out
}

const (
	sealingBatchPath = "/v1/sealing-batches"
	maxBatchBody     = 2 << 20 // bytes: 10,000 documents with their references
)

type sealingBatchInput struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$" doc:"Chosen by the caller, new for every batch: the same key with the same request gives the same batch again, with another request it is refused."`
	Body struct {
		Title string       `json:"title,omitempty" maxLength:"100" example:"2026年第四季度"`
		Order SealingTerms `json:"order"`
		Files []struct {
			Document  string `json:"document" minLength:"1" maxLength:"64" doc:"Identifier of the document."`
			Reference string `json:"reference,omitempty" maxLength:"100" doc:"What the caller calls it; it comes back with the result."`
		} `json:"files" minItems:"1" maxItems:"10000"`
	}
}

type sealingBatchOutput struct {
	Status   int
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed" doc:"true, when the key was used before for this batch."`
	Body     SealingBatch
}

func (s *server) sealingBatches() {
	show := func(b batch.Batch, err error) (*sealingBatchOutput, error) {
		if err != nil {
			return nil, err
		}
		return &sealingBatchOutput{Status: http.StatusOK, Location: sealingBatchPath + "/" + b.ID, Body: sealingBatchOf(b)}, nil
	}
	operate(s, huma.Operation{OperationID: "create-sealing-batch", Method: http.MethodPost, Path: sealingBatchPath, Tags: []string{"sealing"},
		Summary:       "Seal many documents in the same way",
		Description:   "Up to 10,000 uploaded documents. The work is done in the background, goes on after a restart, and seals nothing twice; each document is for itself.",
		DefaultStatus: http.StatusAccepted, MaxBodyBytes: maxBatchBody,
		Responses: with(s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503), http.StatusOK, &huma.Response{Description: "Asked for before, with the same key",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(SealingBatch{})}}})},
		sealUsers(), func(ctx context.Context, in *sealingBatchInput) (*sealingBatchOutput, error) {
			o, err := in.Body.Order.Order()
			if err != nil {
				return nil, err
			}
			if err := s.countSeals(ctx, s.Register.Authorise, o.Seal); err != nil {
				return nil, err
			}
			r := batch.Request{Title: in.Body.Title, Order: o, Key: "api:" + in.Key, Files: make([]batch.Wanted, 0, len(in.Body.Files))}
			for _, f := range in.Body.Files {
				r.Files = append(r.Files, batch.Wanted{Document: f.Document, Reference: f.Reference})
			}
			b, err := s.Batches.Create(ctx, actorOf(ctx), r)
			out, err := show(b, err)
			switch {
			case err != nil:
			case b.Replayed:
				out.Replayed = strconv.FormatBool(true)
			default:
				out.Status = http.StatusAccepted
			}
			return out, err
		})
	type listed struct {
		Body struct {
			Batches []SealingBatch `json:"batches"`
			Next    string         `json:"next,omitempty"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-sealing-batches", Method: http.MethodGet, Path: sealingBatchPath, Tags: []string{"sealing"},
		Summary: "List one's batches", Description: "The newest first.", Responses: s.reading()},
		sealUsers(), func(ctx context.Context, in *Paging) (*listed, error) {
			list, err := s.Batches.List(ctx, actorOf(ctx), in.After, in.Limit+1)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Batches = make([]SealingBatch, 0, len(list))
			for i, b := range list {
				if i == in.Limit {
					out.Body.Next = list[i-1].ID
					break
				}
				out.Body.Batches = append(out.Body.Batches, sealingBatchOf(b))
			}
			return out, nil
		})
	operate(s, huma.Operation{OperationID: "sealing-batch", Method: http.MethodGet, Path: sealingBatchPath + "/{id}", Tags: []string{"sealing"},
		Summary: "How far a batch has come", Responses: s.reading()},
		sealUsers(), func(ctx context.Context, in *Named) (*sealingBatchOutput, error) {
			return show(s.Batches.Find(ctx, actorOf(ctx), in.ID))
		})
	operate(s, huma.Operation{OperationID: "cancel-sealing-batch", Method: http.MethodPost, Path: sealingBatchPath + "/{id}/cancel", Tags: []string{"sealing"},
		Summary: "Cancel a batch", Description: "What was not begun is not sealed; what was sealed stays.", Responses: s.answers(401, 403, 404, 409, 422)},
		sealUsers(), func(ctx context.Context, in *Named) (*sealingBatchOutput, error) {
			return show(s.Batches.Cancel(ctx, actorOf(ctx), in.ID))
		})
	operate(s, huma.Operation{OperationID: "retry-sealing-batch", Method: http.MethodPost, Path: sealingBatchPath + "/{id}/retry", Tags: []string{"sealing"},
		Summary: "Take up the documents that failed", Responses: s.answers(401, 403, 404, 409, 422)},
		sealUsers(), func(ctx context.Context, in *Named) (*sealingBatchOutput, error) {
			b, err := s.Batches.Find(ctx, actorOf(ctx), in.ID)
			if err == nil {
				err = s.countSeals(ctx, s.Register.Authorise, b.Seal)
			}
			if err == nil {
				b, err = s.Batches.Retry(ctx, actorOf(ctx), in.ID)
			}
			return show(b, err)
		})
	s.sealingBatchFiles()
}

func (s *server) sealingBatchFiles() {
	type which struct {
		Named
		State string `query:"state" enum:"waiting,sealed,failed,cancelled" doc:"Only those in this state."`
		After int    `query:"after" minimum:"0" doc:"Goes on behind this number."`
		Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"At most so many."`
	}
	type listed struct {
		Body struct {
			Files []SealingBatchFile `json:"files"`
			Next  int                `json:"next,omitempty" doc:"For after."`
		}
	}
	operate(s, huma.Operation{OperationID: "sealing-batch-files", Method: http.MethodGet, Path: sealingBatchPath + "/{id}/files", Tags: []string{"sealing"},
		Summary: "What became of each document", Responses: s.reading()},
		sealUsers(), func(ctx context.Context, in *which) (*listed, error) {
			list, err := s.Batches.Files(ctx, actorOf(ctx), in.ID, batch.FileState(in.State), in.After, in.Limit+1)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Files = make([]SealingBatchFile, 0, len(list))
			for i, f := range list {
				if i == in.Limit {
					out.Body.Next = list[i-1].Number
					break
				}
				out.Body.Files = append(out.Body.Files, sealingBatchFileOf(f))
			}
			return out, nil
		})
	s.stream(huma.Operation{OperationID: "sealing-batch-results", Method: http.MethodGet, Path: sealingBatchPath + "/{id}/results.zip", Tags: []string{"sealing"},
		Summary: "Fetch all sealed documents of a batch", Description: "A ZIP file with the sealed documents so far, each under its number and name. It is cut off when a document is not as it was stored.",
		Parameters: []*huma.Param{parameter("path", "id", "Identifier of the batch.", true)},
		Responses:  with(s.reading(), http.StatusOK, &huma.Response{Description: "The documents", Content: binary("application/zip")})},
		sealUsers(), s.batchResults)
}

func (s *server) batchResults(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), chi.URLParam(r, "id")
	if _, err := s.Batches.Find(ctx, actorOf(ctx), id); err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", attachment(id+".zip"))
	if r.Method == http.MethodHead {
		return
	}
	if err := s.zipResults(ctx, zip.NewWriter(w), id); err != nil {
		s.fail(w, r, err)
	}
}

// zipResults writes the sealed documents of a batch; PDF is compressed already, so they are only stored.
func (s *server) zipResults(ctx context.Context, out *zip.Writer, id string) error {
	const at = 200 // files that are looked up at once
	for after := 0; ; {
		list, err := s.Batches.Files(ctx, actorOf(ctx), id, batch.FileSealed, after, at)
		if err != nil {
			return err
		}
		for _, f := range list {
			after = f.Number
			d, err := s.Sealer.Document(ctx, actorOf(ctx), f.Result)
			if err != nil {
				return err
			}
			entry, err := out.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%05d-%s", f.Number, d.Name), Method: zip.Store, Modified: d.CreatedAt.UTC()})
			if err == nil {
				err = s.Sealer.Copy(ctx, entry, d)
			}
			if err != nil {
				return err
			}
		}
		if len(list) < at {
			return out.Close()
		}
	}
}
