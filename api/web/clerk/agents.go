package clerk

import (
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"yinxin/api/web"
	"yinxin/internal/fault"
)

// agentFile is the program for terminals of one kind.
type agentFile struct {
	Name  string
	Label web.Text
	Size  int64
}

// agentNames are the files of the folder that are given out, as make agents names them, and no others.
var agentNames = []agentFile{{Name: "yinxin-windows-amd64.exe", Label: web.Text{ZH: "Windows（64 位）", EN: "Windows, 64 bit"}},
	{Name: "yinxin-linux-amd64", Label: web.Text{ZH: "Linux（x86-64）", EN: "Linux, x86-64"}}, {Name: "yinxin-linux-arm64", Label: web.Text{ZH: "Linux（ARM64）", EN: "Linux, ARM64"}}}

var errNoAgent = fault.Spec{Kind: fault.NotFound, Code: "clerk.no-agent", ZH: "本系统没有提供这个签章助手。", EN: "This agent is not given out here."}

// agentFiles are the programs that are there.
func (p pages) agentFiles() (list []agentFile) {
	if p.Agents == "" {
		return nil
	}
	for _, f := range agentNames {
		if info, err := os.Stat(filepath.Join(p.Agents, f.Name)); err == nil && info.Mode().IsRegular() {
			f.Size = info.Size()
			list = append(list, f)
		}
	}
	return list
}

// agent gives a program for a terminal.
func (p pages) agent(q *web.Request) error {
	for _, f := range p.agentFiles() {
		if f.Name != q.PathValue("name") {
			continue
		}
		file, err := os.Open(filepath.Join(p.Agents, f.Name))
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

// absent is after how long without a word a terminal is not there: one that waits for work asks every half minute.
const absent = 5 * time.Minute

// agentState says that the clerk's terminal is not there.
type agentState struct {
	Paired bool      // one is paired
	Seen   time.Time // when one was last seen; zero: never
	Files  []agentFile
}

// agentMissing is nil where a terminal of the clerk's was seen just now, or no seal is on a USB Key.
func (p pages) agentMissing(q *web.Request, seals []sealCard) (*agentState, error) {
	key := false
	for _, s := range seals {
		key = key || s.Key && s.Usable
	}
	if !key || p.Terminals == nil {
		return nil, nil
	}
	all, err := p.Terminals.Terminals(q.Context(), q.Actor)
	if err != nil {
		return nil, err
	}
	s := &agentState{Files: p.agentFiles()}
	for _, t := range all {
		if !t.Ended.IsZero() {
			continue
		}
		s.Paired = true
		if t.LastSeen.After(s.Seen) {
			s.Seen = t.LastSeen
		}
	}
	if p.Clock().Sub(s.Seen) < absent {
		return nil, nil
	}
	return s, nil
}
