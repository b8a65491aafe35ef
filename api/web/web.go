// Package web renders the page on which anyone verifies a sealed PDF: HTML templates, one style sheet and one small
// script, all in the program. It knows no HTTP: package api serves what it renders.
//
// The page is in Chinese or English, works without script, without a mouse and on a phone, loads nothing from
// elsewhere, and needs no inline script or style. It says what was checked and what was not, shows pictures of seals
// from the signed data and never from the page of the document, and says what happens to the file.
package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"path"

	"yinxin/sealer/verify"
	"yinxin/sealer/verify/versions"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed assets
var assets embed.FS

// FragmentHeader is the header field with which the script asks for the verdict without the page around it.
const FragmentHeader = "X-Fragment"

// Config is what the pages need to know.
type Config struct {
	MaxVerify int64 // largest file that can be verified, in bytes
}

// Pages renders. It is safe for concurrent use.
type Pages struct {
	config Config
	sets   map[string]*template.Template // by language
	assets []Asset
}

// Asset is a file that the pages refer to.
type Asset struct {
	Path string // on the server
	Type string // media type
	Body []byte
}

// New reads the templates.
func New(c Config) (*Pages, error) {
	p := &Pages{config: c, sets: map[string]*template.Template{}}
	for _, language := range []string{"zh", "en"} {
		set, err := template.New("").Funcs(functions(language)).ParseFS(templates, "templates/*.html")
		if err != nil {
			return nil, err
		}
		p.sets[language] = set
	}
	names, err := fs.Glob(assets, "assets/*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		body, err := fs.ReadFile(assets, name)
		if err != nil {
			return nil, err
		}
		p.assets = append(p.assets, Asset{Path: "/" + name, Type: mediaTypes[path.Ext(name)], Body: body})
	}
	return p, nil
}

// Assets are the files that the pages refer to.
func (p *Pages) Assets() []Asset { return p.assets }

// Start is the page before a file was chosen.
func (p *Pages) Start(language string) ([]byte, error) {
	return p.render("page", Answer{Language: language})
}

// Practice is the page to which certificates point for their practice statement.
func (p *Pages) Practice(language string) ([]byte, error) {
	return p.render("practice", Answer{Language: language})
}

// PathVersions is where a file is sent to have the version as sealed set beside later ones; ?signature names the seal.
const PathVersions = "/versions"

// PathAsSealed is where a file is sent to get the version as sealed out of it; ?signature names the seal.
const PathAsSealed = "/as-sealed"

// Answer is what is said about a file: a report, its versions, or the problem for which there is neither.
type Answer struct {
	Language string // "zh" or "en"
	Fragment bool   // without the page around it
	Report   *verify.Report
	// Stored says that the file is in the store of the service, so that whoever reads the verdict need not have it.
	Stored bool
	// File is the name of the file whose versions are shown.
	File     string
	Versions *versions.Comparison
	Code     string // of a paper copy, found on a picture of it
	// Certificates is what is said about a file of certificates, which has at least one.
	Certificates *verify.CertificatesReport
	Problem      string // a sentence
	RequestID    string
}

// Verdict renders an answer.
func (p *Pages) Verdict(a Answer) ([]byte, error) {
	name := "page"
	if a.Fragment {
		name = "answer"
	}
	return p.render(name, a)
}

func (p *Pages) render(name string, a Answer) ([]byte, error) {
	if a.Language != "en" {
		a.Language = "zh"
	}
	v := view{Language: a.Language, MaxBytes: p.config.MaxVerify, MaxMB: p.config.MaxVerify >> 20, Problem: a.Problem, RequestID: a.RequestID, Code: a.Code, Fragment: a.Fragment, File: a.File}
	if a.Report != nil {
		v.Verdict = verdictOf(a.Report, a.Language, a.Stored)
	}
	if a.Certificates != nil {
		v.Certificates = certificatesOf(a.Certificates, a.Language)
	}
	if a.Versions != nil {
		v.Versions = versionsOf(a.Versions)
	}
	var b bytes.Buffer
	err := p.sets[a.Language].ExecuteTemplate(&b, name, v)
	return b.Bytes(), err
}
