package api_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/api"
	"yinxin/api/client"
	"yinxin/internal/fault"
)

// reader hides that its bytes could be read again.
type reader struct{ io.Reader }

func TestAFileGoesOverTheWireOnceAndItsProgressIsTold(t *testing.T) {
	s := api.Serve(t)
	c := caller(t, s, "platform")
	c.HTTP = &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}} // a busy machine answers late
	data := append(document(t), bytes.Repeat([]byte("%\n"), 512<<10)...)
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	file := got(os.Open(path))(t)
	defer file.Close()
	var sent, came client.Progress
	ctx := client.WithProgress(t.Context(), func(p client.Progress) {
		if p.Receiving {
			came = p
		} else {
			sent = p
		}
	})
	size := int64(len(data))
	d := got(c.UploadOnce(ctx, "a.pdf", file, size))(t)
	if sent.Done != size || sent.Total != size {
		t.Errorf("sent %+v", sent)
	}
	sent = client.Progress{}
	if again := got(c.UploadOnce(ctx, "b.pdf", file, -1))(t); again != d || sent.Done != 0 {
		t.Errorf("%+v, sent %+v", again, sent)
	}
	sum := sm3.Sum(data)
	if found := got(c.FindDocument(ctx, hex.EncodeToString(sum[:])))(t); found != d {
		t.Errorf("%+v", found)
	}
	// Others have to send it, and a stream is sent whatever the server has.
	if other := got(caller(t, s, "clerk").UploadOnce(ctx, "a.pdf", file, size))(t); other.ID == d.ID || sent.Done != size {
		t.Errorf("%+v, sent %+v", other, sent)
	}
	if other := got(c.UploadOnce(ctx, "a.pdf", reader{bytes.NewReader(data)}, -1))(t); other.ID == d.ID || sent.Done != size || sent.Total != -1 {
		t.Errorf("%+v, sent %+v", other, sent)
	}
	if err := c.Fetch(ctx, d, io.Discard); err != nil || came.Done != size || came.Total != size {
		t.Errorf("%v, came %+v", err, came)
	}
	sent, came = client.Progress{}, client.Progress{}
	got(c.SealFile(ctx, client.Key(), "a.pdf", file, api.SealingTerms{Seal: s.Seal, Invisible: true}, io.Discard))(t)
	if sent.Done != size || came.Done <= size || came.Total != came.Done {
		t.Errorf("sent %+v, came %+v", sent, came)
	}
}

// A connection that breaks in the middle of a file, and a server that is busy, are met again with the same key and bytes.
func TestAFileThatCanBeReadAgainIsSentAgain(t *testing.T) {
	data := make([]byte, 1<<20)
	_, _ = rand.Read(data)
	var calls int
	var keys []string
	var arrived []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		switch calls {
		case 1:
			_, _ = io.CopyN(io.Discard, r.Body, 100<<10)
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"code":"service.busy","message":"忙","message_en":"busy"}`)
			return
		}
		if r.URL.Path == "/v1/sealed-documents" {
			form, err := r.MultipartReader()
			if err != nil {
				t.Error(err)
				return
			}
			for part, err := form.NextPart(); err == nil; part, err = form.NextPart() {
				if part.FormName() == "file" {
					arrived, _ = io.ReadAll(part)
				}
			}
			return
		}
		arrived, _ = io.ReadAll(r.Body)
		fmt.Fprint(w, `{}`)
	}))
	defer server.Close()
	c := got(client.New(server.URL, ""))(t)
	if _, err := c.SealFile(t.Context(), "order-1", "a.pdf", bytes.NewReader(data), api.SealingTerms{}, io.Discard); err != nil || calls != 3 || !bytes.Equal(arrived, data) {
		t.Errorf("%v after %d calls, %d bytes", err, calls, len(arrived))
	}
	if fmt.Sprint(keys) != "[order-1 order-1 order-1]" {
		t.Error(keys)
	}
	calls, arrived = 0, nil
	if _, err := c.UploadOnce(t.Context(), "a.pdf", bytes.NewReader(data), int64(len(data))); err != nil || calls != 3 || !bytes.Equal(arrived, data) {
		t.Errorf("%v after %d calls, %d bytes", err, calls, len(arrived))
	}
	calls = 0
	if _, err := c.SealFile(t.Context(), "order-2", "a.pdf", reader{bytes.NewReader(data)}, api.SealingTerms{}, io.Discard); fault.CodeOf(err) != "server.unreachable" || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	calls = 0
	if _, err := c.AddIssuancePages(t.Context(), "c", "a.pdf", bytes.NewReader(data), int64(len(data))); fault.CodeOf(err) != "server.unreachable" || calls != 1 {
		t.Errorf("pages would stand twice in the copy: %v after %d calls", err, calls)
	}
}
