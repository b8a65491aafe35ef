package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"yinxin/internal/fault"
)

// Action is what a policy does about a finding.
type Action string

// The actions, from the mildest.
const (
	Ignore Action = "ignore"
	Warn   Action = "warn"
	Refuse Action = "refuse"
)

// Policy says what to do about each code. Codes that it does not name are treated by their severity: Danger is
// refused, Warning warned of, Info ignored.
type Policy map[Code]Action

// DefaultPolicy refuses what has severity Danger, warns of Warning and ignores Info, with two exceptions. Encrypted files
// are left to the sealer, which refuses them with a code of its own. And scripts and launch actions are said: one file in
// twenty that people have carries a script, and a seal does not make it more harmful.
func DefaultPolicy() Policy {
	p := Policy{}
	for code := range meanings {
		p[code] = standard(code)
	}
	return p
}

func standard(c Code) Action {
	switch c {
	case CodeEncrypted, CodeJavaScript, CodeLaunch:
		return Warn
	}
	switch meanings[c].severity {
	case Danger:
		return Refuse
	case Warning:
		return Warn
	}
	return Ignore
}

// ParsePolicy reads a policy from JSON: an object of codes, or of groups of codes, and actions, over DefaultPolicy:
//
//	{"action.javascript": "warn", "content.*": "refuse", "*": "ignore"}
//
// "*" is applied first, then groups, then single codes, whatever their order. Errors: intake.bad-policy for bad JSON,
// an unknown code or group, an unknown action, a key twice.
func ParsePolicy(data []byte) (Policy, error) {
	entries, err := policyEntries(data)
	if err != nil {
		return nil, err
	}
	p := DefaultPolicy()
	for _, exactness := range []func(string) bool{
		func(key string) bool { return key == "*" },
		func(key string) bool { return strings.HasSuffix(key, ".*") },
		func(key string) bool { return !strings.HasSuffix(key, "*") },
	} {
		for key, action := range entries {
			if !exactness(key) {
				continue
			}
			if err := p.apply(key, action); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

func (p Policy) apply(key string, action Action) error {
	if action != Ignore && action != Warn && action != Refuse {
		return errPolicy.Sayingf("%q：应为 ignore、warn 或 refuse", "%q: ignore, warn or refuse", clean(string(action))).At(fault.Field(clean(key)))
	}
	prefix, group := strings.CutSuffix(key, "*")
	matched := false
	for code := range meanings {
		if string(code) == key || group && strings.HasPrefix(string(code), prefix) {
			p[code] = action
			matched = true
		}
	}
	if !matched {
		return errPolicy.Saying("没有这个代码", "unknown code").At(fault.Field(clean(key)))
	}
	return nil
}

// policyEntries reads the object key by key, since a map would let a key come twice.
func policyEntries(data []byte) (map[string]Action, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errPolicy.Saying("应为一个 JSON 对象", "a JSON object is needed")
	}
	entries := map[string]Action{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, errPolicy.With("bad JSON").Because(err)
		}
		key, _ := t.(string)
		if _, twice := entries[key]; twice {
			return nil, errPolicy.With("twice").At(fault.Field(clean(key)))
		}
		var action string
		if err := dec.Decode(&action); err != nil {
			return nil, errPolicy.Saying("缺少处理方式", "an action is needed").At(fault.Field(clean(key))).Because(err)
		}
		if strings.Contains(strings.TrimSuffix(key, "*"), "*") || strings.HasSuffix(key, "*") && key != "*" && !strings.HasSuffix(key, ".*") {
			return nil, errPolicy.Saying("一组代码写作 content.*", "a group is written content.*").At(fault.Field(clean(key)))
		}
		entries[key] = Action(action)
	}
	if _, err := dec.Token(); err != nil {
		return nil, errPolicy.With("bad JSON").Because(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errPolicy.Saying("对象之后还有内容", "something follows the object")
	}
	return entries, nil
}

// MarshalJSON writes the policy in full, so that ParsePolicy gives it back.
func (p Policy) MarshalJSON() ([]byte, error) {
	full := map[Code]Action{}
	for code := range meanings {
		full[code] = p.Action(code)
	}
	return json.Marshal(full)
}

// UnmarshalJSON is ParsePolicy.
func (p *Policy) UnmarshalJSON(data []byte) error {
	parsed, err := ParsePolicy(data)
	if err != nil {
		return err
	}
	*p = maps.Clone(parsed)
	return nil
}

// Action is what the policy does about a code.
func (p Policy) Action(c Code) Action {
	if a, ok := p[c]; ok {
		return a
	}
	return standard(c)
}

// Decision is what comes of findings under a policy.
type Decision struct {
	Action   Action    `json:"action"` // the strictest that a finding met; Ignore without any
	Refused  []Finding `json:"refused,omitempty"`
	Warnings []Finding `json:"warnings,omitempty"`
}

// Decide puts a policy on findings; a nil policy is DefaultPolicy.
func Decide(findings []Finding, p Policy) Decision {
	if p == nil {
		p = DefaultPolicy()
	}
	d := Decision{Action: Ignore}
	for _, f := range findings {
		switch p.Action(f.Code) {
		case Refuse:
			d.Action = Refuse
			d.Refused = append(d.Refused, f)
		case Warn:
			if d.Action == Ignore {
				d.Action = Warn
			}
			d.Warnings = append(d.Warnings, f)
		}
	}
	return d
}

// Err is the refusal as an error with the code intake.refused, with what was found and its codes, and the place of the
// first; nil when nothing is refused.
func (d Decision) Err() error {
	if d.Action != Refuse {
		return nil
	}
	var zh, en []string
	seen := map[Code]bool{}
	for _, f := range d.Refused {
		if !seen[f.Code] {
			seen[f.Code] = true
			zh = append(zh, fmt.Sprintf("%s：%s", f.Code, meanings[f.Code].zh))
			en = append(en, fmt.Sprintf("%s: %s", f.Code, meanings[f.Code].en))
		}
	}
	first := d.Refused[0]
	return errRefused.Saying(strings.Join(zh, "；"), strings.Join(en, "; ")).At(fault.Place{Page: first.Page, Object: first.Object})
}
