//go:build cgo && !windows

package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/api"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/release"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
	"yinxin/sealer/verify"
)

// server is the whole service over HTTP, and somebody in between who can do what a test asks for.
type server struct {
	w    *world
	room *terminal.Service
	http *httptest.Server
	sync.Mutex
	away      bool                       // the network is lost
	change    func(e *manifest.Envelope) // on its way
	completes int
	// Of most signatures the answers are given, then over is called, and no more arrive; 0: all do.
	most  int
	taken sync.WaitGroup
	over  func()
	agent string // the User-Agent instead of the one that came; empty: that
	// onTasks is called when a terminal asks for tasks.
	onTasks func()
}

func (w *world) server() *server {
	w.t.Helper()
	keys, err := keystore.Create(filepath.Join(w.t.TempDir(), "manifest keys"), keystore.Options{Passphrase: []byte("only a test"), Iterations: 1000})
	w.must(err)
	ring := keys.Ring(keystore.PurposeManifest)
	w.must(terminal.EnsureKey(w.t.Context(), ring))
	logins := login.New(login.Config{DB: w.DB, Ledger: w.Ledger, Access: w.Access, Clock: w.now.read})
	s := &server{w: w, room: terminal.New(terminal.Config{DB: w.DB, Ledger: w.Ledger, Access: w.Access, Sealer: w.Sealer, Keys: ring, Clock: w.now.read, Random: rand.Reader,
		Logins: logins, Name: "临江省电子印章系统"})}
	handler, err := api.New(api.Config{Sealer: w.Sealer, Register: w.Register, Access: w.Access, Authority: w.Authority, Ledger: w.Ledger, Terminals: s.room,
		Login:   logins,
		Scratch: filepath.Join(w.t.TempDir(), "scratch"), Clock: w.now.read})
	w.must(err)
	s.http = httptest.NewServer(s.between(handler))
	w.t.Cleanup(s.http.Close)
	return s
}

func (s *server) between(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.Lock()
		away := s.away
		s.Unlock()
		if s.onTasks != nil && r.URL.Path == manifest.RouteTasks {
			s.onTasks()
		}
		if s.agent != "" {
			r.Header.Set("User-Agent", s.agent)
		}
		switch {
		case away:
			panic(http.ErrAbortHandler)
		case strings.HasSuffix(r.URL.Path, "/prepare") && s.change != nil:
			s.changed(handler, rw, r)
		case strings.HasSuffix(r.URL.Path, "/complete"):
			s.complete(handler, rw, r)
		default:
			handler.ServeHTTP(rw, r)
		}
	})
}

// changed changes the manifest in an answer.
func (s *server) changed(handler http.Handler, rw http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	var e manifest.Envelope
	if err := json.Unmarshal(answer.Body.Bytes(), &e); err != nil || answer.Code != http.StatusOK {
		rw.WriteHeader(answer.Code)
		rw.Write(answer.Body.Bytes()) //nolint:errcheck // who asks notices
		return
	}
	s.change(&e)
	json.NewEncoder(rw).Encode(e) //nolint:errcheck // who asks notices
}

// complete counts signatures, and keeps some from arriving.
func (s *server) complete(handler http.Handler, rw http.ResponseWriter, r *http.Request) {
	s.Lock()
	s.completes++
	n := s.completes
	s.Unlock()
	if s.most > 0 && n > s.most {
		s.taken.Wait()
		s.over()
		panic(http.ErrAbortHandler)
	}
	if s.most > 0 {
		defer s.taken.Done()
	}
	handler.ServeHTTP(rw, r)
}

// paired is a terminal of the clerk.
func (s *server) paired(desk Desk, name string) *Agent { return s.pairedWith(s.w.Clerk, desk, name) }

func (s *server) pairedWith(who access.Actor, desk Desk, name string) *Agent {
	s.w.t.Helper()
	ctx := s.w.t.Context()
	folder, err := OpenFolder(filepath.Join(s.w.t.TempDir(), name))
	s.w.must(err)
	code, _, err := s.room.OpenPairing(ctx, who)
	s.w.must(err)
	made, err := folder.Pair(ctx, Pairing{URL: s.http.URL, Code: strings.ToLower(code.Text()), Name: name}, s.w.now.read)
	s.w.must(err)
	a, err := New(Agent{Folder: folder, Device: s.w.device, Desk: desk, Viewer: &blank{}, Clock: s.w.now.read}, made)
	s.w.must(err)
	a.wait = s.w.waiting
	return a
}

