package api

import "strings"

// mayCall says once more, and independently of the code, who may call each route that takes an account: actors of the
// test world by method and path.
var mayCall = map[string]string{
	"GET /metrics":                "administrator auditor",
	"GET /v1/actors/{actor}/keys": "administrator auditor", "POST /v1/actors/{actor}/keys": "administrator", "DELETE /v1/actors/{actor}/keys/{key}": "administrator",

	"POST /logout": "everybody", "GET /home": "everybody", "GET /account": "everybody", "POST /account/end-session": "everybody", "POST /account/end-others": "everybody", "GET /account/password": "everybody", "POST /account/password": "everybody",
	"GET /account/terminals": "everybody", "POST /account/terminals": "everybody", "POST /account/terminals/{id}/remove": "everybody", "GET /account/agents/{name}": "everybody",
	"POST /account/keys/confirm": "everybody", "POST /account/keys/end": "everybody",

	"POST /v1/documents": "platform clerk", "GET /v1/documents": "platform clerk", "GET /v1/documents/{id}": "platform clerk", "GET /v1/documents/{id}/content": "platform clerk",
	"POST /v1/documents/{id}/extensions": "platform clerk", "POST /v1/previews": "platform clerk", "POST /v1/sealings": "platform clerk", "GET /v1/seals": "platform clerk",
	"POST /v1/webhooks": "platform clerk", "GET /v1/webhooks": "platform clerk", "DELETE /v1/webhooks/{id}": "platform clerk", "POST /v1/webhooks/{id}/resume": "platform clerk",
	"POST /v1/webhooks/{id}/ping": "platform clerk", "GET /v1/webhooks/{id}/deliveries": "platform clerk", "POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver": "platform clerk",
	"GET /v1/seals/{code}/status": "platform clerk registrar approver auditor administrator", "GET /v1/sealings/{id}": "platform clerk auditor", "GET /v1/sealings/{id}/proofs": "platform clerk auditor",
	"GET /v1/ledger/consistency": "platform clerk auditor", "GET /v1/ledger/entries": "auditor",
	"POST /v1/sealed-documents": "platform clerk", "POST /v1/sealing-batches": "platform clerk", "GET /v1/sealing-batches": "platform clerk",
	"GET /v1/sealing-batches/{id}": "platform clerk", "GET /v1/sealing-batches/{id}/files": "platform clerk", "GET /v1/sealing-batches/{id}/results.zip": "platform clerk",
	"POST /v1/sealing-batches/{id}/cancel": "platform clerk", "POST /v1/sealing-batches/{id}/retry": "platform clerk",

	"POST /v1/terminals/pairings": people, "GET /v1/terminals": people, "DELETE /v1/terminals/{id}": people,
	"POST /v1/key-tasks": "platform clerk", "GET /v1/key-tasks": "platform clerk", "GET /v1/key-tasks/{id}": "platform clerk",
	"POST /v1/key-tasks/{id}/cancel": "platform clerk", "POST /v1/key-tasks/{id}/retry": "platform clerk",

	"GET /v1/issuance-archives": "platform clerk", "POST /v1/issuances": "platform clerk", "GET /v1/issuances": "platform clerk", "GET /v1/issuances/{id}": "platform clerk",
	"POST /v1/issuances/{id}/cancel": "platform clerk", "POST /v1/issuances/{id}/answer": "platform clerk", "POST /v1/issuances/{id}/pages": "platform clerk",
	"DELETE /v1/issuances/{id}/pages": "platform clerk", "POST /v1/issuances/{id}/issue": "platform clerk", "POST /v1/issuances/{id}/discard": "platform clerk",
	"GET /v1/issuances/{id}/copy": "platform clerk", "POST /v1/issuances/{id}/receive": "platform clerk", "POST /v1/issuances/{id}/deliver": "platform clerk",
	"POST /v1/issuances/{id}/withdraw": "platform clerk", "POST /v1/issuances/{id}/unmask": "platform clerk", "GET /v1/issuance-register.xlsx": "platform clerk",
	"GET /v1/issuance-statistics": "clerk auditor",

	"POST /v1/certificate-requests": "requester registrar", "GET /v1/certificate-requests/{id}": "requester registrar", "POST /v1/certificate-requests/{id}/revocation": "requester registrar",

	"GET /v1/certificates": "registrar approver auditor", "GET /v1/certificates/{serial}": "registrar approver auditor",
	"POST /v1/certificates/{serial}/hold": "registrar approver", "POST /v1/certificates/{serial}/requests": "registrar", "POST /v1/certificates/{serial}/changes": "registrar",
	"GET /v1/approvals": "registrar approver auditor", "GET /v1/approvals/{id}": "registrar approver auditor", "GET /v1/approvals/{id}/parts": "registrar approver auditor",
	"POST /v1/approvals/{id}/approve": "approver", "POST /v1/approvals/{id}/reject": "approver",

	"GET /v1/areas": readers + " administrator", "POST /v1/areas": "registrar administrator", "GET /v1/units": readers, "POST /v1/units": "registrar administrator",
	"GET /v1/members": "registrar approver auditor administrator", "PUT /v1/members/{actor}": "registrar",
	"GET /v1/agreement": readers, "GET /v1/agreements/{version}": readers, "PUT /v1/agreements/{version}": "registrar administrator",

	"GET " + app: readers, "POST " + app: "handler registrar", "GET " + app + "/{id}": readers, "PUT " + app + "/{id}/form": "handler registrar",
	"GET " + app + "/{id}/findings": readers, "GET " + app + "/{id}/history": readers, "POST " + app + "/{id}/unmask": "registrar approver",
	"GET " + app + "/{id}/form.pdf": "handler registrar", "GET " + app + "/{id}/roster": readers, "POST " + app + "/{id}/roster": "handler registrar",
	"GET " + app + "/{id}/roster-template": readers, "GET /v1/roster-template": readers,
	"POST /v1/scans": "handler registrar", "POST " + app + "/{id}/attachments": "handler registrar", "DELETE " + app + "/{id}/attachments/{attachment}": "handler registrar",
	"POST " + app + "/{id}/attachments/{attachment}/content": "handler registrar approver",

	"POST " + app + "/{id}/accept-agreement": "handler registrar", "POST " + app + "/{id}/submit": "handler registrar", "POST " + app + "/{id}/recall": "handler registrar",
	"POST " + app + "/{id}/withdraw": "handler registrar", "POST " + app + "/{id}/accept": "handler registrar", "POST " + app + "/{id}/object": "handler registrar",
	"POST " + app + "/{id}/settle": "handler", "POST " + app + "/{id}/gather": "city registrar", "POST " + app + "/{id}/release": "city registrar",
	"POST " + app + "/{id}/return": "city registrar approver", "POST " + app + "/{id}/reject": "registrar approver", "POST " + app + "/{id}/approve": "approver",
	"POST " + app + "/{id}/receive": "registrar", "POST " + app + "/{id}/original": "registrar", "POST " + app + "/{id}/ink": "registrar",
	"POST " + app + "/{id}/confirm-finding": "registrar", "POST " + app + "/{id}/examine": "registrar", "POST " + app + "/{id}/close": "registrar", "POST " + app + "/{id}/abort": "registrar",

	"POST " + app + "/{id}/template": "registrar", "GET " + app + "/{id}/template": readers, "GET " + app + "/{id}/template.png": readers,
	"GET " + app + "/{id}/template.svg": readers, "GET " + app + "/{id}/template.pdf": readers, "GET " + app + "/{id}/template/thumbnail.png": readers,
	"POST " + app + "/{id}/template/sheet": "handler registrar approver", "POST " + app + "/{id}/template/evidence": "handler registrar approver",
	"GET " + app + "/{id}/acts": readers, "POST " + app + "/{id}/carry-out": "registrar", "POST " + app + "/{id}/issue-key": "registrar",
	"POST " + app + "/{id}/release-so-pin": "registrar", "PUT /v1/tokens/{serial}": "registrar", "POST /v1/tokens/{serial}/confirm": "registrar",
	"POST /v1/escrow-keys/{id}/confirm": "registrar",
	"GET /v1/renewals":                  "clerk registrar approver auditor", "GET /v1/renewals/{id}": "clerk registrar approver auditor",
	"POST /v1/renewals": "clerk registrar", "POST /v1/renewals/{id}/accept": "clerk registrar", "POST /v1/renewals/{id}/object": "clerk registrar",

	"GET /v1/suspensions": readers, "POST /v1/suspensions": "handler registrar approver", "POST /v1/suspensions/{id}/request": "registrar",
	"POST /v1/suspensions/{id}/approve": "approver", "POST /v1/suspensions/{id}/reject": "approver",
	"GET /v1/batches": "city registrar approver auditor", "GET /v1/batches/{id}": "city registrar approver auditor",
	"GET /v1/batches/{id}/list.xlsx": "city registrar approver auditor", "POST /v1/batches": "city registrar", "POST /v1/batches/{id}/hand-in": "city registrar",
}

const (
	app     = "/v1/applications"
	readers = "handler city registrar approver auditor"
	people  = "handler neighbour city registrar approver auditor administrator clerk stranger"
)

// callersOf are the actors who may call a route, and whether that was written down.
func callersOf(route string) ([]string, bool) {
	text, ok := mayCall[route]
	return strings.Fields(text), ok
}
