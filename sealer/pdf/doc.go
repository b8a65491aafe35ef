// Package pdf reads PDF files lazily and plans electronic seals as incremental updates (ISO 32000-1 and -2).
//
// Call [Open] first: it reads the header, the tail and the cross-reference of a file and nothing else. Pages,
// signature fields and objects are read when they are asked for, so a file of a gigabyte costs as little as a small
// one. [Document.PlanSeal] plans a seal: one signature with its field, new or existing, and any number of places that
// show it ([Placement], [Straddle]), and a new cross-reference section of the same kind as the file's last one. The plan
// says what it shows where ([Update.Marks], [Update.Notes]) and gives the bytes to hash ([Update.Before],
// [Update.After]), and [Update.Fill] the finished bytes to append. The original is never changed: the sealed file begins
// with it. A plan can wait: [Update.MarshalBinary] and [RestoreUpdate] carry it to the process that finishes it, which
// gives the same bytes. [Document.PlanTimeStamp] and [Document.AppendDSS] add, by the same means, what keeps signatures
// provable.
//
// A signature field has one widget (ISO 32000-2, 12.7.5.5). The further places of a seal are stamp annotations in the
// same update, locked against moving and editing, that draw the same picture.
//
// What a seal looks like is an [Appearance]: its picture in true size, as image or as outline, perhaps with lines of text
// below it. It is encoded once for all documents. [Document.PDFA] says what a document claims to be, [Appearance.For] gives the
// rendering that such a document can take, and [PDFA.Breaches] says before sealing what would end the claim.
//
// What it promises:
//   - every offset that leaves the package counts from the first byte of the file, also when the header does not stand
//     there; this holds for /ByteRange too, so bytes before the header are signed like all others;
//   - input is hostile: depth, counts and sizes are limited ([Limits]), nothing recurses without bound, no count that
//     a file claims is believed before the bytes are there;
//   - objects that must be rewritten are copied byte for byte with only the changed entry replaced.
//
// A document that arrives is opened with [OpenRecovering]: a cross-reference that is wrong, but leaves no doubt about any
// object, is built anew, for sealing only. For verifiers [Compare] says what later revisions did to a signed one: which
// changes are permitted, and which objects and pages the others touch.
//
// What it does not do: decrypt, check a signature value or a digest, render pages, or load a document as a whole. [Open]
// repairs nothing.
//
// A Document is not safe for concurrent use; open one per goroutine, they are cheap. Objects that it returns are shared
// with its caches: clone before changing.
package pdf
