package api

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/sealer/terminal/manifest"
)

// province are the paths of what is the whole province's, with the reason why whoever may call the route sees each of it.
var province = map[string]string{
	"/v1/seals/{code}/status":      "印章状态信息查询 is for whoever uses seals or watches over them",
	"/v1/agreements/{version}":     "everybody signs the same agreement",
	"/account/agents/{name}":       "the program for terminals is the same for everybody",
	"/v1/renewals/{id}":            "TestAUSBKeyGetsItsCertificatesOverHTTP makes one and tries them",
	"GET /office/suspensions/{id}": "TestAUSBKeyGetsItsCertificatesOverHTTP makes one and tries it",
}

// strange is a world in which archives, units and bureaus have what is theirs, and others who have the same roles elsewhere.
type strange struct {
	*dossier
	ids     map[string]map[string]string // by the beginning of a path: parameters
	outside map[access.Role][]string
	owner   map[string]string // who has it
	cookies map[string]string
}

func newStrange(t *testing.T) *strange {
	a := newApplicant(t, true)
	for actor, role := range map[string]access.Role{"third": access.RoleOperator, "third-platform": access.RolePlatform, "city-2": access.RoleCity} {
		w := a.actor(actor, "第三个单位", role)
		a.keys[actor] = got(a.access.CreateKey(t.Context(), w.ID, "test"))(t)
	}
	s := &strange{dossier: a.create(a.form("new", "central")), ids: map[string]map[string]string{}, owner: map[string]string{}, cookies: map[string]string{},
		outside: map[access.Role][]string{access.RoleOperator: {"third"}, access.RolePlatform: {"third-platform"}, access.RoleApplicant: {"neighbour"},
			access.RoleCity: {"city-2"}, access.RoleRequester: {"requester-2"}}}
	s.attach("other", card(t))
	has := func(actor string, parameters map[string]string, prefixes ...string) {
		for _, p := range prefixes {
			s.ids[p], s.owner[p] = parameters, actor
		}
	}
	has("handler", map[string]string{"{id}": s.ID, "{attachment}": s.Attachments[0].ID}, app+"/{id}", "/office/applications/{id}")
	d := s.uploaded("clerk", onePage(t))
	has("clerk", map[string]string{"{id}": d.ID, "{number}": "1"}, "/v1/documents/{id}", "/clerk/documents/{id}")
	var sealed Sealing
	s.order("clerk", "k", order(d.ID)).is(201).into(&sealed)
	has("clerk", map[string]string{"{id}": sealed.ID}, "/v1/sealings/{id}", "/clerk/sealings/{id}")
	var batch SealingBatch
	s.send("clerk", "POST", sealingBatchPath, object{"order": object{"seal": sealCode, "placement": object{"page": 1, "x": 20, "y": 20}}, "files": []object{{"document": d.ID}}},
		"Idempotency-Key: b").is(202).into(&batch)
	has("clerk", map[string]string{"{id}": batch.ID}, "/v1/sealing-batches/{id}", "/clerk/batches/{id}")
	s.usbKey()
	b := s.newBox()
	var task KeyTask
	s.call("clerk", "POST", keyTaskPath, asBody(t, keyTask(d.ID)), asJSON, "Idempotency-Key: t").is(201).into(&task)
	has("clerk", map[string]string{"{id}": task.ID, "{task}": task.ID}, "/v1/key-tasks/{id}", "/clerk/tasks/{id}")
	has("clerk", map[string]string{"{code}": sealCode}, "/clerk/seals/{code}")
	has("handler", map[string]string{"{id}": s.unit}, "/office/units/{id}")
	has("clerk", map[string]string{"{id}": b.id}, "/v1/terminals/{id}", "/account/terminals/{id}")
	var hook Webhook
	s.send("clerk", "POST", webhookPath, object{"url": "https://platform.example/", "kinds": []string{"batch.done"}}).is(201).into(&hook)
	var ping struct{ Delivery string }
	s.call("clerk", "POST", webhookPath+"/"+hook.ID+"/ping", nil).is(202).into(&ping)
	has("clerk", map[string]string{"{id}": hook.ID, "{delivery}": ping.Delivery}, "/v1/webhooks/{id}")
	c := s.askedFor("one")
	has("clerk", map[string]string{"{id}": c.ID, "{number}": "1", "{page}": "1"}, "/v1/issuances/{id}", "/desk/{id}")
	o := s.orderOf(t)
	var asked struct{ ID string }
	s.send("requester", "POST", "/v1/certificate-requests", object{"profile": "personal", "organisation": o.Request.Organisation, "common_name": "王五", "csr": o.CSR},
		"Idempotency-Key: c").into(&asked)
	has("requester", map[string]string{"{id}": asked.ID}, "/v1/certificate-requests/{id}")
	var gathered struct{ ID string }
	s.send("city", "POST", "/v1/batches", object{"area": testArea, "title": "第四季度", "deadline": time.Now().AddDate(0, 0, 20).Format(time.RFC3339)}).is(201).into(&gathered)
	has("city", map[string]string{"{id}": gathered.ID}, "/v1/batches/{id}", "/office/batches/{id}")
	for p, parameters := range s.ids {
		for name, id := range parameters {
			if id == "" {
				t.Fatalf("%s of %s was not made", name, p)
			}
		}
	}
	return s
}

