// Package issuance is remote issuing (异地出证): a person asks archive A for a file that archive B holds, and goes home with a
// sealed copy.
//
//	c, _, err := service.Open(ctx, atA, issuance.Request{Holding: "云山市档案馆", Applicant: …, Sought: …})
//	c, err = service.Answer(ctx, atB, c.ID, issuance.Answer{Result: issuance.Held, Reference: …})
//	c, err = service.AddPages(ctx, atB, c.ID, "第一页.jpg", data)
//	c, err = service.Issue(ctx, atB, c.ID, issuance.Order{Seal: code})
//	c, err = service.Receive(ctx, atA, c.ID, file, size)
//	c, err = service.Deliver(ctx, atA, c.ID, issuance.Delivery{Manner: issuance.Printed, IdentityChecked: true})
//
// The platform drives the same steps under its own case numbers. Lookup and Pages serve anyone who holds a copy.
//
// # Promises
//
// A case is seen by the two archives that it is between, and by the platform that opened it; for everybody else it does not
// exist (issuance.not-found). Each side takes its own steps only. The platform takes those of both in its own cases: it relays what
// people of both archives do there. Which seal it may use is for the register to say.
//
// One case leads to one issued copy at most: the database holds one row for it, and its sealing has one idempotency key, so
// that Issue can be repeated after a crash. The verification code stands on the paper and in the file; the database has its
// hash. The receiving archive takes a copy by verification: the bytes that it has must be judged valid, bear the seal of the
// holding archive and the code of this case.
//
// Withdrawing takes one person, since it only narrows what is possible, needs a reason and cannot be undone.
//
// Who asks, and for what, is sealed under a safe of the keystore and shown masked; Applicant shows it, for a reason that goes into the
// ledger. The ledger has every step and nothing personal.
//
// It speaks no HTTP and draws no pages for people; what is on paper is drawn here (note.go).
package issuance

import (
	"context"
	"crypto/rand"
	"embed"
	"io"
	"time"

	"yinxin/ca/enroll/workday"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/register"
	"yinxin/sealer/verify"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date. Those of access must exist.
func Migrate(ctx context.Context, db *store.DB) error {
	return db.Migrate(ctx, "issuance", migrations)
}

// KeySealing has a clerk seal with the USB Key on a terminal (分散式用章); package terminal has it. Order and clerk are those of
// an issue; the order's idempotency key is the same whenever it is asked for again.
type KeySealing interface {
	// Ask makes the task, or gives the one that was made with the same idempotency key.
	Ask(ctx context.Context, clerk access.Actor, o sealer.Order) (task string, err error)
	// Sealed gives the document that a task led to, of the clerk; empty while there is none. Error: ErrTaskEnded
	// where there will be none.
	Sealed(ctx context.Context, clerk access.Actor, task string) (document string, err error)
}

// Config is what a Service works with.
type Config struct {
	DB       *store.DB
	Ledger   *ledger.Ledger
	Access   *access.Service
	Register *register.Register
	Sealer   *sealer.Service
	// Safe seals personal data: that of registration, so that a rotation takes both along (Stale, Reseal).
	Safe *keystore.Safe
	// Verify is what the check of a received copy relies on; At and Language are set here.
	Verify verify.Options
	// Keys seals with USB Keys. Nil: such orders are refused.
	Keys KeySealing
	// Told tells programs of events. Nil: nobody is told.
	Told  Tell
	Clock func() time.Time
	// Random makes verification codes; nil is the operating system's.
	Random io.Reader
	// Calendar knows the working days; nil is Monday to Friday.
	Calendar *workday.Calendar
	// TermDays is how many working days the holding archive has for its answer; 0 is DefaultTermDays.
	TermDays int
	// Address is the beginning of the address in the QR code, to which the code is added, "https://seal.example/c/"; empty: the QR code
	// holds the code alone.
	Address string
	// Font is the file of a TrueType font with Chinese, for what is printed.
	Font string
	// Watermark is laid over the pages: {archive} becomes the receiving archive, {purpose} the purpose. Empty: DefaultWatermark;
	// NoWatermark leaves it out.
	Watermark   string
	NoWatermark bool
	// Program is the file of the program that is a worker of compose and normalise; empty for the one that is running.
	Program string
	// Workers is how many of these processes run at the same time; 0 is 2.
	Workers int
}

// The defaults of Config.
const (
	DefaultTermDays  = 4
	DefaultWatermark = "仅供{archive}转交申请人用于{purpose}"
)

// Service is the room's door. It is safe for concurrent use.
type Service struct {
	Config
	working chan struct{}
}

// New gives a Service over tables that Migrate has made.
func New(c Config) *Service {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Calendar == nil {
		c.Calendar = &workday.Calendar{}
	}
	if c.TermDays == 0 {
		c.TermDays = DefaultTermDays
	}
	if c.Watermark == "" {
		c.Watermark = DefaultWatermark
	}
	if c.Workers == 0 {
		c.Workers = 2
	}
	return &Service{Config: c, working: make(chan struct{}, c.Workers)}
}
