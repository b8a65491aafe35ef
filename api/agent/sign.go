package agent

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/terminal/manifest"
)

// sign asks for the PIN and has the items signed by the USB Key that has their certificates. Where the list needs a second
// one, that is asked for when the first one is done. Errors end the list; what was not signed stays as it was.
func (l *list) sign(ctx context.Context, open []*prepared) error {
	for len(open) > 0 {
		key, signers, err := l.unlock(ctx, open)
		if err != nil {
			return err
		}
		var now, later []*prepared
		for _, p := range open {
			if p.signer = signers[p.checked.Certificate]; p.signer != nil {
				now = append(now, p)
			} else {
				later = append(later, p)
			}
		}
		err = l.signAll(ctx, now)
		key.close()
		if err != nil {
			return err
		}
		if open = later; len(open) > 0 {
			if again := key.again(ctx, ErrWrongKey.With("%d", len(open))); again != nil {
				return again
			}
		}
	}
	return nil
}

// signAll signs items in their order, one after the other, as a USB Key does. Meanwhile the next ones whose manifest has
// expired are prepared anew, and those that are signed are completed.
func (l *list) signAll(ctx context.Context, items []*prepared) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	ready := l.ahead(ctx, items)
	var completing sync.WaitGroup
	slots := make(chan struct{}, ahead)
	for _, p := range items {
		value, err := l.next(ctx, p, ready[p])
		switch {
		case err == nil:
			slots <- struct{}{}
			completing.Go(func() {
				l.complete(ctx, p, value)
				<-slots
			})
		case ofItem(err):
			l.ended(ctx, p, err)
			l.withdraw(ctx, p, err)
		default:
			completing.Wait()
			return err
		}
	}
	completing.Wait()
	return l.network()
}

// next waits until an item is ready and signs it.
func (l *list) next(ctx context.Context, p *prepared, ready <-chan error) ([]byte, error) {
	select {
	case err := <-ready:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return l.signature(ctx, p)
}

// withdrawn are the refusals that the same item would meet again: it is not asked for once more.
var withdrawn = []fault.Spec{ErrDocument, ErrToSign, ErrChanged, ErrSealExpired, manifest.ErrForged, manifest.ErrOtherTerminal, manifest.ErrOtherClerk,
	manifest.ErrOtherItem, manifest.ErrOtherDocument}

// ofItem says whether an error is of one item alone, so that the next one may be tried.
func ofItem(err error) bool {
	f, ok := fault.Of(err)
	return ok && (f.Kind == fault.Refused || f.Kind == fault.Conflict || f.Kind == fault.NotFound) && !fault.Has(err, manifest.ErrClock) && !fault.Has(err, ErrWrongKey)
}

// withdraw tells the server of an item that was refused here. What it cannot be told ends by itself.
func (l *list) withdraw(ctx context.Context, p *prepared, err error) {
	for _, s := range withdrawn {
		if fault.Has(err, s) {
			l.agree(p.item, nil)
			_ = l.service.decline(ctx, l.task.ID, p.item.ID, s.Code)
		}
	}
}

// unlock asks for the PIN and finds the keys of the items' certificates that are on this USB Key. Where there is none, another
// one may be inserted.
func (l *list) unlock(ctx context.Context, open []*prepared) (*unlocked, map[string]*signer, error) {
	what := fmt.Sprintf("对 %d 份文件盖章 seal %d files", len(open), len(open))
	if len(open) == 1 {
		what = "盖章 seal " + open[0].checked.Document.Name
	}
	for {
		key, err := l.Device.unlock(ctx, l.Desk, PINQuestion{What: what}, l.Clock)
		if err != nil {
			return nil, nil, err
		}
		signers, err := key.signers(ctx, open, l.Clock())
		if err == nil {
			return key, signers, nil
		}
		key.close()
		if again := key.again(ctx, err); again != nil {
			return nil, nil, again
		}
	}
}

// signers finds the keys of the items' certificates, in their validity: at least one. Errors: agent.wrong-key,
// agent.certificate-expired.
func (u *unlocked) signers(ctx context.Context, open []*prepared, now time.Time) (map[string]*signer, error) {
	found := map[string]*signer{}
	for _, p := range open {
		want := p.checked.Certificate
		if found[want] != nil {
			continue
		}
		s, err := u.signer(ctx, func(der []byte) bool { sum := sm3.Sum(der); return hex.EncodeToString(sum[:]) == want })
		if fault.Has(err, ErrWrongKey) {
			continue
		}
		if err == nil {
			err = validAt(s.certificate, now)
		}
		if err != nil {
			return nil, err
		}
		found[want] = s
	}
	if len(found) == 0 {
		return nil, ErrWrongKey.New()
	}
	return found, nil
}

// ahead prepares anew what needs it, in the order of the list and a few items before they are signed. The channel of an
// item gives nil when it is ready.
func (l *list) ahead(ctx context.Context, open []*prepared) map[*prepared]chan error {
	ready := make(map[*prepared]chan error, len(open))
	for _, p := range open {
		ready[p] = make(chan error) // unbuffered: what is not signed yet holds a place
	}
	next := make(chan *prepared)
	go func() {
		defer close(next)
		for _, p := range open {
			select {
			case next <- p:
			case <-ctx.Done():
				return
			}
		}
	}()
	for range ahead {
		go func() {
			for p := range next {
				err := l.fresh(ctx, p)
				select {
				case ready[p] <- err:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	return ready
}

// fresh prepares an item anew if its manifest will not hold long enough. Nobody is asked: it must be the same.
func (l *list) fresh(ctx context.Context, p *prepared) error {
	if l.Clock().Add(spare).Before(p.checked.Expires) {
		return nil
	}
	return l.persist(ctx, func() error { return l.prepare(ctx, p) })
}

// persist repeats what failed for want of a network, for a while.
func (l *list) persist(ctx context.Context, do func() error) error {
	started := l.Clock()
	for pause := time.Second; ; pause = min(2*pause, 15*time.Second) {
		err := do()
		if !fault.Has(err, ErrUnreachable) || l.Clock().Sub(started) > patience {
			return err
		}
		if l.wait(ctx, pause) != nil {
			return err
		}
	}
}

// signature has the USB Key sign what was checked. Just before, everything that may have changed while the list waited is
// looked at again: the time, the certificate, and that the bytes are no others than the certificate makes them.
func (l *list) signature(ctx context.Context, p *prepared) ([]byte, error) {
	s, now := p.signer, l.Clock()
	if p.checked.InTime(now) != nil {
		if err := l.persist(ctx, func() error { return l.prepare(ctx, p) }); err != nil {
			return nil, err
		}
	}
	if err := validAt(s.certificate, now); err != nil {
		return nil, err
	}
	if !p.checked.said.seal.Lists(s.certificate.Raw) {
		return nil, ErrToSign.At(fault.Field("certificate"))
	}
	if err := p.checked.said.rewritten(sealer.Profile(p.checked.Profile), p.checked.ToBeSigned, s.certificate); err != nil {
		return nil, err
	}
	return s.sign(ctx, p.checked.ToBeSigned)
}

// complete hands a signature in, and records what became of the item.
func (l *list) complete(ctx context.Context, p *prepared, value []byte) {
	m, certificate := p.checked.Manifest, p.signer.certificate.Raw
	err := l.persist(ctx, func() error { return l.service.complete(ctx, m, value, certificate) })
	if ctx.Err() != nil && err != nil {
		p.err = err
		return
	}
	l.ended(ctx, p, err)
}
