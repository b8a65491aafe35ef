package terminal_test

import (
	"crypto/rand"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/internal/fault"
	"yinxin/keystore"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
)

// request makes a pairing request as somebody does who was told this code.
func (w *world) request(code manifest.Code) manifest.PairingRequest {
	w.t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	must(w.t, err)
	r, err := code.Request("窗口", &key.PublicKey, rand.Reader)
	must(w.t, err)
	return r
}

func (w *world) code() manifest.Code {
	w.t.Helper()
	code, _, err := w.service.OpenPairing(w.t.Context(), w.clerk)
	must(w.t, err)
	return code
}

// guessed is the code with another secret.
func guessed(t *testing.T, code manifest.Code) manifest.Code {
	t.Helper()
	text := []byte(code.Text())
	if last := &text[len(text)-1]; *last == '7' {
		*last = '8'
	} else {
		*last = '7'
	}
	wrong, err := manifest.ParseCode(string(text))
	must(t, err)
	return wrong
}

func TestACodePairsOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code := w.code()
		var all sync.WaitGroup
		errs := make([]error, 6)
		nodes := []*terminal.Service{w.service, w.anotherNode()}
		for i := range errs {
			r := w.request(code)
			all.Go(func() { _, errs[i] = nodes[i%2].Pair(t.Context(), r, "") })
		}
		all.Wait()
		paired := 0
		for _, err := range errs {
			if err == nil {
				paired++
			} else if fault.CodeOf(err) != "terminal.pairing-refused" {
				t.Error(err)
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM terminal`); paired != 1 || n != 1 {
			t.Errorf("%d paired, %d terminals", paired, n)
		}
		if n := w.count(`SELECT SUM(LENGTH(key)) FROM terminal_pairing`); n != 0 {
			t.Error("the key of a used code is kept")
		}
	})
}

func TestACodeEndsByTimeTriesAndTheNextOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		code := w.code()
		for range 4 {
			_, err := w.service.Pair(t.Context(), w.request(guessed(t, code)), "")
			wants(t, err, "terminal.pairing-refused")
		}
		malformed := w.request(code)
		malformed.Nonce = nil // of no terminal of ours: not counted
		_, err := w.service.Pair(t.Context(), malformed, "")
		wants(t, err, "terminal.pairing-request")
		_, err = w.service.Pair(t.Context(), w.request(guessed(t, code)), "")
		wants(t, err, "terminal.pairing-refused")
		_, err = w.service.Pair(t.Context(), w.request(code), "")
		wants(t, err, "terminal.pairing-refused")
		if n := w.count(`SELECT COUNT(*) FROM terminal_pairing WHERE state = 'ended' AND tries = 5 AND LENGTH(key) = 0`); n != 1 {
			t.Errorf("%d ended", n)
		}

		code = w.code()
		for range 4 {
			_, err := w.service.Pair(t.Context(), w.request(guessed(t, code)), "")
			wants(t, err, "terminal.pairing-refused")
		}
		_, err = w.service.Pair(t.Context(), w.request(code), "") // four tries do not end it
		must(t, err)

		code = w.code()
		w.now = w.now.Add(terminal.PairingLife)
		_, err = w.service.Pair(t.Context(), w.request(code), "")
		wants(t, err, "terminal.pairing-refused")

		code = w.code()
		next := w.code()
		_, err = w.service.Pair(t.Context(), w.request(code), "")
		wants(t, err, "terminal.pairing-refused")
		_, err = w.service.Pair(t.Context(), w.request(next), "")
		must(t, err)

		never, err := manifest.NewCode(rand.Reader)
		must(t, err)
		_, err = w.service.Pair(t.Context(), w.request(never), "")
		wants(t, err, "terminal.pairing-refused")
	})
}

func TestCodesAreForPeopleAndLimited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, err := w.service.OpenPairing(t.Context(), w.platform)
		wants(t, err, "terminal.person")
		for range 20 {
			w.code()
		}
		_, _, err = w.service.OpenPairing(t.Context(), w.clerk)
		wants(t, err, "terminal.too-many-codes")
		w.now = w.now.Add(time.Hour + time.Second)
		for range 20 {
			w.pair(w.clerk)
		}
		w.now = w.now.Add(time.Hour + time.Second)
		_, _, err = w.service.OpenPairing(t.Context(), w.clerk)
		wants(t, err, "terminal.too-many")
	})
}

func TestARequestIsOfAPairedTerminal(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		b, other := w.pair(w.clerk), w.pair(w.colleague)
		if at := b.at(); at.ID != b.id || at.Clerk.ID != w.clerk.ID {
			t.Errorf("%+v", at)
		}
		_, err := (&box{world: w, key: other.key, id: b.id}).try()
		wants(t, err, "terminal.unauthenticated")
		_, err = (&box{world: w, key: b.key, id: "trm_nobody"}).try()
		wants(t, err, "terminal.unauthenticated")
		header, err := manifest.Authorise(t.Context(), b, b.id, http.MethodGet, "/v1/terminal/tasks", nil, w.now)
		must(t, err)
		_, err = w.service.Authenticate(t.Context(), terminal.Request{Authorisation: header, Method: http.MethodGet, Target: "/v1/terminal/tasks?wait=1"})
		wants(t, err, "terminal.unauthenticated")
		w.now = w.now.Add(manifest.Tolerance + time.Second)
		_, err = w.service.Authenticate(t.Context(), terminal.Request{Authorisation: header, Method: http.MethodGet, Target: "/v1/terminal/tasks"})
		wants(t, err, "terminal.clock")
		b.at()
		list, err := w.service.Terminals(t.Context(), w.clerk)
		must(t, err)
		if len(list) != 1 || list[0].ID != b.id || !list[0].LastSeen.Equal(w.now) {
			t.Errorf("%+v", list)
		}
		if list, err = w.service.Terminals(t.Context(), w.admin); err != nil || len(list) != 2 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestAKeyForManifestsIsFollowedByAnother(t *testing.T) {
	alone(t, func(t *testing.T, w *world) {
		before := w.pair(w.clerk)
		_, err := w.service.RotateKey(t.Context(), w.clerk)
		wants(t, err, "access.role")
		name, err := w.service.RotateKey(t.Context(), w.admin)
		must(t, err)
		if name != "manifest-2" {
			t.Error(name)
		}
		after := w.pair(w.clerk)
		if before.pinned.Equal(after.pinned) {
			t.Error("the same key as before")
		}
		task := w.ask(1)
		item := before.claim(task.ID).Items[0]
		before.prepare(task.ID, item) // verified under the key that it pinned
		must(t, w.service.Release(t.Context(), before.at(), task.ID))
		after.claim(task.ID)
		after.prepare(task.ID, item)
		must(t, w.service.Release(t.Context(), after.at(), task.ID))
		before.claim(task.ID)
		must(t, w.keys.Ring(keystore.PurposeManifest).SetState(t.Context(), "manifest", keystore.StateSuspended))
		_, err = w.service.Prepare(t.Context(), before.at(), task.ID, item.ID)
		wants(t, err, "terminal.key-ended")
		if i := w.item(task.ID, 0); !i.State.Open() {
			t.Errorf("%+v", i)
		}
		self, err := w.service.Self(t.Context(), after.at())
		must(t, err)
		if self.Key != manifest.Fingerprint(after.pinned) || self.Clerk.ID != w.clerk.ID {
			t.Errorf("%+v", self)
		}
	})
}
