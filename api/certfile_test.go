package api

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/emmansun/gmsm/pkcs7"
	"github.com/emmansun/gmsm/smx509"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/chain/chaintest"
	"yinxin/sealer/verify"
)

const certificatesPath = "/v1/verifications/certificates"

// trusting is a world that trusts another province's root too, of which it has no revocation lists.
func trusting(t *testing.T, root *chaintest.Holder) *world {
	t.Helper()
	return newWorld(t, func(c *Config) {
		c.Verify.Chain.Anchors = c.Verify.Chain.Anchors.And(chain.NewAnchors(root.Certificate))
	})
}

func (w *world) judged(query string, data []byte) verify.CertificatesReport {
	w.t.Helper()
	var r verify.CertificatesReport
	w.call("", "POST", certificatesPath+query, bytes.NewReader(data), "Content-Type: application/pkix-cert", "X-File-Name: seal.cer").is(200).into(&r)
	return r
}

// changed ends the certificate of the world's seal, or puts it on hold.
func (w *world) changed(change object) {
	w.t.Helper()
	path := "/v1/certificates/" + ca.SerialText(w.certificate.Serial)
	var asked Approval
	w.send("registrar", "POST", path+"/requests", change).is(202).into(&asked)
	w.send("approver", "POST", "/v1/approvals/"+asked.ID+"/approve", nil).is(204)
	w.send("registrar", "POST", path+"/changes", object{"request": asked.ID}).is(200)
}

func TestACertificateIsJudgedForAnyone(t *testing.T) {
	root := chaintest.Root(t, "外省根证书")
	w := trusting(t, root)
	own := w.certificate.Raw
	r := w.judged("", own)
	c := r.Certificates[0]
	if r.File != "seal.cer" || len(r.Certificates) != 1 || c.Now.State != verify.CertificateGood || c.SealCode != sealCode || c.CreditCode != w.certificate.OrganisationCode ||
		c.Organisation != w.certificate.Subject.Organisation || c.Algorithm != "SM2" || c.SM3 != w.certificate.FingerprintText() || len(c.SHA256) != 64 ||
		len(c.Chain) != 2 || c.Anchor != c.Chain[1] || strings.Join(c.KeyUsage, " ") != "digitalSignature nonRepudiation" || c.Then != nil {
		t.Errorf("%+v", r)
	}
	year := chaintest.Year
	stranger := chaintest.Root(t, "无人信任")
	p7b := got(pkcs7.DegenerateCertificate(append(bytes.Clone(stranger.Certificate.Raw), stranger.Issue(t, "陌生馆").Certificate.Raw...)))(t)
	for _, c := range []struct {
		name  string
		data  []byte
		state verify.CertificateState
		words string
	}{
		{"PEM", []byte(pemOf(own)), verify.CertificateGood, "未被吊销"},
		{"Base64 without lines", []byte(base64.StdEncoding.EncodeToString(own)), verify.CertificateGood, "未被吊销"},
		{"of an authority that nobody trusts", stranger.Issue(t, "陌生馆").Certificate.Raw, verify.CertificateUntrusted, "不在信任列表"},
		{"with the root beside it, which makes nothing trusted", p7b, verify.CertificateUntrusted, "不在信任列表"},
		{"expired", root.Issue(t, "过期", chaintest.Valid(time.Now().Add(-2*year), time.Now().Add(-time.Hour))).Certificate.Raw, verify.CertificateExpired, "过期"},
		{"not yet valid", root.Issue(t, "未来", chaintest.Valid(time.Now().Add(time.Hour), time.Now().Add(year))).Certificate.Raw, verify.CertificateNotYetValid, "起生效"},
		{"of which no list speaks", root.Issue(t, "外省馆", chaintest.Valid(time.Now().Add(-time.Hour), time.Now().Add(year))).Certificate.Raw, verify.CertificateUnknown, "未能查询"},
		{"forged", root.Forge(t, "假", chaintest.Valid(time.Now().Add(-time.Hour), time.Now().Add(year)), func(c *smx509.Certificate) { c.Subject = pkix.Name{CommonName: "假"} }).Certificate.Raw, verify.CertificateUnacceptable, "签名值"},
	} {
		if now := w.judged("", c.data).Certificates[0].Now; now.State != c.state || !strings.Contains(now.Summary, c.words) {
			t.Errorf("%s: %+v", c.name, now)
		}
	}
	if all := w.judged("", p7b).Certificates; len(all) != 2 || all[0].Name != "陌生馆" || !all[1].Authority {
		t.Errorf("holders do not come before authorities: %+v", all)
	}

	w.changed(object{"change": "suspend"})
	if now := w.judged("?lang=en", own).Certificates[0].Now; now.State != verify.CertificateHeld || !strings.Contains(now.Summary, "on hold") {
		t.Errorf("%+v", now)
	}
	w.changed(object{"change": "revoke", "reason": 1})
	before := time.Now().Add(-30 * time.Minute).UTC().Format(time.RFC3339)
	c = w.judged("?at="+before, own).Certificates[0]
	if c.Now.State != verify.CertificateRevoked || c.Now.Since == "" || *c.Now.Reason != 1 || !strings.Contains(c.Now.Summary, "密钥泄露") || !strings.Contains(c.Now.Summary, "北京时间") {
		t.Errorf("%+v", c.Now)
	}
	if c.Then == nil || c.Then.At != before || c.Then.State != verify.CertificateGood || !strings.Contains(c.Then.Summary, "当时有效") {
		t.Errorf("half an hour ago: %+v", c.Then)
	}
	if then := w.judged("?at=2020-01-01T00:00:00Z", own).Certificates[0].Then; then.State != verify.CertificateNotYetValid {
		t.Errorf("before it was made: %+v", then)
	}
}

