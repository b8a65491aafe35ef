// Package manifest holds what server and terminal say to each other when a clerk seals with a USB Key (docs/terminal.md):
// pairing, signed requests, tasks, and the manifest, in which the server says what is to be signed and what it means.
//
// The order of things at a terminal:
//
//	code, err := manifest.ParseCode(typed)             // what the clerk reads on the server's page
//	request, err := code.Request(name, public, random) // POST RoutePair
//	err = code.CheckAnswer(request, answer)            // then keep answer.Terminal, pin answer.Key
//	header, err := manifest.Authorise(ctx, key, terminal, method, target, body, now)
//	m, err := manifest.Verify(envelope, manifest.Expected{…}) // the answer of RoutePrepare
//
// and at the server Code.CheckRequest, Code.Answer, ParseAuthorisation, Authorisation.Check, and Sign.
//
// # Promises
//
// What is verified is exactly what this package writes: one encoding of each manifest, every member there and no other, within
// limits of size and time. Whoever changes one octet, takes it to another terminal, clerk, item or document, or comes
// late, is refused with a code of its own. Of the pairing code only the first four characters are ever sent.
//
// It computes only: no clock, no randomness of its own, no network, no keys at rest. It does not compare the manifest with
// the file: that is the terminal's work.
//
// Standards: GB/T 32918.2 (SM2 signatures, default identifier of GM/T 0009), GB/T 32905 (SM3), RFC 2104 (HMAC), RFC 5869
// (HKDF), RFC 9110 clause 11.4 (authentication scheme).
package manifest
