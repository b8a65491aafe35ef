package ca

import (
	"context"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Bounds of imported revocation lists: they are in memory where something is verified.
const (
	// MaxForeignCRL is the largest file with a list, in bytes.
	MaxForeignCRL     = 16 << 20
	maxForeignLists   = 200
	maxForeignBytes   = 64 << 20 // of all together
	maxForeignHelpers = 10       // certificates beside a list
)

// ForeignCRL is an imported revocation list of another authority.
type ForeignCRL struct {
	ID, Anchor             string // Anchor is the imported one that vouches for whoever signed it
	Issuer, Number         string
	SM3                    string
	ThisUpdate, NextUpdate time.Time // NextUpdate is zero where the list does not say
	Entries                int
	Imported               time.Time
	By                     string
}

// foreignFile reads a list, DER or PEM; beside one in PEM may stand certificates of CAs between an anchor and its signer.
func foreignFile(file []byte) (list *chain.CRL, between []*chain.Certificate, err error) {
	if len(file) > MaxForeignCRL {
		return nil, nil, chain.ErrTooLarge.With("%d bytes", len(file))
	}
	der := file
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.HasSuffix(block.Type, "CRL"):
			der = block.Bytes
		case block.Type == "CERTIFICATE" && len(between) < maxForeignHelpers:
			c, err := chain.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, nil, err
			}
			between = append(between, c)
		}
	}
	list, err = chain.ParseCRL(der)
	return list, between, err
}

// ImportCRL takes a revocation list of another authority, which then counts wherever something is verified here: of an
// imported anchor, or of a CA below one whose certificate stands beside the list (PEM). It takes the place of an older one
// of the same issuer, key and scope. One person does it, a registrar or an administrator: whom to trust was decided with the
// anchor, whose signature the list has. Errors: chain.bad-crl, chain.too-large, ca.foreign-crl, ca.foreign-crl-old,
// ca.foreign-crl-room, access.role.
func (a *Authority) ImportCRL(ctx context.Context, by access.Actor, file []byte) (ForeignCRL, error) {
	if err := by.CheckReal(); err != nil {
		return ForeignCRL{}, err
	}
	list, between, err := foreignFile(file)
	if err != nil {
		return ForeignCRL{}, err
	}
	anchor, err := a.vouches(ctx, list, between)
	if err != nil {
		return ForeignCRL{}, err
	}
	sum := sm3.Sum(list.Raw)
	f := ForeignCRL{ID: store.NewID("fcl_"), Anchor: anchor, Issuer: list.Issuer.String(), SM3: hex.EncodeToString(sum[:]), ThisUpdate: list.ThisUpdate, NextUpdate: list.NextUpdate,
		Entries: list.Entries(), Imported: a.Clock(), By: by.ID}
	if list.Number != nil {
		f.Number = list.Number.String()
	}
	next := ""
	if !f.NextUpdate.IsZero() {
		next = store.Time(f.NextUpdate)
	}
	err = a.DB.Write(ctx, func(tx *store.Tx) error {
		if err := a.tendsTrust(ctx, tx, by); err != nil {
			return err
		}
		if err := a.replaceForeign(ctx, tx, f, list); err != nil {
			return err
		}
		var lists, size int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(LENGTH(data)), 0) FROM ca_foreign_crl`).Scan(&lists, &size); err != nil {
			return err
		}
		if lists >= maxForeignLists || size+len(list.Raw) > maxForeignBytes {
			return ErrForeignCRLRoom.With("%d, %d bytes", lists, size)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO ca_foreign_crl (id, anchor, issuer, number, this_update, next_update, entries, sm3, data, imported, actor)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, f.ID, f.Anchor, f.Issuer, f.Number, store.Time(f.ThisUpdate), next, f.Entries, f.SM3, list.Raw,
			store.Time(f.Imported), by.ID)
		if err != nil {
			return err
		}
		return a.record(ctx, tx, f.Imported, "foreign-crl.imported", by.ID, f.ID, map[string]string{"anchor": anchor, "sm3": f.SM3, "number": f.Number})
	})
	if store.IsUnique(err) {
		err = ErrForeignCRLOld.New()
	}
	return f, err
}

// replaceForeign makes room for a list, unless what is there is as new.
func (a *Authority) replaceForeign(ctx context.Context, tx *store.Tx, f ForeignCRL, list *chain.CRL) error {
	older := map[string]bool{}
	err := store.Each(ctx, tx, func(scan func(...any) error) error {
		var id string
		var raw []byte
		if err := scan(&id, &raw); err != nil {
			return err
		}
		other, err := chain.ParseCRL(raw)
		if err != nil {
			return err
		}
		place, newer := list.Takes(other)
		if place {
			older[id] = newer
		}
		return nil
	}, `SELECT id, data FROM ca_foreign_crl WHERE issuer = $1`, f.Issuer)
	if err != nil {
		return err
	}
	for id, newer := range older {
		if !newer {
			return ErrForeignCRLOld.New()
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM ca_foreign_crl WHERE id = $1`, id); err != nil {
			return err
		}
	}
	return nil
}

