package command

import (
	"log/slog"

	"yinxin/internal/login/oidc"
)

// loginConfig says how people sign in beside their passwords.
type loginConfig struct {
	// OIDC are the identity providers at which people may sign in.
	OIDC oidc.Settings `json:"oidc,omitempty"`
}

// providers are the identity providers of config.json; nil where there are none.
func (h *installation) providers(log *slog.Logger) (*oidc.Providers, error) {
	if len(h.config.Login.OIDC) == 0 {
		return nil, nil
	}
	return oidc.New(oidc.Options{Settings: h.config.Login.OIDC, Dir: h.dir, BaseURL: h.config.BaseURL, DB: h.db, Clock: h.now, Log: log})
}
