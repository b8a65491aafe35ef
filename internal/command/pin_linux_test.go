package command

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"yinxin/internal/fault"
)

// tty is a pseudo-tty: what is written to the keyboard is typed at the screen.
func tty(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here:", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	return keyboard, screen
}

// asked lets a test wait until something was asked.
type asked chan string

func (a asked) Write(b []byte) (int, error) {
	a <- string(b)
	return len(b), nil
}

func (a asked) await(t *testing.T, text string) {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		select {
		case said := <-a:
			if strings.Contains(said, text) {
				return
			}
		case <-late:
			t.Fatalf("nobody asked for %s", text)
		}
	}
}

// silent waits until the tty echoes nothing any more: a question is asked before it is switched off.
func silent(t *testing.T, screen *os.File) {
	t.Helper()
	until(t, 20*time.Second, "no echo", func() bool {
		state, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
		return err == nil && state.Lflag&unix.ECHO == 0
	})
}

func TestAPINIsTypedWithoutBeingSeen(t *testing.T) {
	keyboard, screen := tty(t)
	questions := make(asked, 16)
	p := newPINs(streams{in: screen, err: questions})
	type result struct {
		pin []byte
		err error
	}
	answers := make(chan result, 1)
	typing := func(lines ...string) result {
		t.Helper()
		go func() {
			pin, err := p.askNew(t.Context(), "", askNewPIN)
			answers <- result{pin, err}
		}()
		for i, line := range lines {
			questions.await(t, []string{"new user PIN: ", "once more: "}[i])
			silent(t, screen)
			if _, err := keyboard.WriteString(line + "\n"); err != nil {
				t.Fatal(err)
			}
		}
		return <-answers
	}
	if r := typing("246810", "246810"); r.err != nil || string(r.pin) != "246810" {
		t.Errorf("%q, %v", r.pin, r.err)
	}
	if r := typing("246810", "246811"); !fault.Has(r.err, errPINsDiffer) {
		t.Errorf("typed in two ways: %q, %v", r.pin, r.err)
	}
	if r := typing(""); !fault.Has(r.err, errNoPIN) {
		t.Errorf("nothing typed: %q, %v", r.pin, r.err)
	}
	fd := int(keyboard.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	var seen [4096]byte
	n, _ := unix.Read(fd, seen[:])
	if bytes.Contains(seen[:max(n, 0)], []byte("2468")) {
		t.Errorf("the screen shows %q", seen[:n])
	}
}

func TestAnInterruptLeavesTheTerminalAsItWas(t *testing.T) {
	_, screen := tty(t)
	before, err := term.GetState(int(screen.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	questions := make(asked, 16)
	p := newPINs(streams{in: screen, err: questions})
	failed := make(chan error, 1)
	go func() {
		_, err := p.ask(ctx, "", askPIN)
		failed <- err
	}()
	questions.await(t, "user PIN: ")
	silent(t, screen)
	cancel()
	if err := explain(<-failed); err.Code != errInterrupted.Code {
		t.Error(err)
	}
	after, err := term.GetState(int(screen.Fd()))
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("the tty is not as it was: %v", err)
	}
}
