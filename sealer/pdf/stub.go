package pdf

import (
	"context"
	"time"
)

func (d *Document) PlanSeal(ctx context.Context, r SealRequest) (*Update, error)   { panic("todo") }
func (d *Document) OrphanSignatures(ctx context.Context) ([]SignatureField, error) { panic("todo") }
func NewAppearance(png []byte, widthMM, heightMM float64) (*Appearance, error)     { panic("todo") }
func PropertyLength() int                                                          { panic("todo") }
func (u *Update) ByteRange() [4]int64                                              { panic("todo") }
func (u *Update) Property() string                                                 { panic("todo") }
func (u *Update) Field() string                                                    { panic("todo") }
func (u *Update) Before() []byte                                                   { panic("todo") }
func (u *Update) After() []byte                                                    { panic("todo") }
func (u *Update) Fill(contents []byte) ([]byte, error)                             { panic("todo") }

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