// task asks the clerk to seal files.
func (s *server) task(files int) (terminal.Task, [][]byte) {
	s.w.t.Helper()
	var originals [][]byte
	var orders []sealer.Order
	for n := range files {
		b := append(original(s.w.t, 3), fmt.Sprintf("%%%d\n", n)...)
		originals = append(originals, b)
		orders = append(orders, sealer.Order{Document: s.w.Upload(b).ID, Seal: code, Places: places()})
	}
	t, _, err := s.room.Create(s.w.t.Context(), s.w.Clerk, terminal.NewTask{Origin: "档案查询系统", Orders: orders, IdempotencyKey: rand.Text()})
	s.w.must(err)
	return t, originals
}

// sealed are the items that are sealed; each must be valid.
func (s *server) sealed(id string, originals [][]byte) int {
	s.w.t.Helper()
	t, err := s.room.Task(s.w.t.Context(), s.w.Clerk, id)
	s.w.must(err)
	n := 0
	for i, item := range t.Items {
		if item.State != manifest.ItemSealed {
			continue
		}
		n++
		d, err := s.w.Sealer.Document(s.w.t.Context(), s.w.Clerk, item.Result)
		s.w.must(err)
		b := s.w.Bytes(d)
		if v := s.w.verdict(b); v != verify.Valid || !bytes.HasPrefix(b, originals[i]) {
			s.w.t.Errorf("item %d: %s", i, v)
		}
	}
	return n
}

// TestTheWholeWay: the server prepares, the agent signs on the soft token, the verifier says valid.
func TestTheWholeWay(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	desk := &clerk{}
	a := s.paired(desk, "阅览室")
	self, err := a.Folder.Standing(t.Context(), mustServer(t, a.Folder), w.now.read)
	if err != nil || self.Name != "阅览室" || self.Clerk.ID != w.Clerk.ID {
		t.Fatalf("%+v, %v", self, err)
	}
	task, originals := s.task(5)
	w.must(a.Once(t.Context()))
	if n := s.sealed(task.ID, originals); n != 5 {
		t.Errorf("%d sealed", n)
	}
	if len(desk.asked) != 1 || len(desk.askedPIN) != 1 || desk.asked[0].Origin != "档案查询系统" || desk.asked[0].Items[0].Title != "复制件.pdf" {
		t.Errorf("asked %+v", desk.asked)
	}
	w.must(a.Once(t.Context())) // nothing waits any more
	if len(desk.asked) != 1 || len(desk.told) != 0 {
		t.Errorf("asked again, or told %v", desk.told)
	}
	list, err := s.room.Terminals(t.Context(), w.Clerk)
	if err != nil || list[0].Agent.Platform != runtime.GOOS+"/"+runtime.GOARCH || list[0].Standing != release.Unknown {
		t.Errorf("%+v, %v", list, err)
	}
	s.room.MinimumAgent, s.agent = "v1.2.0", "yinxin-agent/v1.1.0 (linux/amd64)"
	task, originals = s.task(1)
	for range 2 {
		w.must(a.Once(t.Context()))
	}
	if n := s.sealed(task.ID, originals); n != 1 || !slices.Equal(desk.told, []string{"agent.outdated"}) {
		t.Errorf("%d sealed, told %v", n, desk.told)
	}
	ended, err := a.Folder.Unpair(t.Context(), "", false, w.now.read)
	if err != nil || ended.URL != s.http.URL {
		t.Fatal(err)
	}
	wants(t, a.Once(t.Context()), "terminal.unauthenticated")
}

func mustServer(t *testing.T, f Folder) Server {
	t.Helper()
	c, err := f.Config()
	if err != nil || len(c.Servers) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	return c.Servers[0]
}

