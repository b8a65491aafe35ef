package registration

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"

	"golang.org/x/image/draw"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

// What a person looks at on a screen: pages of a scan are shown so large at most, and so many at once.
const (
	lookSide    = 2000 // pixels
	LookPages   = 10
	lookQuality = 82
)

// Sight is a page of a scan as a screen shows it.
type Sight struct {
	JPEG          []byte
	Width, Height int // pixels
	// Turn is by how many degrees clockwise the page is to be turned, where the file says so.
	Turn int
	// Problem says why there is no picture: a page that was drawn instead of scanned, say.
	Problem error
}

// Look shows LookPages pages of a scan as pictures, from one on, counted from 1, and how many the scan has; behind the last one
// there is nothing. Each look is recorded, see enroll.Service.OpenAttachmentAt, whose errors it has beside registration.busy and
// those of scan.Open.
func (d *Desk) Look(ctx context.Context, by access.Actor, application, attachment, reason string, from int) (pages []Sight, all int, err error) {
	from = max(from, 1)
	_, content, err := d.Enroll.OpenAttachmentAt(ctx, by, application, attachment, reason, from)
	if err != nil {
		return nil, 0, err
	}
	file, err := scan.Open("", content, scan.DefaultLimits)
	if err != nil {
		return nil, 0, err
	}
	done, err := d.turn(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	for i := from - 1; i < len(file.Pages) && len(pages) < LookPages; i++ {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		sight, err := sightOf(file, i)
		if _, known := fault.Of(err); known {
			sight, err = Sight{Problem: err}, nil
		}
		if err != nil {
			return nil, 0, err
		}
		pages = append(pages, sight)
	}
	return pages, len(file.Pages), nil
}

func sightOf(file *scan.File, page int) (Sight, error) {
	picture, err := file.Picture(page)
	if err != nil {
		return Sight{}, err
	}
	if rgb, ok := picture.(*scan.RGB); ok {
		picture = rgb.RGBA() // the scaler would ask for every pixel by itself
	}
	size := picture.Bounds().Size()
	if longest := max(size.X, size.Y); longest > lookSide {
		size = image.Pt(max(1, size.X*lookSide/longest), max(1, size.Y*lookSide/longest))
	}
	// On white: a picture may be transparent, and JPEG is not.
	small := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(small, small.Bounds(), image.White, image.Point{}, draw.Src)
	draw.BiLinear.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	err = jpeg.Encode(&out, small, &jpeg.Options{Quality: lookQuality})
	return Sight{JPEG: out.Bytes(), Width: size.X, Height: size.Y, Turn: map[int]int{3: 180, 6: 90, 8: 270}[file.Pages[page].Orientation]}, err
}
