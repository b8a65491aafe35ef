package ceremony

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/keystore"
)

// Transcript is what happened at a ceremony, for those who were not there. It holds no secret: of shares their numbers
// and the name of the split, of keys their fingerprints.
type Transcript struct {
	Format       int           `json:"format"`
	Tool         string        `json:"tool"` // program and version
	Held         time.Time     `json:"held"`
	PlanSM3      string        `json:"plan_sm3"`
	Plan         string        `json:"plan"`
	Officers     []Attendant   `json:"officers"`
	Shares       *SharesMade   `json:"root_shares,omitempty"`
	Steps        []Step        `json:"steps"`
	Certificates []Certificate `json:"certificates"`
	RootCRLSM3   string        `json:"root_crl_sm3"`
	LedgerKey    string        `json:"ledger_origin"` // names the key that signs the ledger
}

// Attendant is an officer and when they confirmed the plan.
type Attendant struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Confirmed time.Time `json:"confirmed"`
}

// SharesMade says how the root was split.
type SharesMade struct {
	Split     string `json:"split"`
	Threshold int    `json:"threshold"`
	Count     int    `json:"count"`
}

// Step is one thing that was done.
type Step struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Certificate is one that was made. SM3 is over its DER, Key the fingerprint of its public key.
type Certificate struct {
	Profile   string    `json:"profile"`
	Subject   string    `json:"subject"`
	Serial    string    `json:"serial"`
	SM3       string    `json:"sm3"`
	Key       string    `json:"key"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

// New begins the transcript of a plan.
func New(p Plan, tool string, held time.Time) *Transcript {
	return &Transcript{Format: 1, Tool: tool, Held: held.UTC(), PlanSM3: p.Digest(), Plan: p.Text()}
}

// Did adds a step.
func (t *Transcript) Did(at time.Time, format string, args ...any) {
	t.Steps = append(t.Steps, Step{at.UTC(), fmt.Sprintf(format, args...)})
}

// Made adds a certificate.
func (t *Transcript) Made(profile string, c *chain.Certificate) {
	t.Certificates = append(t.Certificates, Certificate{Profile: profile, Subject: c.Subject.String(), Serial: c.Serial.Text(16),
		SM3: c.FingerprintText(), Key: fingerprint(c), NotBefore: c.NotBefore, NotAfter: c.NotAfter})
}

func fingerprint(c *chain.Certificate) string {
	sum := sm3.Sum(c.KeyBits())
	var f keystore.Fingerprint
	copy(f[:], sum[:])
	return f.String()
}

// JSON is the transcript for programs; its SM3 stands in the ledger.
func (t *Transcript) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(t)
	return b.Bytes(), err
}

// Markdown is the transcript for people, with the SM3 of its JSON.
func (t *Transcript) Markdown() (string, error) {
	text, err := t.JSON()
	if err != nil {
		return "", err
	}
	sum := sm3.Sum(text)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# 密钥仪式记录 Transcript of the key ceremony\n")
	line("- 时间 held: %s", stamp(t.Held))
	line("- 程序 tool: %s", plain(t.Tool))
	line("- 方案 SM3 plan: `%s`", t.PlanSM3)
	line("- 本记录 JSON 的 SM3 SM3 of the JSON form: `%x`", sum)
	line("- 日志密钥 ledger: `%s`", t.LedgerKey)
	line("- 根撤销列表 SM3 root CRL: `%s`", t.RootCRLSM3)
	if s := t.Shares; s != nil {
		line("- 根密钥份额 root shares: %d 份中任意 %d 份 any %d of %d, `%s`", s.Count, s.Threshold, s.Threshold, s.Count, s.Split)
	}
	line("\n## 经办人 Officers\n")
	for _, o := range t.Officers {
		line("- %s (%s): %s ______________________", plain(o.Name), o.ID, stamp(o.Confirmed))
	}
	line("\n## 步骤 Steps\n")
	for i, s := range t.Steps {
		line("%d. %s %s", i+1, stamp(s.At), plain(s.What))
	}
	line("\n## 证书 Certificates\n")
	for _, c := range t.Certificates {
		line("- %s: %s", c.Profile, plain(c.Subject))
		line("  - 序列号 serial `%s`", c.Serial)
		line("  - SM3 `%s`", c.SM3)
		line("  - 密钥指纹 key `%s`", c.Key)
		line("  - %s – %s", stamp(c.NotBefore), stamp(c.NotAfter))
	}
	line("\n## 方案 Plan\n\n```yaml\n%s\n```", strings.TrimRight(strings.ReplaceAll(t.Plan, "```", "'''"), "\n"))
	return b.String(), nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// plain keeps what people wrote from being read as markup.
func plain(s string) string {
	return strings.NewReplacer("\n", " ", "`", "'", "*", "＊", "[", "［", "<", "＜", "|", "｜").Replace(s)
}
