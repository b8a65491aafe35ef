package api

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"yinxin/fixtures"
	"yinxin/internal/truetype"
)

// askedFor opens a case over HTTP: the archive 别的单位 asks that of the seal.
func (w *world) askedFor(key string) Issuance {
	w.t.Helper()
	var c Issuance
	w.send("stranger", "POST", issuancePath, map[string]any{"holding": fixtures.Archive("云山市").Name, "applicant": sampleApplicant()}, "Idempotency-Key: "+key).is(201).into(&c)
	return c
}

func sampleApplicant() Applicant {
	return Applicant{Name: "欧阳明月", Identity: "220102199003072326", Purpose: "办理退休手续", Sought: "本人 1988 年招工审批表"}
}

func TestACopyIsIssuedOverHTTPAndFoundByItsCode(t *testing.T) {
	if _, err := truetype.Find(); err != nil {
		t.Skip(err)
	}
	w := newWorld(t)
	c := w.askedFor("one")
	if c.Applicant.Name != "欧***" || strings.Contains(c.Applicant.Identity, "19900307") || c.State != "requested" {
		t.Fatalf("%+v", c)
	}
	var again Issuance
	w.send("stranger", "POST", issuancePath, map[string]any{"holding": c.Holding, "applicant": sampleApplicant()}, "Idempotency-Key: one").is(200).into(&again)
	other := sampleApplicant()
	other.Sought = "别的材料"
	w.send("stranger", "POST", issuancePath, map[string]any{"holding": c.Holding, "applicant": other}, "Idempotency-Key: one").problem(422, "issuance.key-reused")
	if again.ID != c.ID {
		t.Error("a repetition opened another case")
	}
	at := issuancePath + "/" + c.ID
	w.call("platform", "GET", at, nil).problem(404, "issuance.not-found")
	w.send("stranger", "POST", at+"/answer", map[string]any{"result": "not-found", "reason": "无"}).problem(403, "issuance.side")
	w.send("clerk", "POST", at+"/answer", map[string]any{"result": "found", "reference": ArchivalReference{Fonds: "J021", File: "0137", Item: "0012", Pages: 3, Number: "J021-0137-0012"}}).is(200)
	w.call("platform", "POST", at+"/pages", strings.NewReader("%PDF-"), asPDF).problem(404, "issuance.not-found")
	w.call("clerk", "POST", at+"/pages", strings.NewReader("%PDF-1.7 nothing"), asPDF).problem(400, "normalise.unreadable")
	w.send("clerk", "POST", at+"/issue", map[string]any{"seal": sealCode}).problem(422, "issuance.pages")
	w.call("clerk", "POST", at+"/pages", bytes.NewReader(got(fixtures.ArchivalCopy(7, 3))(t)), asPDF, "X-File-Name: copy.pdf").is(201)
	w.call("stranger", "GET", at+"/copy", nil).problem(409, "issuance.state")
	w.send("clerk", "POST", at+"/issue", map[string]any{"seal": sealCode}).is(200).into(&c)
	w.send("clerk", "POST", at+"/issue", map[string]any{"seal": sealCode}).is(200)
	b := w.call("stranger", "GET", at+"/copy", nil).is(200).body
	changed := bytes.Clone(b)
	changed[len(b)/3] ^= 1
	w.call("stranger", "POST", at+"/receive", bytes.NewReader(changed), asPDF).problem(422, "issuance.not-genuine")
	w.call("stranger", "POST", at+"/receive", bytes.NewReader(b), asPDF).is(200).into(&c)
	w.send("stranger", "POST", at+"/deliver", map[string]any{"manner": "printed", "identity_checked": true}).is(200)
	var whole Applicant
	w.send("stranger", "POST", at+"/unmask", map[string]any{"reason": "核对身份"}).is(200).into(&whole)
	if whole != sampleApplicant() {
		t.Errorf("%+v", whole)
	}

	code := codeIn(t, b)
	var seen IssuedRecord
	w.send("", "POST", "/v1/issued-copies/lookup", IssuedCode{Code: strings.ToLower(code)}).is(200).into(&seen)
	if seen.Number != c.Copy.Number || seen.Withdrawn || seen.Applicant != "欧***" || seen.Notice != noticeIssued {
		t.Errorf("%+v", seen)
	}
	pages := w.send("", "POST", "/v1/issued-copies/pages", IssuedCodeAndDay{Code: code, Day: c.Copy.Day}).is(200)
	if !bytes.Equal(pages.body, b) || pages.header.Get("Cache-Control") != "no-store" {
		t.Error("the pages are others, or may be kept")
	}
	w.send("", "POST", "/v1/issued-copies/pages", IssuedCodeAndDay{Code: code, Day: "2020-01-01"}).problem(404, "issuance.no-copy")
	w.send("", "POST", "/v1/issued-copies/lookup", IssuedCode{Code: "2" + code[1:]}).problem(400, "issuance.code")
	w.send("stranger", "POST", at+"/withdraw", map[string]any{"reason": "有误"}).problem(403, "issuance.side")
	w.send("clerk", "POST", at+"/withdraw", map[string]any{"reason": "复制件有误"}).is(200)
	w.send("", "POST", "/v1/issued-copies/lookup", IssuedCode{Code: code}).is(200).into(&seen)
	if !seen.Withdrawn || seen.Notice != noticeWithdrawn || strings.Contains(string(w.send("", "POST", "/v1/issued-copies/lookup", IssuedCode{Code: code}).body), "复制件有误") {
		t.Errorf("%+v", seen)
	}
	w.send("", "POST", "/v1/issued-copies/pages", IssuedCodeAndDay{Code: code, Day: c.Copy.Day}).problem(422, "issuance.withdrawn")

	book := w.call("clerk", "GET", "/v1/issuance-register.xlsx?side=in", nil).is(200)
	if !bytes.HasPrefix(book.body, []byte("PK")) {
		t.Error("the register is no workbook")
	}
	var numbers IssuanceStatistics
	w.call("auditor", "GET", "/v1/issuance-statistics", nil).is(200).into(&numbers)
	if numbers.Total.Withdrawn != 1 || numbers.Total.InTime != 1 || len(numbers.Archives) != 1 {
		t.Errorf("%+v", numbers)
	}
	for _, secret := range []string{sampleApplicant().Identity, "欧阳明月", strings.ReplaceAll(code, "-", ""), code} {
		if strings.Contains(w.log.text(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func TestGuessingOfCodesIsSlowedDown(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Codes = 3 })
	guess := func(path string) answer {
		return w.send("", "POST", path, IssuedCodeAndDay{Code: "2222-2222-2222-2222-2222", Day: "2026-11-26"})
	}
	for range 3 {
		guess("/v1/issued-copies/pages").problem(404, "issuance.no-copy")
	}
	// Both ways count together.
	if a := guess("/v1/issued-copies/lookup"); a.header.Get("Retry-After") == "" {
		t.Error("when to come back is not said")
	} else {
		a.problem(http.StatusTooManyRequests, "request.too-many")
	}
}

func TestListsOfCasesAreFiltered(t *testing.T) {
	w := newWorld(t)
	c := w.askedFor("a")
	w.askedFor("b")
	var list struct {
		Issuances []Issuance
		Next      string
	}
	w.call("clerk", "GET", issuancePath+"?side=in&limit=1", nil).is(200).into(&list)
	if len(list.Issuances) != 1 || list.Next != list.Issuances[0].ID {
		t.Fatalf("%+v", list)
	}
	w.call("clerk", "GET", issuancePath+"?side=in&after="+list.Next, nil).is(200).into(&list)
	if len(list.Issuances) != 1 || list.Issuances[0].ID != c.ID {
		t.Fatalf("%+v", list)
	}
	w.call("clerk", "GET", issuancePath+"?from=yesterday", nil).problem(400, "issuance.request")
	w.call("clerk", "GET", issuancePath+"?side=both", nil).problem(422, "request.invalid")
	w.send("stranger", "POST", issuancePath+"/"+c.ID+"/cancel", nil).is(200)
	w.call("platform", "GET", issuancePath, nil).is(200).into(&list)
	if len(list.Issuances) != 0 {
		t.Errorf("the platform sees %d", len(list.Issuances))
	}
}

// codeIn finds the code in a copy by the property's name, as its text stands in the file.
func codeIn(t *testing.T, b []byte) string {
	t.Helper()
	_, rest, found := bytes.Cut(b, []byte("/YinxinIssueCode"))
	if !found {
		t.Fatal("the copy holds no code")
	}
	open, end := bytes.IndexAny(rest, "(<"), bytes.IndexAny(rest, ")>")
	if open < 0 || end < open || rest[open] != '(' {
		t.Fatalf("%.80q", rest)
	}
	// UTF-16BE (ISO 32000-1, 7.9.2.2); all its characters are of ASCII.
	return string(bytes.Map(func(r rune) rune {
		if r == 0 || r > 0x7f {
			return -1
		}
		return r
	}, rest[open+1:end]))
}
