package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"yinxin/sealer/terminal/manifest"
)

// terminalTasks are the routes of terminals: claim a task, have its items prepared, hand signatures in.
func (s *server) terminalTasks() {
	s.terminalSelf()
	type waiting struct {
		Wait int `query:"wait" minimum:"0" maximum:"25" doc:"Seconds to wait for a task, if there is none to claim."`
	}
	type tasks struct{ Body manifest.Tasks }
	operate(s, huma.Operation{OperationID: "terminal-tasks", Method: http.MethodGet, Path: manifest.RouteTasks, Tags: []string{"terminals"},
		Summary: "Tasks and logins that wait for the person", Description: "The oldest first, at most 50 tasks, of operators alone. With wait the answer comes when there is one that this terminal could claim, when the time is over, or when the service stops.",
		Responses: s.answers(401, 403, 422)},
		aTerminal(), func(ctx context.Context, in *waiting) (*tasks, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			if s.Stopping != nil {
				defer context.AfterFunc(s.Stopping, cancel)()
			}
			list, err := s.Terminals.Waiting(ctx, terminalOf(ctx), time.Duration(in.Wait)*time.Second)
			return &tasks{list}, err
		})

	type task struct {
		Task string `path:"task" maxLength:"64"`
	}
	type claim struct{ Body manifest.Claim }
	operate(s, huma.Operation{OperationID: "claim-task", Method: http.MethodPost, Path: manifest.RouteClaim, Tags: []string{"terminals"},
		Summary: "Claim a task, or keep it", Description: "For two minutes. Of several terminals one has a task.", Responses: s.answers(401, 403, 404, 409, 422)},
		aTerminal(), func(ctx context.Context, in *task) (*claim, error) {
			c, err := s.Terminals.Claim(ctx, terminalOf(ctx), in.Task)
			return &claim{c}, err
		})
	operate(s, huma.Operation{OperationID: "release-task", Method: http.MethodDelete, Path: manifest.RouteClaim, Tags: []string{"terminals"},
		Summary: "Give a claimed task back", DefaultStatus: http.StatusNoContent, Responses: s.answers(401, 403, 404, 422)},
		aTerminal(), func(ctx context.Context, in *task) (*struct{}, error) {
			return nil, s.Terminals.Release(ctx, terminalOf(ctx), in.Task)
		})
	s.terminalItems()
	s.terminalJobs()
	if s.Terminals.Logins != nil {
		s.terminalLogins()
	}
}

// terminalLogins are the routes of terminals at which somebody signs in by USB Key.
func (s *server) terminalLogins() {
	type named struct {
		Login string `path:"login" maxLength:"64"`
	}
	type envelope struct{ Body manifest.Envelope }
	operate(s, huma.Operation{OperationID: "terminal-login", Method: http.MethodPost, Path: manifest.RouteLogin, Tags: []string{"terminals"},
		Summary: "Who wants to sign in, signed by the service", Description: "For a login of the terminal's clerk that waits (docs/terminal.md).", Responses: s.answers(401, 403, 404, 422)},
		aTerminal(), func(ctx context.Context, in *named) (*envelope, error) {
			e, err := s.Terminals.Login(ctx, terminalOf(ctx), in.Login)
			return &envelope{e}, err
		})
	type answer struct {
		Login string `path:"login" maxLength:"64"`
		Body  manifest.LoginAnswer
	}
	operate(s, huma.Operation{OperationID: "answer-login", Method: http.MethodPost, Path: manifest.RouteLoginAnswer, Tags: []string{"terminals"},
		Summary:       "Hand in what the USB Key signed",
		Description:   "It is taken once; what is wrong with it ends the login. The browser that asked for the login is signed in when it asks next.",
		DefaultStatus: http.StatusNoContent, Responses: s.answers(400, 401, 403, 404, 408, 413, 415, 422)},
		aTerminal(), func(ctx context.Context, in *answer) (*struct{}, error) {
			return nil, s.Terminals.AnswerLogin(ctx, terminalOf(ctx), in.Login, in.Body)
		})
	type offer struct{ Body manifest.KeyOffer }
	type offered struct{ Body manifest.KeyOffered }
	operate(s, huma.Operation{OperationID: "offer-key", Method: http.MethodPost, Path: manifest.RouteKeys, Tags: []string{"terminals"},
		Summary:       "Offer a USB Key to sign in with",
		Description:   "The signature shows that the Key is there (docs/terminal.md). It lets nobody in before the person has confirmed it on the page of their terminals, within 15 minutes; the one that was offered before is forgotten.",
		DefaultStatus: http.StatusCreated, Responses: s.answers(400, 401, 403, 408, 413, 415, 422)},
		aTerminal(), func(ctx context.Context, in *offer) (*offered, error) {
			k, err := s.Terminals.OfferKey(ctx, terminalOf(ctx), in.Body)
			return &offered{k}, err
		})
	type decline struct {
		Login string `path:"login" maxLength:"64"`
		Body  manifest.Decline
	}
	operate(s, huma.Operation{OperationID: "decline-login", Method: http.MethodPost, Path: manifest.RouteLoginDecline, Tags: []string{"terminals"},
		Summary: "Say that nobody is to be signed in", DefaultStatus: http.StatusNoContent, Responses: s.answers(400, 401, 403, 404, 408, 413, 415, 422)},
		aTerminal(), func(ctx context.Context, in *decline) (*struct{}, error) {
			return nil, s.Terminals.DeclineLogin(ctx, terminalOf(ctx), in.Login, in.Body.Reason)
		})
}

