// Package view shows PDF pages as pictures and finds text on them, for previews and for placing a seal by keyword.
//
// Call [New] with the command line of a worker, then [Viewer.Render], [Viewer.Find] and [Viewer.Pages]; [Viewer.Close]
// ends the workers and waits for them. Pages are interpreted by PDFium, compiled to WebAssembly (go-pdfium on wazero).
//
// What comes from a file is hostile, and an interpreter of pages is large. So it never runs in the process of the
// service: a worker is a process of its own, the same binary started with a hidden command that calls [Work]. It has
//
//   - no files and no network: the WebAssembly module gets no mount, no environment, no arguments and no clock beyond
//     its imports; the process gives up the right to open files or sockets before it sees the first document;
//   - the bytes of one document at a time, read on demand over a pipe: the file is neither opened nor copied, so a file
//     of a gigabyte costs what is read of it;
//   - limited memory, limited processor time, and a parent that kills it when a request takes too long;
//   - a fresh instance of the module for every document, so that nothing of one document is left for the next, and a
//     limited life as a process.
//
// A worker that dies fails its own request only; the next request gets another worker.
//
// Coordinates. Rectangles are [pdf.Rect] in user space of the page: the coordinates that its content and its boxes are
// written in, before /Rotate, before /UserUnit (so the unit is 1/72 inch times UserUnit), with the origin where the
// page has it, which need not be a corner. Sizes of pages are as displayed; see [PageSize].
//
// What it does not do: decrypt with a password, run scripts, follow links or actions, draw XFA forms, change a file.
package view
