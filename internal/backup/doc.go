// Package backup copies an installation into one folder or tar file while it works, and takes such a copy apart again.
//
// Write makes one. Open reads its manifest and judges the signature; then Extract gives the files, each compared with the
// manifest, and Load puts the database into an empty one, of SQLite or PostgreSQL whichever made the copy.
//
// # What is in it, in this order
//
//	database/TABLE.jsonl   one state of the database: first the columns, then a row per line
//	<folders>              what the caller names: keystores as they are sealed, configuration
//	files/xx/NAME          the blobs
//	manifest.json          what this is, and size and SM3 of every file before it
//	manifest.sig           SM2 signature (DER, default ID) of the ledger's key over manifest.json
//
// A row is a JSON array: null, a number, a string, {"b": base64} for bytes, {"t": base64} for text that is not UTF-8.
//
// # Why it is consistent
//
// The database comes first, in one state. Whatever it names exists by then and is never changed: an object is durable
// before a row names it, a key before its certificate is requested. So all of it is found afterwards; what came later is
// there in addition and does no harm. Only what was removed in between is missing: the manifest counts it.
//
// A copy appears whole or not at all. It holds no passphrase; the keystores in it are worth as much as theirs.
package backup
