package ca

import (
	"bytes"
	"context"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"

	"yinxin/ca/chain"
	"yinxin/keystore"
)

// A delta list (RFC 5280 clause 5.2.4) is made with every list of an issuing CA, of the same scope, number and
// time. It is computed from lists, not from the database, so that base and delta together are the complete list by
// construction; and that is checked before it is published.

// edition is a list with its delta list, as it is about to be published or was.
type edition struct {
	list  list
	der   []byte
	crl   *chain.CRL // der, read back
	count int

	delta      list
	deltaDER   []byte
	deltaCount int
}

// makeDelta computes, signs and checks the delta list of an edition. base is the list that it is relative to, which may
// be the edition itself; previous is the delta list before, nil when that was relative to another base.
func (e *edition) makeDelta(ctx context.Context, key keystore.Key, base edition, previous []byte) error {
	e.delta = e.list
	e.delta.base, e.delta.deltaURL, e.delta.entries = base.list.number, "", nil
	e.delta.nextUpdate = e.list.thisUpdate.Add(DeltaValidity)
	if err := e.gatherDelta(base, previous); err != nil {
		return err
	}
	var err error
	if e.deltaDER, err = e.delta.sign(ctx, key); err != nil {
		return err
	}
	return e.checkDelta(base, previous)
}

func (e *edition) gatherDelta(base edition, previous []byte) error {
	add := func(raw []byte) {
		e.delta.entries = append(e.delta.entries, raw...)
		e.deltaCount++
	}
	remove := func(serial *big.Int, _ []byte) error {
		if e.crl.Entry(serial) != nil {
			return nil
		}
		raw, err := entry{serial, e.list.thisUpdate, reasonRemoveFromCRL}.appendTo(nil)
		add(raw)
		return err
	}
	// What is new on the list, or stands there otherwise than before: a hold that became a revocation.
	err := eachEntry(e.list.entries, func(serial *big.Int, raw []byte) error {
		if !bytes.Equal(base.crl.Entry(serial), raw) {
			add(raw)
		}
		return nil
	})
	if err != nil {
		return err
	}
	// What the base has and the list has not any more.
	entries, err := entriesOf(base.der)
	if err != nil {
		return err
	}
	if err := eachEntry(entries, remove); err != nil {
		return err
	}
	// What was put on hold and freed since the base: a reader of the delta between has it on the list (clause 5.2.4).
	if previous == nil {
		return nil
	}
	if entries, err = entriesOf(previous); err != nil {
		return err
	}
	return eachEntry(entries, func(serial *big.Int, raw []byte) error {
		if base.crl.Entry(serial) != nil {
			return nil // done above
		}
		return remove(serial, raw)
	})
}

// checkDelta reads the delta list with the reader that others use: on top of the base it must give the list, and nothing
// that the delta before named may be missing.
func (e *edition) checkDelta(base edition, previous []byte) error {
	delta, err := readBack(e.delta, e.deltaDER)
	if err != nil {
		return err
	}
	if delta.Len() != e.deltaCount || delta.BaseNumber == nil || delta.BaseNumber.Cmp(big.NewInt(base.list.number)) != 0 ||
		scopeText(delta.Points()) != scopeText(e.crl.Points()) {
		return ErrLint.Because(fmt.Errorf("the delta list reads otherwise than it was written"))
	}
	same := func(serial *big.Int, _ []byte) error {
		got := delta.Entry(serial)
		switch change, listed := delta.Lookup(serial); {
		case !listed:
			got = base.crl.Entry(serial)
		case change.Reason == chain.ReasonRemoveFromCRL:
			got = nil
		}
		if !bytes.Equal(got, e.crl.Entry(serial)) {
			return ErrVanished.Sayingf("%x，增量列表", "%x, delta list", serial)
		}
		return nil
	}
	for _, der := range [][]byte{e.der, base.der, e.deltaDER} {
		entries, err := entriesOf(der)
		if err != nil {
			return err
		}
		if err := eachEntry(entries, same); err != nil {
			return err
		}
	}
	var before cryptobyte.String
	if previous != nil {
		if before, err = entriesOf(previous); err != nil {
			return err
		}
	}
	return eachEntry(before, func(serial *big.Int, _ []byte) error {
		if _, there := delta.Lookup(serial); !there {
			return ErrVanished.Sayingf("%x，增量列表", "%x, delta list", serial)
		}
		return nil
	})
}
