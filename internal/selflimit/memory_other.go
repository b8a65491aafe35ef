//go:build !linux && !darwin && !windows

package selflimit

// Memory does nothing: this system is not known to let a process limit itself.
func Memory(int64) error { return nil }
