// Package ceremony is the plan of a key ceremony and the transcript of how it went: what a certificate authority is to
// be, written down in one file that people review, and what it became.
//
// Parse reads a plan; every error names the line. Check a plan's Digest, which is the SM3 of the file's bytes, so that
// any other tool gives the same; officers confirm it before anything is made. Describe says in words what the plan would
// make. A Transcript is filled while the ceremony is held, and written as JSON, whose SM3 goes into the ledger, and as
// Markdown for people.
//
// The package makes no keys and no certificates: ca.Establish does.
package ceremony
