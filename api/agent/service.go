package agent

import (
	"context"
	"io"

	"yinxin/sealer/terminal/manifest"
)

// service is a paired server, as this terminal uses it. A client is one.
type service interface {
	// tasks gives the tasks of the clerk that have something to seal, and the logins that wait; it waits a while for one.
	tasks(ctx context.Context) (manifest.Tasks, error)
	// claim takes a task for this terminal, or keeps it. It gives the items that are still to be sealed.
	claim(ctx context.Context, id string) (manifest.Claim, error)
	// release gives a claimed task back.
	release(ctx context.Context, id string) error
	// prepare has one item prepared and verifies the manifest that comes: signed by the pinned key, for this terminal, its
	// clerk and this item.
	prepare(ctx context.Context, task string, i manifest.Item) (*manifest.Manifest, error)
	// fetch writes the prepared file.
	fetch(ctx context.Context, m *manifest.Manifest, w io.Writer) error
	// complete hands the signature in.
	complete(ctx context.Context, m *manifest.Manifest, signature, certificate []byte) error
	// decline says that an item is not sealed, and why: a code.
	decline(ctx context.Context, task, item, why string) error
	// login gives a login that waits, verified: asked for by the paired server, for this terminal and its clerk.
	login(ctx context.Context, id string) (*manifest.Login, error)
	// answerLogin hands in what the USB Key signed.
	answerLogin(ctx context.Context, l *manifest.Login, signature, certificate []byte) error
	// declineLogin says that nobody is to be signed in, and why: a code.
	declineLogin(ctx context.Context, id, why string) error
	// address is the server's URL, for people.
	address() string
}
