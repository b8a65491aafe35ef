package command

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"yinxin/hsm"
	"yinxin/internal/fault"
)

// The figures of tokens, on the soft token: what pool and adaptor add to the bare C_Sign of a digest, and how much of the time
// 16 callers keep 8 sessions at work. The floor of the second is eight callers who hold a session each and sign with nothing in
// between.
const (
	tokenSignFigure = "token-sign"
	tokenSignBatch  = 16

	tokenBusyFigure   = "token-busy"
	tokenBusySessions = 8
	tokenBusyCallers  = 16
	tokenBusyBatch    = 160
	tokenBusyDelay    = "delay_ms = 10\n" // what a USB Key or a small HSM takes
)

var tokenFigureNames = []string{tokenSignFigure, tokenBusyFigure}

var errNoSoftToken = fault.Spec{Kind: fault.NotFound, Code: "bench.no-soft-token",
	ZH: "没有软件密码模块，未测量密码设备。", EN: "There is no soft token; tokens are not measured."}

// benchToken is a token with a key that is measured.
type benchToken struct {
	token  *hsm.Token
	key    *hsm.Key
	digest [32]byte
}

// benchTokens makes two tokens in a folder, one of which is slow, and gives the figures. Error: bench.no-soft-token.
func benchTokens(ctx context.Context, folder string, s streams) (list []figure, done func(), err error) {
	path := softTokenModule()
	if path == "" {
		return nil, nil, errNoSoftToken.New()
	}
	slow := filepath.Join(folder, "1")
	if err := os.MkdirAll(slow, 0o700); err != nil {
		return nil, nil, err
	}
	if err := writeBytes(ctx, filepath.Join(folder, "softtoken.conf"), 0o600, []byte("vendor = standard\nslots = 2\nsessions = 32\n")); err != nil {
		return nil, nil, err
	}
	if err := writeBytes(ctx, filepath.Join(slow, "faults"), 0o600, []byte(tokenBusyDelay)); err != nil {
		return nil, nil, err
	}
	module, err := openSoftToken(path, folder)
	if err != nil {
		return nil, nil, err
	}
	var made []*benchToken
	done = func() {
		for _, t := range made {
			_ = t.token.Close()
		}
		_ = module.Close()
	}
	for slot := range uint(2) {
		t, err := newBenchToken(ctx, module, slot, s)
		if err != nil {
			done()
			return nil, nil, err
		}
		made = append(made, t)
	}
	for i, figureOf := range []func(context.Context, *benchToken) (figure, error){tokenSigns, tokenBusies} {
		f, err := figureOf(ctx, made[i])
		if err != nil {
			done()
			return nil, nil, err
		}
		list = append(list, f)
	}
	return list, done, nil
}

func newBenchToken(ctx context.Context, module *hsm.Module, slot uint, s streams) (*benchToken, error) {
	const pin = "246810"
	where := hsm.Selection{Slot: &slot}
	if err := module.Initialise(ctx, where, hsm.NewToken{Label: "bench", Officer: []byte(pin), User: []byte(pin)}, false); err != nil {
		return nil, err
	}
	profiles, err := hsm.ReadProfiles("")
	if err != nil {
		return nil, err
	}
	profile, err := profiles.Named(softTokenProfile)
	if err != nil {
		return nil, err
	}
	token, err := hsm.Activate(ctx, module, hsm.Config{Token: where, Profile: profile, Clock: s.now, Sessions: tokenBusySessions,
		PIN: func(context.Context) ([]byte, error) { return []byte(pin), nil }})
	if err != nil {
		return nil, err
	}
	t := &benchToken{token: token}
	if t.key, err = token.Generate(ctx, hsm.NewKey{Algorithm: hsm.SM2, Label: "bench"}); err == nil {
		_, err = rand.Read(t.digest[:])
	}
	if err != nil {
		return nil, errors.Join(err, token.Close())
	}
	return t, nil
}

func tokenSigns(ctx context.Context, t *benchToken) (figure, error) {
	bare, err := t.key.Bare()
	if err != nil {
		return figure{}, err
	}
	return figure{name: tokenSignFigure,
		run: func() error {
			return several(tokenSignBatch, func() error { _, err := t.key.SignDigest(ctx, t.digest[:]); return err })
		},
		floor: func() error { return several(tokenSignBatch, func() error { _, err := bare(t.digest[:]); return err }) }}, nil
}

func several(times int, do func() error) error {
	for range times {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func tokenBusies(ctx context.Context, t *benchToken) (figure, error) {
	var sessions [tokenBusySessions]func([]byte) ([]byte, error)
	for i := range sessions {
		var err error
		if sessions[i], err = t.key.Bare(); err != nil {
			return figure{}, err
		}
	}
	return figure{name: tokenBusyFigure,
		run: func() error {
			return shared(tokenBusyCallers, func(int) error { _, err := t.key.SignDigest(ctx, t.digest[:]); return err })
		},
		floor: func() error {
			return shared(tokenBusySessions, func(caller int) error { _, err := sessions[caller](t.digest[:]); return err })
		}}, nil
}

// shared has callers do the pieces of a batch between them.
func shared(callers int, do func(caller int) error) error {
	work := make(chan struct{}, tokenBusyBatch)
	for range tokenBusyBatch {
		work <- struct{}{}
	}
	close(work)
	failed := make([]error, callers)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for range work {
				if failed[caller] = do(caller); failed[caller] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}