// vouches finds the imported anchor in force that signed a list, or below which its signer stands.
func (a *Authority) vouches(ctx context.Context, list *chain.CRL, between []*chain.Certificate) (anchor string, err error) {
	imported, err := a.ImportedAnchors(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range imported {
		if !r.Removed.IsZero() {
			continue
		}
		if list.CheckIssuer(r.Certificate) == nil {
			return r.ID, nil
		}
		v := &chain.Verifier{Anchors: chain.NewAnchors(r.Certificate), Intermediates: between}
		for _, c := range between {
			if list.CheckIssuer(c) == nil && v.Verify(ctx, c, a.Clock(), chain.UsageCRL).Trusted {
				return r.ID, nil
			}
		}
	}
	return "", ErrForeignCRL.New()
}

// ForeignCRLs lists what was imported, by issuer.
func (a *Authority) ForeignCRLs(ctx context.Context) ([]ForeignCRL, error) {
	var all []ForeignCRL
	err := store.Each(ctx, a.DB.Read(), func(scan func(...any) error) error {
		var f ForeignCRL
		var this, next, imported string
		if err := scan(&f.ID, &f.Anchor, &f.Issuer, &f.Number, &this, &next, &f.Entries, &f.SM3, &imported, &f.By); err != nil {
			return err
		}
		var failed [3]error
		f.ThisUpdate, failed[0] = store.ParseTime(this)
		f.Imported, failed[1] = store.ParseTime(imported)
		if next != "" {
			f.NextUpdate, failed[2] = store.ParseTime(next)
		}
		all = append(all, f)
		return errors.Join(failed[:]...)
	}, `SELECT id, anchor, issuer, number, this_update, next_update, entries, sm3, imported, actor FROM ca_foreign_crl ORDER BY issuer, id`)
	return all, err
}

// foreignLists keeps the imported lists read, as long as they are the ones of the database.
type foreignLists struct {
	mutex  sync.Mutex
	ids    string
	lists  []*chain.CRL
	source chain.RevocationSource
}

// foreignStatus is what the imported lists say of a certificate.
func (a *Authority) foreignStatus(ctx context.Context, cert, issuer *chain.Certificate, at time.Time) (chain.Status, error) {
	_, source, err := a.foreignLists(ctx)
	if err != nil {
		return chain.Status{}, err
	}
	return source.Status(ctx, cert, issuer, at)
}

// foreignEvidence is the imported list, not past its time, that says what is now with a certificate; nil where none does.
func (a *Authority) foreignEvidence(ctx context.Context, cert, issuer *chain.Certificate) ([][]byte, error) {
	lists, _, err := a.foreignLists(ctx)
	if err != nil {
		return nil, err
	}
	now := a.Clock()
	for _, list := range lists {
		if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
			continue
		}
		state, err := chain.NewCRLSource(list).Status(ctx, cert, issuer, now)
		if err != nil {
			return nil, err
		}
		if state.State != chain.StateUnknown {
			return [][]byte{list.Raw}, nil
		}
	}
	return nil, nil
}

func (a *Authority) foreignLists(ctx context.Context) ([]*chain.CRL, chain.RevocationSource, error) {
	q := a.DB.Read()
	ids, err := store.Column[string](q.QueryContext(ctx, `SELECT id FROM ca_foreign_crl ORDER BY id`))
	if err != nil {
		return nil, nil, err
	}
	known := strings.Join(ids, " ")
	a.foreign.mutex.Lock()
	defer a.foreign.mutex.Unlock()
	if a.foreign.source != nil && a.foreign.ids == known {
		return a.foreign.lists, a.foreign.source, nil
	}
	raws, err := store.Column[[]byte](q.QueryContext(ctx, `SELECT data FROM ca_foreign_crl ORDER BY id`))
	if err != nil {
		return nil, nil, err
	}
	var lists []*chain.CRL
	for _, raw := range raws {
		list, err := chain.ParseCRL(raw)
		if err != nil {
			return nil, nil, err
		}
		lists = append(lists, list)
	}
	a.foreign.ids, a.foreign.lists, a.foreign.source = known, lists, chain.NewCRLSource(lists...)
	return a.foreign.lists, a.foreign.source, nil
}
