package api

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yinxin/api/web"
	"yinxin/fixtures"
	"yinxin/internal/truetype"
	"yinxin/sealer/verify"
)

// unitCalled records the archive of the world's seal with a telephone.
func (w *world) unitCalled(telephone string) answer {
	w.t.Helper()
	w.send("registrar", "POST", "/v1/areas", map[string]any{"areas": []Area{{"227100", "云山市"}}})
	return w.send("registrar", "POST", "/v1/units", map[string]any{"units": []UnitInput{{ID: "unit-yunshan", Name: fixtures.Archive("云山市").Name, Area: "227100", Telephone: telephone}}})
}

func TestTheVerdictSaysWhereToAsk(t *testing.T) {
	w := newWorld(t)
	original, sealed := w.sealedFile()
	reported := func(data []byte) (r verify.Report) {
		t.Helper()
		w.call("", "POST", "/v1/verifications", bytes.NewReader(data), asPDF).is(200).into(&r)
		return r
	}
	if c := reported(sealed).Signatures[0].Contact; c != nil {
		t.Fatalf("nobody recorded a telephone, and it is %+v", c)
	}
	w.unitCalled("0499-2512345").is(200)
	for name, data := range map[string][]byte{"sealed": sealed, "changed later": overwritten(t, sealed, 1, amount), "changed inside": fixtures.Tamper(sealed, len(original)/2)} {
		c := reported(data).Signatures[0].Contact
		if c == nil || c.Telephone != "0499-2512345" || c.Unit != fixtures.Archive("云山市").Name {
			t.Errorf("%s: %+v", name, c)
		}
	}
	body, contentType := formBody(t, "a.pdf", sealed)
	w.call("", "POST", "/", body, contentType, web.FragmentHeader+": 1").is(200).says("0499-2512345", `href="tel:04992512345"`, "不取自文件")
	if sheet := w.call("", "POST", "/v1/verifications?format=html", bytes.NewReader(sealed), asPDF).is(200); !bytes.Contains(sheet.body, []byte("0499-2512345")) {
		t.Error("the report to print has no telephone")
	}
	// Nobody's own telephone is shown to everybody, and nothing that is none.
	for _, no := range []string{"13812345678", "ask for Li", "javascript:1"} {
		w.unitCalled(no).problem(400, "enroll.telephone")
	}
	// Two units of the name with different numbers: neither is given.
	w.send("registrar", "POST", "/v1/units", map[string]any{"units": []UnitInput{{Name: fixtures.Archive("云山市").Name, Area: "227100", Telephone: "0499-2999999"}}}).is(200)
	if c := reported(sealed).Signatures[0].Contact; c != nil {
		t.Errorf("of two telephones one is given: %+v", c)
	}
}

func TestTheTelephoneIsOnThePages(t *testing.T) {
	if _, err := truetype.Find(); err != nil {
		t.Skip(err)
	}
	b := newBrowser(t)
	w := equipped(t)
	_, code := w.issuedCopy()
	w.unitCalled("").is(200)
	unit := "/office/units/unit-yunshan"
	w.page(w.signIn("registrar"), unit).is(200).says("未登记")
	// A registrar writes it down on the unit's page.
	b.openAs(w, "registrar", unit, 1024, 768)
	b.do(chromedp.Click(chromedp.CSS("details.card summary")), chromedp.SendKeys(chromedp.CSS(`[name="telephone"]`), "13812345678"))
	b.leave("details.card .button")
	if text := b.text("#content"); !strings.Contains(text, "须为固定电话") {
		t.Errorf("the page says %q", text)
	}
	b.do(chromedp.Navigate(w.http.URL+unit), chromedp.Click(chromedp.CSS("details.card summary")), chromedp.SendKeys(chromedp.CSS(`[name="telephone"]`), "0499-2512345"))
	b.leave("details.card .button")
	b.screenshot("unit-telephone")
	if text := b.text("#content"); !strings.Contains(text, "0499-2512345") {
		t.Errorf("the page says %q", text)
	}
	w.post("", "/copies", url.Values{"code": {code}}).is(200).says("0499-2512345", `href="tel:04992512345"`)
}
