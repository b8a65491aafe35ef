//go:build unix

package agent

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// hasDisplay reports whether there is a desktop to show dialogs on.
func hasDisplay() bool {
	return runtime.GOOS == "darwin" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// OpenViewer opens a picture or a folder with the program that the system has for it. Without a desktop it fails: the
// openers would then start a browser in text mode.
func OpenViewer(path string) error {
	if !hasDisplay() {
		return errors.New("no display")
	}
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	c := exec.Command(opener, path)
	if err := c.Start(); err != nil {
		return err
	}
	go c.Wait() //nolint:errcheck // the viewer lives as long as it likes
	return nil
}