var parameterOf = regexp.MustCompile(`\{[^}]+\}`)

// attempt makes a request that would be right, were it the caller's own.
func (s *strange) attempt(r rule, actor string, parameters map[string]string) answer {
	s.t.Helper()
	path := parameterOf.ReplaceAllStringFunc(r.path, func(name string) string {
		if id, ok := parameters[name]; ok {
			return id
		}
		return name
	})
	if r.who.page != nil {
		return s.attemptPage(r, actor, path)
	}
	if rest, ok := strings.CutPrefix(r.path, app+"/{id}"); ok {
		body, fields := validBody(s.t, r.method+" "+rest, s.dossier)
		return s.call(actor, r.method, path, bytes.NewReader(body), fields...)
	}
	_, last, _ := strings.Cut(r.path, "}/")
	text, fields := "", []string(nil)
	switch last {
	case "answer":
		text = `{"result":"not-found","reason":"没有"}`
	case "deliver":
		text = `{"manner":"printed","identity_checked":true}`
	case "issue":
		text = `{"seal":"` + sealCode + `"}`
	case "unmask", "withdraw", "object":
		text = `{"reason":"核对"}`
	case "revocation":
		text = `{"reason":1}`
	case "receive", "pages":
		if r.method == http.MethodPost {
			return s.call(actor, r.method, path, bytes.NewReader(onePage(s.t)), asPDF)
		}
	}
	if strings.HasPrefix(r.path, batchPath) {
		fields = append(fields, `If-Match: "1"`)
	}
	if text == "" {
		return s.call(actor, r.method, path, nil, fields...)
	}
	return s.call(actor, r.method, path, strings.NewReader(text), append(fields, asJSON)...)
}

func (s *strange) attemptPage(r rule, actor, path string) answer {
	s.t.Helper()
	if s.cookies[actor] == "" {
		s.cookies[actor] = s.signIn(actor)
	}
	if r.method == http.MethodGet {
		return s.call("", r.method, path, nil, "Cookie: "+s.cookies[actor])
	}
	if strings.HasSuffix(path, "/pages") || strings.HasSuffix(path, "/receive") || strings.HasSuffix(path, "/scans") || strings.HasSuffix(path, "/roster") {
		var form bytes.Buffer
		m := multipart.NewWriter(&form)
		must(s.t, m.WriteField("kind", "other"))
		got(got(m.CreateFormFile("file", "a.pdf"))(s.t).Write(onePage(s.t)))(s.t)
		must(s.t, m.Close())
		return s.call("", r.method, path, &form, "Content-Type: "+m.FormDataContentType(), "Cookie: "+s.cookies[actor])
	}
	return s.post(s.cookies[actor], path, url.Values{"reason": {"核对"}, "seal": {sealCode}, "page": {"1"}, "x": {"20"}, "y": {"20"}, "key": {"k"}, "pick": {s.ID + ":1"}})
}

var shownCode = regexp.MustCompile(`data-code="([a-z.-]+)"`)

func (a answer) code() string {
	if found := shownCode.FindSubmatch(a.body); found != nil {
		return string(found[1])
	}
	var p Problem
	_ = json.Unmarshal(a.body, &p)
	return p.Code
}

