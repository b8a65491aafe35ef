//go:build cgo && !windows

package agent

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/store"
	"yinxin/sealer/sealertest"
	"yinxin/sealer/verify"
)

// browser is somebody who is signed in to the pages of a server.
type browser struct {
	s      *server
	cookie string
}

func (s *server) browser(actor string) browser {
	s.w.t.Helper()
	token := strings.ToLower(rand.Text() + rand.Text())
	sum := sm3.Sum([]byte(token))
	s.w.must(s.w.DB.Write(s.w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(s.w.t.Context(), `INSERT INTO login_session (id, actor, method, address, agent, created, seen) VALUES ($1, $2, 'password', '', '', $3, $3)`,
			hex.EncodeToString(sum[:]), actor, store.Time(s.w.now.read()))
		return err
	}))
	return browser{s, "yinxin-session=" + token}
}

// call gives the body of an answer, which must have the status.
func (b browser) call(method, path, contentType string, body []byte, status int, header ...string) []byte {
	b.s.w.t.Helper()
	r, err := http.NewRequestWithContext(b.s.w.t.Context(), method, b.s.http.URL+path, bytes.NewReader(body))
	b.s.w.must(err)
	r.Header.Set("Cookie", b.cookie)
	r.Header.Set("Content-Type", contentType)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	b.s.w.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	b.s.w.must(err)
	if answer.StatusCode != status {
		b.s.w.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, text)
	}
	return text
}

// stands says whether the page of a task has the word for its state.
func stands(page []byte, word string) bool {
	return bytes.Contains(page, []byte("</span>"+word+"</span> 共 1 份"))
}

// TestATaskOfThePageIsSealedAtTheTerminal: the clerk pairs on a page, orders as the script of the desk does, seals at the terminal, and
// reads on the page of the task that it is done.
func TestATaskOfThePageIsSealedAtTheTerminal(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	b := s.browser(w.Clerk.ID)
	const asForm, asJSON = "application/x-www-form-urlencoded", "application/json"
	code := regexp.MustCompile(`class="pairing">([0-9A-Z-]{24})<`).FindSubmatch(b.call("POST", "/account/terminals", asForm, nil, 200))
	if code == nil {
		t.Fatal("the page shows no code")
	}
	folder, err := OpenFolder(t.TempDir() + "/terminal")
	w.must(err)
	made, err := folder.Pair(t.Context(), Pairing{URL: s.http.URL, Code: string(code[1]), Name: "窗口"}, w.now.read)
	w.must(err)
	a, err := New(Agent{Folder: folder, Device: w.device, Desk: &clerk{}, Viewer: &blank{}, Clock: w.now.read}, made)
	w.must(err)
	a.wait = w.waiting
	file := original(t, 3)
	ordered := func(key string) (page, id string) {
		order := map[string]any{"document": w.Upload(file).ID, "order": map[string]any{"seal": sealertest.Code, "placements": []any{map[string]any{"page": 1, "from": "bottom-left", "x": 20, "y": 20}}}}
		body, err := json.Marshal(map[string]any{"items": []any{order}})
		w.must(err)
		var task struct{ ID string }
		w.must(json.Unmarshal(b.call("POST", "/v1/key-tasks", asJSON, body, 201, "Idempotency-Key: page-"+key), &task))
		return "/clerk/tasks/" + task.ID, task.ID
	}
	page, _ := ordered("declined")
	if said := b.call("GET", page, "", nil, 200); !stands(said, "等待签章终端") || bytes.Contains(said, []byte("download")) {
		t.Errorf("before: %s", said)
	}
	// What a person declines at the terminal stays so.
	a.Desk = &clerk{answer: No}
	wants(t, a.Once(t.Context()), "agent.declined")
	if said := b.call("GET", page, "", nil, 200); !bytes.Contains(said, []byte(ErrDeclined.ZH)) || !stands(said, "已拒绝") || bytes.Contains(said, []byte("/retry")) {
		t.Errorf("declined: %s", said)
	}
	// What failed there is tried again from the page.
	page, id := ordered("sealed")
	claim, err := a.service.claim(t.Context(), id)
	w.must(err)
	w.must(a.service.decline(t.Context(), id, claim.Items[0].ID, ErrWrongKey.Code))
	w.must(a.service.release(t.Context(), id))
	if said := b.call("GET", page, "", nil, 200); !bytes.Contains(said, []byte(ErrWrongKey.ZH)) || !stands(said, "失败") {
		t.Errorf("failed: %s", said)
	}
	b.call("POST", page+"/retry", asForm, nil, 303)
	a.Desk = &clerk{}
	w.must(a.Once(t.Context()))
	said := b.call("GET", page, "", nil, 200)
	link := regexp.MustCompile(`href="(/v1/documents/[a-z0-9_]+/content)"`).FindSubmatch(said)
	if !stands(said, "已完成") || link == nil {
		t.Fatalf("after: %s", said)
	}
	sealed := b.call("GET", string(link[1]), "", nil, 200)
	if v := w.verdict(sealed); v != verify.Valid || !bytes.HasPrefix(sealed, file) {
		t.Errorf("%s", v)
	}
	// The live state is over with it: the answer ends by itself.
	if events := b.call("GET", page+"/events", "", nil, 200); !bytes.Contains(events, []byte("event: state")) || !bytes.HasSuffix(bytes.TrimSpace(events), []byte("event: end\ndata:")) {
		t.Errorf("%s", events)
	}
	// To somebody else none of it is there.
	w.Actor("stranger", "operator")
	stranger := s.browser("stranger")
	for _, path := range []string{page, page + "/events", string(link[1])} {
		stranger.call("GET", path, "", nil, 404)
	}
	for _, path := range []string{page + "/retry", page + "/cancel", "/account/terminals/" + mustServer(t, folder).Terminal + "/remove"} {
		stranger.call("POST", path, asForm, nil, 404)
	}
	if said := stranger.call("GET", "/account/terminals", "", nil, 200); bytes.Contains(said, []byte("窗口")) {
		t.Error("another's terminal is listed")
	}
	b.call("POST", "/account/terminals/"+mustServer(t, folder).Terminal+"/remove", asForm, nil, 303)
	wants(t, a.Once(t.Context()), "terminal.unauthenticated")
}
