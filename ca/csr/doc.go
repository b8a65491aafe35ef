// Package csr reads and writes certification requests (PKCS #10, RFC 2986) for SM2 keys, as GM/T 0015 and GM/T 0092 use
// them: the bytes by which the holder of a key, on a USB Key or in a keystore, asks for a certificate and proves to
// hold it.
//
// Call [Parse] for bytes that came from outside: DER, PEM, or the bare base64 that the libraries of USB Keys hand out.
// It refuses, with a code of its own each, what must not become a certificate: a signature that does not match, a key
// that is not SM2, a point beside the curve or at infinity, a key that everybody knows, a key of the authority itself,
// bytes over the limit or after the end. What is merely sloppy is accepted and noted. Call [Create] to write one.
//
// What it promises: the bytes that were signed are the bytes that are checked; a [Request] that Parse gives holds a
// point of the SM2 curve whose private key signed exactly these bytes with the default ID of GM/T 0009 clause 10 (or
// with one that the caller allowed, and then it is noted). Names and extensions in it are wishes: nothing here believes
// them.
//
// It knows no database, no keys and no clock.
package csr
