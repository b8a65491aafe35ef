package command

import (
	"log/slog"
	"os"
	"path/filepath"

	"yinxin/sealer/view"
)

// viewWorkerName is the hidden command that shows pages for another process of this binary.
const viewWorkerName = "view-worker"

// viewWorkerCommand is the worker of sealer/view: it serves its standard input and ends with it.
type viewWorkerCommand struct{}

func (viewWorkerCommand) Run(s streams) error { return view.Work(s.in, s.out) }

// newViewer makes the viewer of an installation: workers are this binary, and the compiled module is kept in the data
// directory. dir is empty for a command without one; it then compiles anew. fonts serve text whose font is not in the
// document. Close the viewer.
func newViewer(dir string, fonts []string, workers int, spare bool) (*view.Viewer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := view.Config{Path: self, Args: []string{"yinxin", viewWorkerName}, Workers: workers, Spare: spare, Fonts: fonts,
		Report: func(err error) {
			slog.Warn("a process that shows pages hung when it started, and another takes its place", "error", err)
		}}
	if dir != "" {
		c.CacheDir = filepath.Join(dir, viewCacheName)
	}
	return view.New(c), nil
}
