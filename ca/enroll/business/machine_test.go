package business_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// machine has random people try random businesses with a real authority and a real register, and holds the database
// against what may stand in it.
type machine struct {
	*world
	apps      []string          // applications that were filed
	examiners map[string]string // by application
	tokens    map[string]token  // the USB Key of an actor
	reached   map[string]int
	begun     time.Time
}

// The machine's people beside those of the world.
var second, both = access.Actor{ID: "second"}, access.Actor{ID: "both"}

func TestNothingIsMadeOrEndedWithoutTwoPeople(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("25"); err != nil { // a check takes a second
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }()
	}
	reached := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		w := sqliteWorld(t)
		for id, roles := range map[string][]access.Role{second.ID: {access.RoleRegistrar}, both.ID: {access.RoleRegistrar, access.RoleApprover}} {
			_, err := w.access.CreateActor(t.Context(), access.Actor{ID: id, Name: id, Roles: roles})
			w.must(err)
		}
		m := &machine{world: w, examiners: map[string]string{}, tokens: map[string]token{}, reached: reached, begun: w.time()}
		for range rapid.IntRange(0, 3).Draw(r, "head start") {
			m.whole(r)
		}
		r.Repeat(map[string]func(*rapid.T){
			"apply": m.apply, "whole": m.whole, "whole 2": m.whole, "approve": m.approve, "carry out": m.carryOut, "carry out 2": m.carryOut,
			"issue key": m.issueKey, "issue key 2": m.issueKey, "answer": m.answer, "answer 2": m.answer, "renew": m.renew, "renew 2": m.renew,
			"answer a renewal": m.answerRenewal, "suspend": m.suspend, "decide": m.decide, "unlock": m.unlock, "time": m.passTime, "forge": m.forge,
			"": m.check,
		})
	})
	t.Logf("reached %v", reached)
	// What is taken at least ten times in every hundred, so that its absence is no chance; the log shows the others.
	for _, step := range []string{"apply 新申请", "apply 印模变更", "apply US02", "approved", "same person", "carried out", "key", "accepted", "renewed central",
		"suspended", "forged", "carried out by an impostor"} {
		if reached[step] == 0 {
			t.Errorf("never: %s; the test shows nothing about it", step)
		}
	}
}

func (m *machine) people() []access.Actor {
	return []access.Actor{m.registrar, second, m.approver, both, m.handler, m.platform,
		{ID: m.handler.ID, Roles: []access.Role{access.RoleRegistrar, access.RoleApprover}}, {ID: "nobody", Roles: []access.Role{access.RoleRegistrar}}}
}

func (m *machine) anybody(r *rapid.T) access.Actor {
	return rapid.SampledFrom(m.people()).Draw(r, "by")
}

func isRegistrar(by access.Actor) bool {
	return slices.Contains([]string{"registrar", "second", "both"}, by.ID)
}

// ok counts a step that was taken, and refuses an error that is not one which a person could be told.
func (m *machine) ok(r *rapid.T, step string, err error) bool {
	if err == nil {
		m.reached[step]++
		return true
	}
	if f, ok := fault.Of(err); !ok || f.Kind == fault.Internal {
		r.Fatalf("%s: %v", step, err)
	}
	m.reached["refused: "+step+" "+fault.CodeOf(err)]++
	return false
}

func (m *machine) texts(query string, args ...any) []string {
	rows, err := m.db.Read().QueryContext(context.Background(), query, args...)
	m.must(err)
	defer rows.Close()
	var list []string
	for rows.Next() {
		var text string
		m.must(rows.Scan(&text))
		list = append(list, text)
	}
	m.must(rows.Err())
	return list
}

