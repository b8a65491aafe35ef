package registration

import (
	"context"
	"io"
	"os"
	"sync"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/truetype"
)

// DefaultWorkers is how many scans are worked on at the same time where Config does not say.
const DefaultWorkers = 2

// Config is what a Desk works with.
type Config struct {
	Enroll   *enroll.Service
	Business *business.Service
	// Workers is how many scans are worked on at the same time; 0 is DefaultWorkers.
	Workers int
	// Font is the TrueType file for the printed form; empty is the one that truetype.Find finds when it is needed.
	Font string
}

// Desk is the room's door. It is safe for concurrent use.
type Desk struct {
	Config
	places chan struct{}
	font   func() ([]byte, error)
}

// New gives a Desk.
func New(c Config) *Desk {
	if c.Workers <= 0 {
		c.Workers = DefaultWorkers
	}
	return &Desk{Config: c, places: make(chan struct{}, c.Workers), font: sync.OnceValues(func() ([]byte, error) {
		path := c.Font
		if path == "" {
			var err error
			if path, err = truetype.Find(); err != nil {
				return nil, err
			}
		}
		return os.ReadFile(path)
	})}
}

// Print draws the form of an application for printing, as a PDF with all personal data on it: for those whom
// enroll.Service.ForPrint lets, which records it with the reason; the unit needs none. Errors: those of ForPrint and form.Draw, font.not-found.
func (d *Desk) Print(ctx context.Context, by access.Actor, id, reason string, w io.Writer) error {
	font, err := d.font()
	if err != nil {
		return err
	}
	a, err := d.Enroll.ForPrint(ctx, by, id, reason)
	if err != nil {
		return err
	}
	return form.Draw(w, a, font)
}

// turn waits for a place to work on a scan: registration.busy when ctx ended first. done gives it back.
func (d *Desk) turn(ctx context.Context) (done func(), err error) {
	select {
	case d.places <- struct{}{}:
		return func() { <-d.places }, nil
	case <-ctx.Done():
		return nil, ErrBusy.Because(ctx.Err())
	}
}
