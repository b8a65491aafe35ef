package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/verify"
	"yinxin/sealer/view"
)

type demoCommand struct {
	Dir     string `help:"Folder of the demo; a second run reuses it." default:"./demo" placeholder:"DIR"`
	Listen  string `help:"Address to serve on afterwards." default:"127.0.0.1:8470" placeholder:"ADDR"`
	Bare    bool   `help:"Only the story of two archives, without what fills the pages."`
	NoServe bool   `help:"Stop before serving."`
}

// Help is printed by --help.
func (demoCommand) Help() string {
	return "Everything in it is made up. The folder holds its own passphrase, so it protects nothing: never use it for real seals."
}

// The artefacts of the demo, in its folder.
const (
	demoShares      = "shares"
	demoRosterWrong = "roster-wrong.xlsx"
	demoReturned    = "roster-returned.xlsx"
	demoRoster      = "roster.xlsx"
	demoBatch       = "batch.xlsx"
	demoCopy        = "copy.pdf"
	demoSealed      = "copy-sealed.pdf"
	demoTampered    = "copy-tampered.pdf"
	demoKey         = "platform-api-key"
)

var errDemoFailed = fault.Spec{Kind: fault.Internal, Code: "demo.failed",
	ZH: "演示没有得到预期的结果。", EN: "The demo did not give the expected result."}

func (c demoCommand) Run(ctx context.Context, s streams) error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return errFlag.At(fault.Field("--listen")).Because(err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	d := &demo{dir: c.Dir, making: c.Dir, listen: net.JoinHostPort(host, port), s: s, bare: c.Bare}
	_, err = os.Stat(filepath.Join(c.Dir, configName))
	switch {
	case err == nil:
		err = d.revisit(ctx)
	case errors.Is(err, fs.ErrNotExist):
		err = d.build(ctx)
	}
	if err != nil || c.NoServe {
		return err
	}
	d.showLogins()
	fmt.Fprintf(s.out, "\n把 %s 拖到网页上验证，再试试 %s。Ctrl-C 结束。\n", filepath.Join(c.Dir, demoSealed), demoTampered)
	return serveCommand{dataFlags: dataFlags{Data: c.Dir}, Listen: c.Listen}.Run(ctx, s)
}

const defaultListen = "127.0.0.1:8470"

// demo builds and shows the made-up province. It is made in the folder making, which becomes dir when it is complete.
type demo struct {
	dir, making string
	listen      string
	bare        bool
	ago         time.Duration // that the story stands behind the clock: it begins last year
	s           streams
	steps       int
	printer     *view.Viewer
	warm        <-chan struct{} // closed when the printer has started
}

// now is the moment of the story.
func (d *demo) now() time.Time { return d.s.now().Add(-d.ago) }

func (d *demo) build(ctx context.Context) error {
	start := time.Now()
	err := atomicFolder(d.dir, func(making string) error {
		d.making = making
		return d.province(ctx)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.s.out, "完成 done: %.1f s\n", time.Since(start).Seconds())
	return nil
}

// padding fills a title up to a width in terminal columns; Chinese characters take two.
func padding(title string, width int) string {
	for _, r := range title {
		width--
		if r >= 0x2e80 {
			width--
		}
	}
	return strings.Repeat(" ", max(width, 0))
}

// revisit verifies the artefacts of an earlier run.
func (d *demo) revisit(ctx context.Context) error {
	c, err := readConfig(d.dir)
	if err != nil {
		return err
	}
	if c.Name != demoName {
		return errDataExists.At(fault.File(d.dir))
	}
	fmt.Fprintf(d.s.out, "使用已有的演示目录 reusing %s\n", d.dir)
	h, err := openForReading(ctx, d.dir, "", d.s.now)
	if err != nil {
		return err
	}
	defer h.close()
	d.showMadeKeys()
	return d.verifyBoth(ctx, h)
}

// verifyBoth shows that the sealed copy is valid and the tampered one is not.
func (d *demo) verifyBoth(ctx context.Context, h *installation) error {
	v, err := h.chain(ctx)
	if err != nil {
		return err
	}
	o := verify.Options{Chain: v, At: h.now(), SealStatus: sealer.SealStatus(h.register), Language: "zh"}
	for _, f := range []struct {
		name  string
		valid bool
	}{{demoSealed, true}, {demoTampered, false}} {
		var r *verify.Report
		err := d.step("验证 verify", func() (string, error) {
			r = verifyFile(ctx, filepath.Join(d.making, f.name), o)
			return f.name, nil
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(d.s.out, "      %s %s: %s\n", verdictMarks[r.Verdict], r.Verdict, r.Summary)
		if (r.Verdict == verify.Valid) != f.valid {
			return errDemoFailed.With("%s: %s", f.name, r.Verdict)
		}
	}
	return nil
}

// tamper changes one byte in the middle of the original: what a forger would do to the text of the copy.
func tamper(ctx context.Context, sealed, tampered string, at int64) error {
	b, err := os.ReadFile(sealed)
	if err != nil {
		return err
	}
	b[at] ^= 0x01
	return writeBytes(ctx, tampered, 0o644, b)
}

func newPassphrase(ctx context.Context, dir string) ([]byte, error) {
	p := []byte(rand.Text())
	return p, writeFile(ctx, filepath.Join(dir, passphraseName), 0o600, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\n", p)
		return err
	})
}