// form draws a business of the unit, about one of its seals.
func (m *machine) form(r *rapid.T) (string, form.Application, []enroll.Person) {
	seals := m.texts(`SELECT code FROM seal ORDER BY code`)
	kind := "新申请"
	if len(seals) > 0 {
		kind = rapid.SampledFrom([]string{"新申请", "印模变更", "机构变更", "补办", "解锁", "注销", "US02"}).Draw(r, "business")
	}
	b := map[string][]form.Business{"新申请": {form.New}, "印模变更": {form.ImprintChange}, "机构变更": {form.OrganisationChange, form.ImprintChange},
		"补办": {form.KeyReplacement}, "解锁": {form.KeyUnlock}, "注销": {form.Cancellation}, "US02": {form.ImprintChange}}[kind]
	former := m.unit.Name
	if kind == "机构变更" {
		m.unit.Name = rapid.SampledFrom([]string{"临江省云山市档案和史志馆", "临江省云山市综合档案馆"}).Draw(r, "name")
		_, err := m.enroll.SetUnits(context.Background(), m.registrar, []enroll.Unit{m.unit})
		m.must(err)
	}
	f := m.filled(b...)
	if kind != "新申请" {
		f.Seal.Code = rapid.SampledFrom(seals).Draw(r, "seal")
	}
	if kind == "机构变更" {
		f.FormerName = former
	}
	f.Methods = rapid.SampledFrom([][]form.Method{{form.Central}, {form.Distributed}, {form.Central, form.Distributed}}).Draw(r, "methods")
	var roster []enroll.Person
	if slices.Contains(f.Methods, form.Distributed) && kind != "注销" && kind != "补办" && kind != "解锁" {
		roster = append(roster, m.person(3, userPerson, enroll.StatusActive))
		if rapid.Bool().Draw(r, "two users") || kind == "US02" {
			roster = append(roster, m.person(4, otherPerson, enroll.StatusActive))
		}
		if kind == "US02" {
			roster[0].Status = enroll.StatusWithdrawn
		}
	}
	if kind == "补办" || kind == "解锁" {
		who := rapid.SampledFrom([]fixtures.Person{userPerson, otherPerson}).Draw(r, "who")
		f.Methods = []form.Method{form.Distributed}
		f.Key = form.Key{Holder: who.Name, Serial: "YX-" + who.Name}
		f.Personal.KeyHolderIdentity = who.IdentityNumber
		if kind == "解锁" {
			f.Key.Serial = tokenOf(who)
		}
	}
	return kind, f, roster
}

func tokenOf(p fixtures.Person) string { return "YX" + p.IdentityNumber[4:] }

// apply files an application and has it examined.
func (m *machine) apply(r *rapid.T) { m.file(r) }

func (m *machine) file(r *rapid.T) (id string) {
	ctx := context.Background()
	kind, f, roster := m.form(r)
	a, err := m.enroll.Create(ctx, m.handler, "unit", f)
	if !m.ok(r, "create", err) {
		return ""
	}
	a = m.with(m.enroll.AcceptAgreement(ctx, m.handler, a.Ref(), "2026-01"))
	for _, kind := range []enroll.AttachmentKind{enroll.AttachForm, enroll.AttachCredit, enroll.AttachIdentity} {
		a = m.with(m.enroll.AddAttachment(ctx, m.handler, a.Ref(), enroll.Scan{Kind: kind, Content: picture(m.t, 8)}))
	}
	if len(roster) > 0 {
		a = m.with(m.enroll.AttachRoster(ctx, m.handler, a.Ref(), m.time().Format(time.DateOnly), roster))
	}
	if a, err = m.enroll.Submit(ctx, m.handler, a.Ref()); !m.ok(r, "submit", err) {
		return ""
	}
	a = m.inked(a)
	by := rapid.SampledFrom([]access.Actor{m.registrar, second, both, m.handler}).Draw(r, "examiner")
	if a, err = m.enroll.Examine(ctx, by, a.Ref()); !m.ok(r, "apply "+kind, err) {
		return ""
	}
	if !isRegistrar(by) {
		r.Fatalf("%s examined", by.ID)
	}
	m.apps, m.examiners[a.ID] = append(m.apps, a.ID), by.ID
	return a.ID
}

func (m *machine) app(r *rapid.T) (enroll.Application, bool) {
	if len(m.apps) == 0 {
		return enroll.Application{}, false
	}
	// Most of the time one that is not at its end.
	id := rapid.SampledFrom(m.apps[max(0, len(m.apps)-4):]).Draw(r, "application")
	return m.again(enroll.Application{ID: id}), true
}

func (m *machine) approve(r *rapid.T) {
	if a, ok := m.app(r); ok {
		m.approveBy(r, a, m.anybody(r))
	}
}

