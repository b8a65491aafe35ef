package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/internal/access"
)

// Health says how the service is.
type Health struct {
	Status string `json:"status" enum:"ok" example:"ok"`
}

// readyTime is how long the rooms may take to say that they are ready.
const readyTime = 3 * time.Second

func (s *server) health() {
	answer := func(errors ...int) map[string]*huma.Response {
		return with(s.answers(errors...), http.StatusOK, &huma.Response{Description: "Yes",
			Content: map[string]*huma.MediaType{"application/json": {Schema: s.schema(Health{})}}})
	}
	s.stream(huma.Operation{OperationID: "live", Method: http.MethodGet, Path: "/health/live", Tags: []string{"service"},
		Summary: "Is the process alive?", Responses: answer()}, anyone(), func(w http.ResponseWriter, r *http.Request) {
		s.giveJSON(w, r, http.StatusOK, Health{"ok"})
	})
	s.stream(huma.Operation{OperationID: "ready", Method: http.MethodGet, Path: "/health/ready", Tags: []string{"service"},
		Summary: "Can it serve requests now?", Responses: answer(503)}, anyone(), func(w http.ResponseWriter, r *http.Request) {
		if s.Ready != nil {
			ctx, cancel := context.WithTimeout(r.Context(), readyTime)
			defer cancel()
			if err := s.Ready(ctx); err != nil {
				s.fail(w, r, errNotReady.Because(err))
				return
			}
		}
		s.giveJSON(w, r, http.StatusOK, Health{"ok"})
	})
	if s.Metrics != nil {
		// Not for everybody on the machine: behind a proxy every caller comes from there.
		s.stream(huma.Operation{OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"service"},
			Summary:   "Figures of the process and of its tokens, for Prometheus",
			Responses: with(s.answers(), http.StatusOK, &huma.Response{Description: "Figures", Content: map[string]*huma.MediaType{"text/plain": {}}})},
			caller{roles: []access.Role{access.RoleAdministrator, access.RoleAuditor}}, s.Metrics.ServeHTTP)
	}
}
