package command

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"

	"github.com/emmansun/gmsm/sm3"
	"github.com/rogpeppe/go-internal/testscript"
)

// scriptDigest: digest PLAN FILE writes what both officers type: the first digits of the plan's SM3, twice.
func scriptDigest(ts *testscript.TestScript, _ bool, args []string) {
	sum := sm3.Sum([]byte(ts.ReadFile(args[0])))
	line := hex.EncodeToString(sum[:])[:confirmDigits] + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(line+line), 0o600))
}

// scriptCodeLines: codelines SHARE FILE writes the four lines that a person types.
func scriptCodeLines(ts *testscript.TestScript, _ bool, args []string) {
	_, code, _ := strings.Cut(ts.ReadFile(args[0]), "\n\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(code), 0o600))
}

var (
	requestPattern = regexp.MustCompile(`\breq_[0-9a-z]+`)
	anchorPattern  = regexp.MustCompile(`\banc_[0-9a-z]+`)
	orderPattern   = regexp.MustCompile(`\bord_[0-9a-z]+`)
	serialPattern  = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
)

// scriptRequestID: requestid VARIABLE keeps the number of the request in the last output.
func scriptRequestID(ts *testscript.TestScript, _ bool, args []string) {
	keep(ts, requestPattern, args[0])
}

// scriptAnchorID: anchorid VARIABLE keeps that of the anchor.
func scriptAnchorID(ts *testscript.TestScript, _ bool, args []string) {
	keep(ts, anchorPattern, args[0])
}

// scriptOrderID: orderid VARIABLE keeps that of an order at another authority.
func scriptOrderID(ts *testscript.TestScript, _ bool, args []string) { keep(ts, orderPattern, args[0]) }

// scriptSerial: serial VARIABLE keeps the first serial number.
func scriptSerial(ts *testscript.TestScript, _ bool, args []string) { keep(ts, serialPattern, args[0]) }

func keep(ts *testscript.TestScript, pattern *regexp.Regexp, variable string) {
	found := pattern.FindString(ts.ReadFile("stdout"))
	if found == "" {
		ts.Fatalf("nothing like %v in the output", pattern)
	}
	ts.Setenv(variable, found)
}

// scriptTruncateLast: truncatelast FILE takes the last byte away.
func scriptTruncateLast(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text[:len(text)-1]), 0o600))
}