func (m *machine) approveBy(r *rapid.T, a enroll.Application, by access.Actor) {
	_, err := m.enroll.Approve(context.Background(), by, a.Ref())
	if by.ID == m.examiners[a.ID] && fault.Has(err, access.ErrSamePerson) {
		m.reached["same person"]++
	}
	if m.ok(r, "approved", err) && (by.ID == m.examiners[a.ID] || by.ID != "approver" && by.ID != "both") {
		r.Fatalf("%s approved what %s examined", by.ID, m.examiners[a.ID])
	}
}

func (m *machine) carryOut(r *rapid.T) {
	a, ok := m.app(r)
	if !ok {
		return
	}
	by := m.anybody(r)
	if rapid.Bool().Draw(r, "by the service") {
		by = access.Actor{}
	}
	err := m.CarryOut(context.Background(), by, a.ID)
	if fault.Has(err, access.ErrRole) {
		m.reached["carried out by an impostor"]++
	}
	if m.ok(r, "carried out", err) && (by.ID != "" && !isRegistrar(by) || !a.State.Carried()) {
		r.Fatalf("%s carried out an application that is %s", by.ID, a.State)
	}
}

// issueKey brings somebody with a USB Key to the counter.
func (m *machine) issueKey(r *rapid.T) {
	a, ok := m.app(r)
	users := m.texts(`SELECT actor FROM business_user ORDER BY actor`)
	if !ok || len(users) == 0 {
		return
	}
	m.issueTo(r, a.ID, rapid.SampledFrom(append(users, "platform")).Draw(r, "user"), m.anybody(r), rapid.IntRange(0, 3).Draw(r, "another Key") == 0)
}

func (m *machine) issueTo(r *rapid.T, application, user string, by access.Actor, another bool) {
	key, has := m.tokens[user]
	if !has || another {
		key = newToken(m.t)
		m.tokens[user] = key
	}
	_, err := m.IssueKey(context.Background(), by, application, user, key.request(m.t))
	if m.ok(r, "key", err) && !isRegistrar(by) {
		r.Fatalf("%s issued a Key", by.ID)
	}
}

// answer is what holder and office say of what was made.
func (m *machine) answer(r *rapid.T) {
	a, ok := m.app(r)
	if !ok {
		return
	}
	ctx, by := context.Background(), m.anybody(r)
	var err error
	steps := map[enroll.State][]string{enroll.StateApproved: {"aborted"}, enroll.StateIssued: {"accepted", "accepted", "objected"}, enroll.StateObjected: {"settled", "settled", "closed"}}[a.State]
	if len(steps) == 0 || rapid.IntRange(0, 5).Draw(r, "out of turn") == 0 {
		steps = []string{"accepted", "objected", "aborted", "settled", "closed"}
	}
	if rapid.Bool().Draw(r, "by the registrar") {
		by = m.registrar
	}
	step := rapid.SampledFrom(steps).Draw(r, "answer")
	switch step {
	case "accepted":
		_, err = m.enroll.Accept(ctx, by, a.Ref())
	case "objected":
		_, err = m.enroll.Object(ctx, by, a.Ref(), "名称有误")
	case "aborted":
		_, err = m.enroll.Abort(ctx, by, a.Ref(), "介质损坏")
	case "settled":
		m.release(r, a.ID)
		_, err = m.enroll.Settle(ctx, by, a.Ref(), "已更正")
	case "closed":
		_, err = m.enroll.Close(ctx, by, a.Ref(), "已办")
	}
	if m.ok(r, step, err) && !isRegistrar(by) && by.ID != "handler" {
		r.Fatalf("%s by %s", step, by.ID)
	}
}

// release ends, by two people, the holds of an application.
func (m *machine) release(r *rapid.T, application string) {
	ctx := context.Background()
	for _, serial := range m.texts(`SELECT s.serial FROM ca_status s JOIN business_act b ON b.result = s.serial WHERE b.application = $1 AND s.state = 'held'`, application) {
		n := number(serial)
		id, err := m.access.Request(ctx, m.registrar, access.KindResumeCertificate, ca.ResumeSubject(n))
		m.must(err)
		m.must(m.access.Approve(ctx, m.approver, id))
		m.ok(r, "released", m.Authority.Resume(ctx, id, n))
	}
}

func number(serial string) *big.Int {
	octets, _ := hex.DecodeString(serial)
	return new(big.Int).SetBytes(octets)
}

