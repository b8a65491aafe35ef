// Package keystore keeps private SM2 keys: named, each for one purpose, sealed at rest, and usable only through the
// capability that was handed out for its purpose. It also keeps safes: secrets under which other rooms seal personal
// data, usable only as Seal and Open.
//
// Call Create once for a new folder and Open afterwards. Hand each room a Ring with the purposes that are its
// business: a Ring neither finds nor lists a key of another purpose, so the room that seals documents cannot sign a
// certificate. A Key signs digests (SignDigest); Digest computes what SM2 signs from a message, and Signer wraps a
// key as the crypto.Signer that smx509 wants.
//
// A private key is in a file of the keystore or on a token (package hsm); whoever signs sees no difference. Attach brings a
// token in, AttachLater one that is activated when it is needed, MakeOn says which keys are made there from then on, and Ring.Adopt takes one over that is there already. A key does
// not move: what signs with it, such as a seal, is renewed with another key.
//
// Where one person alone must not open a keystore, Split puts it under shares: any m of n open it again
// (OpenWithShares), fewer learn nothing. The package functions Split and ShareSet.Combine do the same for a secret that
// protects something else.
//
// # Files
//
// A keystore is a folder of mode 0700:
//
//	master.json      salt, iterations, and the data key sealed with SM4-GCM under PBKDF2-SM3(passphrase);
//	                 under shares also threshold, count and commitments of the split
//	keys/NAME.json   name, purpose, state, public key, and the private key sealed with SM4-GCM under the data key;
//	                 of a key on a token, the token's name and the key's identifier (CKA_ID) there, and a seal over nothing
//	safes/NAME.json  name, purpose, versions, and their secrets sealed with SM4-GCM under the data key
//
// Name, purpose, state, public key and place are bound as additional data, so swapping two files, relabelling a key or
// lifting its suspension with an editor is found. Every file must be byte for byte what this package writes; anything
// else is reported as damaged. Files have mode 0600 and are replaced by writing a new file, syncing it, renaming it
// and syncing the folder: after a crash there is the old file or the new one, never a mixture.
//
// # Promises
//
// A private key never leaves this package. A wrong passphrase and a damaged file are told apart. The state on disk
// rules: a key suspended by one process stops signing in the others at their next signature. What is not promised:
// protection against someone who can read the memory of the process, against restoring an older copy of a whole
// file, or an order between two processes that change the state of the same key at the same moment.
//
// Standards: GB/T 32918 (SM2), GB/T 32905 (SM3), GB/T 32907 (SM4), RFC 8018 (PBKDF2), NIST SP 800-38D (GCM), RFC 5869
// (HKDF), RFC 9496 (ristretto255, for shares).
package keystore
