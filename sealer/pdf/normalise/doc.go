// Package normalise writes a PDF anew with pdfcpu, for documents that cannot be sealed as they are.
//
// The result is another file than the one that came in: every object is written again, revisions are merged, the
// cross-reference is new. Nothing in it is signed, and whoever passes it on must say that it is not the original. That
// is why no other part of the house calls it on its own: it is a step that a person asks for.
//
// Call [Start] with the file: it works in a process of its own, with limits on memory and time, since pdfcpu reads
// everything that a file holds into memory. The program must hand the argument [WorkerName] over to [Work].
//
// What it does not do: decrypt, or keep signatures. Files with either are refused.
package normalise