// whole takes an application through an honest office, so that seals come into use.
func (m *machine) whole(r *rapid.T) {
	id := m.file(r)
	if id == "" {
		return
	}
	ctx := context.Background()
	by := m.approver
	if rapid.IntRange(0, 3).Draw(r, "by both") == 0 {
		by = both
	}
	m.approveBy(r, m.again(enroll.Application{ID: id}), by)
	if !m.again(enroll.Application{ID: id}).State.Carried() {
		return
	}
	m.ok(r, "carried out", m.CarryOut(ctx, m.registrar, id))
	for _, user := range m.texts(`SELECT actor FROM business_user ORDER BY actor`) {
		if len(m.texts(`SELECT kind FROM business_act WHERE application = $1 AND kind = 'certificate' AND content LIKE $2`, id, `%"group":"`+user+`"%`)) > 0 {
			m.issueTo(r, id, user, m.registrar, rapid.Bool().Draw(r, "another Key"))
		}
	}
	if rapid.IntRange(0, 4).Draw(r, "left waiting") > 0 {
		_, err := m.enroll.Accept(ctx, m.handler, m.again(enroll.Application{ID: id}).Ref())
		m.ok(r, "accepted", err)
	}
}

func (m *machine) renew(r *rapid.T) {
	ctx := context.Background()
	serials := m.texts(`SELECT serial FROM ca_certificate WHERE profile IN ('institution', 'personal', 'encryption') ORDER BY created DESC, serial LIMIT 8`)
	if len(serials) == 0 {
		return
	}
	if list := m.texts(`SELECT c.serial FROM seal_instance i JOIN ca_certificate c ON c.certificate = i.certificate WHERE i.state = 'active' ORDER BY c.created`); len(list) > 0 && rapid.IntRange(0, 3).Draw(r, "any") > 0 {
		serials = list
	}
	serial := rapid.SampledFrom(serials).Draw(r, "certificate")
	_, err := m.RenewCentral(ctx, number(serial))
	m.ok(r, "renewed central", err)
	holders := m.texts(`SELECT actor FROM business_holding WHERE serial = $1`, serial)
	if len(holders) == 0 {
		return
	}
	by := rapid.SampledFrom(append(m.people(), access.Actor{ID: holders[0]})).Draw(r, "by")
	key := m.tokens[holders[0]]
	if rapid.Bool().Draw(r, "another key") {
		key = newToken(m.t)
	}
	_, err = m.RenewKey(ctx, by, number(serial), key.request(m.t))
	if m.ok(r, "renewed key", err) && !isRegistrar(by) && by.ID != holders[0] {
		r.Fatalf("%s renewed the Key of %s", by.ID, holders[0])
	}
}

func (m *machine) answerRenewal(r *rapid.T) {
	ctx := context.Background()
	list, err := m.Renewals(ctx, "", 100)
	m.must(err)
	if len(list) == 0 {
		return
	}
	n := rapid.SampledFrom(list[max(0, len(list)-3):]).Draw(r, "renewal")
	by := rapid.SampledFrom(append(m.people(), access.Actor{ID: n.Holder})).Draw(r, "by")
	if by.ID == "" || rapid.Bool().Draw(r, "by the registrar") {
		by = m.registrar
	}
	step := rapid.SampledFrom([]string{"renewal accepted", "renewal objected", "renewal objected"}).Draw(r, "answer")
	if step == "renewal accepted" {
		err = m.AcceptRenewal(ctx, by, n.ID)
	} else {
		err = m.ObjectToRenewal(ctx, by, n.ID, "不同意")
	}
	if m.ok(r, step, err) && !isRegistrar(by) && by.ID != n.Holder {
		r.Fatalf("%s: %s", by.ID, step)
	}
}

func (m *machine) suspend(r *rapid.T) {
	holders := m.texts(`SELECT holder FROM business_user ORDER BY holder`)
	if len(holders) == 0 {
		return
	}
	_, err := m.enroll.SuspendAtOnce(context.Background(), m.anybody(r), rapid.SampledFrom(holders).Draw(r, "holder"), "来电称 USB Key 丢失")
	m.ok(r, "suspended", err)
}

