package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/register"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
)

// KeyTask is a list of documents that a clerk is to seal with a USB Key.
type KeyTask struct {
	ID      string        `json:"id"`
	Clerk   string        `json:"clerk" doc:"Who is to seal."`
	By      string        `json:"by" doc:"Who asked."`
	Origin  string        `json:"origin" doc:"What people call the system that asked."`
	Note    string        `json:"note,omitempty"`
	State   string        `json:"state" enum:"open,done,cancelled,expired" doc:"A task that is done may have items that failed; retrying opens it again until it expires."`
	Total   int           `json:"total"`
	Open    int           `json:"open" doc:"Items that wait for the clerk."`
	Sealed  int           `json:"sealed"`
	Failed  int           `json:"failed"`
	Refused int           `json:"declined" doc:"By the clerk, or because the task was cancelled or expired."`
	Created time.Time     `json:"created"`
	Expires time.Time     `json:"expires" doc:"What is open then is declined."`
	At      string        `json:"terminal,omitempty" doc:"The terminal that has the task now."`
	Items   []KeyTaskItem `json:"items,omitempty" doc:"Not in lists."`
}

// KeyTaskItem is one document of a task.
type KeyTaskItem struct {
	ID       string    `json:"id"`
	Number   int       `json:"number" doc:"From 1, in the order of the request."`
	Document string    `json:"document"`
	Name     string    `json:"name" doc:"File name."`
	Seal     string    `json:"seal"`
	State    string    `json:"state" enum:"queued,prepared,sealed,failed,declined"`
	Reason   string    `json:"reason,omitempty" doc:"Code of why it failed or was declined." example:"seal.quota-exhausted"`
	Result   string    `json:"result,omitempty" doc:"Identifier of the sealed document."`
	Changed  time.Time `json:"changed"`
}

// KeyTaskOf describes a task as it stands now.
func KeyTaskOf(t terminal.Task, now time.Time) KeyTask {
	out := KeyTask{ID: t.ID, Clerk: t.Clerk, By: t.Creator, Origin: t.Origin, Note: t.Note, State: t.State, Total: t.Total, Open: t.Open(),
		Sealed: t.Counts[manifest.ItemSealed], Failed: t.Counts[manifest.ItemFailed], Refused: t.Counts[manifest.ItemDeclined],
		Created: t.Created.UTC(), Expires: t.Expires.UTC()}
	if t.State == "open" && out.Open == 0 {
		out.State = "done"
	}
	if t.ClaimedBy != "" && now.Before(t.ClaimedUntil) {
		out.At = t.ClaimedBy
	}
	for _, i := range t.Items {
		out.Items = append(out.Items, KeyTaskItem{ID: i.ID, Number: i.Number, Document: i.Document.ID, Name: i.Document.Name, Seal: i.Seal, State: string(i.State),
			Reason: i.Reason, Result: i.Result, Changed: i.Changed.UTC()})
	}
	return out
}

const (
	keyTaskPath       = "/v1/key-tasks"
	maxTaskBody int64 = 2 << 20 // bytes
)

type keyTaskInput struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$" doc:"Chosen by the caller, new for every task: the same key with the same task gives the same task again, with another one it is refused."`
	Body struct {
		Clerk  string        `json:"clerk,omitempty" maxLength:"64" doc:"Who is to seal: an operator of the caller's organisation. Absent: the caller."`
		Origin string        `json:"origin,omitempty" maxLength:"100" doc:"What people call the system that asks; it is shown to the clerk. Absent: the caller's name."`
		Note   string        `json:"note,omitempty" maxLength:"500" doc:"What it is for; it is shown to the clerk."`
		Order  *SealingTerms `json:"order,omitempty" doc:"How the documents are sealed that do not say otherwise."`
		Items  []struct {
			Document string        `json:"document" minLength:"1" maxLength:"64" doc:"Identifier of the document."`
			Order    *SealingTerms `json:"order,omitempty" doc:"How this one is sealed."`
		} `json:"items" minItems:"1" maxItems:"1000"`
	}
}

// task gives the task of the domain. Errors: request.invalid with the row.
func (in *keyTaskInput) task() (terminal.NewTask, error) {
	t := terminal.NewTask{Clerk: in.Body.Clerk, Origin: in.Body.Origin, Note: in.Body.Note, IdempotencyKey: "api:" + in.Key}
	for n, i := range in.Body.Items {
		terms := i.Order
		if terms == nil {
			terms = in.Body.Order
		}
		place := fault.Place{Field: "order", Row: n + 1}
		if terms == nil {
			return t, errInvalid.At(place)
		}
		o, err := terms.Order()
		if err != nil {
			return t, err
		}
		o.Document = i.Document
		t.Orders = append(t.Orders, o)
	}
	return t, nil
}

// mayAsk says whether somebody may ask a clerk to use a seal; empty: themselves. The domain says what is the matter.
func (s *server) mayAsk(clerk string) authorises {
	return func(ctx context.Context, by access.Actor, code string) (register.Instance, error) {
		holder := by
		if clerk != "" && clerk != by.ID {
			var err error
			if holder, err = s.Access.Actor(ctx, clerk); err != nil {
				return register.Instance{}, err
			}
			if !by.Has(access.RolePlatform) || by.Organisation == "" || holder.Organisation != by.Organisation {
				return register.Instance{}, errClosed.New()
			}
		}
		if err := by.CheckSeal(code); err != nil {
			return register.Instance{}, err
		}
		return s.Register.AuthoriseHolder(ctx, holder, code)
	}
}