// TestNobodyReachesWhatIsAnothers goes through every route with an identifier as those who may call it elsewhere: what is there
// is to them like what is not.
func TestNobodyReachesWhatIsAnothers(t *testing.T) {
	s := newStrange(t)
	tried := map[string]int{}
	for _, r := range s.server.rules {
		route := r.method + " " + r.path
		if r.who.anyone || !strings.Contains(r.path, "{") {
			continue
		}
		var outsiders []string
		for role, actors := range s.outside {
			if r.who.everybody || slices.Contains(r.who.roles, role) {
				outsiders = append(outsiders, actors...)
			}
		}
		if len(outsiders) == 0 || s.isProvinces(route) {
			continue // officers see all of it, or everybody does
		}
		prefix := ""
		for p := range s.ids {
			if len(p) > len(prefix) && (r.path == p || strings.HasPrefix(r.path, p+"/")) {
				prefix = p
			}
		}
		if prefix == "" {
			t.Errorf("%s: nothing of this kind is made here, nor is it the province's", route)
			continue
		}
		nothing := map[string]string{}
		for name, id := range s.ids[prefix] {
			if nothing[name] = id; name != "{number}" && name != "{page}" {
				nothing[name] = id[:len(id)-4] + "zzzz"
			}
		}
		for _, actor := range outsiders {
			tried[prefix]++
			a, none := s.attempt(r, actor, s.ids[prefix]), s.attempt(r, actor, nothing)
			if a.status != 404 || a.code() == "" || a.code() == "request.no-such-path" {
				t.Errorf("%s as %s: %d %s %.300s", route, actor, a.status, a.code(), a.body)
			}
			if none.status != a.status || none.code() != a.code() {
				t.Errorf("%s as %s: %d %s for what is another's, %d %s for what is not", route, actor, a.status, a.code(), none.status, none.code())
			}
		}
		if r.method == http.MethodGet && r.path == prefix { // its owner sees it: the identifiers are right
			if own := s.attempt(r, s.owner[prefix], s.ids[prefix]); own.status != 200 {
				t.Errorf("%s as %s: %d %.200s", route, s.owner[prefix], own.status, own.body)
			}
		}
	}
	for prefix := range s.ids {
		if tried[prefix] == 0 {
			t.Errorf("nothing was tried on %s", prefix)
		}
	}
	s.unchanged(t)
}

func (s *strange) isProvinces(route string) bool {
	for part := range province {
		if strings.Contains(route, part) {
			return true
		}
	}
	return false
}

// unchanged sees that nothing has changed.
func (s *strange) unchanged(t *testing.T) {
	for query, want := range map[string]int{
		`SELECT COUNT(*) FROM document`:                                2,
		`SELECT COUNT(*) FROM sealing`:                                 1,
		`SELECT COUNT(*) FROM sealing_batch WHERE state = 'running'`:   1,
		`SELECT COUNT(*) FROM terminal_task WHERE state = 'open'`:      1,
		`SELECT COUNT(*) FROM terminal WHERE ended = ''`:               1,
		`SELECT COUNT(*) FROM webhook_endpoint`:                        1,
		`SELECT COUNT(*) FROM webhook_delivery`:                        1,
		`SELECT COUNT(*) FROM issuance_case WHERE state = 'requested'`: 1,
	} {
		if n := s.count(query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}

// TestATerminalKnowsNothingOfOthers tries the routes of terminals as that of a clerk of another archive.
func TestATerminalKnowsNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	w.usbKey()
	b, other := w.newBox(), w.boxOf("stranger")
	var task KeyTask
	w.call("clerk", "POST", keyTaskPath, asBody(t, keyTask(w.uploaded("clerk", onePage(t)).ID)), asJSON, "Idempotency-Key: t").is(201).into(&task)
	names := []string{"{task}", task.ID, "{item}", "", "{job}", ""}
	claimed := func(at *box, fill ...string) {
		t.Helper()
		for _, r := range w.server.rules {
			if !r.who.terminal || !strings.Contains(r.path, "{") {
				continue
			}
			var body any
			switch {
			case strings.HasSuffix(r.path, "/decline"):
				body = object{"code": "agent.declined"}
			case strings.HasSuffix(r.path, "/complete"):
				body = object{"signature": []byte("no signature")}
			}
			path := routeTo(r.path, fill...)
			a, none := at.send(r.method, path, body), at.send(r.method, routeTo(r.path, "{task}", "tsk_none", "{item}", "itm_none", "{job}", "job_none"), body)
			if a.status < 400 && r.method != http.MethodDelete || a.status >= 500 || a.status != none.status || a.code() != none.code() {
				t.Errorf("%s %s: %d %s, of what is not %d %s", r.method, r.path, a.status, a.body, none.status, none.body)
			}
		}
	}
	var claim manifest.Claim
	b.send("POST", routeTo(manifest.RouteClaim, "{task}", task.ID), nil).is(200).into(&claim)
	var e manifest.Envelope
	b.send("POST", routeTo(manifest.RoutePrepare, "{task}", task.ID, "{item}", claim.Items[0].ID), nil).is(200).into(&e)
	m := got(manifest.Verify(e, manifest.Expected{Key: b.pinned, Terminal: b.id, Clerk: "clerk", Task: task.ID, Item: claim.Items[0].ID,
		Document: claim.Items[0].Document.ID, Seal: claim.Items[0].Seal, Now: time.Now()}))(t)
	names[3], names[5] = claim.Items[0].ID, m.Job
	claimed(other, names...)
	b.send("GET", routeTo(manifest.RouteFile, "{job}", m.Job), nil).is(200) // still the clerk's
}
