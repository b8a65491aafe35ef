package command

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/fixtures"
	"yinxin/internal/durable"
	"yinxin/internal/store"
)

// The figure "http-seal": documents of 100 kB that are sealed in one call each, over HTTP, for callers at the same time. The
// ledger is on the disk when the call returns. "http-seal-p95" is how long 19 of 20 calls take at most at half of that load: they
// come at an even pace, and the time that one waits because others are slow counts.
const (
	httpFigure  = "http-seal"
	pacedFigure = "http-seal-p95"
	pacedCalls  = 256
	httpBatch   = 512 // documents of one run, many times those at work at once; the figure is for one of them
	httpSize    = 100 << 10
)

// overHTTP is an installation that serves, and a caller with a key.
type overHTTP struct {
	b       *bench
	server  *httptest.Server
	key     string
	order   []byte
	file    []byte
	body    []byte // order and file
	media   string // of body
	buffers sync.Pool
	next    atomic.Int64
	floorDB *store.DB
	dir     string
	row     atomic.Int64
	pause   time.Duration // between two calls at half of the load
	back    func()        // what prepare set
}

func (b *bench) overHTTP(dir string, floorDB *store.DB) (*overHTTP, error) {
	o := &overHTTP{b: b, floorDB: floorDB, dir: filepath.Join(dir, "floor")}
	handler, err := b.h.handler(b.ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	actor, err := b.h.operator(b.ctx, "")
	if err != nil {
		return nil, err
	}
	list, err := b.h.register.Seals(b.ctx, actor)
	if err != nil {
		return nil, err
	}
	if o.order, err = json.Marshal(map[string]any{"seal": list[0].Code, "no_time_stamp": true, "placement": map[string]any{"page": 1, "x": 20, "y": 20}}); err != nil {
		return nil, err
	}
	if o.key, err = b.h.access.CreateKey(b.ctx, actor.ID, httpFigure); err != nil {
		return nil, err
	}
	var original bytes.Buffer
	if err := fixtures.WriteBig(&original, httpSize, 12, fixtures.BigTable); err != nil {
		return nil, err
	}
	o.file = original.Bytes()
	if err := o.form(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(o.dir, 0o700); err != nil {
		return nil, err
	}
	o.server = httptest.NewServer(handler)
	o.server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = issueCallers
	return o, floorDB.Write(b.ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(b.ctx, `CREATE TABLE floor_document (id TEXT NOT NULL PRIMARY KEY, data BYTEA)`)
		return err
	})
}

// keep is a sealed document on the disk.
func (o *overHTTP) keep(name string) error {
	return durable.Create(o.b.ctx, filepath.Join(o.dir, name), 0o600, func(w io.Writer) error {
		_, err := w.Write(o.file)
		if err == nil {
			_, err = w.Write(o.b.update)
		}
		return err
	})
}

func (o *overHTTP) close() { o.server.Close() }

// prepare has memory collected as the service has it.
func (o *overHTTP) prepare() error {
	o.back = collectSeldom()
	return nil
}

func (o *overHTTP) release() { o.back() }

// pace finds half of the load.
func (o *overHTTP) pace() error {
	if err := o.prepare(); err != nil {
		return err
	}
	const runs = 4
	begin := time.Now()
	for range runs {
		if err := o.seal(); err != nil {
			o.release()
			return err
		}
	}
	o.pause = 2 * time.Since(begin) / (runs * httpBatch)
	return nil
}

// paced makes calls at half of the load and gives the microseconds within which 19 of 20 were answered.
func (o *overHTTP) paced(call func() error) func() (float64, error) {
	return func() (float64, error) {
		took, errs := make([]float64, pacedCalls), make([]error, pacedCalls)
		var all sync.WaitGroup
		begin := time.Now()
		for i := range pacedCalls {
			due := begin.Add(time.Duration(i) * o.pause)
			time.Sleep(time.Until(due))
			all.Go(func() {
				errs[i] = call()
				took[i] = float64(time.Since(due).Nanoseconds()) / 1000
			})
		}
		all.Wait()
		slices.Sort(took)
		return took[pacedCalls*19/20], errors.Join(errs...)
	}
}

func (o *overHTTP) seal() error {
	return together(httpBatch, func(int) error { return o.call() })
}

// call seals one document.
func (o *overHTTP) call() error { return o.one(fmt.Sprintf("%s-%d", httpFigure, o.next.Add(1))) }

func (o *overHTTP) one(key string) error {
	r, err := http.NewRequestWithContext(o.b.ctx, http.MethodPost, o.server.URL+"/v1/sealed-documents", bytes.NewReader(o.body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+o.key)
	r.Header.Set("Content-Type", o.media)
	r.Header.Set("Idempotency-Key", key)
	answer, err := o.server.Client().Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	sealed, _ := o.buffers.Get().(*bytes.Buffer)
	if sealed == nil {
		sealed = &bytes.Buffer{}
	}
	defer o.buffers.Put(sealed)
	sealed.Reset()
	_, err = sealed.ReadFrom(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || !bytes.HasPrefix(sealed.Bytes(), o.file)) {
		err = errInternal.With("%d %.200s", answer.StatusCode, sealed.Bytes())
	}
	return err
}

// form makes the body that every call sends.
func (o *overHTTP) form() error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range []struct {
		name, file string
		content    []byte
	}{{"order", "", o.order}, {"file", `; filename="a.pdf"`, o.file}} {
		w, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + part.name + `"` + part.file}})
		if err == nil {
			_, err = w.Write(part.content)
		}
		if err != nil {
			return err
		}
	}
	err := form.Close()
	o.body, o.media = body.Bytes(), form.FormDataContentType()
	return err
}

// floor is what no service can leave out that records before it signs, checks what it signed and loses nothing: the digests of
// document and signature, one signature and one verification, two commits that the callers share, and a file that is synced.
func (o *overHTTP) floor() error { return together(httpBatch, func(int) error { return o.least() }) }

// least is the floor of one call.
func (o *overHTTP) least() error {
	data := make([]byte, 512)
	write := func(query string, args ...any) error {
		return o.floorDB.Write(o.b.ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(o.b.ctx, query, args...)
			return err
		})
	}
	hashOf(o.file, o.b.before, o.b.after).Sum(nil)
	hashOf(o.b.update).Sum(nil) // for the digest of the whole, from where that of the document ended
	hashOf(o.b.tbs).Sum(nil)
	hashOf(o.b.info).Sum(nil)
	id := fmt.Sprintf("f%d", o.row.Add(1))
	if err := write(`INSERT INTO floor_document (id, data) VALUES ($1, $2)`, id, data); err != nil {
		return err
	}
	value, err := sm2.SignASN1(rand.Reader, o.b.key, o.b.digest[:], nil)
	if err != nil {
		return err
	}
	if !sm2.VerifyASN1(&o.b.key.PublicKey, o.b.digest[:], value) {
		return errInternal.New()
	}
	if err := o.keep(id); err != nil {
		return err
	}
	return write(`UPDATE floor_document SET data = $1 WHERE id = $2`, data, id)
}
