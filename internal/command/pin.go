package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"yinxin/internal/fault"
)

var (
	errNoPIN = fault.Spec{Kind: fault.Invalid, Code: "token.no-pin",
		ZH: "没有读到 PIN。", EN: "There is no PIN to read."}
	errPINsDiffer = fault.Spec{Kind: fault.Invalid, Code: "token.pins-differ",
		ZH: "两次输入的新 PIN 不同，未做任何更改。", EN: "The new PIN was typed in two ways; nothing was changed."}
)

// maxPIN bounds a PIN, in octets; tokens set their own limits below it.
const maxPIN = 255

// pins reads PINs: each from its file, from a terminal without echo, or line by line from a stream. None is ever an argument,
// which every process of the machine may read.
type pins struct {
	terminal *os.File // nil: a stream
	stream   *bufio.Reader
	out      io.Writer // for questions
}

func newPINs(s streams) *pins {
	p := &pins{stream: bufio.NewReaderSize(s.in, maxPIN+3), out: s.err}
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal = f
	}
	return p
}

// question is what a person is asked for.
type question struct{ zh, en string }

var (
	askPIN       = question{"用户 PIN", "user PIN"}
	askNewPIN    = question{"新的用户 PIN", "new user PIN"}
	askSOPIN     = question{"SO PIN", "SO PIN"}
	askNewSOPIN  = question{"新的 SO PIN", "new SO PIN"}
	askNextSOPIN = question{"须换上的 SO PIN（随解锁码发出）", "SO PIN to be set (released with the first one)"}
)

// ask gives one PIN. file "" asks the terminal or takes the stream's next line, "-" the latter always. The caller wipes it; so
// does everything in hsm that it is given to. Errors: token.no-pin, the context's.
func (p *pins) ask(ctx context.Context, file string, q question) ([]byte, error) {
	switch {
	case file != "" && file != "-":
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		pin, err := firstLine(bufio.NewReaderSize(f, maxPIN+3))
		return pin, at(err, file)
	case p.terminal == nil || file == "-":
		return firstLine(p.stream)
	}
	fmt.Fprintf(p.out, "%s %s: ", q.zh, q.en)
	defer fmt.Fprintln(p.out)
	return p.typed(ctx)
}

// askNew gives a PIN that is to be set: what is typed without being seen is typed twice.
func (p *pins) askNew(ctx context.Context, file string, q question) ([]byte, error) {
	pin, err := p.ask(ctx, file, q)
	if err != nil || p.terminal == nil || file != "" {
		return pin, err
	}
	again, err := p.ask(ctx, "", question{q.zh + "（再输一次）", q.en + ", once more"})
	defer clear(again)
	if err == nil && !bytes.Equal(pin, again) {
		err = errPINsDiffer.New()
	}
	if err != nil {
		clear(pin)
		return nil, err
	}
	return pin, nil
}

// typed reads from the terminal. An interrupt leaves the terminal as it was; the read then ends with the process.
func (p *pins) typed(ctx context.Context) ([]byte, error) {
	fd := int(p.terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	type answer struct {
		pin []byte
		err error
	}
	typed := make(chan answer, 1)
	go func() {
		pin, err := term.ReadPassword(fd)
		typed <- answer{pin, err}
	}()
	select {
	case a := <-typed:
		if errors.Is(a.err, io.EOF) || a.err == nil && (len(a.pin) == 0 || len(a.pin) > maxPIN) {
			return nil, errNoPIN.New()
		}
		return a.pin, a.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}

// firstLine is the next line without its end; blanks belong to the PIN.
func firstLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	defer clear(line)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(text) == 0 || len(text) > maxPIN {
		return nil, errNoPIN.New()
	}
	return bytes.Clone(text), nil
}
