package sealer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/files"
	"yinxin/internal/store"
)

// smallFile is how large a document may be, in bytes, that is held in memory while it is received and sealed in one go.
const smallFile = 1 << 20

// SealFile is Upload and Seal in one: the document is recorded together with the intent, and nothing is kept of one that is
// refused. Its idempotency key is bound to the bytes of the document. o.Document is not used. Errors are those of both.
//
// A document of up to a megabyte is stored once, with its update, after it was signed: one object, synced once.
func (s *Service) SealFile(ctx context.Context, by access.Actor, name string, r io.Reader, o Order) (done Sealed, err error) {
	o.Document = ""
	if o, err = o.Checked(); err != nil {
		return Sealed{}, err
	}
	o.sandbox = by.Sandbox
	if o.IdempotencyKey == "" {
		o.IdempotencyKey = store.NewID("once_")
	}
	in, refused := s.Register.Authorise(ctx, by, o.Seal) // a repetition may come when the grant is used up
	if refused != nil {
		if taken, err := keyTaken(ctx, s.DB.Read(), by, o.IdempotencyKey); err != nil || !taken {
			return Sealed{}, refused
		}
	}
	d, content, err := s.arrive(ctx, by, name, r)
	if err != nil {
		return Sealed{}, err
	}
	defer func() {
		if content == nil && (err != nil || done.Replayed) { // else nothing was stored, or it is recorded
			err = errors.Join(err, s.removeUnrecorded(ctx, documentRecorded, d.ID, d.parts[0].object))
		}
	}()
	o.Document, o.content = d.ID, d.SM3
	if done, found, err := s.replay(ctx, by, o); found || err != nil {
		return done, err
	}
	if refused != nil {
		return Sealed{}, refused
	}
	var object files.Object
	if content != nil {
		object = inMemory(content)
	}
	w, err := s.begin(ctx, d, object, o, in)
	if err != nil {
		return Sealed{}, err
	}
	defer w.close()
	return s.carryOut(ctx, w, intent{id: store.NewID("q_"), actor: by, order: o, instance: in, plan: w.plan, details: w.details, scan: w.scan,
		received: &d, content: content})
}

// arrive takes a document in: a small one into memory, another into the store.
func (s *Service) arrive(ctx context.Context, by access.Actor, name string, r io.Reader) (Document, []byte, error) {
	head, err := readHead(ctx, r, min(smallFile, s.MaxSize)+1)
	n := int64(len(head))
	switch {
	case err != nil:
		return Document{}, nil, err
	case n == 0:
		return Document{}, nil, errEmpty.New()
	case n > smallFile || n > s.MaxSize:
		d, err := s.receive(ctx, by, name, "", io.MultiReader(bytes.NewReader(head), r))
		return d, nil, err
	}
	digest := sm3.New()
	digest.Write(head)
	d, err := s.arrived(by, name, n, digest)
	return d, head, err
}

// headRoom is what is set aside for a document in memory, in bytes: most fit in with their update.
const headRoom = 192 << 10

// readHead reads at most so many bytes.
func readHead(ctx context.Context, r io.Reader, most int64) ([]byte, error) {
	head := make([]byte, 0, headRoom)
	for int64(len(head)) < most {
		if err := ctx.Err(); err != nil {
			return nil, errUpload.Because(err)
		}
		if len(head) == cap(head) {
			head = slices.Grow(head, cap(head))
		}
		n, err := r.Read(head[len(head):min(int64(cap(head)), most)])
		head = head[:len(head)+n]
		switch {
		case err == io.EOF:
			return head, nil
		case err != nil:
			return nil, broken(err)
		}
	}
	return head, nil
}
