package ceremony

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/internal/fault"
)

const whole = `# reviewed on 2026-11-25
format: 1
organisation: 临江省档案局
base_url: http://pki.example.cn
crl_shards: 16
officers:
  registrar: {id: zhang, name: 张三}
  approver: {id: li, name: 李四}
root:
  years: 25
  keys: /media/root
  shares: {threshold: 2, count: 3}
issuing:
  name: 临江省档案签发证书
  years: 12
`

func TestAPlanIsReadAndCompleted(t *testing.T) {
	p, err := Parse("plan.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := Plan{Format: 1, Organisation: "临江省档案局", BaseURL: "http://pki.example.cn", CRLShards: 16,
		Officers: Officers{Person{"zhang", "张三"}, Person{"li", "李四"}, Person{"administrator", "管理员"}},
		Root:     Root{"临江省档案局根证书", 25, "/media/root", &Shares{2, 3}}, Issuing: Issuers{{"issuing", "临江省档案签发证书", 12, ca.EndProfiles()}}, text: []byte(whole)}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("%+v", p)
	}
	if p.Text() != whole {
		t.Error("the text is not what was reviewed")
	}
}

// several is the plan with two issuing CAs; its list begins in line 13.
var several = whole[:strings.Index(whole, "issuing:")] + `issuing:
  - name: 机构签发证书
    profiles: [institution, seal-maker, tsa]
  - id: person
    name: 个人签发证书
    years: 8
    profiles:
      - personal
      - encryption
`

func TestAPlanMayHaveSeveralIssuingCAs(t *testing.T) {
	p, err := Parse("plan.yaml", []byte(several))
	if err != nil {
		t.Fatal(err)
	}
	want := Issuers{{"issuing", "机构签发证书", 10, []ca.Profile{ca.ProfileInstitution, ca.ProfileSealMaker, ca.ProfileTSA}},
		{"person", "个人签发证书", 8, []ca.Profile{ca.ProfilePersonal, ca.ProfileEncryption}}}
	if !reflect.DeepEqual(p.Issuing, want) {
		t.Errorf("%+v", p.Issuing)
	}
	said := strings.Join(p.Describe(), "\n")
	for _, line := range []string{"issuing certificate issuing: 机构签发证书, 10 年 years: institution, seal-maker, tsa", "issuing certificate person: 个人签发证书, 8 年 years: personal, encryption", "OCSP certificates: 2"} {
		if !strings.Contains(said, line) {
			t.Errorf("%q is not in\n%s", line, said)
		}
	}
	again, err := Parse("again", p.encode())
	if err != nil || !reflect.DeepEqual(again.Issuing, want) {
		t.Errorf("%+v, %v", again.Issuing, err)
	}
	// A list of one is the mapping.
	one, err := Parse("one", []byte(strings.Replace(whole, "  name: 临江省档案签发证书\n  years: 12", "  - {id: issuing, name: 临江省档案签发证书, years: 12}", 1)))
	if err != nil || !reflect.DeepEqual(one.Issuing, Issuers{{"issuing", "临江省档案签发证书", 12, ca.EndProfiles()}}) {
		t.Errorf("%+v, %v", one.Issuing, err)
	}
	if made := p.Issuing.CAs(); len(made) != 2 || made[1].ID != "person" || made[1].Years != 8 || len(made[1].Profiles) != 2 {
		t.Errorf("%+v", made)
	}
}

// TestAPlanOfOneIssuingCADescribesItselfAsBefore: the text of the built-in plan, and so its digest, must not change.
func TestAPlanOfOneIssuingCADescribesItselfAsBefore(t *testing.T) {
	p := Default("某省档案局", "http://127.0.0.1:8470")
	if !strings.Contains(p.Text(), "issuing:\n    name: 某省档案局签发证书\n    years: 10\n") || strings.Contains(p.Text(), "profiles") || strings.Contains(p.Text(), "id: issuing") {
		t.Errorf("%s", p.Text())
	}
	said := p.Describe()
	if said[len(said)-3] != "签发证书 issuing certificate: 某省档案局签发证书, 10 年 years" {
		t.Errorf("%q", said)
	}
}

