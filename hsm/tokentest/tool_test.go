//go:build cgo

package tokentest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/miekg/pkcs11"

	"yinxin/internal/tooltest"
)

// A program that nobody here wrote initialises the token, logs in, changes the PIN, locks it, unlocks it as the SO and signs.
func TestPKCS11ToolDoesWhatATokenIsFor(t *testing.T) {
	tooltest.Find(t, "pkcs11-tool")
	module := Module(t)
	folder := NewFolder(t, "tries = 3")
	t.Setenv(Environment, folder.Path)
	base := []string{"--module", module, "--slot", "0"}
	tool := func(args ...string) string {
		t.Helper()
		return tooltest.Run(t, "pkcs11-tool", append(base[:len(base):len(base)], args...)...)
	}
	refused := func(want string, args ...string) {
		t.Helper()
		said, err := exec.Command("pkcs11-tool", append(base[:len(base):len(base)], args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(said), want) {
			t.Errorf("%v: %v, not %s: %s", args, err, want, said)
		}
	}
	demand := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
	}
	demand(tool("--list-slots"), "uninitialized")
	tool("--init-token", "--label", "clerk", "--so-pin", SOPIN)
	refused("CKR_PIN_INCORRECT", "--init-token", "--label", "thief", "--so-pin", "00000000")
	refused("CKR_USER_PIN_NOT_INITIALIZED", "--login", "--pin", "777777", "--list-objects")
	tool("--login", "--so-pin", SOPIN, "--init-pin", "--pin", "777777")
	demand(tool("--list-slots"), "clerk", "PIN initialized", "token initialized")
	demand(tool("--list-mechanisms"), "0x80008001", "0x80008104", "sign, verify", "SHA256, digest")

	file := func(name string) string { return filepath.Join(folder.Path, name) }
	write(t, file("seal"), "a seal")
	tool("--login", "--pin", "777777", "--write-object", file("seal"), "--type", "data", "--label", "seal", "--private")
	if seen := tool("--list-objects"); strings.Contains(seen, "seal") {
		t.Errorf("a private object shows without login: %s", seen)
	}
	demand(tool("--login", "--pin", "777777", "--read-object", "--type", "data", "--label", "seal"), "a seal")

	tool("--login", "--pin", "777777", "--change-pin", "--new-pin", UserPIN)
	for _, want := range []string{"CKR_PIN_INCORRECT", "CKR_PIN_INCORRECT", "CKR_PIN_LOCKED"} {
		refused(want, "--login", "--pin", "777777", "--list-objects")
	}
	refused("CKR_PIN_LOCKED", "--login", "--pin", UserPIN, "--list-objects")
	demand(tool("--list-slots"), "user PIN locked")
	tool("--login", "--so-pin", SOPIN, "--init-pin", "--pin", UserPIN)
	demand(tool("--login", "--pin", UserPIN, "--list-objects"), "seal")

	key := pairOf(t, module)
	e := make([]byte, 32)
	if _, err := rand.Read(e); err != nil {
		t.Fatal(err)
	}
	write(t, file("e"), string(e))
	tool("--login", "--pin", UserPIN, "--sign", "--mechanism", "0x80008104", "--id", "01", "--input-file", file("e"), "--output-file", file("signature"))
	signature, err := os.ReadFile(file("signature"))
	if err != nil || !sm2.VerifyASN1(key, e, signature) {
		t.Errorf("%v: %x is no signature", err, signature)
	}
	demand(tool("--login", "--pin", UserPIN, "--test"), "No errors")
	tool("--login", "--pin", UserPIN, "--delete-object", "--type", "privkey", "--id", "01")
	refused("not found", "--login", "--pin", UserPIN, "--sign", "--mechanism", "0x80008104", "--id", "01", "--input-file", file("e"), "--output-file", file("signature"))
}

// pairOf makes a key with the identifier 1: the tool knows no curve of SM2.
func pairOf(t *testing.T, module string) *ecdsa.PublicKey {
	t.Helper()
	c := pkcs11.New(module)
	if c == nil {
		t.Fatal("the module does not load")
	}
	defer c.Destroy()
	o := opened{Ctx: c, t: t}
	o.must(o.Initialize())
	defer func() { o.must(o.Finalize()) }()
	h := o.session(true)
	o.must(o.Login(h, pkcs11.CKU_USER, UserPIN))
	public, _ := o.pair(h, keyPair, false)
	key, err := sm2.NewPublicKey(o.point(h, public))
	o.must(err)
	return key
}
