//go:build cgo

package hsm

import (
	"context"
	"errors"
	"testing"
)

// objects counts what is on the token.
func (w *world) objects(t *Token) int {
	w.Helper()
	n, err := run(context.Background(), t, func(s session) (int, error) {
		found, err := s.c.Find(s.handle, nil, maxObjects)
		return len(found), err
	})
	w.must(err)
	return n
}

// Whoever gives up while a key is made leaves none behind, whenever that is.
func TestAKeyThatNobodyWaitsForIsDestroyed(t *testing.T) {
	w := newWorld(t, "sansec")
	w.config.Sessions = 1 // what is asked later comes after what is under way
	token := w.activate()
	new := NewKey{Algorithm: SM2, ID: []byte("one"), Label: "one"}
	for name, when := range map[string]func(cancel context.CancelFunc, caller chan struct{}){
		"while the pair is made": func(cancel context.CancelFunc, caller chan struct{}) {
			w.spy.onGenerate = func(public []attribute) []attribute {
				cancel()
				<-caller
				return public
			}
		},
		"in the self-test": func(cancel context.CancelFunc, caller chan struct{}) {
			w.spy.onSign = func() error { cancel(); return nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			caller := make(chan struct{})
			when(cancel, caller)
			_, err := token.Generate(ctx, new)
			close(caller)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			if n := w.objects(token); n != 0 {
				t.Errorf("%d objects stay", n)
			}
			w.spy.onGenerate, w.spy.onSign = nil, nil
		})
	}
	w.generate(token, "one")
	w.want(func() error { _, err := token.Generate(context.Background(), new); return err }(), ErrKeyExists)
	if n := w.objects(token); n != 2 {
		t.Errorf("%d objects: a key that was there before must stay", n)
	}
}

// A token that makes another kind of key than was asked for has made none.
func TestAKeyOfAnotherKindIsNotGivenOut(t *testing.T) {
	w := newWorld(t, "sansec")
	token := w.activate()
	w.spy.onGenerate = func(public []attribute) []attribute {
		for i, a := range public {
			if a.kind == attributeECParams {
				public[i].value = curves[SM2].oid
			}
		}
		return public
	}
	_, err := token.Generate(context.Background(), NewKey{Algorithm: P256, Label: "tls"})
	w.want(err, ErrAlgorithm)
	if n := w.objects(token); n != 0 {
		t.Errorf("%d objects stay", n)
	}
}
