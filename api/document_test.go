package api_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/api"
)

// commands are the lines of docs/api.md for a shell, in their order, and its program in Java.
func commands(t *testing.T) (shell, java string) {
	t.Helper()
	text := string(got(os.ReadFile("../docs/api.md"))(t))
	text, rest, _ := strings.Cut(text, "## In Go")
	_, rest, _ = strings.Cut(rest, "## The first call in Java")
	indented := func(text string) string {
		var b strings.Builder
		for line := range strings.Lines(text) {
			if code, ok := strings.CutPrefix(line, "    "); ok && !strings.HasPrefix(code, "S=") && !strings.HasPrefix(code, "A=") {
				b.WriteString(code)
			}
		}
		return b.String()
	}
	return indented(text), indented(rest)
}

func TestTheCommandsOfTheDocumentationRun(t *testing.T) {
	for _, program := range []string{"curl", "jq", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	s := api.Serve(t)
	running, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { _ = s.Work.Run(running) }()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shell, java := commands(t)
	write("in.pdf", document(t))
	write("body.json", []byte("{}"))
	write("seal.cer", s.Certificate)
	write("SealOne.java", []byte(java))
	if n := strings.Count(shell, "curl"); n < 18 {
		t.Fatalf("%d calls in the document", n)
	}
	run := func(script string) string {
		c := exec.CommandContext(t.Context(), "sh", "-eu")
		c.Dir, c.Stdin = dir, strings.NewReader("curl() { command curl -S --fail-with-body \"$@\"; }\n"+script)
		c.Env = append(os.Environ(), "S="+s.URL, "A=Authorization: Bearer "+s.Keys["platform"], "DELIVERY=v_1", "TIMESTAMP=1", "SECRET=x", "KEY="+s.Keys["platform"], "SEAL="+s.Seal)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s\n%s", err, script, out)
		}
		return string(out)
	}
	shell = strings.Replace(shell, "curl -s -X POST $S/v1/sealing-batches/$B/retry", "! curl -s -X POST $S/v1/sealing-batches/$B/retry", 1) // nothing failed
	// Entries have their places, and the batch has been sealed, when somebody types the next command.
	before, after, ok := strings.Cut(shell, "curl -s $S/v1/sealings/$Q")
	if !ok {
		t.Fatal("no record of a sealing is asked for")
	}
	name := filepath.Join(dir, "q")
	run(before + "\nprintf %s $Q > " + name)
	if t.Failed() {
		return
	}
	if err := s.Sequence(); err != nil {
		t.Fatal(err)
	}
	write("changed.pdf", append(got(os.ReadFile(filepath.Join(dir, "sealed.pdf")))(t), "\n% later\n"...))
	run("Q=$(cat " + name + ")\ncurl -s $S/v1/sealings/$Q" + after)
	original := got(os.ReadFile(filepath.Join(dir, "in.pdf")))(t)
	sealed := []string{"sealed.pdf"}
	if _, err := exec.LookPath("javac"); err == nil {
		run("java SealOne.java $S $KEY $SEAL in.pdf java.pdf")
		sealed = append(sealed, "java.pdf")
	}
	for _, name := range sealed {
		if b := got(os.ReadFile(filepath.Join(dir, name)))(t); !bytes.HasPrefix(b, original) || len(b) == len(original) {
			t.Errorf("%s has %d bytes", name, len(b))
		}
	}
	if again := got(os.ReadFile(filepath.Join(dir, "again.pdf")))(t); !bytes.Equal(again, original) {
		t.Error("what was fetched is another document")
	}
}
