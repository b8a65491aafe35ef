package oidc

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/oauth2"

	"yinxin/internal/store"
)

const (
	flowTime = 10 * time.Minute // that somebody may take at the provider
	maxFlows = 10_000           // under way at one time
	maxNext  = 1000             // bytes of where somebody wanted to go; one with more is not kept
)

// Answer is what the provider sent the browser back with (RFC 6749 clause 4.1.2, RFC 9207).
type Answer struct{ Code, State, Issuer, Error string }

// Identity is somebody who has proved to a provider who they are. Only Finish makes one.
type Identity struct{ provider, issuer, claim, subject string }

// Provider is the name of the provider's setting.
func (i Identity) Provider() string { return i.provider }

// Issuer is the provider's identifier.
func (i Identity) Issuer() string { return i.issuer }

// Claim is where Subject stood.
func (i Identity) Claim() string { return i.claim }

// Subject names the person at the provider.
func (i Identity) Subject() string { return i.subject }

// derived are what a flow is bound by, all from the secret in the browser's cookie.
type derived struct{ state, nonce, verifier string }

func derive(secret string) (d derived, err error) {
	for name, to := range map[string]*string{"state": &d.state, "nonce": &d.nonce, "code verifier": &d.verifier} {
		key, err := hkdf.Key(sm3.New, []byte(secret), nil, "yinxin oidc "+name, 32)
		if err != nil {
			return derived{}, err
		}
		*to = base64.RawURLEncoding.EncodeToString(key)
	}
	return d, nil
}

func idOf(secret string) string {
	sum := sm3.Sum([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Begin gives the address at the provider to which the browser goes, and the secret for its cookie. next is where it goes
// after the login. Errors: oidc.unknown-provider, oidc.unavailable.
func (p *Providers) Begin(ctx context.Context, name, network, next string) (target, secret string, err error) {
	one, err := p.find(name, network)
	if err != nil {
		return "", "", err
	}
	m, err := one.metadata(ctx)
	if err != nil {
		return "", "", err
	}
	secret = strings.ToLower(rand.Text() + rand.Text())
	d, err := derive(secret)
	if err != nil {
		return "", "", err
	}
	if len(next) > maxNext {
		next = ""
	}
	now := p.clock()
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM login_oidc_flow WHERE created < $1`, store.Time(now.Add(-flowTime))); err != nil {
			return err
		}
		var open int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM login_oidc_flow`).Scan(&open); err != nil {
			return err
		}
		if open >= maxFlows {
			return ErrUnavailable.With("%d", open).RetryIn(time.Minute)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO login_oidc_flow (id, provider, next, created) VALUES ($1, $2, $3, $4)`, idOf(secret), name, next, store.Time(now))
		return err
	})
	if err != nil {
		return "", "", err
	}
	return m.oauth.AuthCodeURL(d.state, oidc.Nonce(d.nonce), oauth2.S256ChallengeOption(d.verifier)), secret, nil
}

// Finish takes the provider's answer, once, and gives who it says has signed in and where they wanted to go. Errors:
// oidc.flow, oidc.declined, oidc.answer, oidc.unavailable, oidc.unknown-provider.
func (p *Providers) Finish(ctx context.Context, name, network, secret string, a Answer) (who Identity, next string, err error) {
	one, err := p.find(name, network)
	if err != nil {
		return Identity{}, "", err
	}
	if secret == "" || len(secret) > 100 {
		return Identity{}, "", ErrFlow.New()
	}
	if next, err = p.take(ctx, name, secret); err != nil {
		return Identity{}, "", err
	}
	d, err := derive(secret)
	if err != nil {
		return Identity{}, "", err
	}
	if subtle.ConstantTimeCompare([]byte(a.State), []byte(d.state)) != 1 {
		return Identity{}, next, ErrFlow.New()
	}
	who, err = one.identify(ctx, d, a)
	if err != nil {
		p.log.WarnContext(ctx, "login at an identity provider", "provider", name, "error", err)
	}
	return who, next, err
}

// take uses a flow up.
func (p *Providers) take(ctx context.Context, name, secret string) (next string, err error) {
	var at time.Time
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		var created string
		err := tx.QueryRowContext(ctx, `DELETE FROM login_oidc_flow WHERE id = $1 AND provider = $2 RETURNING next, created`, idOf(secret), name).Scan(&next, &created)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrFlow.New()
		}
		if err == nil {
			at, err = store.ParseTime(created)
		}
		return err
	})
	if err == nil && p.clock().Sub(at) > flowTime {
		err = ErrFlow.New()
	}
	return next, err
}

// identify turns an answer whose state is right into who it is about.
func (p *provider) identify(ctx context.Context, d derived, a Answer) (Identity, error) {
	m, err := p.metadata(ctx)
	if err != nil {
		return Identity{}, err
	}
	refused := func(format string, args ...any) error { return ErrAnswer.Because(fmt.Errorf(format, args...)) }
	switch {
	case a.Issuer != "" && a.Issuer != p.Issuer, a.Issuer == "" && m.names:
		return Identity{}, refused("the answer comes from %.200q", a.Issuer)
	case a.Error != "":
		return Identity{}, ErrDeclined.Because(fmt.Errorf("error %.100q", a.Error))
	case a.Code == "" || len(a.Code) > 4096:
		return Identity{}, refused("no code")
	}
	asked, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), 2*patience)
	defer cancel()
	token, err := m.oauth.Exchange(asked, a.Code, oauth2.VerifierOption(d.verifier))
	if err != nil {
		return Identity{}, p.notGiven(ctx, err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok || len(raw) > maxAnswer {
		return Identity{}, refused("no ID token")
	}
	signed, err := m.verifier.Verify(asked, raw)
	if err != nil {
		return Identity{}, ErrAnswer.Because(brief(err))
	}
	return p.read(signed, d.nonce)
}

// notGiven says why there is no token: the code was refused, or the provider could not be asked.
func (p *provider) notGiven(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var answered *oauth2.RetrieveError
	if errors.As(err, &answered) && answered.Response != nil && answered.Response.StatusCode < 500 && answered.ErrorCode != "invalid_client" {
		return ErrAnswer.Because(brief(err))
	}
	return ErrUnavailable.With("%s", p.Name).Because(brief(err))
}

// read takes what counts from an ID token whose signature, issuer, audience and time are right.
func (p *provider) read(t *oidc.IDToken, nonce string) (Identity, error) {
	refused := func(format string, args ...any) error { return ErrAnswer.Because(fmt.Errorf(format, args...)) }
	if subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(nonce)) != 1 {
		return Identity{}, refused("another nonce")
	}
	claims := map[string]any{}
	if err := t.Claims(&claims); err != nil {
		return Identity{}, ErrAnswer.Because(brief(err))
	}
	// Clause 3.1.3.7: with several audiences there must be an authorized party, and it must be this client.
	party, named := claims["azp"]
	if named && party != p.ClientID || !named && slices.ContainsFunc(t.Audience, func(a string) bool { return a != p.ClientID }) {
		return Identity{}, refused("authorized party %.200q", fmt.Sprint(party))
	}
	subject, ok := claims[p.Names()].(string)
	if !ok || !ValidSubject(subject) {
		return Identity{}, refused("claim %s names nobody", p.Names())
	}
	return Identity{provider: p.Name, issuer: p.Issuer, claim: p.Names(), subject: subject}, nil
}

// ValidSubject reports whether a text can name somebody at a provider: 1 to 255 bytes of printable ASCII, as sub is
// (OpenID Connect Core clause 2). So no two of them look alike.
func ValidSubject(s string) bool {
	return s != "" && len(s) <= 255 && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