func (m *machine) decide(r *rapid.T) {
	ctx := context.Background()
	list, err := m.enroll.Suspensions(ctx, m.registrar, enroll.SuspensionOpen)
	m.must(err)
	if len(list) == 0 {
		return
	}
	x := rapid.SampledFrom(list).Draw(r, "suspension")
	if rapid.Bool().Draw(r, "request") {
		if y, err := m.enroll.RequestDecision(ctx, m.anybody(r), x.Ref(), rapid.Bool().Draw(r, "confirm")); m.ok(r, "decision requested", err) {
			x = y
		}
	}
	_, err = m.enroll.ApproveDecision(ctx, m.anybody(r), x.Ref())
	m.ok(r, "decided", err)
}

func (m *machine) unlock(r *rapid.T) {
	ctx := context.Background()
	for _, p := range []fixtures.Person{userPerson, otherPerson} {
		holder, err := m.enroll.HolderIn(ctx, m.db.Read(), "unit", p.IdentityNumber)
		m.must(err)
		if users := m.texts(`SELECT actor FROM business_user WHERE holder = $1`, holder); len(users) == 1 && len(m.texts(`SELECT serial FROM business_token WHERE serial = $1`, tokenOf(p))) == 0 {
			_, err = m.RegisterToken(ctx, m.registrar, tokenOf(p), users[0])
			m.must(err)
		}
	}
	if a, ok := m.app(r); ok {
		by := m.anybody(r)
		_, err := m.ReleaseSOPIN(ctx, by, a.ID)
		if m.ok(r, "SO PIN", err) && (!isRegistrar(by) || !a.State.Carried()) {
			r.Fatalf("%s has an SO PIN of an application that is %s", by.ID, a.State)
		}
	}
}

// passTime moves the clock, at most six years in all, and lets the service do what is due.
func (m *machine) passTime(r *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 24 * time.Hour, 8 * 24 * time.Hour, 31 * 24 * time.Hour, 340 * 24 * time.Hour, 2 * 366 * 24 * time.Hour}).Draw(r, "time")
	if m.time().Add(d).Sub(m.begun) > 6*366*24*time.Hour {
		return
	}
	// The service is not down until approvals run out: what it carries out in one week has its term in the next.
	for range 3 {
		if week := 8 * 24 * time.Hour; d > week {
			m.pass(week)
			m.due(r)
			d -= week
		}
	}
	m.pass(d)
	m.due(r)
}

func (m *machine) due(r *rapid.T) {
	ctx := context.Background()
	swept, err := m.enroll.Sweep(ctx)
	if !m.ok(r, "swept", err) {
		r.Fatal(err)
	}
	m.reached["silence"] += swept.Accepted
	m.ok(r, "carried out", m.CarryOutAll(ctx))
	settled, err := m.SettleRenewals(ctx)
	m.ok(r, "settling", err)
	m.reached["renewal settled"] += settled
	m.must(m.RetireKeys(ctx))
}

// forge writes past the code.
func (m *machine) forge(r *rapid.T) {
	approvals := m.texts(`SELECT id FROM access_approval ORDER BY id`)
	if len(approvals) == 0 {
		return
	}
	approval := rapid.SampledFrom(approvals).Draw(r, "approval")
	query := rapid.SampledFrom([]string{
		`UPDATE access_approval SET approver = requester WHERE id = $1`,
		`UPDATE access_approval SET used = 0, used_at = NULL WHERE id = $1 AND used = 1 AND kind IN ('certificate.issue', 'seal.make', 'seal.grant')`,
		`UPDATE ca_certificate SET approval = 'x' || $1 WHERE approval IS NOT NULL`,
		`UPDATE seal_instance SET approval_id = 'x' || $1`,
		`UPDATE seal_grant SET approval_id = 'x' || $1`,
		`UPDATE seal_instance SET state = 'active' WHERE state <> 'active' AND $1 <> '' AND EXISTS (SELECT 1 FROM seal_instance o
			WHERE o.seal_code = seal_instance.seal_code AND o.custody = seal_instance.custody AND o.holder = seal_instance.holder AND o.state = 'active')`,
		`INSERT INTO access_role (actor, role, granted, founding, approval, approval_kind, approval_used, side) VALUES ('handler', 'registrar', '', 0, 'x' || $1, 'role.grant', 1, 'use')`,
		`INSERT INTO ca_status_event (id, serial, certificate_state, position, action, reason, happened, cause, actor, approval, approval_kind, approval_used, crl)
			SELECT 'e', serial, 'issued', 99, 'revoke', 0, '', 'approval', 'handler', 'x' || $1, 'certificate.revoke', 1, 0 FROM ca_certificate WHERE profile = 'personal'`,
	}).Draw(r, "forgery")
	err := m.db.Write(context.Background(), func(tx *store.Tx) error {
		done, err := tx.ExecContext(context.Background(), query, approval)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return fmt.Errorf("the database let this pass: %s", query)
	})
	if err != nil && !store.IsCheck(err) && !store.IsForeignKey(err) && !store.IsUnique(err) {
		r.Fatal(err)
	}
	if err != nil {
		m.reached["forged"]++
	}
}

