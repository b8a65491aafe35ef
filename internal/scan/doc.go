// Package scan reads what scanners and phones make: it tells what a file really is, how many pages it has, what it says of their
// scale and their way up, and gives the picture of a page. The files that come with an application and the scans that become
// templates of seals go through it alike.
//
// Call [Open] with the name and the bytes of a file, then [File.Picture] for a page:
//
//	file, err := scan.Open("申请表.pdf", data, scan.DefaultLimits)
//	picture, err := file.Picture(0)
//
// What a file is, its content says: PDF, JPEG, PNG or TIFF. A name that says something else is refused, since whoever
// opens the file later goes by its name. The page of a PDF is the picture that the scanner put on it; pages that were
// drawn instead of scanned have none.
//
// What it promises: files are hostile. Sizes are read from headers and held against the limits before anything is
// decoded; what is decoded stops at the size that the header says; no count, depth or reference is followed without end.
// Nothing from inside a file comes into an error.
//
// What it does not do: it keeps nothing, does not look for viruses, and does not judge what a picture shows. JBIG2 and JPEG
// 2000 inside PDF files are not decoded; such a page has no picture.
package scan
