// Package trustlist reads, checks and writes the trust list of an installation: its CA certificates, its revocation lists
// and its seals with their states, for a verifier elsewhere who has no line to the installation (docs/formats.md, "The
// trust list").
//
// [Encode] gives the canonical JSON, [Sign] puts it into SignedData, [Open] checks what came from outside and reads it. The
// signer is an OCSP responder of the authority: the certificate says that it speaks about the state of certificates, and
// nobody but the authority has one, while the certificate of a seal maker looks like that of any institution.
//
// What it promises: nothing of a list counts before its signature, its signer's chain and its time are good; everything is
// bounded; a list speaks only of what stands below its signer's anchor.
//
// What it does not: no keys, no database, no clock, no files.
package trustlist
