//go:build cgo && !windows

package agent

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/oid"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/ses"
	"yinxin/sealer/terminal/manifest"
	"yinxin/sealer/view"
)

// office is a service made from the rooms below a server, with faults that a server does not show when it is asked to.
type office struct {
	w *world
	sync.Mutex
	files    map[string][]byte // items, by identifier
	order    []string
	waiting  map[string]*sealing // by job
	sealed   map[string][]byte
	declined map[string]string
	jobs     int
	claims   int
	holder   string // who has the task; empty: nobody
	name     string // of this terminal

	onPrepare  func(item string, s *sealing) error
	onComplete func(item string) error
	lost       int // calls that fail before they arrive
}

var _ service = (*office)(nil)

func (w *world) office(files int) *office {
	w.t.Helper()
	o := &office{w: w, files: map[string][]byte{}, waiting: map[string]*sealing{}, sealed: map[string][]byte{}, declined: map[string]string{}, name: "one"}
	b := original(w.t, 3)
	for n := range files {
		id := fmt.Sprintf("i%03d", n)
		o.files[id], o.order = append(bytes.Clone(b), fmt.Sprintf("%%%d\n", n)...), append(o.order, id)
	}
	return o
}

func (o *office) away() error {
	if o.lost > 0 {
		o.lost--
		return ErrUnreachable.Because(errors.New("test"))
	}
	return nil
}

func (o *office) left() []manifest.Item {
	var list []manifest.Item
	for _, id := range o.order {
		if o.sealed[id] == nil && o.declined[id] == "" {
			list = append(list, manifest.Item{ID: id, Document: manifest.Document{ID: "d", Name: id + ".pdf"}, Seal: code})
		}
	}
	return list
}

func (o *office) tasks(context.Context) (manifest.Tasks, error) {
	o.Lock()
	defer o.Unlock()
	if err := o.away(); err != nil || len(o.left()) == 0 {
		return manifest.Tasks{}, err
	}
	return manifest.Tasks{Tasks: []manifest.Task{{ID: "t"}}}, nil
}

// Nobody signs in here: the whole service does that in the tests of it.
func (o *office) login(context.Context, string) (*manifest.Login, error) {
	return nil, ErrAnswer.New()
}

func (o *office) answerLogin(context.Context, *manifest.Login, []byte, []byte) error {
	return ErrAnswer.New()
}

func (o *office) declineLogin(context.Context, string, string) error { return ErrAnswer.New() }

func (o *office) claim(context.Context, string) (manifest.Claim, error) {
	o.Lock()
	defer o.Unlock()
	o.claims++
	if err := o.away(); err != nil {
		return manifest.Claim{}, err
	}
	if o.holder != "" && o.holder != o.name {
		return manifest.Claim{}, fault.Spec{Kind: fault.Conflict, Code: codeClaimed, ZH: "已被领取。", EN: "Claimed."}.New()
	}
	o.holder = o.name
	return manifest.Claim{Task: manifest.Task{ID: "t", Origin: manifest.Origin{System: "s", Name: "档案查询系统"}}, Items: o.left()}, nil
}

func (o *office) release(context.Context, string) error {
	o.Lock()
	defer o.Unlock()
	o.holder = ""
	return nil
}

func (o *office) prepare(_ context.Context, _ string, i manifest.Item) (*manifest.Manifest, error) {
	id := i.ID
	o.Lock()
	if err := o.away(); err != nil {
		o.Unlock()
		return nil, err
	}
	o.jobs++
	job := fmt.Sprint(o.jobs)
	file := o.files[id]
	o.Unlock()
	s := o.w.prepared(file, sealer.ProfileSeal)
	s.m.Document.Name, s.m.Item, s.m.Job, s.m.Clerk.Name = id+".pdf", id, job, "张三"
	if o.onPrepare != nil {
		if err := o.onPrepare(id, s); err != nil {
			return nil, err
		}
	}
	o.Lock()
	defer o.Unlock()
	o.waiting[job] = s
	s.m.Item, s.m.Job = id, job
	return s.m, nil
}

func (o *office) fetch(_ context.Context, m *manifest.Manifest, w io.Writer) error {
	o.Lock()
	defer o.Unlock()
	if err := o.away(); err != nil {
		return err
	}
	_, err := w.Write(o.waiting[m.Job].file)
	return err
}

