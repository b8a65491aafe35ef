package command

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yinxin/api/client"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

var errNoKey = fault.Spec{Kind: fault.Unauthenticated, Code: "server.no-api-key",
	ZH: "没有 API 密钥：请设置环境变量。", EN: "There is no API key: set the environment variable."}

// remote seals through a server: upload, seal, fetch, and check what came.
func (c sealCommand) remote(ctx context.Context, s streams) error {
	key := strings.TrimSpace(os.Getenv(c.KeyEnv))
	server, err := client.New(c.Server, key)
	if err != nil {
		return errFlag.At(fault.Field("--server")).Because(err)
	}
	if key == "" {
		return errNoKey.With("%s", c.KeyEnv)
	}
	if c.List {
		seals, err := server.Seals(ctx)
		if err != nil {
			return err
		}
		var list []register.Listed
		for _, l := range seals {
			list = append(list, register.Listed{Code: l.Code, Name: l.Name, Organisation: l.Organisation, State: register.State(l.State), Width: l.Width, Height: l.Height,
				ValidFrom: l.ValidFrom, ValidUntil: l.ValidUntil, Usable: l.Usable, Reason: l.Reason, Left: l.UsesLeft})
		}
		return c.printSeals(s, list)
	}
	if err := c.checkFiles(); err != nil {
		return err
	}
	if c.Prepare || c.Complete != "" {
		return errFlag.At(fault.Field("--server")).With("two phases are for a data directory")
	}
	wanted, err := c.order(c.Seal)
	if err != nil {
		return err
	}
	in, size, err := c.input(ctx, s)
	if err != nil {
		return err
	}
	defer in.Close()
	start := time.Now()
	document, err := server.Upload(ctx, filepath.Base(c.Input), in, size)
	if err != nil {
		return at(err, c.Input)
	}
	wanted.Document = document.ID
	sealed, err := server.Seal(ctx, cmp.Or(c.Key, client.Key()), wanted)
	if err != nil {
		return at(err, c.Input)
	}
	if err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error { return server.Fetch(ctx, sealed.Document, w) }); err != nil {
		return err
	}
	return c.printSealed(s, sealedResult{Output: c.Output, Seal: c.Seal, Sealing: sealed.ID, Document: sealed.Document.ID,
		Size: sealed.Document.Size, SM3: sealed.Document.SM3, Time: sealed.Time.Format(time.RFC3339), ByteRange: sealed.ByteRange, Details: sealed.Details}, start)
}
