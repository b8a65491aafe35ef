//go:build cgo

package tokentest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/miekg/pkcs11"

	"yinxin/internal/tooltest"
)

// Ready initialises the token in a slot, with a label and the PINs of this package. Nothing in the process may use the module
// at that time.
func (f Folder) Ready(t testing.TB, slot uint, label string) {
	t.Helper()
	t.Setenv(Environment, f.Path)
	c := pkcs11.New(Module(t))
	if c == nil {
		t.Fatal("the module does not load")
	}
	defer c.Destroy()
	if err := c.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer c.Finalize() //nolint:errcheck // what follows would notice
	if err := prepare(c, slot, label); err != nil {
		t.Fatal(err)
	}
}

func prepare(c *pkcs11.Ctx, slot uint, label string) error {
	if err := c.InitToken(slot, SOPIN, label); err != nil {
		return err
	}
	h, err := c.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return err
	}
	if err := c.Login(h, pkcs11.CKU_SO, SOPIN); err != nil {
		return err
	}
	if err := c.InitPIN(h, UserPIN); err != nil {
		return err
	}
	return c.CloseAllSessions(slot)
}

// SoftHSM gives the path of SoftHSM's module with one initialised token, for RSA and ECDSA; it has no SM2. Without the Debian
// package softhsm2 the test is skipped.
func SoftHSM(t testing.TB, label string) string {
	t.Helper()
	tooltest.Find(t, "softhsm2-util")
	found, _ := filepath.Glob("/usr/lib/*/softhsm/libsofthsm2.so")
	if found = append(found, "/usr/lib/softhsm/libsofthsm2.so"); !exists(found[0]) {
		t.Skip("the module of softhsm2 is not where Debian puts it")
	}
	folder := t.TempDir()
	configuration := filepath.Join(folder, "softhsm2.conf")
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", folder)
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", configuration)
	tooltest.Run(t, "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", SOPIN, "--pin", UserPIN)
	return found[0]
}