// keysOf are the same key in every form in which people have keys.
func keysOf(t *testing.T) map[string][]byte {
	t.Helper()
	key := chaintest.Key(t)
	pkcs8, sec1 := got(smx509.MarshalPKCS8PrivateKey(key))(t), got(smx509.MarshalSM2PrivateKey(key))(t)
	// EncryptedPrivateKeyInfo and PFX as far as what they are can be told.
	encrypted := append([]byte("\x30\x81\x84\x30\x14\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d\x30\x07\x06\x05\x2b\x81\x04\x00\x0a\x04\x6c"), make([]byte, 108)...)
	pfx := append([]byte("\x30\x82\x10\x00\x02\x01\x03\x30\x82\x0f\x00"), make([]byte, 100)...)
	block := func(kind string, data []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}) }
	return map[string][]byte{"PKCS #8": pkcs8, "SEC 1": sec1, "encrypted": encrypted, "PFX": pfx,
		"PEM": block("PRIVATE KEY", pkcs8), "PEM, encrypted": block("ENCRYPTED PRIVATE KEY", encrypted), "PEM of an SM2 key": block("EC PRIVATE KEY", sec1),
		"damaged PEM":          []byte("-----BEGIN PRIVATE KEY-----\n!!!!"),
		"behind a certificate": append([]byte(pemOf(chaintest.Root(t, "根").Certificate.Raw)), block("EC PRIVATE KEY", sec1)...),
		"Base64":               []byte(base64.StdEncoding.EncodeToString(pkcs8))}
}

func TestWhatIsNoCertificateIsSaidClearly(t *testing.T) {
	w := newWorld(t)
	send := func(query string, data []byte) answer {
		return w.call("", "POST", certificatesPath+query, bytes.NewReader(data), "Content-Type: application/octet-stream")
	}
	for name, key := range keysOf(t) {
		t.Run(name, func(t *testing.T) {
			if p := send("", key).problem(422, "verify.private-key"); !strings.Contains(p.Message, "绝不能发给任何人") || !strings.Contains(p.MessageEN, "never be sent") || !strings.Contains(p.MessageEN, "nothing was kept") {
				t.Errorf("%+v", p)
			}
			body, contentType := formBody(t, "a.bin", key)
			if page := w.call("", "POST", "/?lang=zh", body, contentType); page.status != 422 || !bytes.Contains(page.body, []byte("私钥绝不能发给任何人")) {
				t.Errorf("%d %s", page.status, page.body)
			}
		})
	}
	own := w.certificate.Raw
	var many []byte
	for range 33 {
		many = append(many, pemOf(chaintest.Root(t, "根").Certificate.Raw)...)
	}
	send("", []byte("garbage")).problem(400, "verify.not-a-certificate")
	send("", onePage(t)).problem(400, "verify.not-a-certificate")
	send("", []byte("\x30\x03\x02\x01\x09")).problem(400, "verify.not-a-certificate")
	send("", own[:len(own)-9]).problem(400, "verify.damaged-certificate")
	send("", []byte(pemOf(own)[:300])).problem(400, "verify.damaged-certificate")
	send("", bytes.Replace(own, []byte{0x02, 0x01, 0x02}, []byte{0x02, 0x09, 0x02}, 1)).problem(400, "verify.damaged-certificate")
	send("", many).problem(413, "verify.too-many-certificates")
	send("", make([]byte, verify.MaxCertificateFile+1)).problem(413, "request.too-large")
	// The data of a seal, and of a signature with one, begin as an encrypted key does.
	for _, seal := range []string{"\x30\x0c\x30\x06\x30\x04\x16\x02ES\x04\x02\x30\x00", "\x30\x09\x30\x03\x02\x01\x04\x04\x02\x30\x00"} {
		if p := send("", []byte(seal)).problem(400, "verify.not-a-certificate"); !strings.Contains(p.Message, "电子印章的数据") {
			t.Errorf("a seal: %+v", p)
		}
	}
	send("", nil).problem(400, "request.no-file")
	send("?at=2999-01-01T00:00:00Z", own).problem(400, "verify.time-in-future")
	send("?at=yesterday", own).problem(400, "request.invalid")
	w.call("", "POST", certificatesPath, bytes.NewReader(own), asJSON).problem(415, "request.media-type")
	if left := w.kept("scratch"); len(left) != 0 {
		t.Error(left)
	}
}

