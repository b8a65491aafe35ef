package command

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestACallerWhoNeverEndsTheHeaderIsHungUpOn: a header that comes a field at a time holds a connection for ten seconds, not for ever.
func TestACallerWhoNeverEndsTheHeaderIsHungUpOn(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, listener, "", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it came through") }), slog.New(slog.DiscardHandler))
	}()
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n"); err != nil {
		t.Fatal(err)
	}
	feed := time.NewTicker(time.Second)
	defer feed.Stop()
	hungUp := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, c)
		hungUp <- err
	}()
	for late := time.After(time.Minute); ; {
		select {
		case <-feed.C:
			_, _ = io.WriteString(c, "X-More: y\r\n") // fails when it is over
		case <-hungUp:
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			return
		case <-late:
			stop()
			t.Fatal("the connection is held for a minute")
		}
	}
}
