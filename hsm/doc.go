// Package hsm uses keys on tokens through PKCS#11: HSMs for sealing by the service, USB Keys at a terminal, and the soft token
// of hsm/softtoken.
//
// Call Open for a module (a vendor's library), ReadProfiles for the vendor profiles, and Activate for a token. Token.Key
// finds a key and tests it; Key.SignDigest signs. Generate, Request, StoreCertificate and StoreData bring a key with its
// certificate and its seal onto a token. Initialise, Unlock, ChangePIN and ChangeOfficerPIN set up a token that is not in use; Look
// lists what shows without a PIN. Where keys of the service are meant, use package keystore instead: there a key has
// a purpose and a state, on a token or not.
//
// # SM2
//
// PKCS#11 defines no SM2, and each vendor took numbers of its own. A Profile says them: a file of lines "name = value", with
// one for each vendor inside the program, and a folder for more. The host computes the digest e and lets the token sign it,
// where the token can do that. A key is used only after its self-test.
//
// # What is promised
//
// A PIN reaches the token once. When it was refused, or when it is not known what became of it, all later callers get the
// same error and the token is not touched, until Login. No PIN and no signed value is in an error or a log.
//
// A call that fails because the token was pulled out is repeated once, in new sessions, with the key found again and
// compared with the one that it was. After several failures in a row the token is left alone for a while (hsm.paused, with the
// time to wait). A caller never waits longer than the token's timeout or its context.
//
// An ECDSA mechanism is never used with an SM2 key: it would yield SM2 signatures on some digests.
//
// # What is not
//
// The binding copies a PIN into C memory and frees it without wiping. A call that a module never returns from keeps its
// session. Tokens with a PIN pad of their own are not served.
//
// Standards: PKCS#11 2.40 (OASIS), GB/T 32918 (SM2), GM/T 0009. A build without cgo has this package, and answers
// hsm.not-built.
package hsm
