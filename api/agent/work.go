package agent

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/ses"
	"yinxin/sealer/terminal/manifest"
)

const (
	// ahead is how many items are prepared, and how many completed, beside the one that the USB Key signs.
	ahead = 4
	// claimEvery keeps a claim, which holds for two minutes.
	claimEvery = 45 * time.Second
	// spare is how long a manifest must still hold when its item comes to be signed.
	spare = 20 * time.Second
	// patience is how long an interrupted network is waited for while the USB Key is unlocked.
	patience = 2 * time.Minute
)

// Agent does tasks at a terminal.
type Agent struct {
	Folder  Folder
	Device  Device
	Desk    Desk
	Viewer  Renderer
	Clock   func() time.Time
	service service
	link    *client // the same, where it is one
	// agreed is what the person has agreed to and is not sealed yet: a list that was interrupted goes on without asking.
	agreed map[string]*manifest.Manifest
	// wait waits between attempts: tests have it wait for nothing.
	wait func(ctx context.Context, d time.Duration) error
	// advice is what a server said of this agent's age, and advised whether the person was told.
	advice  *manifest.Advice
	advised bool
	// busy is held while a task is done.
	busy *sync.Mutex
}

// prepared is an item on its way.
type prepared struct {
	item    manifest.Item
	checked *checked // nil: not prepared yet
	signer  *signer  // nil: its key is not there yet
	file    *os.File
	err     error // why it is not sealed; nil so far
	told    bool  // the server, of err
}

// list is one task under way.
type list struct {
	*Agent
	task    manifest.Task
	folder  string // of the prepared files
	gallery *gallery
	items   []*prepared

	lock sync.Mutex // guards done, agreed and the desk's progress
	done int
}

func (l *list) agreedTo(i manifest.Item) *manifest.Manifest {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.agreed[l.key(i)]
}

// agree keeps what the person has agreed to; nil: it is over.
func (l *list) agree(i manifest.Item, m *manifest.Manifest) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if m == nil {
		delete(l.agreed, l.key(i))
	} else {
		l.agreed[l.key(i)] = m
	}
}

// do claims a task and seals what is to be sealed in it. It asks once. What becomes of each item is told to the desk; the error
// is what ended the whole list before its end, or agent.not-all where items were refused.
func (a *Agent) do(ctx context.Context, id string) error {
	a.busy.Lock()
	defer a.busy.Unlock()
	t, err := a.service.claim(ctx, id)
	if err != nil {
		return err
	}
	if len(t.Items) == 0 {
		return a.service.release(ctx, id)
	}
	ctx, end := context.WithCancelCause(ctx)
	keeping := a.keepClaim(ctx, end, id)
	err = a.seal(ctx, t)
	end(nil)
	<-keeping
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause // the claim was lost
	}
	// Who cannot be reached learns by the end of the claim.
	released := a.service.release(context.WithoutCancel(ctx), id)
	if err == nil && !fault.Has(released, ErrUnreachable) {
		err = released
	}
	return err
}

// keepClaim claims again and again until ctx ends, which it does itself when somebody else has the task.
func (a *Agent) keepClaim(ctx context.Context, end context.CancelCauseFunc, id string) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for a.wait(ctx, claimEvery) == nil {
			if _, err := a.service.claim(ctx, id); err != nil && ctx.Err() == nil && !fault.Has(err, ErrUnreachable) {
				end(err)
				return
			}
		}
	}()
	return ended
}

