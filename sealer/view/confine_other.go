//go:build !linux && !windows

package view

// harden and confine do what this system allows a process to give up by itself: nothing portable. The module has no
// access to files and network there either; what is missing is the second wall around the process.
func harden() {}

func confine(hello) (meter func() error, err error) { return func() error { return nil }, nil }
