package command

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"yinxin/ca/csr"
	"yinxin/internal/fault"
)

func TestAnInputIsReadToItsLimit(t *testing.T) {
	refusal := csr.ErrTooLarge.New()
	name := filepath.Join(t.TempDir(), "request.csr")
	for size, want := range map[int]string{0: "", 7: "", 8: "", 9: refusal.Code, 4096: refusal.Code} {
		if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := readAtMost(name, 8, refusal)
		if code := fault.CodeOf(err); err != nil && code != want || err == nil && (want != "" || len(b) != size) {
			t.Errorf("%d octets: %d read, %v", size, len(b), err)
		}
	}
}

// A pipe has no size until it was read.
func TestAPipeIsReadToItsLimit(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip("no pipes with a name here:", err)
	}
	go func() {
		if f, err := os.OpenFile(name, os.O_WRONLY, 0); err == nil {
			_, _ = f.Write(make([]byte, 9))
			f.Close()
		}
	}()
	if _, err := readAtMost(name, 8, csr.ErrTooLarge.New()); !fault.Has(err, csr.ErrTooLarge) {
		t.Errorf("nine octets where eight are allowed: %v", err)
	}
}
