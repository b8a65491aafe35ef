package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf/normalise"
	"yinxin/sealer/register"
)

// The scripts run this test program as yinxin.
func TestMain(m *testing.M) {
	// What a test runs in this process starts its workers as this program.
	if len(os.Args) > 1 && (os.Args[1] == normalise.WorkerName || os.Args[1] == compose.WorkerName) {
		os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	testscript.Main(tests{m}, map[string]func(){
		"yinxin": func() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"upload": uploadProgram,
		"order":  orderProgram,
	})
}

// tests take away what they shared.
type tests struct{ *testing.M }

func (t tests) Run() int {
	dir, err := sharedFolder()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	return t.M.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:       "testdata/script",
		Condition: scriptCondition,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "C.UTF-8")
			// Addresses for a server that a script starts. Somebody else could take a port meanwhile; nobody does.
			for _, name := range []string{"ADDRESS", "ADDRESS2"} {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					return err
				}
				defer l.Close()
				e.Setenv(name, l.Addr().String())
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"province": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(copyProvince(ts.MkAbs(args[0])))
			},
			"fixture":      scriptFixture,
			"form":         scriptForm,
			"officers":     scriptOfficers,
			"flip":         scriptFlip,
			"truncate":     scriptTruncate,
			"append":       scriptAppend,
			"configure":    scriptConfigure,
			"await":        scriptAwait,
			"beginswith":   scriptBeginsWith,
			"sql":          scriptSQL,
			"sqlcount":     scriptSQLCount,
			"digest":       scriptDigest,
			"codelines":    scriptCodeLines,
			"truncatelast": scriptTruncateLast,
			"requestid":    scriptRequestID,
			"anchorid":     scriptAnchorID,
			"nothingin":    scriptNothingLeft,
			"newkey":       scriptNewKey,
			"escrowed":     scriptEscrowed,
			"termsagreed":  scriptTermsAgreed,
			"agreed":       scriptAgreed,
			"sessionid":    scriptSessionID,
			"opens":        scriptOpens,
			"orderid":      scriptOrderID,
			"serial":       scriptSerial,
			"keep":         scriptKeep,
			"filled":       scriptFilled,
			"unitfile":     scriptUnitFile,
			"workbook":     scriptWorkbook,
			"card":         scriptCard,
			"newrequest":   scriptNewRequest,
			"softtoken":    scriptSoftToken,
			"demousers":    scriptDemoUsers,
			"usbkey":       scriptUSBKey,
			"terminal":     scriptTerminal,
			"stamped":      scriptStamped,
		},
	})
}

// sharedFolder is a folder for what the tests make once.
var sharedFolder = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "yinxin-command-") })

// builtOnce is the demo; tests work on copies.
var builtOnce = sync.OnceValues(func() (demo string, err error) {
	dir, err := sharedFolder()
	if err != nil {
		return "", err
	}
	demo = filepath.Join(dir, "demo")
	var out bytes.Buffer
	if status := run(context.Background(), []string{"demo", "--dir", demo, "--no-serve", "--bare"},
		streams{in: strings.NewReader(""), out: &out, err: &out, now: time.Now}); status != 0 {
		return "", fmt.Errorf("building the demo: exit status %d\n%s", status, out.String())
	}
	return demo, nil
})

// copyProvince makes a folder that is the demo's, with what its viewer of pages compiled: making that anew takes each command
// that looks at pages two seconds.
func copyProvince(to string) error {
	demo, err := builtOnce()
	if err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(demo))
}

