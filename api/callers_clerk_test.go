package api

import "maps"

func init() {
	for _, route := range []string{"GET /clerk", "GET /clerk/seals/{code}/picture", "GET /clerk/new", "POST /clerk/new", "GET /clerk/documents/{id}", "GET /clerk/documents/{id}/pages/{number}",
		"POST /clerk/documents/{id}/seal", "GET /clerk/sealings/{id}", "GET /clerk/sealings/{id}/verification", "GET /clerk/log", "GET /clerk/tasks", "GET /clerk/tasks/{id}", "GET /clerk/tasks/{id}/events",
		"GET /clerk/batches", "GET /clerk/batches/new", "POST /clerk/batches/new", "GET /clerk/batches/{id}", "GET /clerk/batches/{id}/events",
		"POST /clerk/batches/{id}/cancel", "POST /clerk/batches/{id}/retry", "POST /clerk/tasks/{id}/cancel", "POST /clerk/tasks/{id}/retry"} {
		maps.Copy(mayCall, map[string]string{route: "clerk"})
	}
}
