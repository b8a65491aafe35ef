package command

import (
	"context"
	"path/filepath"

	"yinxin/ca/backend"
	"yinxin/ca/chain"
	"yinxin/internal/fetch"
	"yinxin/sealer/verify"
)

// backends are the authorities that certificates may be ordered from: the built-in one and those of config.json.
func (h *installation) backends(ctx context.Context) (*backend.Backends, error) {
	settings := make([]backend.Setting, len(h.config.Authorities))
	for i, s := range h.config.Authorities {
		for _, name := range []*string{&s.Trust, &s.KeyFile, &s.ServerTrust, &s.ClientCertificate, &s.ClientKey} {
			if *name != "" && !filepath.IsAbs(*name) {
				*name = filepath.Join(h.dir, *name)
			}
		}
		settings[i] = s
	}
	return backend.Open(ctx, backend.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Authority: h.authority, Clock: h.now,
		Status: func() chain.RevocationSource {
			return verify.NewOnline(fetch.New(fetch.Options{Private: true}).Fetch, h.now())
		}}, settings)
}

// tendOrders asks about what was ordered elsewhere.
func (h *installation) tendOrders(ctx context.Context) error {
	if len(h.config.Authorities) == 0 {
		return nil
	}
	all, err := h.backends(ctx)
	if err != nil {
		return err
	}
	return all.Tend(ctx)
}
