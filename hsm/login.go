package hsm

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"yinxin/internal/fault"
)

// renewal is the beginning of a generation: one does it, all who need it wait.
type renewal struct {
	done chan struct{}
	err  error
}

// Login gives a PIN: the first one, a new one after a wrong one, or the one that an attended token needs after it was
// pulled out. Sessions are begun anew, so that the token itself judges the PIN also where one was given before. The PIN
// reaches the token once, whatever comes of it; octets are wiped. With nil, an unattended token asks its source. insist says
// that a person knows that few tries are left. Errors: hsm.pin-wrong, hsm.pin-low, hsm.pin-locked, hsm.pin-unset,
// hsm.pin-needed, hsm.removed, hsm.other-token, hsm.device, hsm.timeout, the context's.
func (t *Token) Login(ctx context.Context, octets []byte, insist bool) error {
	own := append([]byte(nil), octets...)
	clear(octets)
	patience := time.NewTimer(t.config.Timeout)
	defer patience.Stop()
	t.lock.Lock()
	for t.renewing != nil && !t.closed {
		r := t.renewing
		t.lock.Unlock()
		select {
		case <-r.done:
		case <-patience.C:
			clear(own)
			return ErrTimeout.New()
		case <-ctx.Done():
			clear(own)
			return ctx.Err()
		}
		t.lock.Lock()
	}
	t.forget()
	if t.closed {
		t.lock.Unlock()
		clear(own)
		return ErrClosed.New()
	}
	t.pending = &pin{own, insist}
	t.latch, t.proven = nil, [32]byte{}
	if t.ready {
		t.end()
	}
	r := t.renewLocked()
	t.lock.Unlock()
	err := t.wait(ctx, patience, r)
	if err == nil {
		t.breaker.hint() // who has just given the PIN does not wait for the end of a pause
	}
	return err
}

// Logout ends an attended token's login: the next signature needs the PIN.
func (t *Token) Logout(ctx context.Context) error {
	if t.config.PIN != nil {
		return ErrOptions.With("logout")
	}
	t.lock.Lock()
	generation := t.generation
	t.lock.Unlock()
	t.invalidate(generation)
	patience := time.NewTimer(t.config.Timeout)
	defer patience.Stop()
	err := t.begin(ctx, patience)
	if fault.Has(err, ErrPINNeeded) {
		return nil
	}
	return err
}

// begin makes sessions ready where they are not. A PIN that was refused
// stays refused, without a word to the token, until Login.
func (t *Token) begin(ctx context.Context, patience *time.Timer) error {
	t.lock.Lock()
	switch {
	case t.closed:
		t.lock.Unlock()
		return ErrClosed.New()
	case t.latch != nil:
		defer t.lock.Unlock()
		return t.latch
	case t.ready:
		defer t.lock.Unlock()
		return nil
	}
	r := t.renewing
	if r == nil {
		r = t.renewLocked()
	}
	t.lock.Unlock()
	return t.wait(ctx, patience, r)
}

