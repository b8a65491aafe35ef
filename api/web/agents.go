package web

import (
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"yinxin/internal/fault"
	"yinxin/internal/release"
)

// TerminalsPath is the page of one's own terminals and USB Keys.
const TerminalsPath = "/account/terminals"

// TitleTerminals is its title.
var TitleTerminals = Text{ZH: "签章终端", EN: "Terminals"}

// AgentFile is the program for terminals of one kind.
type AgentFile struct {
	Name  string
	Label Text
	Size  int64
}

// agentNames are the files of the folder that are given out, as make agents names them, and no others.
var agentNames = []AgentFile{{Name: "yinxin-windows-amd64.exe", Label: Text{ZH: "Windows（64 位）", EN: "Windows, 64 bit"}},
	{Name: "yinxin-linux-amd64", Label: Text{ZH: "Linux（x86-64）", EN: "Linux, x86-64"}}, {Name: "yinxin-linux-arm64", Label: Text{ZH: "Linux（ARM64）", EN: "Linux, ARM64"}}}

// AgentCell shows which agent a terminal runs, and says so where it is older than it should be.
func (q *Request) AgentCell(a release.Agent, s release.Standing) Cell {
	c := Cell{Text: a.Version, Fine: a.Platform}
	if c.Text == "" {
		c.Text = q.T("版本未知", "version not known")
	}
	if s == release.Outdated {
		c.Class, c.Fine = "doubt", strings.TrimPrefix(c.Fine+q.T("，须更新", ", to be updated"), q.T("，", ", "))
	}
	return c
}

var errNoAgent = fault.Spec{Kind: fault.NotFound, Code: "page.no-agent", ZH: "本系统没有提供这个签章助手。", EN: "This agent is not given out here."}

// AgentFiles are the programs that are in a folder; an empty name is none.
func AgentFiles(folder string) (list []AgentFile) {
	if folder == "" {
		return nil
	}
	for _, f := range agentNames {
		if info, err := os.Stat(filepath.Join(folder, f.Name)); err == nil && info.Mode().IsRegular() {
			f.Size = info.Size()
			list = append(list, f)
		}
	}
	return list
}

// GiveAgent gives a program of the folder for a terminal.
func (q *Request) GiveAgent(folder, name string) error {
	for _, f := range AgentFiles(folder) {
		if f.Name != name {
			continue
		}
		file, err := os.Open(filepath.Join(folder, f.Name))
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		h := q.W.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
		http.ServeContent(q.W, q.Request, "", info.ModTime(), file)
		return nil
	}
	return errNoAgent.New()
}
