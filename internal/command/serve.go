package command

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"yinxin/api"
	"yinxin/ca/backend"
	"yinxin/sealer"
	"yinxin/sealer/verify"
)

type serveCommand struct {
	dataFlags
	Listen string `help:"Address to listen on, instead of the listeners of config.json (without any: 127.0.0.1:8470)." placeholder:"ADDR"`
}

// Help is printed by --help.
func (serveCommand) Help() string {
	return "Serves the API under /v1, certificates and CRLs under /pki, OCSP under /ocsp, time stamps under /tsa, and the page for verifying under /. SIGTERM or Ctrl-C ends it after open requests are answered."
}

// drain is how long open requests may take to end after the service was told to stop.
const drain = 15 * time.Second

func (c serveCommand) Run(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	defer collectSeldom()()
	log := slog.New(slog.NewTextHandler(s.err, nil))
	work, err := h.work(log)
	if err != nil {
		return err
	}
	defer work.Close()
	settings := h.config.Listeners
	if c.Listen != "" || len(settings) == 0 {
		settings = []listenerSetting{{Address: cmp.Or(c.Listen, defaultListen)}}
	}
	handler, err := h.handler(ctx, log, settings...)
	if err != nil {
		return err
	}
	listeners := make([]net.Listener, 0, len(settings))
	for _, l := range settings {
		listener, err := l.open(h.dir)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return err
		}
		listeners = append(listeners, listener)
	}
	var background sync.WaitGroup
	backgroundContext, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer background.Wait()
	defer stop()
	// The ledger's sequencer is a loop of each process: it holds a lease of its own, and is to give an entry its place
	// within a second, which a queue that looks once a second does not.
	background.Go(func() { h.ledger.Run(backgroundContext) })
	background.Go(func() { h.watchClock(backgroundContext, log) })
	background.Go(func() { h.keepTrust(backgroundContext, log) })
	for _, d := range h.devices {
		background.Go(func() { d.warm(backgroundContext, h.keys, log) })
	}
	background.Go(func() {
		if err := work.Run(backgroundContext); err != nil {
			log.Error("background work", "error", err)
		}
	})
	background.Go(func() {
		// The first start compiles PDFium, which takes seconds, and keeps it: nobody should wait for that in a request.
		if err := h.viewer.Warm(backgroundContext); err != nil && backgroundContext.Err() == nil {
			log.Warn("starting a worker for previews", "error", err)
		}
	})
	for i, l := range listeners {
		fmt.Fprintln(s.out, strings.TrimSpace(settings[i].url(l)+"  "+settings[i].Network))
	}
	return serveAll(ctx, settings, listeners, handler, log)
}

// A service has memory to spare and no processor: a sealing leaves half a megabyte behind, and collecting that as often as Go does
// by itself takes an eighth of the time. Beyond heapMost, which requests alone do not reach, it is collected as it comes.
const (
	heapGrowth = 300 // percent of what is in use
	heapMost   = 1 << 30
)

// collectSeldom sets how much the heap may grow until it is collected, and gives what sets it back. GOGC and GOMEMLIMIT of the
// environment count more.
func collectSeldom() (back func()) {
	growth, most := -2, int64(-1)
	if os.Getenv("GOGC") == "" {
		growth = debug.SetGCPercent(heapGrowth)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		most = debug.SetMemoryLimit(heapMost)
	}
	return func() {
		if growth != -2 {
			debug.SetGCPercent(growth)
		}
		if most >= 0 {
			debug.SetMemoryLimit(most)
		}
	}
}

// handler wires the API over the opened rooms; its pages tell of the listeners that it will answer on.
func (h *installation) handler(ctx context.Context, log *slog.Logger, on ...listenerSetting) (http.Handler, error) {
	var listeners []api.Listener
	for _, l := range on {
		listeners = append(listeners, api.Listener{Address: l.Address, Network: l.Network, TLS: l.Certificate != "", Clients: l.ClientCA != "", Required: l.Require})
	}
	trusted, err := h.chain(ctx)
	if err != nil {
		return nil, err
	}
	providers, err := h.providers(log)
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{Sealer: h.sealer, Batches: h.batches, Webhooks: h.webhooks, Terminals: h.terminals, Stopping: ctx, Register: h.register, Access: h.access, Login: h.login, OIDC: providers, Secure: h.config.Secure, Authority: h.authority, Ledger: h.ledger,
		Desk:   backend.NewDesk(backend.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Authority: h.authority, Clock: h.now}),
		Verify: verify.Options{Chain: trusted, SealStatus: sealer.SealStatus(h.register)}, Scratch: filepath.Join(h.dir, "scratch"), Clock: h.now, Log: log,
		Limits: h.config.Limits, Authorities: h.business.Authorities, Registration: h.desk, Issuance: h.issuance, Escrow: h.escrow, Metrics: h.metrics(), Retrust: h.refreshAnchors, Jobs: h.jobs, Agents: h.agents(), Listeners: listeners,
		Ready: func(ctx context.Context) error {
			var one int
			return h.db.Read().QueryRowContext(ctx, `SELECT 1`).Scan(&one)
		}})
}

// agents is the folder with the programs for terminals; where it is not there, none are given out.
func (h *installation) agents() string {
	if name := h.config.Agents; name != "" {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(h.dir, name)
	}
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(program), "agents")
}
