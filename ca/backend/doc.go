// Package backend hands approved requests for certificates to the authority that shall make them: the one that is built in,
// a licensed one that takes a file and gives one back, or another Yinxin over HTTP. Bodies of government need certificates
// of a licensed authority, so several may be in use at the same time, each under a name of its own.
//
// Call [Open] with the settings, then [Backends.Named] for the one that an application names:
//
//	all, err := backend.Open(ctx, backend.Config{…}, settings)
//	b, err := all.Named("吉林CA")
//	outcome, err := b.Order(ctx, backend.Order{Approval: id, Request: request, CSR: csr, With: companions})
//	… outcome, err = b.Outcome(ctx, outcome.ID) …   // until it is StateReceived
//	outcome, err = b.Accept(ctx, outcome.ID, "", companions...)
//
// The built-in authority answers at once: its outcome is StateIssued. With the others a certificate comes back later; it
// is checked against the request ([Difference]), and what differs from what two people approved is put before two people
// again (KindAcceptCertificate). Only then it is accepted here, and companions, such as seals, are made with it.
//
// # Promises
//
// An order stands on an approval of kind certificate.issue that was used, a certificate with differences on one of kind
// certificate.accept, a revocation on one of kind certificate.revoke; a renewal stands on the approval of the first order of
// its line, for five years, and ends what it took the place of. The database refuses other rows. What was sent to
// which authority, when, by whom and with which data is on record before it leaves. A certificate is taken in once, for
// the key that was asked about, if it leads to an anchor that was imported for that authority. What comes from outside is
// limited in size, count and time. A call over HTTP that is repeated is the same call (its key is the order's identifier).
//
// [Desk] is the other side of HTTP: what the API of a Yinxin that issues for others does, for the role requester. There, too, two people
// decide.
//
// What it does not: it serves no HTTP, knows no forms, and makes no keys.
package backend
