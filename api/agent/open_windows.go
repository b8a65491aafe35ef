package agent

import "golang.org/x/sys/windows"

// hasDisplay: a desktop is always there.
func hasDisplay() bool { return true }

// OpenViewer opens a picture or a folder with the program that the system has for it.
func OpenViewer(path string) error {
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return err
	}
	file, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	return windows.ShellExecute(0, verb, file, nil, nil, windows.SW_SHOWNORMAL)
}
