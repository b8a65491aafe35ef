package fault_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/errors.md anew")

// declared is one fault.Spec literal in the source.
type declared struct{ code, kind, zh, en, where string }

// TestEveryErrorCodeIsDocumented keeps docs/errors.md equal to what the code declares, and every code to one meaning.
func TestEveryErrorCodeIsDocumented(t *testing.T) {
	root := filepath.Join("..", "..")
	specs := specsIn(t, root)
	if len(specs) < 50 {
		t.Fatalf("only %d codes found", len(specs))
	}
	var table bytes.Buffer
	table.WriteString("# Error codes\n\nWritten from the code by `make docs`. A code never changes its meaning. The kind decides the HTTP status and the exit status.\n\n| code | kind | 中文 | English |\n|---|---|---|---|\n")
	seen := map[string]declared{}
	for _, s := range specs {
		if s.zh == "" || s.en == "" || !strings.HasSuffix(s.zh, "。") && !strings.HasSuffix(s.zh, "？") || !strings.HasSuffix(s.en, ".") {
			t.Errorf("%s (%s): a whole sentence is needed in both languages", s.code, s.where)
		}
		if other, ok := seen[s.code]; ok {
			if other.zh != s.zh || other.en != s.en || other.kind != s.kind {
				t.Errorf("%s is declared in %s and differently in %s", s.code, other.where, s.where)
			}
			continue
		}
		seen[s.code] = s
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", s.code, strings.ToLower(s.kind), s.zh, s.en)
	}
	name := filepath.Join(root, "docs", "errors.md")
	if *update {
		if err := os.WriteFile(name, table.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(got, table.Bytes()) {
		t.Errorf("docs/errors.md is not what the code declares: run make docs (%v)", err)
	}
}

// phrase is two words in a row.
var phrase = regexp.MustCompile(`[a-z]{2,} [a-z]{2,}`)

// What With adds stands in the Chinese sentence as it is: names, codes and numbers may, words have Saying.
func TestDetailsInWordsAreInBothLanguages(t *testing.T) {
	calls := 0
	eachNode(t, filepath.Join("..", ".."), func(where string, n ast.Node) {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 || strings.HasPrefix(where, filepath.Join("..", "..", "fixtures")) {
			return
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		format, literal := call.Args[0].(*ast.BasicLit)
		if !ok || !literal || method.Sel.Name != "With" {
			return
		}
		calls++
		if phrase.MatchString(format.Value) {
			t.Errorf("%s: %s has no Chinese: use Saying", where, format.Value)
		}
	})
	if calls < 50 {
		t.Errorf("only %d calls found", calls)
	}
}

func specsIn(t *testing.T, root string) []declared {
	var specs []declared
	eachNode(t, root, func(where string, n ast.Node) {
		if literal, ok := n.(*ast.CompositeLit); ok {
			if s := specOf(literal); s.code != "" {
				s.where = where
				specs = append(specs, s)
			}
		}
	})
	slices.SortStableFunc(specs, func(a, b declared) int { return strings.Compare(a.code, b.code) })
	return specs
}

// eachNode goes over the source but for tests.
func eachNode(t *testing.T, root string, visit func(where string, n ast.Node)) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool { visit(name, n); return true })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// specOf reads a literal with the fields of a Spec; code is empty for anything else.
func specOf(literal *ast.CompositeLit) declared {
	var s declared
	for _, e := range literal.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return declared{}
		}
		key, ok := pair.Key.(*ast.Ident)
		if !ok {
			return declared{}
		}
		switch v := pair.Value.(type) {
		case *ast.BasicLit:
			text, err := strconv.Unquote(v.Value)
			if err != nil {
				return declared{}
			}
			switch key.Name {
			case "Code":
				s.code = text
			case "ZH":
				s.zh = text
			case "EN":
				s.en = text
			}
		case *ast.SelectorExpr:
			if key.Name == "Kind" {
				s.kind = v.Sel.Name
			}
		}
	}
	if s.kind == "" {
		return declared{}
	}
	return s
}