var errOffice = fault.Spec{Kind: fault.Refused, Code: "office.refused", ZH: "不接受。", EN: "Not accepted."}

// complete does what a server does: it verifies over its own bytes, embeds, and verifies the whole.
func (o *office) complete(_ context.Context, m *manifest.Manifest, value, certificate []byte) error {
	o.Lock()
	defer o.Unlock()
	if err := o.away(); err != nil {
		return err
	}
	if o.onComplete != nil {
		if err := o.onComplete(m.Item); err != nil {
			return err
		}
	}
	s := o.waiting[m.Job]
	if s == nil || o.sealed[m.Item] != nil || !o.w.now.read().Before(s.m.Expires) {
		return errOffice.With("job")
	}
	delete(o.waiting, m.Job)
	parsed, err := chain.ParseCertificate(certificate)
	if err != nil || !bytes.Equal(certificate, o.w.instance.Certificate) ||
		!sm2.VerifyASN1WithSM2(parsed.PublicKey.(*ecdsa.PublicKey), []byte(oid.SM2UserID), s.m.ToBeSigned, value) {
		return errOffice.With("signature")
	}
	form, err := ses.NewForm(o.w.instance.Seal, len(s.m.ByteRange))
	if err != nil {
		return err
	}
	contents, err := form.Assemble(s.m.ToBeSigned[len(form.Prefix()):], certificate, value, nil)
	if err != nil {
		return err
	}
	update, err := s.update.Fill(contents)
	if err != nil {
		return err
	}
	o.sealed[m.Item] = append(bytes.Clone(s.original), update...)
	return nil
}

func (o *office) decline(_ context.Context, _, id, why string) error {
	o.Lock()
	defer o.Unlock()
	o.declined[id] = why
	return nil
}

func (o *office) address() string { return "https://office.example" }

// check says that every item but the exceptions is sealed, and the verifier finds it valid.
func (o *office) check(except ...string) {
	o.w.t.Helper()
	not := map[string]bool{}
	for _, id := range except {
		not[id] = true
	}
	for _, id := range o.order {
		b := o.sealed[id]
		switch {
		case not[id] && b != nil:
			o.w.t.Errorf("%s is sealed", id)
		case not[id]:
		case b == nil:
			o.w.t.Errorf("%s is not sealed (%s)", id, o.declined[id])
		default:
			if v := o.w.verdict(b); v != "valid" || !bytes.HasPrefix(b, o.files[id]) {
				o.w.t.Errorf("%s: %s", id, v)
			}
		}
	}
}

// blank draws white pages: what they show is the viewer's own matter.
type blank struct {
	sync.Mutex
	pages int
}

func (b *blank) Render(_ context.Context, r io.ReaderAt, size int64, page int, dpi float64) (*view.Picture, error) {
	b.Lock()
	defer b.Unlock()
	b.pages++
	return &view.Picture{PNG: []byte("\x89PNG"), Width: 1, Height: 1, DPI: dpi}, nil
}

// agent makes one over the office. What it waits for is over at once; the clock goes on by it.
func (w *world) agent(o service, desk Desk) *Agent {
	w.t.Helper()
	folder, err := OpenFolder(w.t.TempDir() + "/terminal")
	w.must(err)
	a := &Agent{Folder: folder, Device: w.device, Desk: desk, Viewer: &blank{}, Clock: w.now.read, service: o, agreed: map[string]*manifest.Manifest{}, busy: &sync.Mutex{}}
	a.wait = w.waiting
	return a
}

// waiting is over at once; the clock goes on by it.
func (w *world) waiting(ctx context.Context, d time.Duration) error {
	if d == claimEvery { // until the list ends
		<-ctx.Done()
		return ctx.Err()
	}
	w.now.move(d)
	return ctx.Err()
}

func elsewhere(r *pdf.SealRequest) { r.Placements[0].X = 60 }

// answerLost loses the answer to what was completed, always.
type answerLost struct{ *office }

func (l *answerLost) complete(ctx context.Context, m *manifest.Manifest, value, certificate []byte) error {
	_ = l.office.complete(ctx, m, value, certificate) // a repetition is refused there
	return ErrUnreachable.Because(errors.New("test"))
}
