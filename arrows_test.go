package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are the storeys of the house, the highest first: each may look down, none up. What is in no layer serves all.
var layers = []string{"main", "internal/command", "api", "sealer", "ca", "keystore", "hsm"}

// leaves know nothing of databases, keys and HTTP: they compute.
var leaves = []string{
	"ca/chain", "ca/cms", "ca/conform", "ca/csr", "ca/envelope", "ca/number", "ca/ocsp", "ca/trustlist", "ca/enroll/form", "ca/enroll/roster", "ca/enroll/workday",
	"sealer/imprint", "sealer/intake", "sealer/issuance/compose", "sealer/pdf", "sealer/ses", "sealer/terminal/manifest", "sealer/verify", "sealer/view",
	"internal/bitset", "internal/civil", "internal/durable", "internal/fault", "internal/hashstate", "internal/oid", "internal/paper", "internal/scan", "internal/truetype", "internal/worker",
}

// rooms are what leaves do not know, and what brings it in.
var rooms = []string{"database/sql", "net/http", "internal/store", "internal/access", "internal/ledger", "internal/files", "internal/jobs", "internal/mail", "internal/fetch", "keystore", "hsm"}

// within reports whether a package is a folder or below it.
func within(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// layerOf is the index in layers, -1 for none.
func layerOf(pkg string) int {
	return slices.IndexFunc(layers, func(l string) bool { return within(pkg, l) })
}

// wrong says what is wrong with an import of the program, in a word; empty if nothing is.
func wrong(from, to string) string {
	inner, outer := layerOf(from), layerOf(to)
	belongs := func(folders []string, pkg string) bool {
		return slices.ContainsFunc(folders, func(f string) bool { return within(pkg, f) })
	}
	switch {
	case inner >= 0 && outer >= 0 && outer < inner:
		return "up"
	case from == "keystore" && layerOf(to) >= 0 && to != from && to != "hsm":
		return "up"
	case belongs(leaves, from) && belongs(rooms, to):
		return "out of a leaf"
	case within(from, "internal") && !within(from, "internal/command") && outer >= 0 && !belongs(leaves, to) && to != "ca/tsa":
		return "from what serves all into a layer"
	}
	return ""
}

// TestImportsPointDownwards holds the packages to their order: command, api, sealer, ca, keystore, hsm, and leaves by themselves.
func TestImportsPointDownwards(t *testing.T) {
	imports, packages := 0, map[string]bool{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := filepath.ToSlash(filepath.Dir(name))
		if from == "." {
			from = "main"
		}
		packages[from] = true
		for _, i := range file.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			to := strings.TrimPrefix(path, "yinxin/")
			if way := wrong(from, to); way != "" {
				t.Errorf("%s imports %s: %s", name, to, way)
			}
			imports++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if imports < 1000 {
		t.Errorf("only %d imports were read", imports)
	}
	for _, folder := range slices.Concat(layers, leaves) {
		if !packages[folder] {
			t.Errorf("there is no package %s any more", folder)
		}
	}
}

// TestTheOrderRefusesWrongImports: the rules above see what they are for.
func TestTheOrderRefusesWrongImports(t *testing.T) {
	for _, c := range []struct {
		from, to string
		refused  bool
	}{
		{"ca", "sealer/register", true},
		{"ca/enroll/business", "sealer", true},
		{"keystore", "ca/chain", true},
		{"sealer", "api", true},
		{"api", "internal/command", true},
		{"internal/store", "ca", true},
		{"ca/enroll/form", "internal/store", true},
		{"ca/number", "database/sql", true},
		{"sealer/pdf", "net/http", true},
		{"ca/chain", "keystore", true},
		{"hsm", "keystore", true},
		{"keystore", "hsm/tokentest", true},
		{"ca/csr", "hsm", true},
		{"keystore", "hsm", false},
		{"api", "sealer/register", false},
		{"sealer/register", "ca/enroll/business", false},
		{"ca/escrow", "ca", false},
		{"ca", "internal/store", false},
		{"keystore", "internal/durable", false},
		{"main", "internal/command", false},
		{"sealer/verify/sheet", "internal/paper", false},
	} {
		if way := wrong(c.from, c.to); (way != "") != c.refused {
			t.Errorf("%s imports %s: %q", c.from, c.to, way)
		}
	}
}
