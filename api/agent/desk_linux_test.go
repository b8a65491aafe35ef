package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"yinxin/hsm"
	"yinxin/internal/fault"
)

// hostile is a name that somebody chose to deceive: it tries to be an option, to steer the terminal, and to turn the
// direction of writing.
const hostile = "--title=x\x1b[2J\u202egpj.exe\nSM3: 0000"

func question(n int) Question {
	q := Question{Origin: "档案查询系统", Server: "https://seal.example", Clerk: "张三", Folder: "/folder", First: "/folder/first.png"}
	for i := range n {
		q.Items = append(q.Items, Item{Title: shown(hostile), Pages: 3, Bytes: 1000, SM3: strings.Repeat("ab", 32), Seal: "临江省档案馆", SealCode: fmt.Sprint(29010000000017 + i),
			Certificate: "SM3 cd", Marks: "第 1 页", Reason: "出证", Drawn: "全部 3 页", Expires: time.Date(2026, 11, 26, 8, 5, 0, 0, time.UTC)})
	}
	return q
}

func TestThePromptShowsEverythingAndAsks(t *testing.T) {
	for _, c := range []struct {
		typed string
		want  Answer
	}{{"y\n", Yes}, {"是\n", Yes}, {"n\n", No}, {"\n", Later}, {"what?\n", Later}, {"", Later}} {
		var out bytes.Buffer
		var opened []string
		p := NewPrompt(strings.NewReader(c.typed), &out, func(path string) error { opened = append(opened, path); return nil })
		yes, err := p.Agree(t.Context(), question(1))
		if err != nil || yes != c.want {
			t.Errorf("%q: %v, %v", c.typed, yes, err)
		}
		for _, words := range []string{"档案查询系统", "https://seal.example", "张三", "页数 pages: 3", strings.Repeat("ab", 32), "临江省档案馆  29010000000017", "SM3 cd", "出证", "2026-11-26 16:05:00"} {
			if !strings.Contains(out.String(), words) {
				t.Errorf("%q is not shown:\n%s", words, out.String())
			}
		}
		if strings.ContainsAny(out.String(), "\x1b\u202e") || !slices.Equal(opened, []string{"/folder/first.png"}) {
			t.Errorf("%q, opened %v", out.String(), opened)
		}
	}
	var out bytes.Buffer
	p := NewPrompt(strings.NewReader("y\n"), &out, func(string) error { return errors.New("no viewer") })
	if yes, err := p.Agree(t.Context(), question(100)); err != nil || yes != Yes {
		t.Error(yes, err)
	}
	if strings.Count(out.String(), "--title=x") != 100 || !strings.Contains(out.String(), "/folder\n") || !strings.Contains(out.String(), "100 份") {
		t.Errorf("%s", out.String())
	}
}

