package api

func init() {
	for _, route := range []string{"GET /desk", "GET /desk/register.xlsx", "GET /desk/statistics", "GET /desk/new", "POST /desk/new", "GET /desk/{id}", "POST /desk/{id}/cancel",
		"POST /desk/{id}/answer", "POST /desk/{id}/unmask", "POST /desk/{id}/pages", "POST /desk/{id}/arrange", "GET /desk/{id}/parts/{number}/pages/{page}", "GET /desk/{id}/preview",
		"POST /desk/{id}/issue", "POST /desk/{id}/discard", "POST /desk/{id}/withdraw", "GET /desk/{id}/check", "POST /desk/{id}/receive", "POST /desk/{id}/deliver"} {
		mayCall[route] = "clerk"
	}
}
