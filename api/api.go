package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"yinxin/api/web"
	"yinxin/api/web/admin"
	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
	"yinxin/internal/jobs"
	"yinxin/internal/ledger"
	"yinxin/internal/login"
	"yinxin/internal/login/oidc"
	"yinxin/internal/webhook"
	"yinxin/sealer"
	"yinxin/sealer/batch"
	"yinxin/sealer/issuance"
	"yinxin/sealer/register"
	"yinxin/sealer/registration"
	"yinxin/sealer/terminal"
	"yinxin/sealer/verify"
)

// Config is what the API works with. The rooms, Scratch and Clock are needed; the rest has defaults.
type Config struct {
	Sealer    *sealer.Service
	Register  *register.Register
	Access    *access.Service
	Authority *ca.Authority
	Ledger    *ledger.Ledger
	// Batches seals many documents for one order. Nil: there are no such routes.
	Batches *batch.Service
	// Webhooks tells programs of what happened. Nil: there are no such routes.
	Webhooks *webhook.Service
	// Desk takes requests for certificates from other installations. Nil: there are no such routes.
	Desk *backend.Desk
	// Authorities are those that certificates come from. Nil: the own one alone.
	Authorities *backend.Backends
	// Terminals serves sealing with USB Keys. Nil: there are no such routes.
	Terminals *terminal.Service
	// Stopping ends when the service is about to stop, which answers those who wait for a task. Nil: they wait as long as they may.
	Stopping context.Context
	// Registration serves applications and what follows from them. Nil: there are no such routes.
	Registration *registration.Desk
	// Issuance serves remote issuing. Nil: there are no such routes.
	Issuance *issuance.Service
	// Escrow is the key centre, where USB Keys are registered here.
	Escrow *escrow.Centre

	// Listeners are those that the handler answers on, for the page that tells of them. Nil: there is none.
	Listeners []Listener
	// Jobs is the work in the background. Nil: there is no page of it.
	Jobs *jobs.Jobs
	// Retrust lets a change of the trust anchors count at once in what Verify relies on. Nil: it comes to count.
	Retrust func(ctx context.Context) error

	// Login lets people sign in. Nil: there are no pages but those for anyone.
	Login *login.Service
	// OIDC are identity providers at which people may sign in. Nil: there are none.
	OIDC *oidc.Providers
	// Secure says that browsers reach the service by https also where its own listener is plain.
	Secure bool

	// Verify says what verifications rely on; its At and Language are set for each request.
	Verify verify.Options
	// Scratch is a folder for files while they are verified. It is created with mode 0700, and what an earlier process
	// left there is removed.
	Scratch string
	Clock   func() time.Time
	Log     *slog.Logger // nil: discarded
	// Ready says whether requests can be served now. Nil: they can.
	Ready func(ctx context.Context) error
	// Metrics writes figures of process and devices for Prometheus. Nil: there is no such route.
	Metrics http.Handler

	// Agents is a folder with the programs for terminals, which clerks download. Empty: there are none.
	Agents string

	// MaxUpload is the largest document in bytes; 0 is the sealer's own limit.
	MaxUpload int64
	// MaxVerify is the largest file for verification alone; 0 is 256 MiB.
	MaxVerify int64
	// Verifications is how many files are verified at the same time; 0 is twice the number of cores.
	Verifications int
	// Uploads is how many files for verification may be arriving at the same time, on which the scratch space that may
	// be in use depends; 0 is 32.
	Uploads int
	// Patience is how long a verification waits for its turn, and a repeated sealing for its first attempt, before the
	// caller is told to try again; 0 is 5 s.
	Patience time.Duration
	// VerifyTime is the longest that one verification may take; 0 is 2 minutes.
	VerifyTime time.Duration
	// Limits bound how often one address may ask what needs no account.
	Limits Limits
	// Grace and Rate bound how slowly a body may come: Grace at first, and one second more for every Rate bytes that
	// have come. 0 is 30 s and 8 KiB.
	Grace time.Duration
	Rate  int64
}

