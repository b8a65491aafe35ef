package command

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/api"
	"yinxin/api/agent"
	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/sealer"
)

type agentSealCommand struct {
	Input  string `arg:"" optional:"" name:"in.pdf" help:"PDF to seal; it is not changed."`
	Output string `short:"o" help:"Where the sealed PDF goes." placeholder:"PDF"`
	Seal   string `help:"Code of the seal (14 digits); where the USB Key has only one, that." placeholder:"ID"`
	List   bool   `help:"List the seals on the USB Key, instead of sealing."`
	agentFlags
	Trust []string `help:"Trust anchors and CRLs to verify the result by (default: of agent.json)." placeholder:"FILE|DIR" sep:"none"`
	orderFlags
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (agentSealCommand) Help() string {
	return "Seal, certificate and key are on the USB Key (yinxin token import). No server is asked: whether the seal was suspended is not known, no time stamp is taken. " +
		"The result is verified before it is written. Exit status: 0 sealed, 3 refused, 1 failed."
}

func (c agentSealCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c agentSealCommand) run(ctx context.Context, s streams) error {
	folder, config, err := c.open()
	if err != nil {
		return err
	}
	desk, err := c.desk(s)
	if err != nil {
		return err
	}
	local := agent.Local{Device: config.Device, Desk: desk, Clock: s.now}
	if c.List {
		return c.list(ctx, s, local)
	}
	if err := (sealCommand{Input: c.Input, Output: c.Output, Seal: "-"}).checkFiles(); err != nil {
		return err
	}
	if c.LongTerm {
		return errFlag.Saying("本地盖章不取时间戳和长期验证数据", "no time stamp and no long-term proof is taken locally").At(fault.Field("--long-term"))
	}
	wanted, err := c.order(c.Seal)
	if err != nil {
		return err
	}
	o, err := wanted.Order()
	if err != nil {
		return err
	}
	if local.Chain, err = c.trust(config); err != nil {
		return err
	}
	in, size, err := openInput(c.Input)
	if err != nil {
		return err
	}
	file := inputObject{in, size}
	defer in.Close()
	font, fonts := agentFonts()
	viewer, err := newViewer(folder.Path(), fonts, 1, false)
	if err != nil {
		return err
	}
	defer viewer.Close()
	local.Planner = sealer.New(sealer.Config{Clock: s.now, Viewer: viewer, Font: font})
	start := time.Now()
	sealed, err := local.SealFile(ctx, c.Input, file, o)
	if err != nil {
		return at(err, c.Input)
	}
	digest := sm3.New()
	if err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error { return sealed.WriteSealed(io.MultiWriter(w, digest), file) }); err != nil {
		return err
	}
	return c.print(s, sealed, size+int64(len(sealed.Update)), hex.EncodeToString(digest.Sum(nil)), start)
}

// trust reads what the result is verified by; nil without any.
func (c agentSealCommand) trust(config agent.Config) (*chain.Verifier, error) {
	from := c.Trust
	if len(from) == 0 {
		from = config.Trust
	}
	if len(from) == 0 {
		return nil, nil
	}
	anchors, crls, err := chain.LoadTrust(from...)
	if err != nil {
		return nil, err
	}
	return withTrust(&chain.Verifier{}, anchors, crls), nil
}

// agentSealed is what yinxin agent seal --json prints.
type agentSealed struct {
	Output      string      `json:"output"`
	Seal        string      `json:"seal"`
	Name        string      `json:"name"`
	Certificate string      `json:"certificate"` // SM3, hex
	Size        int64       `json:"size"`
	SM3         string      `json:"sm3"`
	Verdict     string      `json:"verdict"`
	Details     api.Details `json:"details"`
}

func (c agentSealCommand) print(s streams, sealed agent.LocalSeal, size int64, digest string, start time.Time) error {
	details := api.DetailsOf(sealed.Details)
	if c.JSON {
		return printJSON(s, agentSealed{Output: c.Output, Seal: sealed.Seal.ID, Name: sealed.Seal.Name, Certificate: sealed.Certificate.FingerprintText(),
			Size: size, SM3: digest, Verdict: string(sealed.Verdict), Details: details})
	}
	fmt.Fprintf(s.out, "已盖章 sealed: %s (%d bytes, %d ms)\n  %s  %s\n", c.Output, size, time.Since(start).Milliseconds(), sealed.Seal.ID, sealed.Seal.Name)
	printDetails(s, details)
	fmt.Fprintf(s.out, "  %s\n", sealed.Summary)
	return nil
}

func (c agentSealCommand) list(ctx context.Context, s streams, local agent.Local) error {
	seals, err := local.Seals(ctx)
	if err != nil {
		return err
	}
	type row struct {
		Code  string  `json:"code"`
		Name  string  `json:"name"`
		Width float64 `json:"width"`
		High  float64 `json:"height"`
		Until string  `json:"valid_until"`
	}
	rows := []row{}
	for _, seal := range seals {
		w, h := seal.TrueSize()
		rows = append(rows, row{seal.ID, seal.Name, w, h, seal.ValidEnd.Format(time.RFC3339)})
	}
	if c.JSON {
		return printJSON(s, rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.out, "UKey 中没有印章。\nThere is no seal on the USB Key.")
	}
	for _, r := range rows {
		fmt.Fprintf(s.out, "%s  %s  %.0f × %.0f mm  至 until %s\n", r.Code, r.Name, r.Width, r.High, r.Until[:10])
	}
	return nil
}

// inputObject is an open input as an object.
type inputObject struct {
	io.ReaderAt
	size int64
}

// Size is the length in bytes.
func (o inputObject) Size() int64 { return o.size }

// Close does nothing: whoever opened the file closes it.
func (inputObject) Close() error { return nil }

var _ files.Object = inputObject{}
