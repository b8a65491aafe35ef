package view

import "syscall"

// childAttributes put a worker into a process group of its own, so that a terminal's interrupt reaches the viewer and
// not the worker, and have the system kill it when the thread that started it ends; see process.run.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
