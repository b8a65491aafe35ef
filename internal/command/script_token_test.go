package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"yinxin/fixtures"
	"yinxin/hsm/tokentest"
)

// scriptCondition knows [softtoken]: the soft token is there, or can be built. Where everything for it is installed, not being
// able to is an error.
func scriptCondition(name string) (bool, error) {
	if name != "softtoken" {
		return false, fmt.Errorf("no condition %s", name)
	}
	_, err := tokentest.Find()
	if err != nil && os.Getenv("CI") == "true" {
		return false, err
	}
	return err == nil, nil
}

// softtoken DIR [LINE…] makes a folder of soft tokens the one of the script; lines are of softtoken.conf.
func scriptSoftToken(ts *testscript.TestScript, _ bool, args []string) {
	module, err := tokentest.Find()
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, "softtoken.conf"), []byte(strings.Join(args[1:], "\n")+"\n"), 0o600))
	ts.Setenv(tokentest.Environment, dir)
	ts.Setenv("YINXIN_PKCS11_MODULE", module)
}

// demousers sets USER1, IDENTITY1, USER2 and IDENTITY2 to the users of the demo's second seal.
func scriptDemoUsers(ts *testscript.TestScript, _ bool, _ []string) {
	s := demoSeal{archive: fixtures.Archive("松河市"), seed: 2}
	for i, person := range s.users() {
		ts.Setenv("USER"+strconv.Itoa(i+1), person.Name)
		ts.Setenv("IDENTITY"+strconv.Itoa(i+1), person.IdentityNumber)
	}
}