func TestPairingRefusals(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	a := s.paired(&clerk{}, "one")
	pair := func(p Pairing) error {
		_, err := newFolder(t).Pair(t.Context(), p, w.now.read)
		return err
	}
	code, _, err := s.room.OpenPairing(t.Context(), w.Clerk)
	w.must(err)
	wants(t, pair(Pairing{URL: s.http.URL, Code: "ABCD", Name: "x"}), "terminal.code")
	wants(t, pair(Pairing{URL: "http://seal.example", Code: code.Text(), Name: "x"}), "agent.insecure")
	wants(t, pair(Pairing{URL: s.http.URL, Code: code.Text()[:19] + "0000-0000", Name: "x"}), "terminal.code")
	other, err := manifest.NewCode(rand.Reader)
	w.must(err)
	wants(t, pair(Pairing{URL: s.http.URL, Code: code.Name() + other.Text()[4:], Name: "x"}), "terminal.pairing-refused")
	_, err = a.Folder.Pair(t.Context(), Pairing{URL: s.http.URL + "/", Code: code.Text(), Name: "x"}, w.now.read)
	wants(t, err, "agent.paired-already")
	t.Run("a server in between that does not know the code", func(t *testing.T) {
		key, err := newKey()
		w.must(err)
		fake := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			var q manifest.PairingRequest
			json.NewDecoder(r.Body).Decode(&q) //nolint:errcheck // a fake
			guess := manifest.StoredCode(q.Pairing, make([]byte, 32))
			json.NewEncoder(rw).Encode(guess.Answer(q, manifest.PairingAnswer{Terminal: "trm_1", Clerk: manifest.Person{ID: "clerk", Name: "clerk"}, Key: manifest.Point(&key.PublicKey), Time: w.now.read()})) //nolint:errcheck
		}))
		defer fake.Close()
		wants(t, pair(Pairing{URL: fake.URL, Code: code.Text(), Name: "x"}), "terminal.pairing-refused")
	})
}

// TestAManifestOfSomebodyElseIsRefused: forged, changed, or of another terminal.
func TestAManifestOfSomebodyElseIsRefused(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	desk := &clerk{}
	a := s.paired(desk, "one")
	task, originals := s.task(1)
	var elsewhere manifest.Envelope // of another terminal of the same clerk
	b := s.paired(&clerk{}, "two")
	_, err := b.service.claim(t.Context(), task.ID)
	w.must(err)
	var e manifest.Envelope
	w.must(b.link.call(t.Context(), "POST", route(manifest.RoutePrepare, "task", task.ID, "item", s.item(task.ID)), nil, &e, time.Minute))
	elsewhere = e
	w.must(b.service.release(t.Context(), task.ID))
	stranger, err := newKey()
	w.must(err)
	for _, c := range []struct {
		name, want string
		change     func(e *manifest.Envelope)
	}{
		{"an octet", "terminal.manifest-forged", func(e *manifest.Envelope) { e.Manifest[len(e.Manifest)/2] ^= 1 }},
		{"the signature", "terminal.manifest-forged", func(e *manifest.Envelope) { e.Signature[len(e.Signature)-1] ^= 1 }},
		{"the key", "terminal.manifest-forged", func(e *manifest.Envelope) {
			var m manifest.Manifest
			json.Unmarshal(e.Manifest, &m) //nolint:errcheck // it is ours
			*e, _ = manifest.Sign(t.Context(), ownKey{stranger}, m)
		}},
		{"the terminal", "terminal.other-terminal", func(e *manifest.Envelope) { *e = elsewhere }},
		{"the time", "terminal.manifest-expired", func(*manifest.Envelope) { w.now.move(6 * time.Minute) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.change = c.change
			claim, err := a.service.claim(t.Context(), task.ID)
			w.must(err)
			_, err = a.service.prepare(t.Context(), task.ID, claim.Items[0])
			wants(t, err, c.want)
			s.change = nil
		})
	}
	s.change = func(e *manifest.Envelope) { e.Manifest[0] ^= 1 }
	wants(t, a.Once(t.Context()), "agent.not-all")
	if n := s.sealed(task.ID, originals); n != 0 || len(desk.asked) != 0 || len(desk.askedPIN) != 0 {
		t.Errorf("%d sealed, asked %d times", n, len(desk.asked))
	}
}

func (s *server) item(task string) string {
	s.w.t.Helper()
	t, err := s.room.Task(s.w.t.Context(), s.w.Clerk, task)
	s.w.must(err)
	return t.Items[0].ID
}

