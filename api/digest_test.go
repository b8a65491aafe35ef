package api

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

func TestADocumentIsFoundByItsContentByItsOwnerAlone(t *testing.T) {
	w := newWorld(t)
	d := w.uploaded("platform", onePage(t))
	var found Document
	w.call("platform", "GET", "/v1/documents?sm3="+d.SM3, nil).is(200).into(&found)
	if found != d {
		t.Errorf("found %+v, uploaded %+v", found, d)
	}
	w.call("clerk", "GET", "/v1/documents?sm3="+d.SM3, nil).problem(404, "document.not-found")
	// A colleague may read it by its identifier, and does not find it.
	colleague := access.Actor{ID: "colleague", Organisation: "省局"}
	if _, err := w.sealer.Document(t.Context(), colleague, d.ID); err != nil {
		t.Error(err)
	}
	if _, err := w.sealer.DocumentOf(t.Context(), colleague, d.SM3); codeOf(err) != "document.not-found" {
		t.Error(err)
	}
	w.call("platform", "GET", "/v1/documents?sm3="+strings.Repeat("0", 64), nil).problem(404, "document.not-found")
}

// declared sends the header of an upload that waits for leave to send its bytes, and gives the first answer.
func (w *world) declared(actor string, data []byte, field string) (status int, d Document) {
	w.t.Helper()
	c := got(net.Dial("tcp", w.http.Listener.Addr().String()))(w.t)
	defer c.Close()
	must(w.t, c.SetDeadline(time.Now().Add(20*time.Second))) // less than the grace of a body, for which a server would wait that asks for it
	fmt.Fprintf(c, "POST /v1/documents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/pdf\r\n%s\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		w.keys[actor], field, len(data))
	in := bufio.NewReader(c)
	a := got(http.ReadResponse(in, nil))(w.t)
	if a.StatusCode == http.StatusContinue {
		got(c.Write(data))(w.t)
		a = got(http.ReadResponse(in, nil))(w.t)
		status = http.StatusContinue
	}
	body := got(io.ReadAll(a.Body))(w.t)
	if a.StatusCode < 300 {
		answer{w.t, a.StatusCode, a.Header, body}.into(&d)
	}
	if status == 0 {
		status = a.StatusCode
	}
	return status, d
}

func TestAnUploadOfWhatTheCallerHasIsAnsweredBeforeItsBytes(t *testing.T) {
	w := newWorld(t)
	data := onePage(t)
	sum := sm3.Sum(data)
	field := digestField + ": " + DigestHeader(sum[:])
	status, first := w.declared("platform", data, field)
	if status != http.StatusContinue || first.ID == "" {
		t.Fatalf("%d %+v", status, first)
	}
	if status, again := w.declared("platform", data, field); status != http.StatusOK || again != first {
		t.Errorf("%d %+v", status, again)
	}
	// What others have is unknown to whoever has not sent it, colleagues and clerks alike: no oracle.
	for _, actor := range []string{"clerk", "stranger"} {
		if status, own := w.declared(actor, data, field); status != http.StatusContinue || own.ID == "" || own.ID == first.ID {
			t.Errorf("%s: %d %+v", actor, status, own)
		}
	}
	// Whoever sends the bytes unasked gets the same answer after them, and nothing is stored anew.
	before := len(w.kept("files"))
	big := append(bytes.Clone(data), bytes.Repeat([]byte("% "), 4<<20)...) // more than the connection holds
	sumBig := sm3.Sum(big)
	var once, twice Document
	w.call("platform", "POST", "/v1/documents", bytes.NewReader(big), asPDF, digestField+": "+DigestHeader(sumBig[:])).is(201).into(&once)
	w.call("platform", "POST", "/v1/documents", bytes.NewReader(big), asPDF, digestField+": "+DigestHeader(sumBig[:])).is(200).into(&twice)
	if once != twice || len(w.kept("files")) != before+1 {
		t.Errorf("%+v, %+v, %d files", once, twice, len(w.kept("files"))-before)
	}
}

func TestOtherBytesThanDeclaredAreRefused(t *testing.T) {
	w := newWorld(t)
	data := got(fixtures.PDF(fixtures.Shapes()[1], fixtures.PDFOptions{}))(t)
	sum := sm3.Sum([]byte("something else"))
	w.call("platform", "POST", "/v1/documents", bytes.NewReader(data), asPDF, digestField+": "+DigestHeader(sum[:])).problem(400, "document.digest")
	if kept := w.kept("files"); len(kept) != 0 {
		t.Errorf("kept %v", kept)
	}
	for _, field := range []string{"sm3=abc", "sm3=:abc:", "sm3=:AAAA:", DigestHeader(sum[:]) + ", " + DigestHeader(sum[:]), "sm3=" + strings.Repeat("0", 64)} {
		w.call("platform", "POST", "/v1/documents", bytes.NewReader(data), asPDF, digestField+": "+field).problem(400, "request.invalid")
	}
	own := sm3.Sum(data)
	w.call("platform", "POST", "/v1/documents", bytes.NewReader(data), asPDF, digestField+": sha-256=:abc:,"+DigestHeader(own[:])).is(201)
}

func TestADocumentWhoseBytesWentWithItsSealingIsNotFound(t *testing.T) {
	w := newWorld(t)
	d := w.uploaded("platform", onePage(t))
	must(t, w.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `DELETE FROM document_part WHERE document_id = $1`, d.ID)
		return err
	}))
	w.call("platform", "GET", "/v1/documents?sm3="+d.SM3, nil).problem(404, "document.not-found")
}
