package ca

import (
	"context"
	"fmt"
	"math/big"

	"yinxin/ca/chain"
	"yinxin/internal/store"
)

// readBack reads a new list with the reader that others use and holds it against what was to be written.
func readBack(l list, der []byte) (*chain.CRL, error) {
	crl, err := chain.ParseCRL(der)
	if err != nil {
		return nil, ErrLint.Because(err)
	}
	if !l.isReadAs(crl) {
		return nil, ErrLint.Because(fmt.Errorf("the list reads otherwise than it was written"))
	}
	if _, err := chain.CheckSignature(l.issuer.PublicKey, crl.SignatureAlgorithm, crl.RawTBS, crl.Signature); err != nil {
		return nil, ErrSigning.Because(err)
	}
	return crl, nil
}

func (l list) isReadAs(crl *chain.CRL) bool {
	var deltas []string
	if l.deltaURL != "" {
		deltas = []string{l.deltaURL}
	}
	return string(crl.RawIssuer) == string(l.issuer.RawSubject) && string(crl.AuthorityKeyID) == string(l.issuer.SubjectKeyID) &&
		crl.Number != nil && crl.Number.Cmp(big.NewInt(l.number)) == 0 && crl.ThisUpdate.Equal(l.thisUpdate) && crl.NextUpdate.Equal(l.nextUpdate) &&
		(crl.BaseNumber != nil) == (l.base > 0) && scopeText(crl.Points()) == scopeText(l.points) && scopeText(crl.DeltaURLs) == scopeText(deltas) &&
		len(crl.UnhandledCritical) == 0 && len(crl.Notes) == 0
}

// compare holds a new list against an earlier one. Entries that vanished before their time have been public incidents
// elsewhere, so this stops hard.
func compare(ctx context.Context, q store.Querier, last latest, crl *chain.CRL) error {
	if last.number == 0 {
		return nil
	}
	if crl.Number.Cmp(big.NewInt(last.number)) <= 0 {
		return ErrLint.Because(fmt.Errorf("number %v after %d", crl.Number, last.number))
	}
	entries, err := entriesOf(last.data)
	if err != nil {
		return err
	}
	return eachEntry(entries, func(serial *big.Int, _ []byte) error {
		if crl.Entry(serial) != nil {
			return nil
		}
		may, err := mayVanish(ctx, q, serial, last.thisUpdate)
		if err != nil {
			return err
		}
		if !may {
			return ErrVanished.With("%x", serial)
		}
		return nil
	})
}
