package command

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"yinxin/api"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/pdf/normalise"
	"yinxin/sealer/register"
)

type sealCommand struct {
	Files  []string `arg:"" optional:"" name:"in.pdf" help:"PDFs to seal; they are not changed." placeholder:"PDF"`
	Output string   `short:"o" help:"Where the sealed PDF goes; of several files a folder, which is made if it is missing." placeholder:"PDF|DIR"`
	Input  string   `kong:"-"` // the one of Files that is worked on
	Seal   string   `help:"Code of the seal (14 digits)." placeholder:"ID"`
	List   bool     `help:"List the seals that may be used, instead of sealing."`

	dataFlags
	serverFlags
	As string `help:"Actor who seals (default: the operator recorded in the data directory)." placeholder:"ACTOR"`

	orderFlags
	Normalise bool   `help:"Write a damaged PDF anew first: what is sealed is then a different file, which says the same as far as that can be read." group:"signature"`
	Key       string `name:"idempotency-key" help:"Repeat safely: the same key with the same order gives the stored result (--server). Several files have KEY-1, KEY-2 …"`

	Prepare   bool   `help:"Plan the sealing and print what is to be signed, instead of signing." xor:"phase" group:"two phases"`
	Complete  string `help:"Complete a prepared sealing with --signature." placeholder:"JOB" xor:"phase" group:"two phases"`
	Signature string `help:"File with the signature value: DER SEQUENCE{r, s} over the printed digest." placeholder:"FILE" group:"two phases"`

	JSON bool `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (sealCommand) Help() string {
	return "Exit status: 0 sealed, 3 refused (the document must not be sealed, or the seal must not be used; a reason code is printed), 1 failed. " +
		"Several files are sealed in the same way, each for itself; the status is the worst. " +
		"With --prepare the sealing waits for a signature made elsewhere: what is to be signed is printed as JSON, and --complete JOB --signature FILE -o PDF ends it."
}

func (c sealCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c sealCommand) run(ctx context.Context, s streams) error {
	var all []sealCommand
	var err error
	if c.Server != "" && (c.Prepare || c.Complete != "") {
		return errFlag.At(fault.Field("--server")).Saying("分两步只用于数据目录", "two phases are for a data directory")
	}
	if !c.List {
		if all, err = c.checkAll(); err != nil {
			return err
		}
	}
	if c.Server != "" {
		server, err := c.client()
		if err != nil {
			return err
		}
		if c.List {
			return c.remoteSeals(ctx, s, server)
		}
		return c.sealAll(ctx, s, all, func(ctx context.Context, one sealCommand) (sealedResult, error) { return one.remote(ctx, s, server) })
	}
	// A few documents, then the end: little memory matters more than the time of the collector.
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	h, actor, err := openAs(ctx, c.dataFlags, c.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	if c.List {
		list, err := h.register.Seals(ctx, actor)
		if err != nil {
			return err
		}
		return c.printSeals(s, list)
	}
	return c.sealAll(ctx, s, all, func(ctx context.Context, one sealCommand) (sealedResult, error) { return one.local(ctx, s, h, actor) })
}

// checkFiles refuses what can be refused before anything is opened.
func (c sealCommand) checkFiles() error {
	switch {
	case c.Complete != "" && c.Signature == "":
		return errMissing.At(fault.Field("--signature"))
	case c.Complete == "" && c.Input == "":
		return errMissing.At(fault.Field("in.pdf"))
	case c.Complete == "" && c.Seal == "":
		return errMissing.At(fault.Field("--seal"))
	case c.Prepare:
		return nil
	case c.Output == "":
		return errMissing.At(fault.Field("-o"))
	case sameFile(c.Input, c.Output):
		return errSameFile.At(fault.File(c.Output))
	}
	return checkOutput(c.Output)
}

func (c sealCommand) local(ctx context.Context, s streams, h *installation, actor access.Actor) (sealedResult, error) {
	sealed, err := c.sealed(ctx, s, h, actor)
	if err != nil || c.Prepare {
		return sealedResult{}, at(err, c.Input)
	}
	if err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error { return h.sealer.Copy(ctx, w, sealed.Document) }); err != nil {
		return sealedResult{}, err
	}
	if _, err := h.ledger.Sequence(ctx); err != nil {
		return sealedResult{}, err
	}
	return sealedResult{Output: c.Output, Seal: sealed.Seal, Sealing: sealed.ID, Document: sealed.Document.ID,
		Size: sealed.Document.Size, SM3: sealed.Document.SM3, Time: sealed.Time.Format(time.RFC3339), ByteRange: sealed.ByteRange,
		Details: api.DetailsOf(sealed.Details)}, nil
}

// sealed seals, prepares or completes, as the flags say.
func (c sealCommand) sealed(ctx context.Context, s streams, h *installation, actor access.Actor) (sealer.Sealed, error) {
	if c.Complete != "" {
		value, err := os.ReadFile(c.Signature)
		if err != nil {
			return sealer.Sealed{}, err
		}
		return h.sealer.Complete(ctx, actor, c.Complete, value)
	}
	wanted, err := c.order(c.Seal)
	if err != nil {
		return sealer.Sealed{}, err
	}
	o, err := wanted.Order()
	if err != nil {
		return sealer.Sealed{}, err
	}
	in, _, err := c.input(ctx, s)
	if err != nil {
		return sealer.Sealed{}, err
	}
	defer in.Close()
	if o.Document, err = upload(ctx, h, actor, in, c.Input, c.Seal); err != nil {
		return sealer.Sealed{}, err
	}
	if !c.Prepare {
		return h.sealer.Seal(ctx, actor, o)
	}
	job, err := h.sealer.Prepare(ctx, actor, o)
	if err != nil {
		return sealer.Sealed{}, err
	}
	return sealer.Sealed{}, printJSON(s, map[string]any{"job": job.ID, "digest": hex.EncodeToString(job.Digest[:]), "toSign": job.ToSign,
		"certificate": job.Certificate, "dataHash": job.DataHash, "byteRange": job.ByteRange, "time": job.Time.Format(time.RFC3339),
		"expires": job.Expires.UTC().Format(time.RFC3339), "details": api.DetailsOf(job.Details)})
}

// input opens the file to seal, or what --normalise makes of it.
func (c sealCommand) input(ctx context.Context, s streams) (*os.File, int64, error) {
	in, size, err := openInput(c.Input)
	if err != nil || !c.Normalise {
		return in, size, err
	}
	defer in.Close()
	anew, err := os.CreateTemp("", "yinxin-*.pdf")
	if err != nil {
		return nil, 0, err
	}
	// Gone with the process, however it ends.
	err = os.Remove(anew.Name())
	if err == nil {
		err = normalise.Start(ctx, "", in, anew)
	}
	if err == nil {
		size, err = anew.Seek(0, io.SeekEnd)
	}
	if err == nil {
		_, err = anew.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, anew.Close())
	}
	fmt.Fprintln(s.err, normalisedNotice)
	return anew, size, nil
}

// upload stores a file as a document of the actor, who may use the seal.
func upload(ctx context.Context, h *installation, actor access.Actor, in io.Reader, name, seal string) (id string, err error) {
	if _, err := h.register.AuthoriseSigner(ctx, actor, seal); err != nil {
		return "", err
	}
	d, err := h.sealer.Upload(ctx, actor, name, in)
	return d.ID, err
}

// at names the input file in a fault that knows only the stored document.
func at(err error, name string) error {
	if f, ok := fault.Of(err); ok {
		if strings.HasPrefix(f.Place.Field, "--") {
			return f // a flag, not the file
		}
		place := f.Place
		place.File = name
		return f.At(place)
	}
	return err
}

// sealedResult is what yinxin seal --json prints.
type sealedResult struct {
	Input     string      `json:"input,omitempty"` // of several
	Output    string      `json:"output"`
	Seal      string      `json:"seal"`
	Sealing   string      `json:"sealing"`
	Document  string      `json:"document"`
	Size      int64       `json:"size"`
	SM3       string      `json:"sm3"`
	Time      string      `json:"time"`
	ByteRange string      `json:"byteRange"`
	Details   api.Details `json:"details"`
}

func (c sealCommand) printSealed(s streams, r sealedResult, start time.Time) error {
	if c.JSON {
		return printJSON(s, r)
	}
	fmt.Fprintf(s.out, "已盖章 sealed: %s (%d bytes, %d ms)\n", r.Output, r.Size, time.Since(start).Milliseconds())
	printDetails(s, r.Details)
	return nil
}

// printDetails says where the seal stands, and what the person should know.
func printDetails(s streams, d api.Details) {
	const most = 12
	for i, m := range d.Marks {
		if i == most {
			fmt.Fprintf(s.out, "  … 另有 %d 处 and %d more\n", len(d.Marks)-most, len(d.Marks)-most)
			break
		}
		part := ""
		if m.Parts > 0 {
			part = fmt.Sprintf("  骑缝 part %d/%d", m.Part, m.Parts)
		}
		fmt.Fprintf(s.out, "  第 %d 页 page %d  距左 left %.1f mm  距下 bottom %.1f mm  %.1f × %.1f mm%s\n", m.Page, m.Page, m.X, m.Y, m.Width, m.Height, part)
	}
	if len(d.Marks) == 0 {
		fmt.Fprintln(s.out, "  印章不显示在页面上。 The seal is shown on no page.")
	}
	if d.Recovered != "" {
		fmt.Fprintf(s.out, "  原文件的交叉引用已损坏（%s），已按文件内容重建；原有字节未改动。\n  The file's cross-reference was damaged (%s) and was built anew; its bytes are unchanged.\n", d.Recovered, d.Recovered)
	}
	for _, n := range d.Notes {
		fmt.Fprintf(s.out, "  · %s\n    %s\n", n.Message, n.MessageEN)
	}
	for _, f := range d.Findings {
		where := ""
		if f.Page > 0 {
			where = fmt.Sprintf(", 第 %d 页 page %d", f.Page, f.Page)
		}
		if f.Object != "" {
			where += ", " + f.Object
		}
		fmt.Fprintf(s.out, "  ! %s\n    %s (%s%s)\n", f.Message, f.MessageEN, f.Code, where)
	}
}

func (c sealCommand) printSeals(s streams, rows []register.Listed) error {
	if c.JSON {
		return printJSON(s, rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.out, "没有可用的印章。\nThere is no seal that you may use.")
	}
	for _, r := range rows {
		status := "可用 usable"
		if !r.Usable {
			status = "不可用 not usable: " + r.Reason
		}
		fmt.Fprintf(s.out, "%s  %s  %s  %.0f × %.0f mm  %s  %s\n", r.Code, r.Name, r.Organisation, r.Width, r.Height, r.State, strings.TrimSpace(status))
	}
	return nil
}
