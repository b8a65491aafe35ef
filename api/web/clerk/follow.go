package clerk

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/api/web"
)

// The pace of live states: how often something is looked at, and how long one connection lasts before the browser asks
// again.
const (
	lookEvery = time.Second
	followFor = 10 * time.Minute
)

// follow sends the part "state" of a page whenever it changes, as server-sent events, until what it shows is finished.
func (p pages) follow(q *web.Request, page string, look func() (data any, finished bool, err error)) error {
	data, finished, err := look()
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	out := http.NewResponseController(q.W)
	ctx, cancel := context.WithTimeout(q.Context(), followFor)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var last [sm3.Size]byte
	for {
		part, err := q.Render(page, "state", data)
		if err != nil {
			return err
		}
		if sum := sm3.Sum(part); sum != last {
			last = sum
			// Lines of data are put together again by the browser with line feeds between them.
			if _, err := fmt.Fprintf(q.W, "id: %s\nevent: state\ndata: %s\n\n", hex.EncodeToString(sum[:8]), bytes.ReplaceAll(part, []byte("\n"), []byte("\ndata: "))); err != nil {
				return nil // the reader went away
			}
			if out.Flush() != nil {
				return nil
			}
		}
		if finished {
			_, _ = fmt.Fprint(q.W, "event: end\ndata: \n\n")
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		case <-p.Stopping:
			return nil
		}
		if data, finished, err = look(); err != nil {
			return nil // the browser asks again, and is told then
		}
	}
}
