// Package envelope reads and writes how the private key of an encryption certificate travels to its holder: the
// SM2EnvelopedKey of GB/T 35276 (GM/T 0009 clause 7.4), and the answer to a certificate request of GM/T 0092 that
// carries signing certificate, encryption certificate and enveloped key.
//
// The key centre calls [Seal] and [Answer.Marshal]. A holder calls [ParseAnswer] and [Answer.Open], or [Parse] and
// [Key.Open] for an envelope alone. [Encrypt] and [Decrypt] are SM2 encryption in the form of SM2Cipher.
//
// What it promises: what is written keeps to DER and to the standards; the reader also takes what other software is
// known to write (a private key padded to 64 octets as in GM/T 0016, or to 48 as in PKCS #7; coordinates with octets
// too many or too few; hash and ciphertext in the older order) and names each leniency in Notes, so that whoever wants
// the standard and nothing else asks for empty Notes. It never panics and is limited in size. A key that was opened
// belongs to the public key beside it, and in an answer to the encryption certificate. Whatever makes an envelope
// stay shut gives the same error, so that nobody learns from trying. Private keys are wiped as far as Go allows.
//
// What it does not: certificates are read, not verified; no database, no keystore. The mode of SM4 is ECB, as the
// standard demands: with a key that encrypts the 32 octets of one private key and nothing else, equal blocks do not
// occur, and the check against the public key replaces the missing authentication.
package envelope
