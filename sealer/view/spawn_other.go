//go:build !linux && !windows

package view

import "syscall"

// childAttributes are none here: a worker notices by the end of its input that its viewer is gone.
func childAttributes() *syscall.SysProcAttr { return nil }
