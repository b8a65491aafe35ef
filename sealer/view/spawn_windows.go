package view

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// childAttributes give a worker no console window, and a group of its own, so that an interrupt reaches the viewer and not
// the worker. A worker notices by the end of its input that its viewer is gone.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW | windows.CREATE_NEW_PROCESS_GROUP}
}