// fixture SHAPE FILE writes a made-up PDF.
func scriptFixture(ts *testscript.TestScript, _ bool, args []string) {
	b, err := fixtures.PDF(fixtures.Shape(args[0]), fixtures.PDFOptions{Seed: 1})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

// form FILE [noresolution] writes a scan of a stamped form with a 42 mm seal.
func scriptForm(ts *testscript.TestScript, _ bool, args []string) {
	o := fixtures.FormOptions{Seed: 7, DPI: 300, Format: "jpeg"}
	if strings.HasSuffix(args[0], ".png") {
		o.Format = "png"
	}
	o.NoResolution = len(args) > 1 && args[1] == "noresolution"
	b, _, err := fixtures.StampedForm(o)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// officers WHAT DIR [CODE] has the two officers of an installation do something: suspend, resume, cancel, revoke; or
// withdraw, where the code is the serial number of a certificate.
func scriptOfficers(ts *testscript.TestScript, _ bool, args []string) {
	// Signing times have whole seconds, and what happens in the same second counts as before it: let it pass.
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
	ctx := context.Background()
	h, err := openInstallation(ctx, dataFlags{Data: ts.MkAbs(args[1])}, time.Now)
	ts.Check(err)
	defer h.close()
	var o officers
	o.registrar, err = h.access.Actor(ctx, "registrar")
	ts.Check(err)
	o.approver, err = h.access.Actor(ctx, "approver")
	ts.Check(err)
	code := args[2]
	agree := func(kind access.Kind, subject []byte) string {
		id, err := o.agree(ctx, h.access, kind, subject)
		ts.Check(err)
		return id
	}
	switch args[0] {
	case "suspend":
		ts.Check(h.register.Suspend(ctx, o.registrar, code, "test"))
	case "resume":
		ts.Check(h.register.Resume(ctx, agree(access.KindResumeSeal, register.ResumeSubject(code)), code))
	case "cancel":
		ts.Check(h.register.Cancel(ctx, agree(access.KindCancelSeal, register.CancelSubject(code)), code))
	case "revoke":
		clerk, err := h.access.Actor(ctx, "clerk")
		ts.Check(err)
		in, err := h.register.Authorise(ctx, clerk, code)
		ts.Check(err)
		c, err := chain.ParseCertificate(in.Certificate)
		ts.Check(err)
		ts.Check(h.authority.Revoke(ctx, agree(access.KindRevokeCertificate, ca.RevokeSubject(c.Serial, ca.ReasonKeyCompromise)), c.Serial, ca.ReasonKeyCompromise))
		ts.Check(h.publish(ctx))
	case "withdraw":
		serial, err := ca.ParseSerial(code)
		ts.Check(err)
		ts.Check(h.authority.Revoke(ctx, agree(access.KindRevokeCertificate, ca.RevokeSubject(serial, ca.ReasonSuperseded)), serial, ca.ReasonSuperseded))
	default:
		ts.Fatalf("officers %s", args[0])
	}
	_, err = h.ledger.Sequence(ctx)
	ts.Check(err)
}

// flip FILE OFFSET changes one bit; a negative offset counts from the end.
func scriptFlip(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 1
	ts.Check(os.WriteFile(name, b, 0o644))
}

// truncate FILE SIZE
func scriptTruncate(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// append FILE TEXT
func scriptAppend(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(b, args[1]...), 0o644))
}

// configure DIR MEMBER JSON sets a member of config.json; an empty value takes it away.
func scriptConfigure(ts *testscript.TestScript, _ bool, args []string) {
	name := filepath.Join(ts.MkAbs(args[0]), configName)
	b, err := os.ReadFile(name)
	ts.Check(err)
	all := map[string]json.RawMessage{}
	ts.Check(json.Unmarshal(b, &all))
	if all[args[1]] = json.RawMessage(args[2]); args[2] == "" {
		delete(all, args[1])
	}
	b, err = json.Marshal(all)
	ts.Check(err)
	ts.Check(os.WriteFile(name, b, 0o600))
}

// await URL waits until a server in the background answers there.
func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		answer, err := http.Get(args[0])
		if err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s does not answer: %v", args[0], err)
		}
	}
}

// beginswith LONG SHORT: the first file begins with all bytes of the second, and is longer.
func scriptBeginsWith(ts *testscript.TestScript, _ bool, args []string) {
	long, short := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	if len(long) <= len(short) || !bytes.Equal([]byte(long[:len(short)]), []byte(short)) {
		ts.Fatalf("%s does not begin with %s", args[0], args[1])
	}
}

// sql DIR STATEMENT works on the database behind the service's back.
func scriptSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := store.Open(context.Background(), filepath.Join(ts.MkAbs(args[0]), databaseName))
	ts.Check(err)
	defer db.Close()
	ts.Check(db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(context.Background(), args[1])
		return err
	}))
}

// nothingin DIR: no temporary file was left in the folder.
func scriptNothingLeft(ts *testscript.TestScript, _ bool, args []string) {
	left, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), ".yinxin-*"))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("left behind: %v", left)
	}
}

// sqlcount DIR N QUERY: the query gives the number N.
func scriptSQLCount(ts *testscript.TestScript, _ bool, args []string) {
	db, err := store.Open(context.Background(), filepath.Join(ts.MkAbs(args[0]), databaseName))
	ts.Check(err)
	defer db.Close()
	var n string
	ts.Check(db.Read().QueryRowContext(context.Background(), args[2]).Scan(&n))
	if n != args[1] {
		ts.Fatalf("%s: %s, want %s", args[2], n, args[1])
	}
}
