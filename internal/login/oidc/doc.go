// Package oidc lets people sign in with an account at a provider of identities (OpenID Connect Core 1.0): the
// authorization code flow with PKCE, for providers that stand in the configuration.
//
//	target, secret, err := providers.Begin(ctx, "gov", "/home") // the secret goes into a cookie, the browser to target
//	who, next, err := providers.Finish(ctx, "gov", secret, answer)
//	session, token, err := login.ByOIDC(ctx, who, origin)
//
// # Promises
//
// Only Finish makes an Identity, after everything that OpenID Connect Core clause 3.1.3.7 asks: signature with one of the
// configured asymmetric algorithms, issuer, audience, authorized party, expiry, nonce. State, nonce and code verifier are
// derived from one random secret in the browser's cookie, of which the database has the SM3; it is used up by the first
// answer, right or wrong, and after flowTime. An answer that names its issuer (RFC 9207) must name the right one; where
// the provider announces that it does, one without is refused. Each provider has a redirect URI of its own.
//
// A provider is asked for its metadata when somebody first wants it, so that the service starts without. What it answers is
// read up to maxAnswer, within patience, without redirects, over https but for this machine; no proxy is used.
//
// It decides nothing about who somebody is here: see package login. It takes no roles, names or addresses from providers.
package oidc
