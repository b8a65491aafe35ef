// Package ca is the certificate authority: it makes the certificates that say who may hold a seal, takes them back,
// and tells the world which ones it took back.
//
// Establish makes the hierarchy once, in a ceremony that names two officers: a root whose key lives in a keystore
// folder of its own, which can then be taken offline; one or several issuing CAs under it, which divide the profiles among
// themselves, each with an OCSP responder; and certificates for the seal maker and the time-stamp authority. Open then
// gives an Authority:
//
//	authority, err := ca.Open(ctx, ca.Config{DB: db, Ledger: l, Keys: ring, Clock: clock})
//	id, err := access.Request(ctx, registrar, access.KindIssueCertificate, request.Subject())
//	err = access.Approve(ctx, approver, id)
//	certificate, err := authority.Issue(ctx, id, request)
//
// # Order of work
//
// Issue redeems the approval, records serial number and to-be-signed bytes, and appends the intent to the ledger, all
// in one transaction. Only then a twin signed by a throwaway key is read back by two parsers, compared with the profile
// and held against the rules of ca/conform and zlint; that yields a token which the signing function takes and which
// works once. The signed certificate is compared with the linted bytes, its signature is checked, and one more
// transaction records and announces it. An intent without a result (the process died) is found by Open: it counts as
// failed and its serial number goes on the revocation list, since the signature may exist somewhere.
//
// # Promises
//
// No certificate, revocation or end of a suspension without a requester and a different approver, or a ceremony of two
// officers: the database refuses such rows (CHECK and composite foreign keys). An emergency suspension takes one
// person. A serial number is random, recorded before use and never used twice. CRL numbers rise, and a list in which
// an unexpired entry vanished is not published. OCSP answers come from the database, never from a list, and are right half
// a second after a change by any process. A time stamp is made with the certificate that is good now, of a time that the
// clock's references (ca/clock) and earlier stamps bear out.
//
// # What is published
//
// A certificate points to the revocation list of its shard, by its issuer and serial number ([PathShard]); the complete list
// of an issuing CA, shard 0, speaks for all that it issued. Every list has a delta list beside it, of the same number and time, relative to the list of the day
// before or of this day: [Authority.PublishIfDue] makes only those lists anew that lack a change, and each once a day.
// [Authority.List] gives them, [Authority.OCSPAnswer] and [Authority.TimeStamp] answer requests.
//
// What it does not do: it knows no HTTP (the paths in URLs that it writes into certificates are constants here, for
// the room that serves them), keeps no private key, and reads no application forms.
//
// Standards: GM/T 0015 and GB/T 20518 (certificate profile), RFC 5280 (certificates, CRLs), RFC 6960 (OCSP),
// RFC 3161 (time stamps).
package ca
