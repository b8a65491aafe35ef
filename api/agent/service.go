package agent

import (
	"context"
	"io"
)

// service is a paired server, as this terminal uses it. A client is one.
type service interface {
	// tasks gives the tasks of the clerk that have something to seal; it waits a while for one.
	tasks(ctx context.Context) ([]task, error)
	// claim takes a task for this terminal, or keeps it. It gives the items that are still to be sealed.
	claim(ctx context.Context, id string) (task, error)
	// release gives a claimed task back.
	release(ctx context.Context, id string) error
	// prepare has one item prepared and verifies the manifest that comes: signed by the pinned key, for this terminal, its
	// clerk and this item.
	prepare(ctx context.Context, t task, item string) (order, error)
	// fetch writes the prepared file.
	fetch(ctx context.Context, o order, w io.Writer) error
	// complete hands the signature in.
	complete(ctx context.Context, o order, signature, certificate []byte) error
	// decline says that an item is not sealed, and why: a code.
	decline(ctx context.Context, t task, item, why string) error
	// address is the server's URL, for people; name is who its clerk is.
	address() string
	clerk() string
}

// task is a list of files for one clerk.
type task struct {
	id     string
	origin string // which system asks, for people
	items  []item
}

// item is one file of a task that is to be sealed.
type item struct{ id, title string }

// order is a sealing that waits for its signature.
type order struct {
	claims
	job   string
	nonce []byte
	item  string
}