// TestTwoAgentsRaceForATask: every item is sealed once.
func TestTwoAgentsRaceForATask(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	agents := []*Agent{s.paired(&clerk{}, "one"), s.paired(&clerk{}, "two")}
	task, originals := s.task(4)
	busy := &sync.Mutex{} // one USB Key, which is put from one terminal into the other
	errs := make([]error, len(agents))
	var work sync.WaitGroup
	for i, a := range agents {
		a.Desk.(*clerk).onAgree = func(Question) { busy.Lock() }
		a.Desk.(*clerk).retry = func(error) bool { return true }
		work.Go(func() {
			errs[i] = a.Once(t.Context())
			if len(a.Desk.(*clerk).asked) > 0 {
				busy.Unlock()
			}
		})
	}
	work.Wait()
	if n := s.sealed(task.ID, originals); n != 4 || s.completes != 4 {
		t.Errorf("%d sealed, %d signatures", n, s.completes)
	}
	for _, err := range errs {
		if err != nil && fault.CodeOf(err) != codeClaimed {
			t.Error(err)
		}
	}
	if len(agents[0].Desk.(*clerk).asked)+len(agents[1].Desk.(*clerk).asked) != 1 {
		t.Error("both were asked")
	}
}

// TestTheAgentDiesInTheMiddle: another process goes on with what is left.
func TestTheAgentDiesInTheMiddle(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	desk := &clerk{}
	a := s.paired(desk, "one")
	task, originals := s.task(4)
	ctx, kill := context.WithCancel(t.Context())
	s.most, s.over = 2, kill
	s.taken.Add(s.most)
	if err := a.Once(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := s.sealed(task.ID, originals); n != 2 {
		t.Fatalf("%d sealed", n)
	}
	s.most = 0
	again := &clerk{}
	b, err := New(Agent{Folder: a.Folder, Device: w.device, Desk: again, Viewer: &blank{}, Clock: w.now.read}, mustServer(t, a.Folder))
	w.must(err)
	b.wait = w.waiting
	w.must(b.Once(t.Context()))
	if n := s.sealed(task.ID, originals); n != 4 {
		t.Errorf("%d sealed", n)
	}
	if len(again.asked[0].Items) != 2 {
		t.Errorf("asked for %d", len(again.asked[0].Items))
	}
}

// TestTheNetworkGoesAndComes: a watching agent seals what came meanwhile.
func TestTheNetworkGoesAndComes(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	desk := &clerk{}
	a := s.paired(desk, "one")
	s.away = true
	ctx, stop := context.WithCancel(t.Context())
	waits := 0
	var task terminal.Task
	var originals [][]byte
	a.wait = func(c context.Context, d time.Duration) error {
		if d == claimEvery {
			return w.waiting(c, d)
		}
		if waits++; waits == 3 {
			task, originals = s.task(2)
			s.Lock()
			s.away = false
			s.Unlock()
		}
		return w.waiting(c, d)
	}
	s.onTasks = func() {
		s.Lock()
		defer s.Unlock()
		if s.completes == 2 { // and everybody is asked only when they were answered
			stop()
		}
	}
	w.must(a.Watch(ctx))
	if n := s.sealed(task.ID, originals); n != 2 || len(desk.told) != 1 || desk.told[0] != "agent.unreachable" {
		t.Errorf("%d sealed, told %v", n, desk.told)
	}
}

// TestTheMachineSleeps for longer than a claim and a manifest hold: the list goes on, and nobody is asked again.
func TestTheMachineSleeps(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	desk := &clerk{onPIN: func(PINQuestion) { w.now.move(10 * time.Minute) }}
	a := s.paired(desk, "one")
	task, originals := s.task(3)
	w.must(a.Once(t.Context()))
	if n := s.sealed(task.ID, originals); n != 3 || len(desk.asked) != 1 || len(desk.askedPIN) != 1 {
		t.Errorf("%d sealed, asked %d times", n, len(desk.asked))
	}
}

func TestTheClockOfTheTerminalIsOff(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	a := s.paired(&clerk{}, "one")
	a.link.clock = func() time.Time { return w.now.read().Add(10 * time.Minute) }
	s.task(1)
	wants(t, a.Once(t.Context()), "terminal.clock")
}
