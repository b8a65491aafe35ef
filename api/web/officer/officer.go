// Package officer is the pages of the registration authority and of those who file with it: applications with their scans
// beside the fields, imprints before and after, what two people decide, certificates, seals, renewals, suspensions and
// batches.
//
// It calls the rooms directly; who may do what is for them to say once more, and what shows personal data goes through
// the doors that record it. A page that somebody else has made old says so and shows what happened since.
package officer

import (
	"context"
	"embed"
	"net/http"
	"slices"
	"time"

	"yinxin/api/web"
	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
	"yinxin/sealer/registration"
)

//go:embed templates/* assets
var files embed.FS

// Config is what these pages work with.
type Config struct {
	Desk        *registration.Desk
	Access      *access.Service
	Authority   *ca.Authority
	Authorities *backend.Backends
	Register    *register.Register
	// Receive takes a whole upload of one of the types, at most max bytes; done gives its room back.
	Receive func(r *http.Request, max int64, media ...string) (name string, data []byte, done func(), err error)
	// Time is the longest that one look at a scan may take.
	Time time.Duration
}

type pages struct{ Config }

const (
	registrar = access.RoleRegistrar
	approver  = access.RoleApprover
	applicant = access.RoleApplicant
	city      = access.RoleCity
	auditor   = access.RoleAuditor
)

// Who may open what: the same as of the API.
var (
	readers    = []access.Role{applicant, city, registrar, approver, auditor}
	unitSide   = []access.Role{applicant, registrar}
	citySide   = []access.Role{city, registrar}
	officers   = []access.Role{registrar, approver}
	registrars = []access.Role{registrar}
	approvers  = []access.Role{approver}
	overseers  = []access.Role{registrar, approver, auditor}
	gatherers  = []access.Role{city, registrar, approver, auditor}
	lookers    = []access.Role{applicant, registrar, approver}
)

const (
	root         = "/office"
	applications = root + "/applications"
	approvals    = root + "/approvals"
	certificates = root + "/certificates"
	seals        = root + "/seals"
	renewals     = root + "/renewals"
	suspensions  = root + "/suspensions"
	batches      = root + "/batches"
	units        = root + "/units"
	keys         = root + "/keys"
	tokens       = root + "/tokens"
)

// gathering is what units and their batches stand under in the menu.
var gathering = web.Text{ZH: "单位与批次", EN: "Units"}

// Area gives the pages.
func Area(c Config) web.Area {
	p := &pages{c}
	return web.Area{Name: "officer", Files: files, Notices: notices, Tiles: p.tiles,
		Menu: []web.Item{
			{Path: applications, Label: web.Text{ZH: "申请", EN: "Applications"}, Roles: readers},
			{Path: approvals, Label: web.Text{ZH: "审批", EN: "Approvals"}, Roles: overseers},
			{Path: certificates, Label: web.Text{ZH: "证书", EN: "Certificates"}, Roles: overseers, Group: web.Holdings},
			{Path: seals, Label: web.Text{ZH: "印章", EN: "Seals"}, Roles: overseers, Group: web.Holdings},
			{Path: keys, Label: titleKeys, Roles: overseers, Group: web.Holdings},
			{Path: renewals, Label: web.Text{ZH: "到期续期", EN: "Renewals"}, Roles: overseers, Group: web.Holdings},
			{Path: suspensions, Label: web.Text{ZH: "停用", EN: "Suspensions"}, Roles: readers, Group: web.Holdings},
			{Path: batches, Label: web.Text{ZH: "汇总批次", EN: "Batches"}, Roles: gatherers, Group: gathering},
			{Path: units, Label: web.Text{ZH: "单位", EN: "Units"}, Roles: readers, Group: gathering},
		},
		Routes: p.routes()}
}

