package intake

import (
	"encoding/json"
	"testing"

	"yinxin/internal/fault"
)

func TestPoliciesAreReadExactly(t *testing.T) {
	p, err := ParsePolicy([]byte(`{"content.white-text": "ignore", "content.*": "refuse", "*": "warn", "action.launch": "refuse"}`))
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[Code]Action{CodeWhiteText: Ignore, CodeCoveredText: Refuse, CodeLaunch: Refuse, CodeJavaScript: Warn, CodeFontStandard: Warn} {
		if got := p.Action(code); got != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
	for _, bad := range []string{"", "[]", "{", `{"a.b": "warn"}`, `{"action.launch": "never"}`, `{"action.launch": 1}`, `{"action.*": "warn", "action.*": "warn"}`,
		`{"act*": "warn"}`, `{"*.launch": "warn"}`, `{} x`, `{"nothing.*": "warn"}`, `{"action.launch": "warn"`} {
		if _, err := ParsePolicy([]byte(bad)); !fault.Has(err, errPolicy) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestThePolicyIsPartOfAConfiguration(t *testing.T) {
	var config struct{ Intake Policy }
	if err := json.Unmarshal([]byte(`{"Intake": {"form.fields": "refuse"}}`), &config); err != nil {
		t.Fatal(err)
	}
	if config.Intake.Action(CodeFields) != Refuse || config.Intake.Action(CodeXFA) != Refuse || config.Intake.Action(CodeJavaScript) != Warn || config.Intake.Action(CodeFontStandard) != Ignore {
		t.Errorf("%v", config.Intake)
	}
}

func TestTheStrictestActionDecides(t *testing.T) {
	findings := scan(t, paper{catalog: "/OpenAction << /S /JavaScript /JS (x) >>", content: "BT 3 Tr /F1 12 Tf 100 500 Td (secret) Tj ET"}.bytes(), Options{}).Findings
	d := Decide(findings, Policy{CodeJavaScript: Refuse})
	if d.Action != Refuse || len(d.Refused) != 1 || len(d.Warnings) != 1 {
		t.Fatalf("%+v", d)
	}
	f, ok := fault.Of(d.Err())
	if !ok || f.Code != errRefused.Code || f.Detail() != "action.javascript: The file contains JavaScript" || f.DetailZH() != "action.javascript：文件含有 JavaScript 脚本" || f.Place.Object != "1 0 R" {
		t.Errorf("%v", d.Err())
	}
	if d := Decide(findings, nil); d.Action != Warn || d.Err() != nil || len(d.Warnings) != 2 {
		t.Errorf("%+v", d)
	}
	if d := Decide(nil, nil); d.Action != Ignore {
		t.Errorf("%+v", d)
	}
}

func TestEveryCodeSaysWhatItIs(t *testing.T) {
	for _, c := range Codes() {
		m := meanings[c]
		if m.zh == "" || m.en == "" || c.Severity() == "" {
			t.Errorf("%s: %+v", c, m)
		}
	}
}
