package tsa_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/internal/fault"
)

func TestOrderedTokensHaveATimeEach(t *testing.T) {
	s := newScene(t)
	c := s.config()
	c.Ordering = true
	a, err := tsa.New(c)
	if err != nil {
		t.Fatal(err)
	}
	digest := cms.SM3.Sum(stamped)
	var lock sync.Mutex
	seen := map[time.Time]bool{}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 10 {
				raw, err := a.Stamp(context.Background(), cms.SM3, digest)
				if err != nil {
					t.Error(err)
					return
				}
				token, err := tsa.Parse(raw)
				if err != nil || !token.Info.Ordering || len(raw) > a.Size() {
					t.Errorf("%+v, %v, %d of %d octets", token, err, len(raw), a.Size())
					return
				}
				if r := token.Verify(context.Background(), digest, s.verifier(t)); !r.Good() {
					t.Error(r.Err)
				}
				lock.Lock()
				if seen[token.Info.Time] {
					t.Errorf("%v twice", token.Info.Time)
				}
				seen[token.Info.Time] = true
				lock.Unlock()
			}
		})
	}
	wait.Wait()
	if len(seen) != 40 || !seen[s.now.Truncate(time.Microsecond)] || !seen[s.now.Add(39*time.Microsecond)] {
		t.Errorf("%d times", len(seen))
	}
	// The clock goes back: by up to the accuracy the order is kept, beyond it nothing is stamped.
	s.now = s.now.Add(-time.Second + 40*time.Microsecond)
	if _, err := a.Stamp(t.Context(), cms.SM3, digest); err != nil {
		t.Error(err)
	}
	s.now = s.now.Add(-time.Microsecond)
	if _, err := a.Stamp(t.Context(), cms.SM3, digest); !fault.Has(err, tsa.ErrTime) {
		t.Errorf("%v", err)
	}
}

// genTime has no zeros at the end of its fraction, and no fraction of nothing.
func TestTheTimeIsWrittenAsDERWantsIt(t *testing.T) {
	for _, test := range []struct {
		part     time.Duration
		ordering bool
		want     string
	}{{0, true, "20260103030405Z"}, {500 * time.Millisecond, true, "20260103030405.5Z"}, {123456 * time.Microsecond, true, "20260103030405.123456Z"},
		{time.Microsecond, true, "20260103030405.000001Z"}, {500 * time.Millisecond, false, "20260103030405Z"}} {
		s := newScene(t)
		s.now = s.now.Truncate(time.Second).Add(test.part)
		c := s.config()
		c.Ordering = test.ordering
		a, err := tsa.New(c)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := a.Stamp(t.Context(), cms.SM3, cms.SM3.Sum(stamped))
		if err != nil || !strings.Contains(string(raw), "\x18"+string(rune(len(test.want)))+test.want) {
			t.Errorf("%v is not written as %s, %v", test.part, test.want, err)
		}
	}
}

func TestWithoutAReliableClockTheAnswerIsTimeNotAvailable(t *testing.T) {
	s := newScene(t)
	c := s.config()
	var wrong error
	c.Time = func(context.Context) (time.Time, error) { return s.now.Add(time.Minute), wrong }
	a, err := tsa.New(c)
	if err != nil {
		t.Fatal(err)
	}
	request, err := tsa.CreateRequest(tsa.Request{Imprint: tsa.Imprint{Hash: cms.SHA384, Digest: cms.SHA384.Sum(stamped)}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := tsa.ParseResponse(a.Answer(t.Context(), request))
	if err != nil || r.Status != tsa.Granted || !parse(t, r.Token).Info.Time.Equal(s.now.Add(time.Minute).Truncate(time.Second)) {
		t.Errorf("%+v, %v", r, err)
	}
	wrong = errors.New("the clock jumped")
	answer := a.Answer(t.Context(), request)
	if r, err = tsa.ParseResponse(answer); err != nil || r.Status != tsa.Rejection || r.Failure != tsa.TimeNotAvailable || r.Token != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := a.Stamp(t.Context(), cms.SM3, cms.SM3.Sum(stamped)); !fault.Has(err, tsa.ErrTime) {
		t.Error(err)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	name := filepath.Join(t.TempDir(), "response")
	if err := os.WriteFile(name, answer, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "openssl", "ts", "-reply", "-in", name, "-text").CombinedOutput()
	if err != nil || !strings.Contains(string(text), "time source is not available") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestOpensslReadsAnOrderedToken(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	s := newScene(t)
	c := s.config()
	c.Ordering, c.Accuracy = true, 3*time.Second
	a, err := tsa.New(c)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := a.Stamp(t.Context(), cms.SHA512, cms.SHA512.Sum(stamped))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "openssl", "ts", "-reply", "-in", name, "-token_in", "-token_out", "-text").CombinedOutput()
	for _, want := range []string{"Ordering: yes", "Accuracy: 0x03 seconds", "sha512", "Time stamp: Jan  3 03:04:05.3 2026 GMT"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("openssl does not print %q: %v\n%s", want, err, text)
		}
	}
}
