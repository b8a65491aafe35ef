package outline

// contours finds the closed lines along which the opacity is one half, by marching squares: the squares have their
// corners in the middles of four pixels, and a line crosses the side of a square where the opacity, taken as linear
// between the two corners, is one half. Around the picture there is nothing, so every line closes. Specks of less than
// a quarter of a pixel are left out.
func (k ink) contours(limit int) ([][]Point, error) {
	m := marcher{ink: k, limit: limit, above: make([]int32, k.width+2)}
	for y := -1; y < k.height; y++ {
		if !m.row(y) {
			return nil, errTooComplex.Sayingf("交叉超过 %d 处", "more than %d crossings", maxCrossings)
		}
	}
	return m.link(), nil
}

const speck = 0.25 // square pixels

// marcher goes through the rows of squares. Each crossing is a point with a number, and next says which point follows.
type marcher struct {
	ink
	limit  int
	points []Point
	next   []int32
	above  []int32 // numbers of the crossings on the horizontal sides above the row, by column from -1; 0 for none
}

// at is the opacity of a pixel, with nothing outside.
func (m *marcher) at(x, y int) float64 {
	if x < 0 || y < 0 || x >= m.width || y >= m.height {
		return 0
	}
	return float64(m.alpha[y*m.width+x])
}

// crossing numbers the point where the side between two pixels is crossed; numbers begin at 1.
func (m *marcher) crossing(x, y int, value, other float64, across bool) int32 {
	share := (half - value) / (other - value)
	p := Point{float64(x) + .5, float64(y) + .5}
	if across {
		p.X += share
	} else {
		p.Y += share
	}
	m.points = append(m.points, p)
	m.next = append(m.next, 0)
	return int32(len(m.points))
}

// row goes through the squares between the pixel rows y and y+1; false when there are too many crossings.
func (m *marcher) row(y int) bool {
	var left int32 // the crossing on the left side of the square
	for x := -1; x < m.width; x++ {
		// Corners clockwise from the upper left.
		a, b, c, d := m.at(x, y), m.at(x+1, y), m.at(x+1, y+1), m.at(x, y+1)
		top := m.above[x+1]
		var right, bottom int32
		if b > half != (c > half) {
			right = m.crossing(x+1, y, b, c, false)
		}
		if d > half != (c > half) {
			bottom = m.crossing(x, y+1, d, c, true)
		}
		if len(m.points) > m.limit {
			return false
		}
		m.above[x+1] = bottom
		m.join(a, b, c, d, [4]int32{top, right, bottom, left})
		left = right
	}
	return true
}

// join connects the crossings on the sides of a square, so that ink lies on the right of the line as it is seen with
// y downwards: a line comes in where, going round clockwise, ink ends, and goes out where it begins.
func (m *marcher) join(a, b, c, d float64, sides [4]int32) {
	corners := [5]bool{a > half, b > half, c > half, d > half, a > half}
	var in, out [2]int32
	ins, outs := 0, 0
	for i, s := range sides {
		switch {
		case corners[i] && !corners[i+1]:
			in[ins] = s
			ins++
		case !corners[i] && corners[i+1]:
			out[outs] = s
			outs++
		}
	}
	switch ins {
	case 1:
		m.next[in[0]-1] = out[0]
	case 2:
		// Two corners across from each other have ink. Whether it hangs together decides the value at the saddle.
		// Sides alternate, so each end has a begin on either side: the line around an inkless corner goes from an end
		// to the begin that follows it clockwise, the line around an inky one to the begin before it.
		together := (a*c-b*d)/(a+c-b-d) > half
		if together != corners[0] {
			out[0], out[1] = out[1], out[0]
		}
		m.next[in[0]-1], m.next[in[1]-1] = out[0], out[1]
	}
}

// link follows the points round. Each contour begins at its first point in reading order.
func (m *marcher) link() [][]Point {
	var contours [][]Point
	for i := range m.next {
		if m.next[i] == 0 {
			continue
		}
		var c []Point
		for at := int32(i); m.next[at] != 0; {
			c = append(c, m.points[at])
			at, m.next[at] = m.next[at]-1, 0
		}
		if area := signedArea(c); area > speck || area < -speck {
			contours = append(contours, c)
		}
	}
	return contours
}

func signedArea(c []Point) float64 {
	sum := 0.0
	for i, p := range c {
		sum += p.cross(c[(i+1)%len(c)])
	}
	return sum / 2
}
