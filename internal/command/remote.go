package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/api"
	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

var (
	errServer = fault.Spec{Kind: fault.Unavailable, Code: "server.unreachable",
		ZH: "连接不上服务器，没有写入任何文件。", EN: "The server cannot be reached; nothing was written."}
	errServerAnswer = fault.Spec{Kind: fault.Unavailable, Code: "server.unexpected-answer",
		ZH: "服务器的回答无法理解，没有写入任何文件。", EN: "The server gave an answer that cannot be understood; nothing was written."}
	errNoKey = fault.Spec{Kind: fault.Unauthenticated, Code: "server.no-api-key",
		ZH: "没有 API 密钥：请设置环境变量。", EN: "There is no API key: set the environment variable."}
)

// client calls the API of a server.
type client struct {
	base, key string
}

// remote seals through a server: upload, seal, fetch, and check what came.
func (c sealCommand) remote(ctx context.Context, s streams) error {
	server := client{base: strings.TrimRight(c.Server, "/"), key: strings.TrimSpace(os.Getenv(c.KeyEnv))}
	if u, err := url.Parse(server.base); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errFlag.At(fault.Field("--server"))
	}
	if server.key == "" {
		return errNoKey.With("%s", c.KeyEnv)
	}
	if c.List {
		var list struct {
			Seals []register.Listed `json:"seals"`
		}
		if err := server.call(ctx, http.MethodGet, "/v1/seals", nil, nil, &list); err != nil {
			return err
		}
		return c.printSeals(s, list.Seals)
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
	var document struct{ ID string }
	header := http.Header{"Content-Type": {"application/pdf"}, "X-File-Name": {url.PathEscape(filepath.Base(c.Input))}}
	if err := server.call(ctx, http.MethodPost, "/v1/documents", header, sized{in, size}, &document); err != nil {
		return at(err, c.Input)
	}
	var sealed struct {
		ID       string
		Document struct {
			ID   string
			Size int64
			SM3  string `json:"sm3"`
		}
		Seal, Time string
		ByteRange  string `json:"byte_range"`
		Details    api.Details
	}
	key := c.Key
	if key == "" {
		key = rand.Text()
	}
	wanted.Document = document.ID
	order, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	header = http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {key}}
	if err := server.call(ctx, http.MethodPost, "/v1/sealings", header, sized{bytes.NewReader(order), int64(len(order))}, &sealed); err != nil {
		return at(err, c.Input)
	}
	if err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error {
		return server.fetch(ctx, "/v1/documents/"+sealed.Document.ID+"/content", w, sealed.Document.SM3)
	}); err != nil {
		return err
	}
	return c.printSealed(s, sealedResult{Output: c.Output, Seal: c.Seal, Sealing: sealed.ID, Document: sealed.Document.ID,
		Size: sealed.Document.Size, SM3: sealed.Document.SM3, Time: sealed.Time, ByteRange: sealed.ByteRange, Details: sealed.Details}, start)
}

// sized is a request body of known length.
type sized struct {
	io.Reader
	size int64
}

func (c client) do(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if header != nil {
		r.Header = header.Clone()
	}
	if b, ok := body.(sized); ok {
		r.ContentLength = b.size
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errServer.With("%s", c.base).Because(err)
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		return nil, problem(answer)
	}
	return answer, nil
}

func (c client) call(ctx context.Context, method, path string, header http.Header, body io.Reader, result any) error {
	answer, err := c.do(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(io.LimitReader(answer.Body, 16<<20)).Decode(result); err != nil {
		return errServerAnswer.Because(err)
	}
	return nil
}

// fetch streams a document into w and compares its digest with what the server said.
func (c client) fetch(ctx context.Context, path string, w io.Writer, want string) error {
	answer, err := c.do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	digest := sm3.New()
	if _, err := io.Copy(io.MultiWriter(w, digest), answer.Body); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.Join(errServer.Because(err))
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		return errServerAnswer.With("SM3 %s", got)
	}
	return nil
}

// problem makes the error of an answer that says no.
func problem(answer *http.Response) error {
	f, ok := api.FaultOf(answer.StatusCode, answer.Body)
	if !ok {
		return errServerAnswer.With("HTTP %d", answer.StatusCode).Because(errors.New("not a problem document"))
	}
	return f
}
