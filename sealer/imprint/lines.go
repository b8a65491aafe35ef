package imprint

// withoutLines takes rules out of a mask: what is longer than any seal, level or upright to some degrees, and thin. A
// letterhead's red line ties everything together that it runs through. Lengths are cells.
func withoutLines(mask []bool, w, h, thickest, shortest int) []bool {
	result := make([]bool, len(mask))
	copy(result, mask)
	if w > shortest {
		eraseLines(mask, result, w, h, w, 1, thickest, shortest)
	}
	if h > shortest {
		eraseLines(mask, result, h, w, 1, w, thickest, shortest)
	}
	return result
}

// eraseLines clears the lines that run along n steps of stride along, in across rows that are stride apart.
func eraseLines(mask, result []bool, n, rows, stride, along, thickest, shortest int) {
	// A line that leans leaves a row after a while: its neighbours on both sides are looked at as well.
	wide := make([]bool, len(mask))
	reach := max(1, thickest/2)
	for i := range n {
		spread(func(r int) bool { return mask[r*stride+i*along] }, func(r int) { wide[r*stride+i*along] = true }, rows, reach)
	}
	for r := range rows {
		run := 0
		for i := 0; i <= n; i++ {
			if i < n && wide[r*stride+i*along] {
				run++
				continue
			}
			if run >= shortest {
				for k := i - run; k < i; k++ {
					eraseThin(mask, result, r, rows, stride, k*along, thickest, reach)
				}
			}
			run = 0
		}
	}
}

// eraseThin clears the cells of a column near a row where the column is set over no more than the thickest line.
func eraseThin(mask, result []bool, row, rows, stride, at, thickest, reach int) {
	for r := max(0, row-reach); r <= min(rows-1, row+reach); r++ {
		if !mask[r*stride+at] {
			continue
		}
		from, to := r, r
		for from > 0 && mask[(from-1)*stride+at] && r-from <= thickest {
			from--
		}
		for to+1 < rows && mask[(to+1)*stride+at] && to-r <= thickest {
			to++
		}
		if to-from+1 <= thickest {
			for c := from; c <= to; c++ {
				result[c*stride+at] = false
			}
		}
	}
}
