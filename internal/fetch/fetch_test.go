package fetch

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"yinxin/internal/fault"
)

func TestFetchingIsBounded(t *testing.T) {
	elsewhere := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/list":
			w.Write([]byte("list"))
		case "/ask":
			body, _ := io.ReadAll(r.Body)
			w.Write(append([]byte(r.Header.Get("Content-Type")+" "), body...))
		case "/big":
			w.Write(bytes.Repeat([]byte("x"), 2000))
		case "/away":
			http.Redirect(w, r, elsewhere, http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/slow":
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	ctx := context.Background()
	inside := New(Options{Private: true, Bytes: 1000, Timeout: 300 * time.Millisecond})
	if data, err := inside.Fetch(ctx, server.URL+"/list", "", nil); err != nil || string(data) != "list" {
		t.Errorf("get: %q %v", data, err)
	}
	if data, err := inside.Fetch(ctx, server.URL+"/ask", "a/b", []byte("body")); err != nil || string(data) != "a/b body" {
		t.Errorf("post: %q %v", data, err)
	}
	elsewhere = "ftp://127.0.0.1/list"
	for path, want := range map[string]fault.Spec{"/big": ErrTooLarge, "/nothing": ErrAnswer, "/away": ErrAddress, "/round": ErrAnswer, "/slow": ErrAnswer} {
		if _, err := inside.Fetch(ctx, server.URL+path, "", nil); !fault.Has(err, want) {
			t.Errorf("%s: %v, want %s", path, err, want.Code)
		}
	}
	outside := New(Options{})
	for _, address := range []string{server.URL + "/list", "ftp://example.com/x", "file:///etc/passwd", "http://user:secret@example.com/", "nonsense"} {
		if _, err := outside.Fetch(ctx, address, "", nil); !fault.Has(err, ErrAddress) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestOnlyPublicAddressesAreAsked(t *testing.T) {
	for address, public := range map[string]bool{
		"8.8.8.8:80": true, "[2001:4860:4860::8888]:443": true,
		"127.0.0.1:80": false, "10.1.2.3:80": false, "172.16.0.1:80": false, "192.168.1.1:80": false, "169.254.169.254:80": false,
		"100.64.0.1:80": false, "0.0.0.0:80": false, "224.0.0.1:80": false, "255.255.255.255:80": false,
		"[::1]:80": false, "[fe80::1]:80": false, "[fc00::1]:80": false, "[::ffff:127.0.0.1]:80": false, "[64:ff9b::7f00:1]:80": false, "name:80": false,
	} {
		if err := publicOnly(address); (err == nil) != public {
			t.Errorf("%s: %v", address, err)
		}
	}
}
