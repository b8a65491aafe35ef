package pdf

// Limits bound what a hostile file can make a reader do. Zero fields take the value of DefaultLimits.
type Limits struct {
	// HeaderBytes is how far into the file "%PDF-" may stand.
	HeaderBytes int
	// TailBytes is how far from the end the last startxref may stand.
	TailBytes int
	// Depth is how deep arrays and dictionaries may nest inside one object.
	Depth int
	// ObjectBytes is the longest source of one object, stream data not counted.
	ObjectBytes int
	// Elements is the highest number of values in one object, nested ones counted.
	Elements int
	// Objects is the highest object number.
	Objects int
	// Sections is the highest number of cross-reference sections.
	Sections int
	// XrefBytes bounds the memory of all cross-reference sections together, in bytes.
	XrefBytes int64
	// ObjectStreamBytes is the largest decoded object stream; at most one of them is kept besides some smaller ones.
	ObjectStreamBytes int64
	// ScanBytes bounds how many bytes are searched for endstream where /Length is wrong, over the life of a document.
	ScanBytes int64
	// WorkBytes bounds, together with eight times the size of the file, how much is parsed and decoded over the life of
	// a document.
	WorkBytes int64
	// PageNodes is how many nodes of the page tree one look-up may visit.
	PageNodes int
	// Fields is how many form fields may be visited.
	Fields int
}

// DefaultLimits suit any honest file: they are above what Acrobat itself writes.
var DefaultLimits = Limits{
	HeaderBytes:       1024,
	TailBytes:         32 << 10,
	Depth:             100,
	ObjectBytes:       16 << 20,
	Elements:          1_000_000,
	Objects:           8_388_607,
	Sections:          10_000,
	XrefBytes:         64 << 20,
	ObjectStreamBytes: 32 << 20,
	ScanBytes:         256 << 20,
	WorkBytes:         512 << 20,
	PageNodes:         2_000_000,
	Fields:            200_000,
}
