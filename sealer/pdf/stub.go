package pdf

import (
	"context"
	"io"
	"time"
)

type Document struct{}
type Kind int

const (
	Table Kind = iota
	StreamXref
	Hybrid
)

type Section struct {
	Start   int64
	Kind    Kind
	Trailer Dict
	End     int64
}
type XrefEntry struct {
	Num, Gen int
	State    EntryState
	Offset   int64
	Stream   int
	Index    int
}
type EntryState int

const (
	Free EntryState = iota
	InFile
	Compressed
)

func (s Section) Objects(ctx context.Context, fn func(XrefEntry) error) error { panic("todo") }

func Open(ctx context.Context, r io.ReaderAt, size int64) (*Document, error) { panic("todo") }
func (l Limits) Open(ctx context.Context, r io.ReaderAt, size int64) (*Document, error) {
	panic("todo")
}
func (d *Document) Size() int64                                                    { panic("todo") }
func (d *Document) Version() string                                                { panic("todo") }
func (d *Document) Trailer() Dict                                                  { panic("todo") }
func (d *Document) Catalog() (Dict, Ref, error)                                    { panic("todo") }
func (d *Document) Encrypted() bool                                                { panic("todo") }
func (d *Document) HeaderOffset() int64                                            { panic("todo") }
func (d *Document) Resolve(o Object) (Object, error)                               { panic("todo") }
func (d *Document) Object(ref Ref) (Object, error)                                 { panic("todo") }
func (d *Document) Entry(num int) (XrefEntry, bool, error)                         { panic("todo") }
func (d *Document) StreamData(s *Stream, max int64) ([]byte, error)                { panic("todo") }
func (d *Document) RawStream(s *Stream) io.Reader                                  { panic("todo") }
func (d *Document) Sections() []Section                                            { panic("todo") }
func (d *Document) Prefix(ctx context.Context, end int64) (*Document, error)       { panic("todo") }
func (d *Document) PageCount() (int, error)                                        { panic("todo") }
func (d *Document) Page(n int) (Page, error)                                       { panic("todo") }
func (d *Document) PlanSeal(ctx context.Context, r SealRequest) (*Update, error)   { panic("todo") }
func (d *Document) SignatureFields(ctx context.Context) ([]SignatureField, error)  { panic("todo") }
func (d *Document) OrphanSignatures(ctx context.Context) ([]SignatureField, error) { panic("todo") }
func (s SignatureField) ByteRange() ([4]int64, error)                              { panic("todo") }
func (s SignatureField) Contents() (String, error)                                 { panic("todo") }
func NewAppearance(png []byte, widthMM, heightMM float64) (*Appearance, error)     { panic("todo") }
func PropertyLength() int                                                          { panic("todo") }
func (u *Update) ByteRange() [4]int64                                              { panic("todo") }
func (u *Update) Property() string                                                 { panic("todo") }
func (u *Update) Field() string                                                    { panic("todo") }
func (u *Update) Before() []byte                                                   { panic("todo") }
func (u *Update) After() []byte                                                    { panic("todo") }
func (u *Update) Fill(contents []byte) ([]byte, error)                             { panic("todo") }
func (s String) Text() string                                                      { panic("todo") }

type Page struct {
	Number            int
	Ref               Ref
	Dict              Dict
	MediaBox, CropBox Rect
	Rotate            int
	UserUnit          float64
}
type Corner int

const (
	BottomLeft Corner = iota
	BottomRight
	TopLeft
	TopRight
)

type Placement struct {
	Page int
	From Corner
	X, Y float64
}
type Appearance struct{}
type SealRequest struct {
	Filter, SubFilter                 Name
	ContentsSize                      int
	Time                              time.Time
	Signer, Reason, Location, Contact string
	Placement                         Placement
	Appearance                        *Appearance
}
type Update struct{}
type SignatureField struct {
	Name               string
	Field              Ref
	Widgets            []Ref
	Value              Ref
	Dict               Dict
	DictStart, DictEnd int64
	Problems           []string
}
