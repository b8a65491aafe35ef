package command

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// listenerSetting is one address to listen on. Files may be in the folder of the installation.
type listenerSetting struct {
	Address string `json:"address"`
	// Network is the label of the listener, which 用章范围 of seals speaks of: government-network or internet; empty: none.
	Network string `json:"network,omitempty"`
	// Certificate and Key are PEM files for https; without them the listener is plain, for a proxy on the same machine.
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"key,omitempty"`
	// ClientCA is a PEM file with the CAs whose certificates callers may show; Require refuses callers without one.
	ClientCA string `json:"client_ca,omitempty"`
	Require  bool   `json:"require_client_certificate,omitempty"`
}

var errListener = fault.Spec{Kind: fault.Invalid, Code: "serve.listener",
	ZH: "监听地址的设置无效。", EN: "The setting of a listener is not valid."}

// check says what is wrong with a setting.
func (l listenerSetting) check() error {
	bad := func(field string) error {
		return errListener.With("%s", l.Address).At(fault.Field("listeners." + field))
	}
	switch {
	case l.Address == "":
		return bad("address")
	case l.Network != "" && !slices.Contains(access.Networks, l.Network):
		return errListener.With("%s: %s", l.Address, strings.Join(access.Networks, ", ")).At(fault.Field("listeners.network"))
	case (l.Certificate == "") != (l.Key == ""):
		return bad("certificate")
	case l.Certificate == "" && (l.ClientCA != "" || l.Require), l.Require && l.ClientCA == "":
		return bad("client_ca")
	}
	return nil
}

// open listens.
func (l listenerSetting) open(dir string) (net.Listener, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	settings, err := l.tls(dir)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", l.Address)
	if err != nil {
		return nil, errListen.With("%s", l.Address).Because(err)
	}
	if settings != nil {
		listener = tls.NewListener(listener, settings)
	}
	return listener, nil
}

// tls gives the settings of a listener with a certificate, nil for a plain one.
func (l listenerSetting) tls(dir string) (*tls.Config, error) {
	if l.Certificate == "" {
		return nil, nil
	}
	inFolder := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(dir, name)
	}
	own, err := tls.LoadX509KeyPair(inFolder(l.Certificate), inFolder(l.Key))
	if err != nil {
		return nil, errListener.With("%s", l.Address).At(fault.Field("listeners.certificate")).Because(err)
	}
	settings := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if l.ClientCA == "" {
		return settings, nil
	}
	b, err := readSmall(inFolder(l.ClientCA))
	if err != nil {
		return nil, err
	}
	settings.ClientCAs = x509.NewCertPool()
	if !settings.ClientCAs.AppendCertsFromPEM(b) {
		return nil, errListener.With("%s", l.Address).At(fault.Field("listeners.client_ca"))
	}
	settings.ClientAuth = tls.VerifyClientCertIfGiven
	if l.Require {
		settings.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return settings, nil
}

// url is how people reach the listener.
func (l listenerSetting) url(listener net.Listener) string {
	scheme := "http"
	if l.Certificate != "" {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s/", scheme, listener.Addr())
}

// serveAll answers on all listeners until ctx ends or one of them fails, then lets open requests finish.
func serveAll(ctx context.Context, settings []listenerSetting, listeners []net.Listener, handler http.Handler, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make([]error, len(listeners))
	var all sync.WaitGroup
	for i, listener := range listeners {
		all.Go(func() {
			defer stop()
			failed[i] = serve(ctx, listener, settings[i].Network, handler, log)
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// serve answers until ctx ends, then lets open requests finish.
func serve(ctx context.Context, listener net.Listener, network string, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context {
			if network == "" {
				return context.Background()
			}
			return access.WithNetwork(context.Background(), network)
		}}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := server.Shutdown(stopping)
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return err
}
