//go:build linux || darwin

package selflimit

import "syscall"

// Memory limits what the process may write to, in bytes; not the address space, of which Go reserves much more.
func Memory(bytes int64) error {
	limit := syscall.Rlimit{Cur: uint64(bytes), Max: uint64(bytes)}
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &limit)
}
