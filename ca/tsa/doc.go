// Package tsa reads, checks and writes time stamps: the Time-Stamp Protocol (RFC 3161, with RFC 5816), also with SM2 and
// SM3 as GM/T 0033 uses it.
//
// To check a token, call [Parse], compute the digest that [Token.Hash] names of what was stamped, and call [Token.Verify].
// To get one, call Stamp of a [Source]: an [Authority] in this process, or a [Client] for one elsewhere, which needs a
// function that carries octets to it. Whoever serves an Authority hands requests to [Authority.Answer].
//
// What it promises: the reader never panics and is limited in size; nothing of a token counts before Verify has said
// so. The Authority stamps with SM2 and SM3, accepts imprints by SM3 and SHA-2 (256, 384, 512), and says in the
// protocol's own words why it refuses, also when its clock cannot be relied on. What it does not: no network, no
// database, no clock of its own, no private keys.
package tsa