// Listener is an address that the service listens on.
type Listener = admin.Listener

// server holds what the handlers share.
type server struct {
	Config
	router *chi.Mux
	huma   huma.API
	pages  *web.Pages
	site   *web.Site // nil without Login
	rules  []rule
	spec   []byte // the OpenAPI document

	address   func(http.Handler) http.Handler // finds the address of who calls
	limits    limits
	repeats   queues // sealings, by caller and key
	uploading *places
	verifying *places
	comparing *places       // two at least: one is not half of anything
	arriving  chan struct{} // uploads by those who have an account
	scanning  *places       // and those of them that are in memory: scans, workbooks
}

// New gives the handler for everything that Yinxin serves.
func New(c Config) (http.Handler, error) {
	s, err := newServer(c)
	if err != nil {
		return nil, err
	}
	return s.router, nil
}

func newServer(c Config) (*server, error) {
	if c.Sealer == nil || c.Register == nil || c.Access == nil || c.Authority == nil || c.Scratch == "" || c.Clock == nil {
		return nil, errors.New("api: a room, the scratch folder or the clock is missing")
	}
	c.defaults()
	if c.Authorities == nil {
		c.Authorities = backend.Own(c.Authority, c.Access)
	}
	if err := prepareScratch(c.Scratch); err != nil {
		return nil, err
	}
	pages, err := web.New(web.Config{MaxVerify: c.MaxVerify})
	if err != nil {
		return nil, err
	}
	s := &server{Config: c, router: chi.NewRouter(), pages: pages,
		uploading: newPlaces(c.Uploads), verifying: newPlaces(c.Verifications), comparing: newPlaces(max(2, runtime.NumCPU()/2)),
		arriving: make(chan struct{}, c.Uploads), scanning: newPlaces(scansInMemory)}
	if err := s.newAddress(c.Limits); err != nil {
		return nil, err
	}
	s.newLimits(c.Limits)
	s.router.Use(s.address, s.guard, middleware.GetHead, s.sameOrigin)
	s.router.NotFound(s.noRoute)
	s.router.MethodNotAllowed(s.noMethod)
	s.huma = huma.NewAPI(describe(s), adapter{s})
	s.documents()
	s.sealings()
	s.sealFiles()
	s.records()
	if s.Batches != nil {
		s.sealingBatches()
	}
	s.previews()
	if s.Terminals != nil {
		s.terminals()
		s.pairing()
		s.keyTasks()
		s.terminalTasks()
	}
	s.verifications()
	s.pki()
	if s.Webhooks != nil {
		s.webhooks()
	}
	if s.Desk != nil {
		s.certificateRequests()
	}
	s.apiKeys()
	s.approvals()
	s.certificates()
	if s.Registration != nil {
		s.registration()
	}
	if s.Issuance != nil {
		s.issuances()
	}
	s.health()
	s.page()
	if s.Login != nil {
		if err := s.signedIn(); err != nil {
			return nil, err
		}
	}
	return s, s.openAPI()
}

// scansInMemory is how many uploads that are worked on in memory, of at most 64 MiB, are there at the same time.
const scansInMemory = 4

func (c *Config) defaults() {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.MaxUpload = cmp.Or(c.MaxUpload, c.Sealer.MaxSize)
	c.MaxVerify = cmp.Or(c.MaxVerify, 256<<20)
	c.Verifications = cmp.Or(c.Verifications, 2*runtime.NumCPU())
	c.Uploads = cmp.Or(c.Uploads, 32)
	c.Patience = cmp.Or(c.Patience, 5*time.Second)
	c.VerifyTime = cmp.Or(c.VerifyTime, 2*time.Minute)
	c.Grace = cmp.Or(c.Grace, 30*time.Second)
	c.Rate = cmp.Or(c.Rate, 8<<10)
}
