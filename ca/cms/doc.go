// Package cms reads, checks and writes SignedData: RFC 5652 and GB/T 35275, which has the same structure under its own
// content types. It serves the signatures in PDF files and the time-stamp tokens of ca/tsa.
//
// To check one, call [Parse] (after [Element] where zero bytes follow, as in a PDF), find the signer's certificate with
// [SignedData.SignerCertificate], hash the detached content with what [SignedData.ContentDigest] asks for, and hand both to
// [SignedData.Verify], which gives one [Finding] for each rule. Whether the certificate may be believed is for ca/chain.
//
// To write one, make a [Writer] once for each signer, then for each signature [Writer.Prepare] the attributes, have
// [Pending.Digest] signed wherever the key is, and [Pending.Assemble]. Template, digest and time give the same octets in
// every process, so another one may complete what this one prepared; [Writer.Size] is known before.
//
// What it promises:
//   - The reader never panics and is limited in size, count and depth. It takes BER as it is found, also of indefinite
//     length, and notes each leniency. What was signed is checked as it stands, never encoded anew.
//   - A report is never good by default: a rule that was not reached is an error of an earlier one, and a value that was
//     computed with something weak is chain.ErrWeak, never nil.
//   - The writer writes DER, and nothing that its own signature check refuses.
//
// What it does not: no keys, no network, no database, no clock; no enveloped data, no countersignatures.
package cms
