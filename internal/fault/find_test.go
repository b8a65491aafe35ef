package fault_test

import (
	"path/filepath"
	"testing"

	"yinxin/internal/fault"
)

// TestEveryCodeIsFound: what the code declares, Find says.
func TestEveryCodeIsFound(t *testing.T) {
	for _, s := range specsIn(t, filepath.Join("..", "..")) {
		if found, ok := fault.Find(s.code); !ok || found.ZH != s.zh || found.EN != s.en {
			t.Errorf("%s: %+v", s.code, found)
		}
	}
	for _, code := range []string{"", "code", "no.such-code"} {
		if found, ok := fault.Find(code); ok {
			t.Errorf("%q: %+v", code, found)
		}
	}
}
