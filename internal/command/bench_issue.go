package command

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// The figure "issue": certificates that are on the disk when the call returns, for callers at the same time.
const (
	issueFigure   = "issue"
	issueCallers  = 64
	issueBatch    = 128             // certificates of one run; the figure is for one of them
	issuePrepared = 16 * issueBatch // approvals that two people gave before
)

// errEnough ends a figure whose preparation is used up.
var errEnough = errors.New("the prepared work is done")

// pieces is how many pieces of work one run of a figure does; its numbers are for one.
func (f figure) pieces() float64 {
	switch f.name {
	case issueFigure:
		return issueBatch
	case httpFigure:
		return httpBatch
	case ocspFigure:
		return ocspBatch
	case tokenSignFigure:
		return tokenSignBatch
	case tokenBusyFigure:
		return tokenBusyBatch
	}
	return 1
}

// issuing is an installation with approvals that wait for their certificates.
type issuing struct {
	b        *bench
	requests []ca.Request
	ids      []string
	next     int
	floorDB  *store.DB
	row      int
}

func (b *bench) issuing(floorDB *store.DB) (*issuing, error) {
	i := &issuing{b: b, floorDB: floorDB, requests: make([]ca.Request, issuePrepared), ids: make([]string, issuePrepared)}
	registrar, err := b.h.access.Actor(b.ctx, "registrar")
	if err != nil {
		return nil, err
	}
	approver, err := b.h.access.Actor(b.ctx, "approver")
	if err != nil {
		return nil, err
	}
	err = together(issuePrepared, func(at int) error {
		key, err := sm2.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		i.requests[at] = ca.Request{Profile: ca.ProfilePersonal, Public: &key.PublicKey, Organisation: "某某市档案馆", CommonName: "王五"}
		if i.ids[at], err = b.h.access.Request(b.ctx, registrar, access.KindIssueCertificate, i.requests[at].Subject()); err != nil {
			return err
		}
		return b.h.access.Approve(b.ctx, approver, i.ids[at])
	})
	if err != nil {
		return nil, err
	}
	return i, i.floorDB.Write(b.ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(b.ctx, `CREATE TABLE floor (id INTEGER NOT NULL PRIMARY KEY, data BYTEA)`)
		return err
	})
}

// together does work for every index below n, issueCallers at a time, and gives the first error.
func together(n int, do func(at int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, issueCallers)
	for caller := range issueCallers {
		wg.Go(func() {
			for at := caller; at < n && errs[caller] == nil; at += issueCallers {
				errs[caller] = do(at)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (i *issuing) issue() error {
	if i.next+issueBatch > len(i.ids) {
		return errEnough
	}
	from := i.next
	i.next += issueBatch
	return together(issueBatch, func(at int) error {
		_, err := i.b.h.authority.Issue(i.b.ctx, i.ids[from+at], i.requests[from+at])
		return err
	})
}

// floor is what no authority can leave out that records before it signs and checks what it signed: two commits of the
// certificate's size that the callers share, one signature and two verifications.
func (i *issuing) floor() error {
	from := i.row
	i.row += issueBatch
	data := make([]byte, 1024)
	write := func(ctx context.Context, query string, args ...any) error {
		return i.floorDB.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, query, args...)
			return err
		})
	}
	return together(issueBatch, func(at int) error {
		if err := write(i.b.ctx, `INSERT INTO floor (id, data) VALUES ($1, $2)`, from+at, data); err != nil {
			return err
		}
		value, err := sm2.SignASN1(rand.Reader, i.b.key, i.b.digest[:], nil)
		if err != nil {
			return err
		}
		for range 2 {
			if !sm2.VerifyASN1(&i.b.key.PublicKey, i.b.digest[:], value) {
				return errInternal.New()
			}
		}
		return write(i.b.ctx, `UPDATE floor SET data = $1 WHERE id = $2`, data, from+at)
	})
}