func TestThePromptForAPIN(t *testing.T) {
	var out bytes.Buffer
	p := NewPrompt(strings.NewReader("246810\r\n\n"), &out, nil)
	pin, err := p.PIN(t.Context(), PINQuestion{Token: "clerk", What: "盖章", Low: true, Why: hsm.ErrPINWrong.New()})
	if err != nil || string(pin) != "246810" {
		t.Errorf("%q, %v", pin, err)
	}
	for _, words := range []string{"PIN 不正确", "Few tries are left", "clerk"} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("%q is not said: %s", words, out.String())
		}
	}
	for range 2 { // an empty line, and the end
		if _, err := p.PIN(t.Context(), PINQuestion{}); fault.CodeOf(err) != "agent.declined" {
			t.Error(err)
		}
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewPrompt(reader, &out, nil).PIN(ctx, PINQuestion{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestAPINIsNotEchoed types one at a terminal of the system.
func TestAPINIsNotEchoed(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	defer master.Close()
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal: %v", err)
	}
	defer slave.Close()
	p := NewPrompt(slave, slave, nil)
	if !p.Attended() {
		t.Fatal("the terminal is not seen as one")
	}
	echoes := func() bool {
		state, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return state.Lflag&unix.ECHO != 0
	}
	if !echoes() {
		t.Fatal("a terminal that echoes nothing shows nothing here")
	}
	answer := make(chan string, 1)
	go func() {
		pin, _ := p.PIN(context.Background(), PINQuestion{Token: "clerk"})
		answer <- string(pin)
	}()
	seen := readUntil(t, master, "PIN of clerk")
	for echoes() { // until the PIN is asked for
		runtime.Gosched()
	}
	if _, err := master.WriteString("246810\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; got != "246810" {
		t.Errorf("%q", got)
	}
	fmt.Fprint(slave, "end")
	seen += readUntil(t, master, "end")
	if strings.Contains(seen, "246810") || !echoes() {
		t.Errorf("the terminal shows %q", seen)
	}
}

func readUntil(t *testing.T, f *os.File, words string) string {
	t.Helper()
	var seen strings.Builder
	b := make([]byte, 1024)
	for !strings.Contains(seen.String(), words) {
		n, err := f.Read(b)
		if err != nil {
			t.Fatalf("%v after %q", err, seen.String())
		}
		seen.Write(b[:n])
	}
	return seen.String()
}

// TestDialogs has a program in the place of zenity, which writes down what it is called with.
func TestDialogs(t *testing.T) {
	folder := t.TempDir()
	script := "#!/bin/sh\nfor a in \"$@\"; do printf '%s\\036' \"$a\"; done >> '" + folder + "/calls'\nprintf '\\035' >> '" + folder + "/calls'\n" +
		"case \"$*\" in *--password*) echo 246810;; esac\ncat '" + folder + "/says' 2>/dev/null\nread status < '" + folder + "/status'\nexit $status\n"
	for name, text := range map[string]string{"zenity": script, "status": "0\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", folder+":/bin:/usr/bin")
	t.Setenv("DISPLAY", ":99")
	var opened []string
	d, err := NewDialogs(func(path string) error { opened = append(opened, path); return nil })
	if err != nil {
		t.Fatal(err)
	}
	calls := func() [][]string {
		text, err := os.ReadFile(filepath.Join(folder, "calls"))
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(folder, "calls"))
		var list [][]string
		for _, call := range strings.Split(strings.TrimSuffix(string(text), "\x1d"), "\x1d") {
			list = append(list, strings.Split(strings.TrimSuffix(call, "\x1e"), "\x1e"))
		}
		return list
	}
	if yes, err := d.Agree(t.Context(), question(2)); err != nil || yes != Yes {
		t.Errorf("%v, %v", yes, err)
	}
	made := calls()
	if len(made) != 2 || made[0][0] != "--list" || !slices.Contains(made[1], "--no-markup") || !slices.Contains(made[1], "--default-cancel") || !slices.Equal(opened, []string{"/folder"}) {
		t.Errorf("%q, opened %v", made, opened)
	}
	for _, arg := range slices.Concat(made...) {
		if strings.HasPrefix(arg, "--title=x") || strings.ContainsAny(arg, "\x1b\u202e") {
			t.Errorf("a name is an option: %q", arg)
		}
	}
	pin, err := d.PIN(t.Context(), PINQuestion{Token: "clerk", What: "盖章"})
	if made := calls(); err != nil || string(pin) != "246810" || len(made) != 1 || made[0][0] != "--password" {
		t.Errorf("%q, %v, %q", pin, err, made)
	}
	if pin, err := d.PIN(t.Context(), PINQuestion{Token: "clerk", Final: true}); err != nil || string(pin) != "246810" || len(calls()) != 2 {
		t.Errorf("%q, %v", pin, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "status"), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if yes, err := d.Agree(t.Context(), question(1)); err != nil || yes != Later {
		t.Errorf("cancelled, and yet %v, %v", yes, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "says"), []byte("拒绝 Decline\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if yes, err := d.Agree(t.Context(), question(1)); err != nil || yes != No {
		t.Errorf("declined, and yet %v, %v", yes, err)
	}
	os.Remove(filepath.Join(folder, "says"))
	if _, err := d.PIN(t.Context(), PINQuestion{Token: "clerk"}); fault.CodeOf(err) != "agent.declined" {
		t.Error(err)
	}
	if again, err := d.Retry(t.Context(), hsm.ErrRemoved.New()); err != nil || again {
		t.Errorf("%v, %v", again, err)
	}
	if made := calls(); !strings.Contains(strings.Join(made[len(made)-1], " "), "密码设备已拔出") {
		t.Errorf("%q", made)
	}
}