// seal prepares the items of a task, asks, and signs.
func (a *Agent) seal(ctx context.Context, t manifest.Claim) error {
	l := &list{Agent: a, task: t.Task}
	for _, i := range t.Items {
		l.items = append(l.items, &prepared{item: i})
	}
	g, err := a.Folder.gallery(a.Viewer, len(t.Items))
	if err != nil {
		return err
	}
	defer g.remove()
	defer l.closeFiles()
	l.gallery = g
	if l.folder = filepath.Join(g.folder, "files"); os.Mkdir(l.folder, 0o700) != nil {
		return ErrPictures.New()
	}
	asks := l.mustAsk()
	pictures := make([]picture, len(l.items))
	each(ctx, l.items, func(n int, p *prepared) {
		if p.err = l.prepare(ctx, p); p.err == nil && asks {
			pictures[n].first, pictures[n].drawn, p.err = g.draw(ctx, n+1, p.checked)
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := l.network(); err != nil {
		return err
	}
	open := l.open()
	if asks && len(open) > 0 {
		if err := l.ask(ctx, pictures); err != nil {
			return err
		}
	}
	err = nil
	if len(open) > 0 {
		err = l.sign(ctx, open)
	}
	l.tellRefusals(ctx)
	if failed := len(l.items) - len(l.open()); err == nil && failed > 0 {
		err = ErrNotAll.With("%d / %d", failed, len(l.items))
	}
	return err
}

type picture struct{ first, drawn string }

// each does something with every item, several at a time.
func each(ctx context.Context, items []*prepared, do func(n int, p *prepared)) {
	var work sync.WaitGroup
	slots := make(chan struct{}, ahead)
	for n, p := range items {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() == nil {
				do(n, p)
			}
		})
	}
	work.Wait()
}

// mustAsk says whether there is an item that the person has not agreed to yet.
func (l *list) mustAsk() bool {
	for _, p := range l.items {
		if l.agreedTo(p.item) == nil {
			return true
		}
	}
	return false
}

func (l *list) key(i manifest.Item) string { return l.service.address() + " " + l.task.ID + " " + i.ID }

// network gives the error of a server that cannot be reached: then no item can go on, and none has failed.
func (l *list) network() error {
	for _, p := range l.items {
		if fault.Has(p.err, ErrUnreachable) || fault.Has(p.err, manifest.ErrClock) {
			return p.err
		}
	}
	return nil
}

// open are the items that can be sealed.
func (l *list) open() []*prepared {
	var open []*prepared
	for _, p := range l.items {
		if p.err == nil {
			open = append(open, p)
		}
	}
	return open
}

func (l *list) closeFiles() {
	for _, p := range l.items {
		if p.file != nil {
			p.file.Close()
		}
	}
}

// prepare has an item prepared, fetches the file and compares everything. What was agreed to before must be the same.
func (l *list) prepare(ctx context.Context, p *prepared) error {
	m, err := l.service.prepare(ctx, l.task.ID, p.item)
	if fault.CodeOf(err) == codeNotClaimed {
		// The machine has slept longer than a claim holds. It goes on if nobody else has taken the task.
		if _, err = l.service.claim(ctx, l.task.ID); err == nil {
			m, err = l.service.prepare(ctx, l.task.ID, p.item)
		}
	}
	if err != nil {
		return err
	}
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
	// Anew under a name of its own: the viewer may be reading the file before.
	file, err := os.CreateTemp(l.folder, "prepared-"+strconv.Itoa(len(l.items))+"-*.pdf")
	if err != nil {
		return ErrPictures.Because(err)
	}
	p.file = file
	if err := l.service.fetch(ctx, m, file); err != nil {
		return err
	}
	k, err := check(ctx, m, file, m.Prepared.Size, l.Clock())
	if err != nil {
		return err
	}
	if agreed := l.agreedTo(p.item); agreed != nil && !m.Same(agreed) {
		return ErrChanged.New()
	}
	p.checked = k
	return nil
}

// ask shows the list and keeps what the person agrees to. Declined, the server is told. Errors: agent.declined, agent.later.
func (l *list) ask(ctx context.Context, pictures []picture) error {
	q := Question{Origin: shown(l.task.Origin.Name), Server: l.service.address(), Folder: l.gallery.folder}
	for n, p := range l.items {
		if p.err != nil {
			continue
		}
		if q.First == "" {
			q.First, q.Clerk = pictures[n].first, shown(p.checked.Clerk.Name)
		}
		q.Items = append(q.Items, p.checked.item(pictures[n].drawn))
	}
	answer, err := l.Desk.Agree(ctx, q)
	if err != nil {
		return err
	}
	if answer == Later {
		return ErrLater.New()
	}
	for _, p := range l.open() {
		if answer == Yes {
			l.agree(p.item, p.checked.Manifest)
			continue
		}
		if err := l.service.decline(ctx, l.task.ID, p.item.ID, ErrDeclined.Code); err != nil {
			return err
		}
	}
	if answer == No {
		return ErrDeclined.New()
	}
	return nil
}

// item describes a checked file for a person.
func (k *checked) item(drawn string) Item {
	seal := k.said.seal
	return Item{Title: shown(k.Document.Name), Pages: k.pages, Bytes: k.Document.Size, SM3: k.Document.SM3, Seal: shown(seal.Name), SealCode: shown(seal.ID),
		Certificate: certificateText(seal, k.Certificate), Marks: whereMarks(k.Marks), Reason: shown(k.reason), Drawn: drawn, Expires: k.Expires}
}

// certificateText says whose certificate is meant and until when it is good, where the seal has it and not its digest alone.
func certificateText(seal *ses.Seal, fingerprint string) string {
	text := "SM3 " + fingerprint
	for _, der := range seal.Certificates {
		if sum := sm3.Sum(der); hex.EncodeToString(sum[:]) != fingerprint {
			continue
		}
		if c, err := chain.ParseCertificate(der); err == nil {
			return fmt.Sprintf("%s  至 until %s  %s", shown(c.Subject.String()), c.NotAfter.In(civil.China).Format(time.DateOnly), text)
		}
	}
	return text
}

// tellRefusals says of every item that was refused here why, to the person and to the server.
func (l *list) tellRefusals(ctx context.Context) {
	for _, p := range l.items {
		if p.err == nil || p.told {
			continue
		}
		l.ended(ctx, p, p.err)
		l.withdraw(ctx, p, p.err)
	}
}

// ended records what became of an item and tells the person.
func (l *list) ended(ctx context.Context, p *prepared, err error) {
	if err == nil {
		l.agree(p.item, nil)
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	l.done++
	p.err, p.told = err, true
	l.Desk.Progress(ctx, Progress{Done: l.done, Total: len(l.items), Title: shown(p.item.Document.Name), Err: err})
}