func (s *server) terminalSelf() {
	type self struct{ Body manifest.Self }
	operate(s, huma.Operation{OperationID: "terminal-self", Method: http.MethodGet, Path: manifest.RouteSelf, Tags: []string{"terminals"},
		Summary: "What the service knows of this terminal", Responses: s.answers(401, 403, 422)},
		aTerminal(), func(ctx context.Context, _ *struct{}) (*self, error) {
			t, err := s.Terminals.Self(ctx, terminalOf(ctx))
			return &self{t}, err
		})
	operate(s, huma.Operation{OperationID: "end-own-pairing", Method: http.MethodDelete, Path: manifest.RouteSelf, Tags: []string{"terminals"},
		Summary: "End this terminal's pairing", DefaultStatus: http.StatusNoContent, Responses: s.answers(401, 403, 404)},
		aTerminal(), func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			return nil, s.Terminals.End(ctx, actorOf(ctx), terminalOf(ctx).ID, "")
		})
}

func (s *server) terminalItems() {
	type item struct {
		Task string `path:"task" maxLength:"64"`
		Item string `path:"item" maxLength:"64"`
	}
	type envelope struct{ Body manifest.Envelope }
	operate(s, huma.Operation{OperationID: "prepare-item", Method: http.MethodPost, Path: manifest.RoutePrepare, Tags: []string{"terminals"},
		Summary:     "Have an item prepared",
		Description: "Checks grant, seal, certificate and document, freezes the update, and answers the signed manifest (docs/terminal.md). While that holds a minute more it is given again; after that the item is prepared anew.",
		Responses:   s.answers(400, 401, 403, 404, 409, 422, 503)},
		aTerminal(), func(ctx context.Context, in *item) (*envelope, error) {
			ctx, cancel := context.WithTimeout(ctx, sealTime)
			defer cancel()
			e, err := s.Terminals.Prepare(ctx, terminalOf(ctx), in.Task, in.Item)
			return &envelope{e}, err
		})
	type decline struct {
		Task string `path:"task" maxLength:"64"`
		Item string `path:"item" maxLength:"64"`
		Body manifest.Decline
	}
	operate(s, huma.Operation{OperationID: "decline-item", Method: http.MethodPost, Path: manifest.RouteDecline, Tags: []string{"terminals"},
		Summary:       "Say that an item is not sealed",
		Description:   "With the reason " + manifest.ReasonDeclined + " the item is declined, with any other it has failed, and can be retried.",
		DefaultStatus: http.StatusNoContent, Responses: s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422)},
		aTerminal(), func(ctx context.Context, in *decline) (*struct{}, error) {
			return nil, s.Terminals.Decline(ctx, terminalOf(ctx), in.Task, in.Item, in.Body.Reason)
		})
}

func (s *server) terminalJobs() {
	s.stream(huma.Operation{OperationID: "prepared-file", Method: http.MethodGet, Path: manifest.RouteFile, Tags: []string{"terminals"},
		Summary:     "Fetch the prepared file of a job",
		Description: "The original followed by the update, with the digits of /Contents all 0: the bytes whose size and SM3 the manifest has.",
		Parameters:  []*huma.Param{parameter("path", "job", "Identifier of the job.", true)},
		Responses:   with(s.answers(401, 403, 404, 409), http.StatusOK, &huma.Response{Description: "The file", Content: binary("application/pdf")})},
		aTerminal(), s.preparedFile)
	type completion struct {
		Job  string `path:"job" maxLength:"64"`
		Body manifest.Completion
	}
	type completed struct{ Body manifest.Completed }
	operate(s, huma.Operation{OperationID: "complete-job", Method: http.MethodPost, Path: manifest.RouteComplete, Tags: []string{"terminals"},
		Summary:     "Hand in the signature of a job",
		Description: "It is taken once. Everything is checked again, the signature over the stored bytes, and the sealed file before it is released. The same request again gives the same answer.",
		Responses:   s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)},
		aTerminal(), func(ctx context.Context, in *completion) (*completed, error) {
			if in.Body.Job != in.Job {
				return nil, errInvalid.With("job")
			}
			done, err := s.Terminals.Complete(ctx, terminalOf(ctx), in.Body)
			return &completed{done}, err
		})
}

func (s *server) preparedFile(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	file, err := s.Terminals.File(ctx, terminalOf(ctx), chi.URLParam(r, "job"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return
	}
	if err := file.Copy(ctx, w); err != nil {
		s.fail(w, r, err)
	}
}
