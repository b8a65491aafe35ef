// Package batch seals many documents in the same way: up to 10,000 for one order (批量盖章).
//
// Create records a batch and its files and asks for its work in the same transaction, one job per hundred files; Work and
// Sweep are what the service does in the background. Find, List and Items tell how far a batch has come, file by file; Retry
// takes up what failed, Cancel ends what was not begun.
//
// Promises: each file is for itself, so that one that cannot be sealed holds up no other; none is sealed twice, whatever
// process dies when, since every file has an idempotency key of its own with the sealer; a batch goes on after a restart. Who
// may use the seal is asked for every file at the moment when it is sealed, as if its caller had asked for it alone.
//
// A failure that may pass (a paused HSM, a busy database) is tried again by itself for about five minutes, and after that
// only when somebody asks.
package batch
