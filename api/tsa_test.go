package api

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
)

func TestTimeStampsComeOverHTTP(t *testing.T) {
	w := newWorld(t)
	const query = "Content-Type: application/timestamp-query"
	digest := cms.SM3.Sum([]byte("data"))
	var header string
	client := &tsa.Client{Send: func(_ context.Context, request []byte) ([]byte, error) {
		a := w.call("", "POST", "/tsa", bytes.NewReader(request), query).is(200)
		header = a.header.Get("Content-Type")
		return a.body, nil
	}}
	token := got(tsa.Parse(got(client.Stamp(t.Context(), cms.SM3, digest))(t)))(t)
	v := &chain.Verifier{Anchors: chain.NewAnchors(w.authority.Root())}
	if r := token.Verify(t.Context(), digest, v); r.Err != nil || !r.Chain.Trusted || r.Chain.Expired || header != tsa.MediaResponse {
		t.Errorf("%v, %+v, %s", r.Err, r.Chain, header)
	}
	if age := time.Since(token.Info.Time); age < -2*time.Second || age > time.Minute {
		t.Errorf("stamped %v ago", age)
	}
	for name, body := range map[string]string{"junk": "junk", "nothing": ""} {
		refused := got(tsa.ParseResponse(w.call("", "POST", "/tsa", strings.NewReader(body), query).is(200).body))(t)
		if refused.Failure != tsa.BadDataFormat || refused.Token != nil {
			t.Errorf("%s: %+v", name, refused)
		}
	}
	w.call("", "POST", "/tsa", strings.NewReader("junk"), "Content-Type: text/plain").problem(415, "request.media-type")
	w.call("", "POST", "/tsa", bytes.NewReader(make([]byte, tsa.MaxRequest+1)), query).problem(413, "request.too-large")
	w.call("", "GET", "/tsa", nil).is(405)
}

func TestOpensslAsksForATimeStamp(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	w := newWorld(t)
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "openssl", args...)
		command.Dir = dir
		return string(got(command.CombinedOutput())(t))
	}
	must(t, os.WriteFile(filepath.Join(dir, "data"), []byte("data"), 0o600))
	run("ts", "-query", "-data", "data", "-sha384", "-cert", "-out", "request")
	request := got(os.ReadFile(filepath.Join(dir, "request")))(t)
	answer := w.call("", "POST", "/tsa", bytes.NewReader(request), "Content-Type: application/timestamp-query").is(200).body
	must(t, os.WriteFile(filepath.Join(dir, "response"), answer, 0o600))
	if text := run("ts", "-reply", "-in", "response", "-text"); !strings.Contains(text, "Status: Granted.") || !strings.Contains(text, "sha384") {
		t.Error(text)
	}
}