func (t *Token) wait(ctx context.Context, patience *time.Timer, r *renewal) error {
	select {
	case <-r.done:
		return r.err
	case <-patience.C:
		return ErrTimeout.New()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renewLocked starts a renewal. The caller holds t.lock, and nobody renews.
func (t *Token) renewLocked() *renewal {
	r := &renewal{done: make(chan struct{})}
	t.renewing = r
	p := t.pending
	t.pending = nil
	t.members.Go(func() {
		t.calls.Lock()
		slot, anchor, err := t.renew(p)
		t.calls.Unlock()
		t.renewed(r, slot, anchor, err)
	})
	return r
}

func (t *Token) renewed(r *renewal, slot uint, anchor handle, err error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	defer close(r.done)
	t.renewing = nil
	if err != nil {
		r.err = deviceFault(err)
		if f, ok := fault.Of(r.err); ok && f.Kind == fault.Denied && !errors.Is(err, errSource) {
			t.latch = f
		} else {
			t.count.failures.Add(1)
			t.breaker.fail()
		}
		return
	}
	t.slot, t.anchor, t.ready = slot, anchor, true
	t.widen(t.most) // what the last generation did without
	t.count.generations.Add(1)
}

// renew ends all sessions, opens the anchor and logs in. Nothing else calls the module meanwhile.
func (t *Token) renew(p *pin) (uint, handle, error) {
	if p == nil {
		p = &pin{}
	}
	defer func() { clear(p.octets) }()
	slot, info, err := t.seek()
	if err != nil {
		return 0, 0, err
	}
	if err := t.c.CloseAllSessions(slot); err != nil {
		return 0, 0, err
	}
	anchor, err := t.openSession(slot)
	if err == nil && info.flags&flagLoginRequired != 0 {
		err = t.login(anchor, info, p)
	}
	if err != nil {
		_ = t.c.CloseAllSessions(slot)
		return 0, 0, err
	}
	return slot, anchor, nil
}

// seek finds the token where it was, or in another slot: a USB Key may come back in any. Another token in its place is not it.
func (t *Token) seek() (uint, TokenInfo, error) {
	info, err := t.c.Token(t.slot)
	if err == nil && info.Serial == t.info.Serial && info.Label == t.info.Label {
		return t.slot, info, nil
	}
	other := err == nil
	slot, err := t.module.find(Selection{Label: t.info.Label, Serial: t.info.Serial})
	switch {
	case err == nil:
		return slot.ID, *slot.Token, nil
	case fault.Has(err, ErrTokenNotFound) && other:
		return 0, info, ErrOtherToken.With("#%.16s", info.Serial)
	case fault.Has(err, ErrTokenNotFound):
		return 0, info, ErrRemoved.New()
	}
	return 0, info, err
}

// errSource: the operator's source gave no PIN. Nothing reached the token, so the source is asked again.
var errSource = errors.New("hsm: the source of the PIN")

// proof tells one PIN from another without keeping it.
func (t *Token) proof(octets []byte) [32]byte {
	h := hmac.New(sha256.New, t.salt[:])
	h.Write(octets)
	return [32]byte(h.Sum(nil))
}

// login tries the PIN once.
func (t *Token) login(anchor handle, info TokenInfo, p *pin) error {
	switch {
	case info.PINLocked && !p.insist:
		return ErrPINLocked.New()
	case (info.PINLow || info.PINFinalTry) && !p.insist:
		return ErrPINLow.New()
	}
	if len(p.octets) == 0 {
		if t.config.PIN == nil {
			return ErrPINNeeded.New()
		}
		ctx, cancel := context.WithTimeout(context.Background(), t.config.Timeout)
		defer cancel()
		octets, err := t.config.PIN(ctx)
		if err == nil && len(octets) == 0 {
			err = errors.New("empty")
		}
		if err != nil {
			return ErrPINNeeded.Because(fmt.Errorf("%w: %w", errSource, err))
		}
		p.octets = octets
	}
	proof := t.proof(p.octets)
	t.count.logins.Add(1)
	err := t.c.Login(anchor, p.octets)
	switch {
	case err == nil:
		t.proven = proof
		return nil
	case answered(err, rvPINIncorrect, rvPINInvalid, rvPINLength):
		return ErrPINWrong.Because(err)
	case answered(err, rvPINLocked):
		return ErrPINLocked.Because(err)
	case answered(err, rvPINExpired, rvPINNotInitialized):
		return ErrPINUnset.Because(err)
	case answered(err, rvAlreadyLoggedIn) && t.config.PIN != nil:
		return nil // by whoever else uses the module in this process
	case answered(err, rvAlreadyLoggedIn):
		return ErrTokenInUse.Because(err) // the PIN was not looked at
	case t.proven != proof:
		// Whether the token has counted the try is not known, nor whether the PIN is right: a person decides. A PIN that was
		// right for this token before is another matter.
		return ErrPINNeeded.Because(err)
	}
	return err
}
