package imprint

// hue says how ink of a colour differs from grey.
type hue struct {
	// clear is the channel that the ink absorbs least and strong the one that it absorbs most: 0 red, 1 green, 2 blue.
	clear, strong int
	// cb and cr weigh the colour differences of BT.601 so that the ink stands out from paper.
	cb, cr float64
}

// Red is what the rules ask for; the others are the colours of special seals by local practice.
var hues = map[Colour]hue{
	Red:    {clear: 0, strong: 1, cb: 0, cr: 1},
	Blue:   {clear: 2, strong: 0, cb: 1, cr: 0},
	Purple: {clear: 2, strong: 1, cb: .6, cr: .6},
	Green:  {clear: 1, strong: 0, cb: -.5, cr: -.7},
}
