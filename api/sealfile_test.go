package api

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"yinxin/sealer/verify"
)

// terms is an order without a document.
func terms() map[string]any {
	o := order("")
	delete(o, "document")
	return o
}

// sealForm is a form of one call: its fields in turn, name and content.
func sealForm(t *testing.T, fields ...any) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = new(bytes.Buffer)
	m := multipart.NewWriter(body)
	for i := 0; i < len(fields); i += 2 {
		name, h := fields[i].(string), textproto.MIMEHeader{}
		switch content := fields[i+1].(type) {
		case []byte:
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename="复制件.pdf"`, name))
			got(got(m.CreatePart(h))(t).Write(content))(t)
		default:
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q`, name))
			must(t, json.NewEncoder(got(m.CreatePart(h))(t)).Encode(content))
		}
	}
	must(t, m.Close())
	return body, "Content-Type: " + m.FormDataContentType()
}

func TestOneCallSealsAFile(t *testing.T) {
	w := newWorld(t)
	original := onePage(t)
	call := func(key string, fields ...any) answer {
		body, contentType := sealForm(t, fields...)
		return w.call("platform", "POST", "/v1/sealed-documents", body, contentType, "Idempotency-Key: "+key)
	}
	sealed := call("k", "order", terms(), "file", original).is(200)
	if !bytes.HasPrefix(sealed.body, original) || sealed.header.Get("Content-Type") != "application/pdf" || sealed.header.Get("X-Sealing-Id") == "" {
		t.Fatalf("%v", sealed.header)
	}
	var report verify.Report
	w.call("", "POST", "/v1/verifications", bytes.NewReader(sealed.body), asPDF).is(200).into(&report)
	if report.Verdict != verify.Valid {
		t.Error(report.Verdict)
	}
	if kept := w.call("platform", "GET", sealed.header.Get("Location")+"/content", nil).is(200); !bytes.Equal(kept.body, sealed.body) {
		t.Error("the copy that is kept is another")
	}
	if again := call("k", "order", terms(), "file", original).is(200); again.header.Get("Idempotency-Replayed") != "true" || !bytes.Equal(again.body, sealed.body) {
		t.Error("sealed again")
	}
	call("k", "order", terms(), "file", onePage2(t)).problem(422, "sealing.key-reused")

	files := len(w.kept("files"))
	wrong := terms()
	wrong["seal"] = "1"
	if p := call("a", "order", wrong, "file", original).problem(422, "request.invalid"); p.Place == nil || p.Place.Field != "order.seal" {
		t.Errorf("%+v", p)
	}
	unknown := terms()
	unknown["colour"] = "red"
	call("b", "order", unknown, "file", original).problem(422, "request.invalid")
	call("c", "file", original, "order", terms()).problem(400, "request.invalid")
	call("d", "order", terms()).problem(400, "request.no-file")
	call("e", "order", terms(), "file", []byte("no PDF")).problem(400, "pdf.not-a-pdf")
	call("", "order", terms(), "file", original).problem(400, "request.invalid")
	w.call("platform", "POST", "/v1/sealed-documents", bytes.NewReader(original), asPDF, "Idempotency-Key: f").problem(415, "request.media-type")
	body, contentType := sealForm(t, "order", terms(), "file", original)
	w.call("platform", "POST", "/v1/sealed-documents", io.LimitReader(body, int64(body.Len()/2)), contentType, "Idempotency-Key: g").problem(400, "document.upload-broken")
	body, contentType = sealForm(t, "order", terms(), "file", original)
	w.call("auditor", "POST", "/v1/sealed-documents", body, contentType, "Idempotency-Key: h").problem(403, "request.denied")
	if now := len(w.kept("files")); now != files {
		t.Errorf("%d files were kept of what was refused", now-files)
	}
}

func onePage2(t *testing.T) []byte { return append(onePage(t), '\n') }

func TestABatchIsSealedInTheBackground(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.work.Run(ctx) }()
	defer func() {
		cancel()
		must(t, <-ended)
	}()
	var files []map[string]any
	for i := range 7 {
		files = append(files, map[string]any{"document": w.uploaded("platform", onePage(t)).ID, "reference": fmt.Sprintf("案卷%d", i+1)})
	}
	files = append(files, map[string]any{"document": "d_nothing"})
	body := got(json.Marshal(map[string]any{"title": "第四季度", "order": terms(), "files": files}))(t)
	post := func(key string, body []byte) answer {
		return w.call("platform", "POST", "/v1/sealing-batches", bytes.NewReader(body), asJSON, "Idempotency-Key: "+key)
	}
	created := post("k", body).is(202)
	var b SealingBatch
	created.into(&b)
	at := created.header.Get("Location")
	for deadline := time.Now().Add(time.Minute); b.State == "running" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		w.call("platform", "GET", at, nil).is(200).into(&b)
	}
	if b.State != "done" || b.Total != 8 || b.Sealed != 7 || b.Failed != 1 || b.Waiting != 0 {
		t.Fatalf("%+v", b)
	}
	if again := post("k", body).is(200); again.header.Get("Idempotency-Replayed") != "true" {
		t.Error("not the same batch")
	}
	var failed struct{ Files []SealingBatchFile }
	w.call("platform", "GET", at+"/files?state=failed", nil).is(200).into(&failed)
	if len(failed.Files) != 1 || failed.Files[0].Number != 8 || failed.Files[0].Failure.Code != "document.not-found" {
		t.Errorf("%+v", failed)
	}
	var piece struct {
		Files []SealingBatchFile
		Next  int
	}
	w.call("platform", "GET", at+"/files?limit=3&after=2", nil).is(200).into(&piece)
	if len(piece.Files) != 3 || piece.Files[0].Number != 3 || piece.Next != 5 || piece.Files[0].Reference != "案卷3" {
		t.Errorf("%+v", piece)
	}
	results := w.call("platform", "GET", at+"/results.zip", nil).is(200)
	z := got(zip.NewReader(bytes.NewReader(results.body), int64(len(results.body))))(t)
	if len(z.File) != 7 || z.File[0].Name != "00001-copy.pdf" {
		t.Errorf("%d files", len(z.File))
	}
	for _, f := range z.File {
		r := got(f.Open())(t)
		content := got(io.ReadAll(r))(t)
		if !bytes.HasPrefix(content, onePage(t)) || len(content) == len(onePage(t)) {
			t.Errorf("%s is not sealed", f.Name)
		}
	}
	w.call("platform", "POST", at+"/cancel", nil).problem(409, "batch.ended")
	w.call("clerk", "GET", at, nil).problem(404, "batch.not-found")
	w.call("clerk", "GET", at+"/files", nil).problem(404, "batch.not-found")
	w.call("clerk", "GET", at+"/results.zip", nil).problem(404, "batch.not-found")
	w.call("clerk", "POST", at+"/retry", nil).problem(404, "batch.not-found")
	post("l", got(json.Marshal(map[string]any{"order": terms(), "files": []any{}}))(t)).problem(422, "request.invalid")
	post("m", []byte(`{"title": "`+strings.Repeat("a", maxBatchBody)+`"}`)).problem(413, "request.too-large")
	var list struct{ Batches []SealingBatch }
	w.call("platform", "GET", "/v1/sealing-batches", nil).is(200).into(&list)
	if len(list.Batches) != 1 {
		t.Errorf("%+v", list)
	}
}