// none fails when a query finds rows: what the database holds is not what may stand in it.
func (m *machine) none(r *rapid.T, what, query string) {
	if list := m.texts(query); len(list) > 0 {
		r.Fatalf("%s: %v", what, list)
	}
}

// twoPeople is a condition on an approval p: two people with the right roles gave it, and it was used.
const twoPeople = ` p.requester <> p.approver AND p.used = 1
	AND EXISTS (SELECT 1 FROM access_role x WHERE x.actor = p.requester AND x.role = 'registrar')
	AND EXISTS (SELECT 1 FROM access_role x WHERE x.actor = p.approver AND x.role = 'approver')`

// check holds the rows against the promises, without the service.
func (m *machine) check(r *rapid.T) {
	m.none(r, "certificates without two people", `SELECT c.serial FROM ca_certificate c LEFT JOIN access_approval p ON p.id = c.approval AND p.kind = 'certificate.issue' AND`+twoPeople+`
		WHERE c.profile IN ('institution', 'personal', 'encryption') AND p.id IS NULL`)
	m.none(r, "instances without two people", `SELECT i.id FROM seal_instance i LEFT JOIN access_approval p ON p.id = i.approval_id AND p.kind = 'seal.make' AND`+twoPeople+` WHERE p.id IS NULL`)
	m.none(r, "grants without two people", `SELECT g.id FROM seal_grant g LEFT JOIN access_approval p ON p.id = g.approval_id AND p.kind = 'seal.grant' AND`+twoPeople+` WHERE p.id IS NULL`)
	m.none(r, "roles without two people", `SELECT o.actor FROM access_role o LEFT JOIN access_approval p ON p.id = o.approval AND p.kind = 'role.grant' AND`+twoPeople+` WHERE o.founding = 0 AND p.id IS NULL`)
	m.none(r, "ends without two people", `SELECT e.id FROM ca_status_event e LEFT JOIN access_approval p ON p.id = e.approval AND p.kind = 'certificate.' || e.action AND`+twoPeople+`
		WHERE p.id IS NULL AND NOT (e.cause = 'emergency' AND e.action = 'suspend' OR e.cause IN ('recovery', 'renewal') AND e.action = 'revoke')`)
	m.none(r, "cancelled without two people", `SELECT s.seal_code FROM seal_state s LEFT JOIN access_approval p ON p.id = s.approval_id AND p.kind = 'seal.cancel' AND`+twoPeople+` WHERE s.state = 'cancelled' AND p.id IS NULL`)
	m.none(r, "an approval was used twice", `SELECT a FROM (SELECT approval AS a FROM ca_certificate WHERE approval IS NOT NULL AND renews IS NULL
		UNION ALL SELECT approval_id FROM seal_instance WHERE renews IS NULL UNION ALL SELECT approval_id FROM seal_grant
		UNION ALL SELECT approval FROM ca_status_event WHERE approval IS NOT NULL UNION ALL SELECT approval FROM access_role WHERE approval IS NOT NULL) u GROUP BY a HAVING COUNT(*) > 1`)
	m.none(r, "renewed beyond five years", `SELECT serial FROM ca_certificate WHERE renews IS NOT NULL AND substr(created, 1, 4) - substr(approved, 1, 4) >= 5
		AND substr(created, 5) >= substr(approved, 5) OR renews IS NOT NULL AND substr(created, 1, 4) - substr(approved, 1, 4) > 5`)
	m.none(r, "in use though cancelled", `SELECT i.id FROM seal_instance i JOIN seal_state s ON s.seal_code = i.seal_code WHERE s.state = 'cancelled' AND i.state = 'active'`)
	m.none(r, "in use with a revoked certificate", `SELECT i.id || ' ' || i.custody || ' ' || s.reason || ' ' || COALESCE(i.renews, '') FROM seal_instance i JOIN ca_certificate c ON c.certificate = i.certificate
		JOIN ca_status s ON s.serial = c.serial WHERE s.state = 'revoked' AND i.state = 'active'`)
	m.none(r, "two in use for one holder", `SELECT seal_code FROM seal_instance WHERE state = 'active' GROUP BY seal_code, custody, holder HAVING COUNT(*) > 1`)
	m.none(r, "in use before acceptance", `SELECT i.id FROM seal_instance i WHERE i.state = 'active' AND i.renews IS NULL AND NOT EXISTS
		(SELECT 1 FROM business_act b JOIN enroll_application a ON a.id = b.application WHERE b.result = i.id AND a.state IN ('accepted', 'closed'))`)
	m.none(r, "a renewal in use before acceptance", `SELECT i.id FROM seal_instance i WHERE i.state = 'active' AND i.renews IS NOT NULL AND NOT EXISTS
		(SELECT 1 FROM business_renewed d JOIN business_renewal n ON n.id = d.renewal WHERE d.instance = i.id AND n.state = 'in-use')`)
	m.none(r, "a grant before acceptance", `SELECT g.id FROM seal_grant g JOIN access_request q ON q.id = g.approval_id JOIN enroll_application a ON a.examination = q.parent
		WHERE a.state NOT IN ('accepted', 'closed')`)
	m.none(r, "a central key of two seals in use", `SELECT key_name FROM seal_instance WHERE state = 'active' AND custody = 'central' GROUP BY key_name HAVING COUNT(DISTINCT seal_code) > 1`)
	m.none(r, "a grant of before a suspension began during it", `SELECT g.id FROM seal_grant g JOIN access_approval p ON p.id = g.approval_id JOIN access_request q ON q.id = p.id
		JOIN enroll_application a ON a.examination = q.parent JOIN business_act b ON b.application = a.id AND b.version = a.version AND b.number = q.part
		JOIN business_user u ON u.actor = g.actor_id JOIN enroll_suspension x ON x.holder = u.holder
		WHERE x.state = 'open' AND g.withdrawn = 0 AND p.approved < x.opened AND b.done > x.opened`)
	m.covered(r)
}

