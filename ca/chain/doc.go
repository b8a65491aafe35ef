// Package chain reads certificates and revocation lists, and decides whether a certificate may be believed at a
// given time. It is for everything that has to judge a signature: the verifier, the OCSP and time-stamp codecs, the
// certificate authority when it checks its own work.
//
// Call [ParseCertificate] for bytes that came from outside, build a [Verifier] once from [LoadTrust] and keep it, and
// ask [Verifier.Verify] with the time that matters. For a single signature call [CheckSignature], or
// [CheckSM2Digest] when the message is already hashed.
//
// What it promises:
//   - The reader never panics and never re-encodes: the bytes that were signed are the bytes that are checked. It takes
//     certificates as they are found (GM/T 0015, GB/T 20518, RFC 5280), and notes each leniency it used.
//   - Nothing is judged by the present. Validity and revocation are judged at the time handed in, to the second.
//   - A [Result] is never good by default: what was not found or not asked is said.
//   - Input from outside is limited in size, depth and count, and so is the work of one call.
//
// What it does not: no network, no database, no clock, no private keys. It does not process name constraints or policy
// mappings: a certificate that marks them critical is not accepted. Indirect revocation lists are not used; delta lists are
// read on top of the complete lists that they continue.
package chain
