// Package intake looks through a PDF before it is sealed for what a seal should not be put on unseen: content that is
// there and not shown, content that something later could reveal or exchange (the preparations of the shadow attacks
// on PDF signatures), scripts and actions, forms, attachments, earlier signatures that do not hold.
//
// Call Scan with the bytes of the file; it gives a Report with findings, each with a stable code, a severity, the page
// and the object, the place on the page as displayed, and a sentence in Chinese and English. Decide puts a Policy on
// them: which codes refuse a file and which only warn. DefaultPolicy is a sane one; ParsePolicy reads another from
// JSON.
//
// What it promises: the file is hostile. Objects, operators, decoded bytes and findings are bounded (Limits), and a
// file that is not read to its end has the finding scan.incomplete. Nothing outside the file is accessed. The scan is
// deterministic: the same file gives the same report, except that a context which ends early cuts it short.
//
// What it does not do: render. Content is interpreted lightly: positions of text from fixed average widths, images,
// forms and filled rectangles as boxes, clipping by boxes. Shapes that are no rectangles hide nothing for it, and what
// the appearance of an annotation shows is not interpreted, only where it stands. It does not verify earlier signatures;
// whoever can hands that over (Options.Signatures).
package intake
