package api

import (
	"bytes"
	"context"
	"encoding/pem"
	"math/big"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/internal/access"
)

// sentFile posts a form with a file and fields.
func (w *world) sentFile(cookie, path, field, name string, data []byte, fields url.Values) answer {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for key, values := range fields {
		for _, v := range values {
			must(w.t, m.WriteField(key, v))
		}
	}
	if field != "" {
		part := got(m.CreateFormFile(field, name))(w.t)
		got(part.Write(data))(w.t)
	}
	must(w.t, m.Close())
	return w.call("", "POST", path, &b, "Cookie: "+cookie, "Content-Type: "+m.FormDataContentType(), "Sec-Fetch-Site: same-origin")
}

func TestAnAdministratorTrustsAnotherAuthorityWithAnother(t *testing.T) {
	b := newBrowser(t)
	retrusted := 0
	w := newWorld(t, func(c *Config) { c.Retrust = func(context.Context) error { retrusted++; return nil } })
	ctx := t.Context()
	cookie := w.signIn("administrator")
	page := func(path string) string { return string(w.call("", "GET", path, nil, "Cookie: "+cookie).is(200).body) }
	root := chaintest.Root(t, "外省根证书")
	leaf := root.Issue(t, "外省档案馆")
	trusted := func() bool {
		v := &chain.Verifier{Anchors: got(w.authority.Anchors(ctx))(t), Revocation: w.authority}
		return v.Verify(ctx, leaf.Certificate, time.Now(), chain.UsageSign).Trusted
	}
	state := func() chain.State {
		return got(w.authority.Status(ctx, leaf.Certificate, root.Certificate, time.Now()))(t).State
	}
	if list := page("/admin/anchors"); !strings.Contains(list, "还没有导入其他机构的信任锚") || !strings.Contains(list, "还没有导入吊销列表") {
		t.Error(list)
	}
	for _, a := range []answer{w.sentFile(cookie, "/admin/anchors/new", "", "", nil, nil), w.sentFile(cookie, "/admin/anchors/new", "certificate", "x.crt", []byte("no certificate"), nil)} {
		if a.status != 400 || !bytes.Contains(a.body, []byte(`data-code="`)) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	// It is read first, then asked for with what it is for.
	b.openAs(w, "administrator", "/admin/anchors/new", 1024, 768)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate.Raw}))
	b.do(chromedp.SetValue(chromedp.CSS(`textarea[name="text"]`), text))
	b.leave(`form.card button`)
	if said := b.text("#content"); !strings.Contains(said, root.Certificate.FingerprintText()) || !strings.Contains(said, "tjfoc") {
		t.Errorf("%s", said)
	}
	b.screenshot("admin-anchor-new")
	b.do(chromedp.SetValue(chromedp.CSS(`input[name="reason"]`), "两省互认"))
	b.leave(`button.button`)
	if said := b.text("#content"); !strings.Contains(said, "ca.anchor") {
		t.Errorf("no purpose: %s", said)
	}
	b.do(chromedp.Click(chromedp.CSS(`input[value="signer"]`)))
	b.leave(`button.button`)
	if list := page("/admin/anchors"); !strings.Contains(between(t, list, "data-open", "</section>"), root.Certificate.FingerprintText()) {
		t.Error(list)
	}
	var request string
	must(t, w.db.Read().QueryRowContext(ctx, `SELECT id FROM access_request WHERE kind = 'anchor.import' AND state = 'open'`).Scan(&request))
	carry := "/admin/anchors/requests/" + request + "/carry-out"
	if a := w.post(cookie, carry, nil).is(403); !bytes.Contains(a.body, []byte("access.not-approved")) || trusted() {
		t.Errorf("%s", a.body)
	}
	// The approver sees what is decided, in words.
	if shown := string(w.call("", "GET", "/office/approvals/"+request, nil, "Cookie: "+w.signIn("approver")).is(200).body); !strings.Contains(shown, root.Certificate.FingerprintText()) || !strings.Contains(shown, "导入信任锚") {
		t.Error(shown)
	}
	must(t, w.access.Approve(ctx, access.Actor{ID: "approver"}, request))
	at, _, _ := strings.Cut(w.post(cookie, carry, nil).is(303).header.Get("Location"), "?")
	if !trusted() && state() == chain.StateGood || retrusted != 1 {
		t.Error("the anchor does not count")
	}
	// A list of the authority takes one person, and nobody else's is taken.
	list := func(r *chaintest.Holder, number int64, entries ...smx509.RevocationListEntry) []byte {
		return r.CRL(t, number, time.Now().Add(-time.Minute), time.Now().Add(time.Hour), entries...)
	}
	if a := w.sentFile(cookie, "/admin/anchors/lists", "file", "x.crl", list(chaintest.Root(t, "别人"), 1), nil); !bytes.Contains(a.body, []byte(`data-code="ca.foreign-crl"`)) {
		t.Errorf("%d %s", a.status, a.body)
	}
	w.sentFile(cookie, "/admin/anchors/lists", "file", "x.crl", list(root, 1), nil).is(303)
	if state() != chain.StateGood || !trusted() {
		t.Error("the list does not count")
	}
	w.sentFile(cookie, "/admin/anchors/lists", "file", "x.crl", list(root, 2, smx509.RevocationListEntry{SerialNumber: new(big.Int).Set(leaf.Certificate.Serial), RevocationTime: time.Now().Add(-time.Hour)}), nil).is(303)
	if state() != chain.StateRevoked {
		t.Error("the newer list does not count")
	}
	b.openAs(w, "administrator", "/admin/anchors", 1024, 768)
	b.screenshot("admin-anchors")
	b.openAs(w, "administrator", at, 1024, 768)
	b.screenshot("admin-anchor")
	if csv := string(w.call("", "GET", "/admin/anchors?format=csv&state=trusted&text=%E5%A4%96%E7%9C%81", nil, "Cookie: "+w.signIn("auditor")).is(200).body); strings.Count(csv, root.Certificate.FingerprintText()) != 1 || !strings.Contains(csv, "administrator / approver") {
		t.Error(csv)
	}
	// The trust ends by one person's word, who says why.
	if a := w.post(cookie, at+"/remove", url.Values{"reason": {""}}); !bytes.Contains(a.body, []byte(`data-code="enroll.reason"`)) {
		t.Errorf("%d", a.status)
	}
	w.post(cookie, at+"/remove", url.Values{"reason": {"根密钥泄露"}}).is(303)
	if one := page(at); trusted() || retrusted != 2 || !strings.Contains(one, "根密钥泄露") || strings.Contains(one, at+"/remove") {
		t.Error(one)
	}
	if all := got(w.authority.ForeignCRLs(ctx))(t); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if a := w.post(cookie, at+"/remove", url.Values{"reason": {"再来一次"}}); !bytes.Contains(a.body, []byte(ca.ErrAnchorNotFound.Code)) {
		t.Errorf("%d", a.status)
	}
}
