package backend

import (
	"context"
	"time"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// File is an authority that takes requests as a file and gives certificates as one: a licensed CA's own counter.
type File struct{ orders }

var _ Backend = (*File)(nil)

// Kind implements Backend.
func (*File) Kind() Kind { return KindFile }

// Order implements Backend: the order waits for the next Export.
func (f *File) Order(ctx context.Context, o Order) (Outcome, error) {
	r, err := f.open(ctx, o)
	if err != nil {
		return Outcome{}, err
	}
	return r.Outcome, nil
}

// Outcome implements Backend. An order whose time is over is expired, also before Expire says so.
func (f *File) Outcome(ctx context.Context, id string) (Outcome, error) {
	r, err := f.read(ctx, f.DB.Read(), id)
	if err != nil {
		return Outcome{}, err
	}
	if (r.State == StateOpen || r.State == StateSent) && !f.Clock().Before(r.Expires) {
		r.State = StateExpired
	}
	return r.Outcome, nil
}

// clerk gives the registrar or approver who handles a file.
func (o *orders) clerk(ctx context.Context, by access.Actor) (access.Actor, error) {
	actor, err := o.Access.Actor(ctx, by.ID)
	if err != nil {
		return actor, err
	}
	if !actor.Has(access.RoleRegistrar) && !actor.Has(access.RoleApprover) {
		return actor, ErrClerk.New()
	}
	return actor, nil
}

// Export gives the requests that wait to be sent, or those named, which may have been sent before, as one ZIP archive: see
// docs/formats.md. It is on record as sent when Export returns it. Errors: backend.role, backend.nothing-to-send,
// backend.order-not-found, backend.state.
func (f *File) Export(ctx context.Context, by access.Actor, ids ...string) ([]byte, error) {
	actor, err := f.clerk(ctx, by)
	if err != nil {
		return nil, err
	}
	var archive []byte
	err = f.DB.Write(ctx, func(tx *store.Tx) error {
		list, err := f.toSend(ctx, tx, ids)
		if err != nil {
			return err
		}
		if archive, err = writeRequests(f.name, f.Clock(), list); err != nil {
			return err
		}
		for _, r := range list {
			want, err := ca.ParseRequest(r.request)
			if err != nil {
				return err
			}
			if err := f.sending(ctx, tx, r.ID, "request", "file", actor.ID, sentFields(want), archive); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE backend_order SET state = 'sent' WHERE id = $1 AND state = 'open'`, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return archive, err
}

func (f *File) toSend(ctx context.Context, tx *store.Tx, ids []string) ([]*record, error) {
	now := f.Clock()
	if len(ids) == 0 {
		list, err := f.list(ctx, tx, maxBundle, StateOpen)
		if err != nil {
			return nil, err
		}
		var live []*record
		for _, r := range list {
			if now.Before(r.Expires) {
				live = append(live, r)
			}
		}
		if len(live) == 0 {
			return nil, ErrNothing.New()
		}
		return live, nil
	}
	if len(ids) > maxBundle {
		return nil, ErrTooLarge.With("%d", len(ids))
	}
	var list []*record
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		r, err := f.read(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if r.State != StateOpen && r.State != StateSent {
			return nil, ErrState.With("%s", r.State)
		}
		if !now.Before(r.Expires) {
			return nil, ErrExpired.With("%s", id)
		}
		list = append(list, r)
	}
	return list, nil
}

// Taken is what became of one certificate of a file.
type Taken struct {
	// Place is the member of the file and the certificate in it, counted from 1.
	Place fault.Place
	// Fingerprint is SM3 of the certificate, hexadecimal; empty for what is none.
	Fingerprint string
	Subject     chain.Name
	// Outcome is that of the order; its ID is empty when there is none.
	Outcome Outcome
	// Err is why the certificate was not taken: backend.not-asked, backend.chain, backend.validity, backend.usage,
	// backend.duplicate, backend.expired, backend.state, or what a parser says.
	Err error
}

// Import takes the certificates of a file: PEM, DER, PKCS #7 without signers (also as PEM), or a ZIP archive of such files.
// Certificates of CAs in it help to build chains. Each of the others is checked and recorded by itself, so a part may be
// taken and the rest refused, and the rest may come later. Errors: backend.role, backend.bundle, backend.too-large.
func (f *File) Import(ctx context.Context, by access.Actor, data []byte) ([]Taken, error) {
	actor, err := f.clerk(ctx, by)
	if err != nil {
		return nil, err
	}
	found, err := readCertificates(ctx, data)
	if err != nil {
		return nil, err
	}
	var authorities []*chain.Certificate
	for _, m := range found {
		if m.certificate != nil && m.certificate.IsCA {
			authorities = append(authorities, m.certificate)
		}
	}
	var taken []Taken
	for _, m := range found {
		if m.certificate != nil && m.certificate.IsCA {
			continue
		}
		if err := ctx.Err(); err != nil {
			return taken, err
		}
		taken = append(taken, f.take(ctx, actor.ID, m, authorities))
	}
	return taken, nil
}

func (f *File) take(ctx context.Context, by string, m member, authorities []*chain.Certificate) Taken {
	t := Taken{Place: m.place, Err: m.err}
	if m.err != nil {
		return t
	}
	t.Fingerprint, t.Subject = m.certificate.FingerprintText(), m.certificate.Subject
	key := sm2Point(m.certificate)
	if key == nil {
		t.Err = ErrNotAsked.New()
		return t
	}
	r, err := f.byKey(ctx, key)
	if err != nil || r == nil {
		if t.Err = err; err == nil {
			t.Err = ErrNotAsked.New()
		}
		return t
	}
	after, err := f.receive(ctx, by, r, m.certificate, authorities)
	if after == nil {
		after = r
	}
	t.Outcome, t.Err = after.Outcome, err
	return t
}

func sm2Point(c *chain.Certificate) []byte { return keystore.Point(sm2Key(c)) }

// Refuse records that the authority will not make the certificate of an order, and why, at most 200 characters without
// personal data. Errors: backend.role, backend.reason, backend.order-not-found, backend.state.
func (f *File) Refuse(ctx context.Context, by access.Actor, id, why string) error {
	actor, err := f.clerk(ctx, by)
	if err != nil {
		return err
	}
	if why == "" || len([]rune(why)) > 200 {
		return ErrReason.New()
	}
	r, err := f.read(ctx, f.DB.Read(), id)
	if err != nil {
		return err
	}
	return f.refuse(ctx, actor.ID, r, why)
}

// maxBundle is how many requests one file holds.
const maxBundle = 2000

// exported is when a file was written, to the second.
func exported(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
