package ceremony

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/emmansun/gmsm/sm3"
	"go.yaml.in/yaml/v3"

	"yinxin/ca"
	"yinxin/internal/fault"
	"yinxin/keystore"
)

const (
	planFormat = 1
	// maxPlan is far above any plan that people can review.
	maxPlan = 64 << 10

	// MaxCRLShards bounds the parts of the revocation list.
	MaxCRLShards = 1024
)

// Plan is what a ceremony shall make. Parse fills in what the file leaves out.
type Plan struct {
	Format       int      `yaml:"format"`
	Organisation string   `yaml:"organisation"` // runs the authority: O in its names, at most 64 characters
	BaseURL      string   `yaml:"base_url"`     // where certificates say that CRLs, certificates and OCSP are found
	CRLShards    int      `yaml:"crl_shards"`   // parts of an issuing CA's revocation list; 0 leaves it to the service
	Officers     Officers `yaml:"officers"`
	Root         Root     `yaml:"root"`
	Issuing      Issuers  `yaml:"issuing"`

	text []byte
}

// Officers are the first people of the installation; registrar and approver hold the ceremony together.
type Officers struct {
	Registrar     Person `yaml:"registrar"`
	Approver      Person `yaml:"approver"`
	Administrator Person `yaml:"administrator"`
}

// Person is an actor: a short identifier and the name.
type Person struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
}

// Root is the root CA. Its keystore lies in a folder of its own, to be taken offline.
type Root struct {
	Name   string  `yaml:"name"`
	Years  int     `yaml:"years"`
	Keys   string  `yaml:"keys"`   // folder: within the data directory, or absolute
	Shares *Shares `yaml:"shares"` // nil: a passphrase opens it
}

// Shares says how many of how many shares open the root's keystore.
type Shares struct {
	Threshold int `yaml:"threshold"`
	Count     int `yaml:"count"`
}

// Default is the plan of a plain installation.
func Default(organisation, baseURL string) Plan {
	p := Plan{Organisation: organisation, BaseURL: baseURL}
	p.fill()
	p.text = p.encode()
	return p
}

// WithOfficers gives the plan with other names of its officers; empty ones stay.
func (p Plan) WithOfficers(registrar, approver, administrator string) Plan {
	for _, change := range []struct {
		to   *string
		name string
	}{{&p.Officers.Registrar.Name, registrar}, {&p.Officers.Approver.Name, approver}, {&p.Officers.Administrator.Name, administrator}} {
		if change.name != "" {
			*change.to = change.name
		}
	}
	p.text = p.encode()
	return p
}

func (p Plan) encode() []byte {
	text, err := yaml.Marshal(p)
	if err != nil {
		panic("ceremony: a plan can always be encoded: " + err.Error())
	}
	return text
}

// Text is the plan as it was reviewed.
func (p Plan) Text() string { return string(p.text) }

// Digest is SM3 of the plan's text, in hexadecimal digits.
func (p Plan) Digest() string {
	sum := sm3.Sum(p.text)
	return hex.EncodeToString(sum[:])
}

// fill completes what is left to us.
func (p *Plan) fill() {
	text := func(value *string, otherwise string) {
		if *value == "" {
			*value = otherwise
		}
	}
	number := func(value *int, otherwise int) {
		if *value == 0 {
			*value = otherwise
		}
	}
	number(&p.Format, planFormat)
	text(&p.Officers.Registrar.ID, "registrar")
	text(&p.Officers.Registrar.Name, "登记员")
	text(&p.Officers.Approver.ID, "approver")
	text(&p.Officers.Approver.Name, "审核员")
	text(&p.Officers.Administrator.ID, "administrator")
	text(&p.Officers.Administrator.Name, "管理员")
	text(&p.Root.Name, p.Organisation+"根证书")
	text(&p.Root.Keys, "root-keys")
	number(&p.Root.Years, 20)
	p.Issuing = p.Issuing.filled(p.Organisation)
}

// Parse reads a plan: one YAML document without aliases, of known fields only. name is how errors call the file. Errors:
// ceremony.syntax, ceremony.value, ceremony.too-large, with the line as row.
func Parse(name string, data []byte) (Plan, error) {
	var p Plan
	if len(data) > maxPlan {
		return p, ErrTooLarge.With("> %d B", maxPlan).At(fault.File(name))
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return p, syntax(name, err)
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return p, ErrSyntax.At(fault.Place{File: name, Row: 1})
	}
	if alias := findAlias(&document); alias != nil {
		return p, ErrSyntax.Saying("不允许别名", "aliases are not allowed").At(fault.Place{File: name, Row: alias.Line})
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil {
		return p, syntax(name, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return p, ErrSyntax.Saying("只能有一个文档", "there must be one document").At(fault.File(name))
	}
	p.text = bytes.Clone(data)
	given := p // what stands in the file, before it is completed
	p.fill()
	if w := p.wrong(given); w.path != "" {
		err := ErrValue.New()
		if w.value != "" {
			err = ErrValue.With("%.40q", w.value)
		}
		return p, err.At(fault.Place{File: name, Field: w.path, Row: lineOf(document.Content[0], strings.Split(w.path, "."))})
	}
	return p, nil
}

func findAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n
	}
	for _, child := range n.Content {
		if found := findAlias(child); found != nil {
			return found
		}
	}
	return nil
}

