package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"yinxin/api"
	"yinxin/internal/fault"
)

type previewCommand struct {
	Input  string  `arg:"" name:"in.pdf" help:"PDF that is to be sealed; it is not changed."`
	Output string  `short:"o" required:"" help:"Folder for the pictures of the pages, page-N.png." placeholder:"DIR"`
	Seal   string  `required:"" help:"Code of the seal (14 digits)." placeholder:"ID"`
	DPI    float64 `name:"dpi" help:"Resolution of the pictures." default:"100"`
	Show   []int   `help:"Only these pages of those that show the seal." placeholder:"PAGE"`
	dataFlags
	As   string `help:"Actor who would seal (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
	JSON bool   `name:"json" help:"Print the result as JSON."`
	orderFlags
}

// Help is printed by --help.
func (previewCommand) Help() string {
	return "Plans the sealing as yinxin seal would, with the same checks, and draws the pages with the seal in place. Nothing is signed or counted. " +
		"Exit status: 0 drawn, 3 it would be refused, 1 failed."
}

func (c previewCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

// previewResult is what yinxin preview --json prints.
type previewResult struct {
	Pages   []string    `json:"pages"` // files
	Size    int64       `json:"size"`  // of the sealed document, bytes
	Details api.Details `json:"details"`
}

func (c previewCommand) run(ctx context.Context, s streams) error {
	wanted, err := c.order(c.Seal)
	if err != nil {
		return err
	}
	o, err := wanted.Order()
	if err != nil {
		return err
	}
	h, actor, err := openAs(ctx, c.dataFlags, c.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	in, _, err := openInput(c.Input)
	if err != nil {
		return err
	}
	defer in.Close()
	if o.Document, err = upload(ctx, h, actor, in, c.Input, c.Seal); err != nil {
		return at(err, c.Input)
	}
	p, err := h.sealer.Preview(ctx, actor, o, c.DPI, c.Show)
	if err != nil {
		return at(err, c.Input)
	}
	if info, err := os.Stat(c.Output); err == nil && !info.IsDir() {
		return errNoFolder.At(fault.File(c.Output))
	}
	if err := os.MkdirAll(c.Output, 0o755); err != nil {
		return err
	}
	result := previewResult{Size: p.Size, Details: api.DetailsOf(p.Details), Pages: []string{}}
	for _, page := range p.Pages {
		name := filepath.Join(c.Output, fmt.Sprintf("page-%d.png", page.Number))
		if err := writeBytes(ctx, name, 0o644, page.Picture.PNG); err != nil {
			return err
		}
		result.Pages = append(result.Pages, name)
	}
	if c.JSON {
		return printJSON(s, result)
	}
	for _, name := range result.Pages {
		fmt.Fprintln(s.out, name)
	}
	printDetails(s, result.Details)
	return nil
}
