// Package login says who sits at a browser: accounts with passwords, links to accounts at identity providers, and sessions.
//
//	session, token, err := service.ByPassword(ctx, "zhang-san", password, origin)
//	session, err = service.Session(ctx, token) // in every request
//	err = service.End(ctx, token)
//
// # Promises
//
// Passwords are kept as argon2id hashes (RFC 9106) and never written anywhere else. An unknown name, a retired actor
// and a wrong password are one answer that takes the same time. After maxFailures wrong passwords in a row an account
// is closed for lockTime; of many guesses at once no more than that are compared, and a name that is nobody's closes too. A session is a row here and a random token of 256 bits in the browser's cookie, of which only
// the SM3 is kept; it ends after idleTime without a request and after lifeTime in any case, and signing in always makes
// a new one. Roles are read anew with every request. Who signed in, was refused or left is in the ledger.
//
// Who comes from an identity provider (package oidc) is somebody here only by a link that an administrator made; roles,
// names and people never come from a provider.
//
// It knows no HTTP and no cookies.
package login
