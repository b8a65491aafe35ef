package command

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"yinxin/api/client"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

var errNoKey = fault.Spec{Kind: fault.Unauthenticated, Code: "server.no-api-key",
	ZH: "没有 API 密钥：请设置环境变量，或用 --key-file 给出文件。", EN: "There is no API key: set the environment variable, or name a file with --key-file."}

// serverFlags say through which server a command works, and with which key: never as an argument, which every process of the
// machine may read.
type serverFlags struct {
	Server  string `help:"Work through a server instead of a data directory." placeholder:"URL"`
	KeyEnv  string `name:"api-key-env" help:"Environment variable that holds the API key for --server." default:"YINXIN_API_KEY" placeholder:"NAME"`
	KeyFile string `help:"File that holds the API key for --server, instead of the environment." placeholder:"FILE"`
}

// maxKeyFile is how large a file with an API key may be, in bytes.
const maxKeyFile = 4096

// client is a client of the server with the key.
func (f serverFlags) client() (*client.Client, error) {
	key, from := os.Getenv(f.KeyEnv), f.KeyEnv
	if f.KeyFile != "" {
		text, err := readAtMost(f.KeyFile, maxKeyFile, errNoKey.New())
		if err != nil {
			return nil, err
		}
		key, from = string(text), f.KeyFile
	}
	key = strings.TrimSpace(key)
	server, err := client.New(f.Server, key)
	if err != nil {
		return nil, errFlag.At(fault.Field("--server")).Because(err)
	}
	if key == "" {
		return nil, errNoKey.With("%s", from)
	}
	return server, nil
}

// watch tells how far a transfer has come, where a person sees it: on a terminal, in a line that is written over. end takes the
// line away.
func (s streams) watch(ctx context.Context) (watched context.Context, end func()) {
	f, ok := s.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return ctx, func() {}
	}
	var last time.Time
	shown := false
	watched = client.WithProgress(ctx, func(p client.Progress) {
		now := s.now()
		if now.Sub(last) < 200*time.Millisecond && p.Done != p.Total {
			return
		}
		last, shown = now, true
		way := "上传 up"
		if p.Receiving {
			way = "下载 down"
		}
		whole := ""
		if p.Total > 0 {
			whole = fmt.Sprintf(" / %.1f MB, %d%%", float64(p.Total)/1e6, 100*p.Done/p.Total)
		}
		fmt.Fprintf(f, "\r\x1b[K%s %.1f%s", way, float64(p.Done)/1e6, whole)
	})
	return watched, func() {
		if shown {
			fmt.Fprint(f, "\r\x1b[K")
		}
	}
}

// remoteSeals lists the seals of the caller.
func (c sealCommand) remoteSeals(ctx context.Context, s streams, server *client.Client) error {
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

// remote seals a file through a server: upload, seal, fetch, and check what came.
func (c sealCommand) remote(ctx context.Context, s streams, server *client.Client) (sealedResult, error) {
	wanted, err := c.order(c.Seal)
	if err != nil {
		return sealedResult{}, err
	}
	in, size, err := c.input(ctx, s)
	if err != nil {
		return sealedResult{}, err
	}
	defer in.Close()
	ctx, end := s.watch(ctx)
	defer end()
	document, err := server.UploadOnce(ctx, filepath.Base(c.Input), in, size)
	if err != nil {
		return sealedResult{}, at(err, c.Input)
	}
	wanted.Document = document.ID
	sealed, err := server.Seal(ctx, cmp.Or(c.Key, client.Key()), wanted)
	if err != nil {
		return sealedResult{}, at(err, c.Input)
	}
	if err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error { return server.Fetch(ctx, sealed.Document, w) }); err != nil {
		return sealedResult{}, err
	}
	return sealedResult{Output: c.Output, Seal: c.Seal, Sealing: sealed.ID, Document: sealed.Document.ID,
		Size: sealed.Document.Size, SM3: sealed.Document.SM3, Time: sealed.Time.Format(time.RFC3339), ByteRange: sealed.ByteRange, Details: sealed.Details}, nil
}
