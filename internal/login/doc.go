// Package login says who sits at a browser: accounts with passwords, links to accounts at identity providers, and sessions.
//
//	session, token, err := service.ByPassword(ctx, "zhang-san", password, origin)
//	challenge, browser, err := service.Ask(ctx, "zhang-san", origin) // then Signed, and ByKey with the token of the browser
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
// A login by USB Key is asked for in a name, bound to the browser that asked by a random token of which only the SM3 is kept, holds for
// ChallengeLife, and is used once. A name that is nobody's, one without a terminal and one whose owner refuses look the same to who
// asked. After maxAsked in a name that came to nothing none is taken for askedTime; passwords and USB Keys close nothing for each other.
//
// People sign in with a Key that the register of seals knows as theirs, or with one that they offered at a terminal of theirs and
// confirmed while signed in otherwise (OfferKey, ConfirmKey, EndKey). Like a link and a password, one that was confirmed by what an
// administrator set from afar lets nobody in who decides as one of two.
//
// It knows no HTTP and no cookies, and nothing of terminals and certificates: what a USB Key answers is checked by sealer/terminal.
package login