func TestErrorsOfSeveralIssuingCAsNameLineAndField(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(several, old) {
			t.Fatalf("%q is not in the plan", old)
		}
		return strings.Replace(several, old, new, 1)
	}
	for name, c := range map[string]struct {
		text string
		want fault.Spec
		row  int
		path string
		said string
	}{
		"an unknown field":           {change("    years: 8", "    year: 8"), ErrSyntax, 18, "", "field year not found"},
		"an unknown profile":         {change("- personal", "- person"), ErrValue, 20, "issuing[1].profiles[0]", "person"},
		"a profile twice":            {change("- encryption", "- tsa"), ErrValue, 21, "issuing[1].profiles[1]", "tsa"},
		"a profile twice in a row":   {change("[institution, seal-maker, tsa]", "[institution, institution, tsa]"), ErrValue, 15, "issuing[0].profiles[1]", "institution"},
		"responders divided":         {change("seal-maker, tsa]", "seal-maker, tsa, ocsp]"), ErrValue, 15, "issuing[0].profiles[3]", "ocsp"},
		"a profile of nobody":        {change("      - encryption\n", ""), ErrValue, 13, "issuing", "encryption"},
		"a CA without profiles":      {change("    profiles: [institution, seal-maker, tsa]\n", ""), ErrValue, 14, "issuing[0].profiles", ""},
		"empty profiles":             {change("[institution, seal-maker, tsa]", "[]"), ErrValue, 15, "issuing[0].profiles", ""},
		"a number for profiles":      {change("[institution, seal-maker, tsa]", "7"), ErrSyntax, 15, "", ""},
		"one id twice":               {change("id: person", "id: issuing"), ErrValue, 16, "issuing[1].id", "issuing"},
		"no id":                      {change("  - id: person\n    name", "  - name"), ErrValue, 16, "issuing[1].id", ""},
		"the root's id":              {change("id: person", "id: root"), ErrValue, 16, "issuing[1].id", "root"},
		"capitals":                   {change("id: person", "id: Person"), ErrValue, 16, "issuing[1].id", "Person"},
		"a path":                     {change("id: person", "id: ../person"), ErrValue, 16, "issuing[1].id", "../person"},
		"one name twice":             {change("name: 个人签发证书", "name: 机构签发证书"), ErrValue, 17, "issuing[1].name", ""},
		"no name":                    {change("    name: 个人签发证书\n", ""), ErrValue, 16, "issuing[1].name", ""},
		"too short-lived":            {change("years: 8", "years: 4"), ErrValue, 18, "issuing[1].years", ""},
		"an empty list":              {several[:strings.Index(several, "issuing:")] + "issuing: []\n", ErrValue, 13, "issuing", ""},
		"a word":                     {several[:strings.Index(several, "issuing:")] + "issuing: many\n", ErrSyntax, 13, "", ""},
		"too many":                   {several + strings.Repeat("  - {}\n", ca.MaxIssuers), ErrValue, 13, "issuing", ""},
		"one that issues too little": {several[:strings.Index(several, "issuing:")] + "issuing:\n  profiles: [tsa]\n", ErrValue, 13, "issuing", "institution"},
	} {
		_, err := Parse("plan.yaml", []byte(c.text))
		f, ok := fault.Of(err)
		if !ok || f.Code != c.want.Code || f.Place.Row != c.row || f.Place.Field != c.path || !strings.Contains(err.Error(), c.said) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheDigestIsThatOfAnyOtherTool(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(openssl, "dgst", "-sm3", "-r", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("plan.yaml", []byte(whole))
	if err != nil || !strings.HasPrefix(string(out), p.Digest()+" ") {
		t.Errorf("openssl says %s, we say %s (%v)", out, p.Digest(), err)
	}
}

func TestADefaultPlanReadsAsItself(t *testing.T) {
	p := Default("某省档案局", "http://127.0.0.1:8470").WithOfficers("甲", "", "丙")
	again, err := Parse("built in", []byte(p.Text()))
	if err != nil || !reflect.DeepEqual(again, p) || p.Officers.Registrar.Name != "甲" || p.Officers.Approver.Name != "审核员" {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestEveryErrorNamesItsLine(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("%q is not in the plan", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	for name, c := range map[string]struct {
		text string
		want fault.Spec
		row  int
		path string
	}{
		"an unknown field":           {change("crl_shards: 16", "crl_shard: 16"), ErrSyntax, 5, ""},
		"an unknown field inside":    {change("  years: 25", "  year: 25"), ErrSyntax, 10, ""},
		"a field twice":              {change("crl_shards: 16", "base_url: http://b.cn"), ErrSyntax, 5, ""},
		"a word for a number":        {change("years: 25", "years: many"), ErrSyntax, 10, ""},
		"broken YAML":                {change("  registrar: {id", "  registrar: {{id"), ErrSyntax, 6, ""}, // where the reader began to wonder
		"an alias":                   {change("{id: li, name: 李四}", "&a {id: li, name: 李四}"), ErrSyntax, 8, ""},
		"another format":             {change("format: 1", "format: 2"), ErrValue, 2, "format"},
		"no format":                  {change("format: 1\n", ""), ErrValue, 2, "format"},
		"too many years":             {change("years: 25", "years: 31"), ErrValue, 10, "root.years"},
		"fewer than none":            {change("years: 25", "years: -1"), ErrValue, 10, "root.years"},
		"an issuer too long-lived":   {change("years: 12", "years: 16"), ErrValue, 15, "issuing.years"},
		"an issuer above its root":   {change("years: 25", "years: 12"), ErrValue, 15, "issuing.years"},
		"one share that opens":       {change("threshold: 2", "threshold: 1"), ErrValue, 12, "root.shares.threshold"},
		"more needed than there are": {change("threshold: 2", "threshold: 4"), ErrValue, 12, "root.shares.count"},
		"one officer twice":          {change("id: li", "id: zhang"), ErrValue, 8, "officers.approver"},
		"one person under two ids":   {change("name: 李四", "name: 张三"), ErrValue, 8, "officers.approver"},
		"a folder that climbs":       {change("keys: /media/root", "keys: ../root"), ErrValue, 11, "root.keys"},
		"an issuer too short-lived":  {change("years: 12", "years: 4"), ErrValue, 15, "issuing.years"},
		"too many shards":            {change("crl_shards: 16", "crl_shards: 5000"), ErrValue, 5, "crl_shards"},
		"no organisation":            {change("organisation: 临江省档案局\n", ""), ErrValue, 2, "organisation"},
		"a list":                     {"- a\n- b\n", ErrSyntax, 1, ""},
		"nothing":                    {"", ErrSyntax, 1, ""},
		"two documents":              {whole + "---\nformat: 1\n", ErrSyntax, 0, ""},
		"enormous":                   {whole + strings.Repeat("#", maxPlan), ErrTooLarge, 0, ""},
	} {
		_, err := Parse("plan.yaml", []byte(c.text))
		f, ok := fault.Of(err)
		if !ok || f.Code != c.want.Code || f.Place.Row != c.row || f.Place.Field != c.path || f.Place.File != "plan.yaml" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATranscriptNamesThePlanAndItsJSON(t *testing.T) {
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	tr := New(Default("某省档案局", "http://a.cn"), "yinxin test", at)
	tr.Officers = []Attendant{{"zhang", "张*三", at}}
	tr.Did(at, "made `this`\nand that")
	text, err := tr.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{tr.PlanSM3, "张＊三", "made 'this' and that", "organisation: 某省档案局"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(several))
	f.Add([]byte("format: 1\nissuing:\n- {profiles: [a]}\n- {}"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("x", data)
		if err == nil && len(p.Describe()) == 0 {
			t.Error("nothing to say")
		}
	})
}
