package pdf

// predictor undoes what a producer did to rows of samples before compressing them (ISO 32000-1, 7.4.4.4).
type predictor struct {
	kind   int64 // 1 none, 2 TIFF, 10 and above PNG
	pixel  int   // bytes from a sample to its left neighbour, at least 1
	row    int   // bytes of a row
	sample int64 // bits of a sample
}

func (d *Document) predictor(parameters Dict) (predictor, error) {
	p := predictor{kind: 1}
	if len(parameters) == 0 {
		return p, nil
	}
	var err error
	if p.kind, err = d.integerOr(parameters.Get("Predictor"), 1); err != nil || p.kind <= 1 {
		p.kind = 1
		return p, err
	}
	colors, err := d.integerOr(parameters.Get("Colors"), 1)
	if err != nil {
		return p, err
	}
	if p.sample, err = d.integerOr(parameters.Get("BitsPerComponent"), 8); err != nil {
		return p, err
	}
	columns, err := d.integerOr(parameters.Get("Columns"), 1)
	if err != nil {
		return p, err
	}
	if colors < 1 || colors > 64 || p.sample < 1 || p.sample > 16 || columns < 1 || columns > 1<<24 {
		return p, errDamagedStream.Saying("predictor 的参数", "predictor parameters")
	}
	if p.kind == 2 && p.sample != 8 || p.kind > 2 && p.kind < 10 {
		return p, errUnsupportedFilter.With("predictor %d with %d bits", p.kind, p.sample)
	}
	p.pixel = int(max(1, colors*p.sample/8))
	p.row = int((colors*p.sample*columns + 7) / 8)
	return p, nil
}

// encodedLimit is how many encoded bytes give limit decoded ones.
func (p predictor) encodedLimit(limit int64) int64 {
	if p.kind < 10 {
		return limit
	}
	return limit + limit/int64(p.row) + 1
}

// undo decodes in place; a last row that breaks off is decoded as far as it goes.
func (p predictor) undo(data []byte) ([]byte, error) {
	switch {
	case p.kind == 1:
		return data, nil
	case p.kind == 2:
		for start := 0; start < len(data); start += p.row {
			row := data[start:min(start+p.row, len(data))]
			for i := p.pixel; i < len(row); i++ {
				row[i] += row[i-p.pixel]
			}
		}
		return data, nil
	}
	var above []byte
	out := data[:0]
	for in := data; len(in) > 1; {
		n := min(p.row, len(in)-1)
		kind := in[0]
		start := len(out)
		// The row moves towards the front of its own buffer, so reading stays ahead of writing.
		out = append(out, in[1:1+n]...)
		in = in[1+n:]
		row := out[start:]
		if err := p.undoRow(kind, row, above); err != nil {
			return nil, err
		}
		above = row
	}
	return out, nil
}

// undoRow undoes one row filter of PNG (ISO/IEC 15948, clause 9).
func (p predictor) undoRow(kind byte, row, above []byte) error {
	up := func(i int) byte {
		if i >= 0 && i < len(above) {
			return above[i]
		}
		return 0
	}
	switch kind {
	case 0:
	case 1:
		for i := p.pixel; i < len(row); i++ {
			row[i] += row[i-p.pixel]
		}
	case 2:
		for i := range row {
			row[i] += up(i)
		}
	case 3:
		for i := range row {
			left := 0
			if i >= p.pixel {
				left = int(row[i-p.pixel])
			}
			row[i] += byte((left + int(up(i))) / 2)
		}
	case 4:
		for i := range row {
			var left, corner byte
			if i >= p.pixel {
				left, corner = row[i-p.pixel], up(i-p.pixel)
			}
			row[i] += paeth(left, up(i), corner)
		}
	default:
		return errDamagedStream.Sayingf("行过滤器 %d", "row filter %d", kind)
	}
	return nil
}

func paeth(left, up, corner byte) byte {
	estimate := int(left) + int(up) - int(corner)
	byLeft, byUp, byCorner := distance(estimate, left), distance(estimate, up), distance(estimate, corner)
	switch {
	case byLeft <= byUp && byLeft <= byCorner:
		return left
	case byUp <= byCorner:
		return up
	}
	return corner
}

func distance(a int, b byte) int {
	if d := a - int(b); d >= 0 {
		return d
	}
	return int(b) - a
}
