//go:build !cgo

package hsm

// load refuses: a module is a C library, and this program was built without a way to call one.
func load(string) (cryptoki, error) { return nil, ErrNotBuilt.New() }