// covered compares what was made with what was approved.
func (m *machine) covered(r *rapid.T) {
	each := func(query string, see func(made, approved []byte, text string)) {
		rows, err := m.db.Read().QueryContext(context.Background(), query)
		m.must(err)
		defer rows.Close()
		for rows.Next() {
			var made, approved []byte
			var text string
			m.must(rows.Scan(&made, &approved, &text))
			see(made, approved, text)
		}
		m.must(rows.Err())
	}
	each(`SELECT c.request, q.subject, c.serial FROM ca_certificate c JOIN access_request q ON q.id = c.approval WHERE c.profile IN ('institution', 'personal', 'encryption')`,
		func(made, approved []byte, serial string) {
			if q, err := ca.ParseRequest(made); err != nil || !bytes.Equal(q.Terms(), approved) {
				r.Fatalf("certificate %s is not the one that was approved: %s", serial, approved)
			}
		})
	each(`SELECT CAST(i.seal_code || '|' || i.name || '|' || i.organisation || '|' || i.holder AS BLOB), q.subject, i.id FROM seal_instance i JOIN access_request q ON q.id = i.approval_id`,
		func(made, approved []byte, id string) {
			var o struct{ Code, Name, Organisation, Holder string }
			if err := json.Unmarshal(approved, &o); err != nil || o.Code+"|"+o.Name+"|"+o.Organisation+"|"+o.Holder != string(made) {
				r.Fatalf("instance %s, %s, is not the one that was approved: %s", id, made, approved)
			}
		})
	each(`SELECT CAST(e.serial AS BLOB), q.subject, CAST(e.reason AS TEXT) FROM ca_status_event e JOIN access_request q ON q.id = e.approval WHERE e.action = 'revoke'`,
		func(serial, approved []byte, reason string) {
			var n int
			_, _ = fmt.Sscan(reason, &n)
			if !bytes.Equal(ca.RevokeSubject(number(string(serial)), ca.Reason(n)), approved) {
				r.Fatalf("the revocation of %s is not the one that was approved: %s", serial, approved)
			}
		})
}
