// Package ledger is the record that the service cannot change unseen: an append-only log of events in a Merkle tree
// whose head is signed.
//
// Append an event in the business transaction, so that either both happened or neither; run Run in the background;
// hand out Inclusion and Checkpoint; let the auditor call Verify.
//
// # How it works
//
// Append writes the event and nothing else. The sequencer (Sequence, Run), of which one at a time holds the lease,
// gives pending events their positions 0, 1, 2 … in batches, stores the tree's nodes in the same transaction and then
// signs a checkpoint. A second sequencer that believes it holds the lease, whatever its clock says, cannot give a
// position twice: position is unique in the database and the lease is checked in the transaction that assigns.
// Before it signs, the sequencer checks that the tree still continues the last checkpoint it finds signed.
//
// With the positions it fills what Search goes by: indexes of kind and actor, the mentions of seals and digests, and the
// times of every 1024 entries. They come after the entries and never instead of them: a search compares with the entry,
// Verify names entries that they lack, and a ledger from before there were any is searched without until Run has them
// made. A million entries are searched in milliseconds (YINXIN_LEDGER_ENTRIES=1000000 go test -run Large).
//
// # What it promises
//
//   - An event whose transaction was rolled back never was; one whose transaction was committed is in the tree within
//     a second while Run runs in any process.
//   - Verify names every entry that was changed, removed or moved, every node that does not fit, every forged
//     checkpoint, up to a limit.
//   - What nobody can see from the inside is the removal of the end of the log together with all its checkpoints.
//     Keep exported checkpoints elsewhere and give them to Verify.
//
// Events hold no secrets and no personal data: they can never be removed.
//
// # Formats, for those who check with their own tool
//
// Leaf: the bytes of ledger_event.entry, a JSON object {"id","time","kind","actor","subject","data"} exactly as stored;
// the columns beside it repeat it for queries. Leaf hash SM3(0x00 ‖ entry), node hash SM3(0x01 ‖ left ‖ right), tree
// shape of RFC 6962 section 2.1. The root of no entries is SM3 of nothing.
//
// Checkpoint: a signed note like C2SP tlog-checkpoint, five lines of text and an empty one, each ended by "\n":
//
//	yinxin-ledger/<16 hex digits>          origin: first 8 bytes of SM3(SubjectPublicKeyInfo)
//	<size>                                 number of entries, decimal
//	<root>                                 base64 of the 32-byte root
//	time <2006-01-02T15:04:05.000000Z>     extension line: when it was signed, UTC
//	                                       (empty line)
//	— <origin> <signature>                 U+2014, space, origin, space, base64
//
// The signature covers the first four lines with their line ends. Its bytes are a 4-byte key ID and the DER SEQUENCE
// {r, s} of SM2 with SM3 (GB/T 32918.2, default ID 1234567812345678). The key ID is the first 4 bytes of SM3(origin ‖
// 0x0A ‖ 0xFF ‖ "sm2-sm3" ‖ SubjectPublicKeyInfo): 0xFF is the type of signature that the note format leaves to its
// users.
package ledger
