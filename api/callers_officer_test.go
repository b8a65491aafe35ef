package api

import "maps"

// Who may call the pages of officers, handlers and city bureaus.
func init() {
	const (
		one      = "/office/applications/{id}"
		unit     = "handler registrar"
		looking  = "handler registrar approver"
		overseen = "registrar approver auditor"
		batches  = "city registrar approver auditor"
	)
	maps.Copy(mayCall, map[string]string{
		"GET /office/applications": readers, "GET /office/applications/new": unit, "POST /office/applications/new": unit, "GET " + one: readers,
		"GET " + one + "/edit": unit, "POST " + one + "/edit": unit, "POST " + one + "/unmask": "registrar approver", "POST " + one + "/form.pdf": unit,
		"GET /office/scans": unit, "POST /office/scans": unit, "POST " + one + "/scans": unit, "POST " + one + "/scans/{attachment}/remove": unit,
		"POST " + one + "/scans/{attachment}/look": looking, "POST " + one + "/scans/{attachment}/file": looking,
		"GET " + one + "/roster": readers, "POST " + one + "/roster": unit,
		"GET " + one + "/imprint": readers, "POST " + one + "/imprint": "registrar", "POST " + one + "/imprint/sheet": looking,

		"POST " + one + "/accept-agreement": unit, "POST " + one + "/submit": unit, "POST " + one + "/recall": unit, "POST " + one + "/withdraw": unit,
		"POST " + one + "/gather": "city registrar", "POST " + one + "/release": "city registrar", "POST " + one + "/receive": "registrar",
		"POST " + one + "/original": "registrar", "POST " + one + "/ink": "registrar", "POST " + one + "/confirm-finding": "registrar", "POST " + one + "/examine": "registrar",
		"POST " + one + "/approve": "approver", "POST " + one + "/accept": unit, "POST " + one + "/object": unit, "POST " + one + "/settle": "handler",
		"POST " + one + "/close": "registrar", "POST " + one + "/return": "city registrar approver", "POST " + one + "/reject": "registrar approver",
		"POST " + one + "/abort": "registrar", "POST " + one + "/carry-out": "registrar",

		"GET /office/approvals": overseen, "GET /office/approvals/{id}": overseen, "POST /office/approvals/{id}/approve": "approver", "POST /office/approvals/{id}/reject": "approver",
		"GET /office/certificates": overseen, "GET /office/certificates/{id}": overseen, "POST /office/certificates/{id}/hold": "registrar approver",
		"POST /office/certificates/{id}/request": "registrar", "POST /office/certificates/{id}/carry-out": "registrar",
		"GET /office/seals": overseen, "GET /office/seals/{id}": overseen, "GET /office/seals/{id}/picture.png": overseen, "POST /office/seals/{id}/suspend": "registrar approver",
		"POST /office/seals/{id}/request": "registrar", "POST /office/seals/{id}/carry-out": "registrar",
		"GET /office/renewals": overseen, "GET /office/renewals/{id}": overseen, "POST /office/renewals/{id}/accept": "registrar", "POST /office/renewals/{id}/object": "registrar",
		"GET /office/suspensions": readers, "GET /office/suspensions/new": looking, "POST /office/suspensions/new": looking, "GET /office/suspensions/{id}": readers,
		"POST /office/suspensions/{id}/request": "registrar", "POST /office/suspensions/{id}/approve": "approver", "POST /office/suspensions/{id}/reject": "approver",
		"GET /office/keys": overseen, "GET /office/keys/{id}/{actor}": overseen, "POST /office/keys/{id}/{actor}/register": "registrar", "POST /office/keys/{id}/{actor}/issue": "registrar",
		"POST /office/keys/{id}/{actor}/confirm": "registrar", "POST /office/keys/{id}/{actor}/hand-over": "registrar", "POST " + one + "/release-so-pin": "registrar",
		"GET /office/tokens": overseen, "GET /office/tokens/{id}": overseen, "POST /office/tokens/{id}/confirm": "registrar", "GET /office/seals/{id}/instances/{instance}": "registrar",
		"GET /office/renewals/new": "registrar", "POST /office/renewals/new": "registrar", "GET /office/renewals/{id}/certificates.pem": overseen,
		"GET /office/batches": batches, "POST /office/batches": "city registrar", "GET /office/batches/{id}": batches, "POST /office/batches/{id}/gather": "city registrar",
		"POST /office/batches/{id}/hand-in": "city registrar",
		"GET /office/units":                 readers, "GET /office/units/{id}": readers, "POST /office/units": "registrar", "GET /office/members": overseen, "POST /office/members": "registrar",
	})
}