func TestThePageShowsACertificateWithoutScript(t *testing.T) {
	w := newWorld(t)
	body, contentType := formBody(t, "馆章.cer", w.certificate.Raw)
	page := string(w.call("", "POST", "/?lang=zh", body, contentType).is(200).body)
	for _, words := range []string{`data-verdict="certificate-good"`, "证书有效", "馆章.cer", sealCode, w.certificate.OrganisationCode, "数字签名、抗抵赖", "SM3 指纹", "北京时间", "BEGIN CERTIFICATE"} {
		if !strings.Contains(page, words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	// The form in the answer brings the certificate along, behind the time.
	form := "--b\r\nContent-Disposition: form-data; name=\"at\"\r\n\r\n2020-01-01T08:00\r\n--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" +
		strings.ReplaceAll(pemOf(w.certificate.Raw), "\n", "\r\n") + "\r\n--b--\r\n"
	page = string(w.call("", "POST", "/?lang=zh", strings.NewReader(form), "Content-Type: multipart/form-data; boundary=b").is(200).body)
	if !strings.Contains(page, `data-then="not-yet-valid"`) || !strings.Contains(page, "2020年1月1日 08:00:00（北京时间）") {
		t.Errorf("%s", page)
	}
	form = strings.Replace(form, "2020-01-01T08:00", "2020", 1)
	if page := w.call("", "POST", "/?lang=zh", strings.NewReader(form), "Content-Type: multipart/form-data; boundary=b"); page.status != 400 {
		t.Errorf("%d %s", page.status, page.body)
	}
}

func TestABrowserVerifiesACertificate(t *testing.T) {
	b := newBrowser(t)
	w := newWorld(t)
	w.changed(object{"change": "revoke", "reason": 4})
	path := filepath.Join(t.TempDir(), "馆章.cer")
	must(t, os.WriteFile(path, w.certificate.Raw, 0o600))
	key := filepath.Join(t.TempDir(), "馆章.key")
	must(t, os.WriteFile(key, keysOf(t)["PEM"], 0o600))
	b.open(w.http.URL+"/?lang=zh", 1024, 900)
	b.do(drop(path), chromedp.WaitVisible(chromedp.CSS(`[data-verdict="certificate-revoked"]`)))
	if text := b.text("#result"); !strings.Contains(text, "证书已吊销") || !strings.Contains(text, "已被替换") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("certificate-1024")
	evaluate[bool](b, `(document.querySelector("#at").value = "`+time.Now().Add(-30*time.Minute).In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04")+`", window.same = true)`)
	b.do(chromedp.Click(chromedp.CSS(".at-time button")), chromedp.WaitVisible(chromedp.CSS(`[data-then="good"]`)))
	if !evaluate[bool](b, `window.same === true`) {
		t.Error("the page was left")
	}
	b.screenshot("certificate-then-1024")

	b.open(w.http.URL+"/?lang=zh", 390, 844, chromedp.EmulateMobile)
	b.do(drop(path), chromedp.WaitVisible(chromedp.CSS(`[data-verdict="certificate-revoked"]`)))
	if evaluate[bool](b, `document.documentElement.scrollWidth > innerWidth`) {
		t.Error("the page is wider than the phone")
	}
	b.screenshot("certificate-390")
	b.do(drop(key), chromedp.WaitVisible(chromedp.CSS(`[data-verdict="error"]`)))
	if text := b.text("#result"); !strings.Contains(text, "私钥绝不能发给任何人") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("certificate-key-390")
}
