package wayup

import (
	_ "embed"
	"encoding/binary"
	"math"
)

// Side is the number of cells along each side of a character.
const Side = 12

// hidden is the number of patterns that are looked for.
const hidden = 16

// Cells is the darkness of a character's cells by rows from the upper left corner, 0 to 1. The cells are those of its bounds, both
// sides of which are stretched to Side.
type Cells [Side * Side]float32

// network gives how upright cells look: out · max(0, in × cells + bias).
type network struct {
	in   [hidden][Side * Side]float32
	bias [hidden]float32
	out  [hidden]float32
}

// size is the number of weights of a network.
const size = hidden * (Side*Side + 2)

//go:embed weights.bin
var weightsFile []byte

var fitted = decode(weightsFile)

func (n *network) each(do func(w *float32)) {
	for h := range hidden {
		for i := range n.in[h] {
			do(&n.in[h][i])
		}
		do(&n.bias[h])
		do(&n.out[h])
	}
}

// decode reads weights as they are kept: 16 bits each, in 2048ths.
func decode(data []byte) *network {
	n := &network{}
	if len(data) != 2*size {
		return n
	}
	n.each(func(w *float32) {
		*w = float32(int16(binary.LittleEndian.Uint16(data))) / 2048
		data = data[2:]
	})
	return n
}

// encode is the reverse of decode.
func (n *network) encode() []byte {
	var data []byte
	n.each(func(w *float32) {
		v := math.Round(float64(*w) * 2048)
		data = binary.LittleEndian.AppendUint16(data, uint16(int16(max(-32768, min(32767, v)))))
	})
	return data
}

// normalized takes out how dark and how strong the print is.
func (c *Cells) normalized() Cells {
	mean := float32(0)
	for _, v := range c {
		mean += v
	}
	mean /= float32(len(c))
	norm := float32(0)
	for _, v := range c {
		norm += (v - mean) * (v - mean)
	}
	n := Cells{}
	if norm < 1e-6 {
		return n
	}
	scale := float32(Side) / float32(math.Sqrt(float64(norm))) // a mean square of 1
	for i, v := range c {
		n[i] = (v - mean) * scale
	}
	return n
}

// turned is the cells turned a quarter clockwise.
func (c *Cells) turned() Cells {
	var t Cells
	for y := range Side {
		for x := range Side {
			t[x*Side+Side-1-y] = c[y*Side+x]
		}
	}
	return t
}

func (n *network) score(c *Cells) float32 {
	total := float32(0)
	for h := range hidden {
		v := n.bias[h]
		for i, w := range n.in[h] {
			v += w * c[i]
		}
		if v > 0 {
			total += n.out[h] * v
		}
	}
	return total
}

// Turns is the logarithm of the probability of each turn: by 0, 90, 180 and 270 degrees clockwise the character, as it is seen, has
// to be turned to stand upright.
func (c *Cells) Turns() [4]float64 {
	return fitted.turns(c)
}

func (n *network) turns(c *Cells) [4]float64 {
	var scores [4]float64
	t := c.normalized()
	top := math.Inf(-1)
	for i := range scores {
		scores[i] = float64(n.score(&t))
		top = math.Max(top, scores[i])
		t = t.turned()
	}
	sum := 0.0
	for _, s := range scores {
		sum += math.Exp(s - top)
	}
	for i := range scores {
		scores[i] -= top + math.Log(sum)
	}
	return scores
}

// Shrink gives the cells of a character of w × h pixels, whose darkness is asked for, 0 to 1.
func Shrink(w, h int, dark func(x, y int) float32) Cells {
	var c Cells
	// Every pixel is shared out among the cells that it lies in.
	acrossX, acrossY := shares(w), shares(h)
	for y, rows := range acrossY {
		for x, columns := range acrossX {
			d := dark(x, y)
			if d == 0 {
				continue
			}
			for _, r := range rows {
				for _, k := range columns {
					c[r.cell*Side+k.cell] += d * r.share * k.share
				}
			}
		}
	}
	return c
}

type share struct {
	cell  int
	share float32 // of the cell that the pixel covers
}

func shares(n int) [][]share {
	all := make([][]share, n)
	for i := range all {
		from, to := float64(i)*Side/float64(n), float64(i+1)*Side/float64(n)
		for c := int(from); float64(c) < to && c < Side; c++ {
			if part := math.Min(to, float64(c+1)) - math.Max(from, float64(c)); part > 0 {
				all[i] = append(all[i], share{c, float32(part)})
			}
		}
	}
	return all
}
