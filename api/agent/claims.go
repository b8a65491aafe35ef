package agent

import (
	"time"

	"yinxin/sealer"
)

// claims are what a verified manifest says about one sealing. Digests are in lower-case hex.
type claims struct {
	title        string // of the document
	size         int64  // of the original, bytes
	sm3          string // of the original
	preparedSize int64
	preparedSM3  string
	profile      sealer.Profile
	toSign       []byte
	dataHash     string
	byteRange    string // as it stands in the file: "[0 … … …]"
	field        string
	sealCode     string
	sealName     string
	sealSM3      string
	certificate  string // SM3
	marks        []mark
	issued       time.Time
	expires      time.Time
}

// mark is a place where the seal stands, in mm from the bottom left of the page as displayed.
type mark struct {
	Page                int
	X, Y, Width, Height float64
}