func (p *pages) routes() []web.Route {
	var all []web.Route
	get := func(path string, roles []access.Role, h web.Handler) {
		all = append(all, web.Route{Method: http.MethodGet, Path: path, Roles: roles, Handle: h})
	}
	post := func(path string, roles []access.Role, h web.Handler) {
		all = append(all, web.Route{Method: http.MethodPost, Path: path, Roles: roles, Handle: h})
	}
	upload := func(path string, roles []access.Role, h web.Handler) {
		all = append(all, web.Route{Method: http.MethodPost, Path: path, Roles: roles, Handle: h, Body: registration.MaxScan + 1<<20})
	}
	const one = applications + "/{id}"
	get(applications, readers, p.list)
	get(applications+"/new", unitSide, p.askNew)
	post(applications+"/new", unitSide, p.create)
	get(one, readers, p.application)
	get(one+"/edit", unitSide, p.askEdit)
	post(one+"/edit", unitSide, p.edit)
	post(one+"/unmask", officers, p.unmask)
	post(one+"/form.pdf", unitSide, p.printed)
	upload(root+"/scans", unitSide, p.recognise)
	get(root+"/scans", unitSide, p.askScan)
	upload(one+"/scans", unitSide, p.attach)
	post(one+"/scans/{attachment}/remove", unitSide, p.detach)
	post(one+"/scans/{attachment}/look", lookers, p.look)
	post(one+"/scans/{attachment}/file", lookers, p.scanFile)
	get(one+"/roster", readers, p.roster)
	upload(one+"/roster", unitSide, p.importRoster)
	get(one+"/imprint", readers, p.imprint)
	post(one+"/imprint", registrars, p.makeTemplate)
	post(one+"/imprint/sheet", lookers, p.contactSheet)
	for _, s := range moves {
		post(one+"/"+s.name, s.roles, p.move(s))
	}
	post(one+"/carry-out", registrars, p.carryOut)
	post(one+"/release-so-pin", registrars, p.releasePIN)

	get(approvals, overseers, p.approvals)
	get(approvals+"/{id}", overseers, p.approval)
	post(approvals+"/{id}/approve", approvers, p.approve)
	post(approvals+"/{id}/reject", approvers, p.reject)

	get(certificates, overseers, p.certificates)
	get(certificates+"/{id}", overseers, p.certificate)
	post(certificates+"/{id}/hold", officers, p.hold)
	post(certificates+"/{id}/request", registrars, p.askChange)
	post(certificates+"/{id}/carry-out", registrars, p.carryOutChange)

	get(seals, overseers, p.seals)
	get(seals+"/{id}", overseers, p.seal)
	get(seals+"/{id}/picture.png", overseers, p.sealPicture)
	get(seals+"/{id}/instances/{instance}", registrars, p.keySeal)
	post(seals+"/{id}/suspend", officers, p.suspendSeal)
	post(seals+"/{id}/request", registrars, p.askResume)
	post(seals+"/{id}/carry-out", registrars, p.resumeSeal)

	const usbKey = keys + "/{id}/{actor}"
	get(keys, overseers, p.keys)
	get(usbKey, overseers, p.key)
	post(usbKey+"/register", registrars, p.registerToken)
	post(usbKey+"/issue", registrars, p.issueKey)
	post(usbKey+"/confirm", registrars, p.confirmKey)
	post(usbKey+"/hand-over", registrars, p.handOver)
	get(tokens, overseers, p.tokens)
	get(tokens+"/{id}", overseers, p.token)
	post(tokens+"/{id}/confirm", registrars, p.confirmPIN)

	get(renewals, overseers, p.renewals)
	get(renewals+"/new", registrars, p.askRenewKey)
	post(renewals+"/new", registrars, p.renewKey)
	get(renewals+"/{id}/certificates.pem", overseers, p.renewalCertificates)
	get(renewals+"/{id}", overseers, p.renewal)
	post(renewals+"/{id}/accept", registrars, p.acceptRenewal)
	post(renewals+"/{id}/object", registrars, p.objectToRenewal)

	get(suspensions, readers, p.suspensions)
	get(suspensions+"/new", lookers, p.askSuspend)
	post(suspensions+"/new", lookers, p.suspend)
	get(suspensions+"/{id}", readers, p.suspension)
	post(suspensions+"/{id}/request", registrars, p.askDecision)
	post(suspensions+"/{id}/approve", approvers, p.approveDecision)
	post(suspensions+"/{id}/reject", approvers, p.rejectDecision)

	get(batches, gatherers, p.batches)
	post(batches, citySide, p.openBatch)
	get(batches+"/{id}", gatherers, p.batch)
	post(batches+"/{id}/gather", citySide, p.gather)
	post(batches+"/{id}/hand-in", citySide, p.handIn)

	get(units, readers, p.units)
	get(units+"/{id}", readers, p.unit)
	post(units, registrars, p.setUnit)
	get(root+"/members", overseers, p.members)
	post(root+"/members", registrars, p.assign)
	return all
}

// tiles are what waits for somebody, by their role.
func (p *pages) tiles(ctx context.Context, actor access.Actor) ([]web.Tile, error) {
	var all []web.Tile
	var counts map[enroll.State]int
	waiting := func(zh, en string, urgent bool, states ...enroll.State) {
		n, path := 0, applications+"?"
		for _, s := range states {
			n += counts[s]
			path += "state=" + string(s) + "&"
		}
		if n > 0 {
			all = append(all, web.Tile{Label: web.Text{ZH: zh, EN: en}, Path: path[:len(path)-1], Count: n, Urgent: urgent})
		}
	}
	if actor.Has(applicant) || actor.Has(city) || actor.Has(registrar) {
		var err error
		if counts, err = p.Desk.Enroll.Counts(ctx, actor); err != nil {
			return nil, err
		}
	}
	if actor.Has(applicant) {
		waiting("被退回、须更正", "Returned, to be corrected", true, enroll.StateReturned)
		waiting("等待您接受", "Wait for your acceptance", true, enroll.StateIssued)
		waiting("草稿", "Drafts", false, enroll.StateDraft)
	}
	if actor.Has(city) {
		waiting("等待汇总", "To be gathered", true, enroll.StateSubmitted)
	}
	if actor.Has(registrar) {
		waiting("等待接收", "To be received", false, enroll.StateSubmitted, enroll.StateGathered)
		waiting("等待原件", "Wait for the original", false, enroll.StateReceived)
		waiting("等待审核", "To be examined", true, enroll.StateOriginal)
		waiting("已批准、正在办理", "Approved, being carried out", false, enroll.StateApproved)
		usb, err := p.keyTiles(ctx, actor)
		if err != nil {
			return nil, err
		}
		all = append(all, usb...)
		waiting("有异议", "Objected to", true, enroll.StateObjected)
		waiting("已接受、可办结", "Accepted, to be closed", false, enroll.StateAccepted)
	}
	if actor.Has(approver) {
		n, err := p.Access.CountOpen(ctx, actor)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			all = append(all, web.Tile{Label: web.Text{ZH: "等待您审批", EN: "Wait for your decision"}, Path: approvals, Count: n, Urgent: true})
		}
	}
	return all, nil
}

// sayable reports whether a page can say what was wrong and let its reader go on. Kinds that it leaves to the page of errors
// can be added to those that are nobody's mistake.
func sayable(err error, except ...fault.Kind) bool {
	f, known := fault.Of(err)
	return known && f.Kind != fault.Internal && !slices.Contains(except, f.Kind)
}
