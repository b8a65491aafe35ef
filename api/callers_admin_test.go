package api

func init() {
	for _, route := range []string{"GET /admin/people", "GET /admin/people/new", "POST /admin/people/new", "GET /admin/people/{id}", "POST /admin/people/{id}/password", "POST /admin/people/{id}/unlock",
		"POST /admin/people/{id}/end-session", "POST /admin/people/{id}/ask-role", "POST /admin/people/{id}/give-role", "POST /admin/people/{id}/withdraw-role", "POST /admin/people/{id}/retire",
		"POST /admin/people/{id}/link", "POST /admin/people/{id}/end-link", "POST /admin/people/{id}/end-usb-key", "POST /admin/people/{id}/keys", "POST /admin/people/{id}/end-key",
		"GET /admin/grants/new", "POST /admin/grants/new", "POST /admin/grants/{id}/end", "POST /admin/grants/requests/{id}/carry-out",
		"GET /admin/anchors/new", "POST /admin/anchors/new", "POST /admin/anchors/lists", "POST /admin/anchors/{id}/remove", "POST /admin/anchors/requests/{id}/carry-out",
		"GET /admin/jobs", "GET /admin/jobs/{id}", "POST /admin/jobs/{id}/retry", "POST /admin/jobs/{id}/cancel", "POST /admin/jobs/{id}/discard",
		"GET /admin/terminals", "GET /admin/terminals/{id}", "POST /admin/terminals/{id}/end"} {
		mayCall[route] = "administrator"
	}
	for _, route := range []string{"GET /admin/grants", "GET /admin/grants/{id}", "GET /admin/anchors", "GET /admin/anchors/{id}", "GET /admin/listeners"} {
		mayCall[route] = "administrator auditor"
	}
	for _, route := range []string{"GET /audit/sealings", "GET /audit/sealings/{id}", "GET /audit/use", "GET /audit/use/seals", "GET /audit/use/months", "GET /audit/check", "POST /audit/check", "GET /audit/ledger", "GET /audit/ledger/{id}"} {
		mayCall[route] = "auditor"
	}
}
