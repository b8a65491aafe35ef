// Package ocsp reads and writes the Online Certificate Status Protocol (RFC 6960), with SM2 and SM3 as GM/T 0014 uses it.
//
// A responder calls [ParseRequest], looks up each [CertID], and signs its answer with [CreateResponse], or gives an
// [ErrorResponse]. A client calls [CreateRequest], then [ParseResponse] and [Response.Verify]; [NewSource] makes answers
// that were kept (in a document) a chain.RevocationSource.
//
// What it promises: the reader never panics and is limited in size and count; nothing of a response counts before Verify
// has said so; the octets of a request's CertID come back as they were. Certificate identifiers may use SHA-1, SHA-256 or
// SM3: the digest only names the issuer, it proves nothing. What it does not: no network, no database, no clock. Signed
// requests are read, their signature is not looked at.
package ocsp
