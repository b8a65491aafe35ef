package fetch

import (
	"crypto/x509/pkix"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"yinxin/ca/chain/chaintest"
	"yinxin/ca/cms"
	"yinxin/ca/tsa"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
)

func TestATimeStampComesOverHTTP(t *testing.T) {
	stamps := chaintest.Extension(pkix.Extension{Id: oid.ExtKeyUsage, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}})
	holder := chaintest.Root(t, "CA").Issue(t, "TSA", stamps)
	authority, err := tsa.New(tsa.Config{Certificate: holder.Certificate, Key: holder, Clock: func() time.Time { return chaintest.Start }})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != tsa.MediaRequest {
			t.Errorf("%s %s", r.Method, r.Header.Get("Content-Type"))
		}
		switch r.URL.Path {
		case "/tsa":
			w.Header().Set("Content-Type", tsa.MediaResponse+"; charset=binary")
			w.Write(authority.Answer(r.Context(), request))
		case "/page":
			w.Header().Set("Content-Type", "text/html")
			w.Write(authority.Answer(r.Context(), request))
		case "/big":
			w.Header().Set("Content-Type", tsa.MediaResponse)
			w.Write(make([]byte, tsa.MaxResponse+1))
		case "/slow":
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		default:
			http.Error(w, "no", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	client := New(Options{Private: true, Timeout: 500 * time.Millisecond})
	digest := cms.SM3.Sum([]byte("data"))
	token, err := client.TimeStamps(server.URL+"/tsa").Stamp(t.Context(), cms.SM3, digest)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := tsa.Parse(token); err != nil || read.Check(digest).Err != nil {
		t.Errorf("%v", err)
	}
	for path, want := range map[string]fault.Spec{"/page": ErrAnswer, "/big": ErrTooLarge, "/slow": ErrAnswer, "/none": ErrAnswer} {
		if _, err := client.TimeStamps(server.URL+path).Stamp(t.Context(), cms.SM3, digest); !fault.Has(err, want) {
			t.Errorf("%s: %v, want %s", path, err, want.Code)
		}
	}
}