// syntax takes the first line number out of what the YAML reader says: "yaml: line 3: …" or "  line 3: field x not found".
func syntax(name string, err error) error {
	said := err.Error()
	var t *yaml.TypeError
	if errors.As(err, &t) && len(t.Errors) > 0 {
		said = t.Errors[0]
	}
	said = strings.TrimPrefix(said, "yaml: ")
	place := fault.File(name)
	if rest, ok := strings.CutPrefix(said, "line "); ok {
		if number, what, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				place.Row, said = n, what
			}
		}
	}
	said, _, _ = strings.Cut(said, " in type ")
	return ErrSyntax.With("%.200s", said).At(place).Because(err)
}

// flaw is a value that cannot be.
type flaw struct {
	path  string // of fields, with dots and indices: issuing[1].years; empty: none
	value string // where the path does not tell which
}

// wrong gives the first value that cannot be; names and the address are judged by ca.Establish as well.
func (p Plan) wrong(given Plan) flaw {
	if path := p.wrongBefore(given); path != "" {
		return flaw{path: path}
	}
	if w := p.Issuing.wrong(p.Root); w.path != "" {
		return w
	}
	return flaw{path: p.wrongAfter()}
}

func (p Plan) wrongBefore(given Plan) string {
	switch {
	case given.Format != planFormat:
		return "format"
	case p.Organisation == "":
		return "organisation"
	case p.BaseURL == "":
		return "base_url"
	case p.CRLShards < 0 || p.CRLShards > MaxCRLShards:
		return "crl_shards"
	case p.Root.Years < 1 || p.Root.Years > ca.MaxRootYears:
		return "root.years"
	case !filepath.IsLocal(p.Root.Keys) && !filepath.IsAbs(p.Root.Keys):
		return "root.keys"
	}
	return ""
}

func (p Plan) wrongAfter() string {
	if s := p.Root.Shares; s != nil {
		switch {
		case s.Threshold < keystore.MinThreshold:
			return "root.shares.threshold"
		case s.Count < s.Threshold || s.Count > keystore.MaxShares:
			return "root.shares.count"
		}
	}
	o := p.Officers
	switch {
	case o.Registrar.ID == o.Approver.ID || o.Registrar.Name == o.Approver.Name:
		return "officers.approver"
	case o.Administrator.ID == o.Registrar.ID || o.Administrator.ID == o.Approver.ID:
		return "officers.administrator"
	}
	return ""
}

// lineOf is the line of the deepest part of a path that is in the file.
func lineOf(n *yaml.Node, path []string) int {
	for i := 0; i+1 < len(n.Content) && len(path) > 0; i += 2 {
		name, index, indexed := strings.Cut(strings.TrimSuffix(path[0], "]"), "[")
		if n.Content[i].Value != name {
			continue
		}
		value := n.Content[i+1]
		if at, err := strconv.Atoi(index); indexed && err == nil && value.Kind == yaml.SequenceNode && at < len(value.Content) {
			value = value.Content[at]
			if len(path) == 1 {
				return value.Line
			}
		}
		if len(path) == 1 || value.Kind != yaml.MappingNode {
			return n.Content[i].Line
		}
		return lineOf(value, path[1:])
	}
	return n.Line
}

// Describe says line by line what the plan makes, in the order in which it is made.
func (p Plan) Describe() []string {
	custody := "由口令打开 opened by a passphrase"
	if s := p.Root.Shares; s != nil {
		custody = fmt.Sprintf("由 %d 份中任意 %d 份打开 opened by any %d of %d shares", s.Count, s.Threshold, s.Threshold, s.Count)
	}
	shards := "由服务决定 left to the service"
	if p.CRLShards > 0 {
		shards = strconv.Itoa(p.CRLShards)
	}
	lines := []string{
		fmt.Sprintf("机构 organisation: %s", p.Organisation),
		fmt.Sprintf("发布地址 base URL: %s", p.BaseURL),
		fmt.Sprintf("撤销列表分片 CRL shards: %s", shards),
	}
	for _, o := range []struct {
		role   string
		person Person
	}{{"登记员 registrar", p.Officers.Registrar}, {"审核员 approver", p.Officers.Approver}, {"管理员 administrator", p.Officers.Administrator}} {
		lines = append(lines, fmt.Sprintf("%s: %s (%s)", o.role, o.person.Name, o.person.ID))
	}
	lines = append(lines,
		fmt.Sprintf("根密钥库 root keystore: %s, %s", p.Root.Keys, custody),
		fmt.Sprintf("根证书 root certificate: %s, %d 年 years", p.Root.Name, p.Root.Years))
	return append(append(lines, p.Issuing.describe()...), "根撤销列表 root CRL: 1")
}