// sealsOf are the seals of some orders, each once.
func sealsOf(orders []sealer.Order) []string {
	var codes []string
	for _, o := range orders {
		if !slices.Contains(codes, o.Seal) {
			codes = append(codes, o.Seal)
		}
	}
	return codes
}

type keyTaskOutput struct {
	Status   int
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed" doc:"true, when the key was used before for this task."`
	Body     KeyTask
}

// keyTasks are the routes of clerks and programs for tasks.
func (s *server) keyTasks() {
	operate(s, huma.Operation{OperationID: "create-key-task", Method: http.MethodPost, Path: keyTaskPath, Tags: []string{"terminals"},
		Summary:       "Ask a clerk to seal documents with a USB Key",
		Description:   "Up to 1,000 documents, each for itself. A clerk asks themselves, a program asks a clerk of its own organisation. Whether the clerk may use the seal is checked now, when an item is prepared, and when it is completed.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxTaskBody,
		Responses: with(s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503), http.StatusOK, &huma.Response{Description: "Asked for before, with the same key",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(KeyTask{})}}})},
		sealUsers(), func(ctx context.Context, in *keyTaskInput) (*keyTaskOutput, error) {
			t, err := in.task()
			if err != nil {
				return nil, err
			}
			if err := s.countSeals(ctx, s.mayAsk(t.Clerk), sealsOf(t.Orders)...); err != nil {
				return nil, err
			}
			made, existed, err := s.Terminals.Create(ctx, actorOf(ctx), t)
			if err != nil {
				return nil, err
			}
			out := &keyTaskOutput{Status: http.StatusCreated, Location: keyTaskPath + "/" + made.ID, Body: KeyTaskOf(made, s.Clock())}
			if existed {
				out.Status, out.Replayed = http.StatusOK, strconv.FormatBool(true)
			}
			return out, nil
		})
	type listed struct {
		Body struct {
			Tasks []KeyTask `json:"tasks"`
			Next  string    `json:"next,omitempty" doc:"For after."`
		}
	}
	operate(s, huma.Operation{OperationID: "list-key-tasks", Method: http.MethodGet, Path: keyTaskPath, Tags: []string{"terminals"},
		Summary: "List one's tasks", Description: "Those that the caller is to do or has asked for, the newest first.", Responses: s.reading()},
		sealUsers(), func(ctx context.Context, in *Paging) (*listed, error) {
			list, err := s.Terminals.Tasks(ctx, actorOf(ctx), in.After, in.Limit+1)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Tasks = make([]KeyTask, 0, len(list))
			for i, t := range list {
				if i == in.Limit {
					out.Body.Next = list[i-1].ID
					break
				}
				out.Body.Tasks = append(out.Body.Tasks, KeyTaskOf(t, s.Clock()))
			}
			return out, nil
		})
	s.keyTaskSteps()
}

func (s *server) keyTaskSteps() {
	type output struct{ Body KeyTask }
	show := func(ctx context.Context, id string) (*output, error) {
		t, err := s.Terminals.Task(ctx, actorOf(ctx), id)
		return &output{KeyTaskOf(t, s.Clock())}, err
	}
	operate(s, huma.Operation{OperationID: "get-key-task", Method: http.MethodGet, Path: keyTaskPath + "/{id}", Tags: []string{"terminals"},
		Summary: "What became of each item of a task", Responses: s.reading()},
		sealUsers(), func(ctx context.Context, in *Named) (*output, error) { return show(ctx, in.ID) })
	operate(s, huma.Operation{OperationID: "cancel-key-task", Method: http.MethodPost, Path: keyTaskPath + "/{id}/cancel", Tags: []string{"terminals"},
		Summary: "Cancel a task", Description: "What is open is declined. What has been signed is sealed none the less.", Responses: s.answers(401, 403, 404, 409, 422)},
		sealUsers(), func(ctx context.Context, in *Named) (*output, error) {
			if err := s.Terminals.Cancel(ctx, actorOf(ctx), in.ID); err != nil {
				return nil, err
			}
			return show(ctx, in.ID)
		})
	operate(s, huma.Operation{OperationID: "retry-key-task", Method: http.MethodPost, Path: keyTaskPath + "/{id}/retry", Tags: []string{"terminals"},
		Summary: "Queue the items that failed again", Responses: s.answers(401, 403, 404, 409, 422)},
		sealUsers(), func(ctx context.Context, in *Named) (*output, error) {
			t, err := s.Terminals.Task(ctx, actorOf(ctx), in.ID)
			if err == nil {
				err = s.countSeals(ctx, s.mayAsk(t.Clerk), t.FailedSeals()...)
			}
			if err == nil {
				_, err = s.Terminals.Retry(ctx, actorOf(ctx), in.ID)
			}
			if err != nil {
				return nil, err
			}
			return show(ctx, in.ID)
		})
}
