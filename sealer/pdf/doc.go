// Package pdf reads PDF files lazily and plans electronic seals as incremental updates (ISO 32000-1 and -2).
//
// Call [Open] first: it reads the header, the tail and the cross-reference of a file and nothing else. Pages,
// signature fields and objects are read when they are asked for, so a file of a gigabyte costs as little as a small
// one. [Document.PlanSeal] plans a seal: a signature field with its widget, its appearance, and a new cross-reference
// section of the same kind as the file's last one. The plan gives the bytes to hash ([Update.Before], [Update.After]),
// and [Update.Fill] the finished bytes to append. The original is never changed: the sealed file begins with it.
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
// What it does not do: decrypt, repair a damaged cross-reference, verify signatures, or load a document as a whole.
//
// A Document is not safe for concurrent use; open one per goroutine, they are cheap. Objects that it returns are shared
// with its caches: clone before changing.
package pdf
