package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Prompt is a desk in a terminal. A PIN is not echoed; where the input is no terminal, it is read as a line.
type Prompt struct {
	in    *bufio.Reader
	file  *os.File // nil: no terminal
	out   io.Writer
	shows func(path string) error
	reads chan typed // of a read that is under way
}

type typed struct {
	text []byte
	err  error
}

var _ Desk = (*Prompt)(nil)

const maxTyped = 4096

// NewPrompt asks on out and reads in. shows opens a picture or a folder for the person; nil: its name is printed.
func NewPrompt(in io.Reader, out io.Writer, shows func(path string) error) *Prompt {
	p := &Prompt{in: bufio.NewReaderSize(in, maxTyped), out: out, shows: shows}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.file = f
	}
	return p
}

// Attended reports whether the answers come from a terminal.
func (p *Prompt) Attended() bool { return p.file != nil }

// line reads a line. Nothing ends a read from a terminal: who goes leaves it to the next one who asks.
func (p *Prompt) line(ctx context.Context) ([]byte, error) {
	if p.reads == nil {
		p.reads = make(chan typed, 1)
		go func(to chan<- typed) {
			text, err := p.in.ReadSlice('\n')
			if errors.Is(err, io.EOF) && len(text) > 0 {
				err = nil
			}
			own := append([]byte(nil), text...)
			clear(text)
			to <- typed{own, err}
		}(p.reads)
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case t := <-p.reads:
		p.reads = nil
		if errors.Is(t.err, io.EOF) {
			return nil, ErrDeclined.Because(t.err)
		}
		return t.text, t.err
	}
}

// Line asks for a line that anybody may see; agent.declined at the end of the input.
func (p *Prompt) Line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(p.out, question+" ")
	text, err := p.line(ctx)
	return strings.TrimSpace(string(text)), err
}

func (p *Prompt) yes(ctx context.Context, question string) (bool, error) {
	answer, err := p.Line(ctx, question+" [y/N]")
	if err != nil {
		if ctx.Err() == nil {
			return false, nil
		}
		return false, err
	}
	return isYes(answer), nil
}

// Agree implements Desk.
func (p *Prompt) Agree(ctx context.Context, q Question) (Answer, error) {
	fmt.Fprintln(p.out)
	if len(q.Items) > 1 {
		for _, row := range q.rows() {
			fmt.Fprintln(p.out, row)
		}
	}
	fmt.Fprint(p.out, q.text())
	if path := q.toOpen(); path != "" {
		if p.shows == nil || p.shows(path) != nil {
			fmt.Fprintf(p.out, "页面图片 pictures of the pages: %s\n", q.Folder)
		}
	}
	return p.choose(ctx, q.ask()+"\n[y 同意 seal / n 拒绝 decline / 回车 Enter：以后再说 later]")
}

// choose asks a question to which there are three answers.
func (p *Prompt) choose(ctx context.Context, question string) (Answer, error) {
	answer, err := p.Line(ctx, question)
	switch {
	case ctx.Err() != nil:
		return Later, ctx.Err()
	case err != nil: // the end of the input
		return Later, nil
	case isYes(answer):
		return Yes, nil
	case isNo(answer):
		return No, nil
	}
	return Later, nil
}

func isYes(answer string) bool {
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes" || answer == "是"
}

func isNo(answer string) bool {
	answer = strings.ToLower(answer)
	return answer == "n" || answer == "no" || answer == "否"
}

// toOpen is what is opened to look at: the first picture of one file, the folder of several.
func (q Question) toOpen() string {
	if len(q.Items) == 1 {
		return q.First
	}
	return q.Folder
}

// PIN implements Desk.
func (p *Prompt) PIN(ctx context.Context, q PINQuestion) ([]byte, error) {
	fmt.Fprint(p.out, q.text()+": ")
	octets, err := p.secret(ctx)
	if err != nil {
		return nil, err
	}
	n := len(octets)
	for n > 0 && (octets[n-1] == '\n' || octets[n-1] == '\r') {
		n--
	}
	if n == 0 {
		return nil, ErrDeclined.New()
	}
	return octets[:n], nil
}

// secret reads a line without echo. When the context ends first, the terminal gets its echo back; the read goes on until a
// line comes, which nobody looks at.
func (p *Prompt) secret(ctx context.Context) ([]byte, error) {
	if p.file == nil {
		return p.line(ctx)
	}
	fd := int(p.file.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, ErrNoDesk.Because(err)
	}
	answer := make(chan typed, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		answer <- typed{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(fd, before))
	case t := <-answer:
		fmt.Fprintln(p.out)
		if errors.Is(t.err, io.EOF) {
			return nil, ErrDeclined.New()
		}
		return t.text, t.err
	}
}

// Retry implements Desk.
func (p *Prompt) Retry(ctx context.Context, err error) (bool, error) {
	fmt.Fprintln(p.out, sentences(err))
	return p.yes(ctx, "再试一次吗？ Try again?")
}

// Tell implements Desk.
func (p *Prompt) Tell(_ context.Context, err error) { fmt.Fprintln(p.out, sentences(err)) }

// Progress implements Desk.
func (p *Prompt) Progress(_ context.Context, at Progress) { fmt.Fprintln(p.out, at.text()) }
