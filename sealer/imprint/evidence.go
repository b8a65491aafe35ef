package imprint

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"slices"

	"github.com/emmansun/gmsm/sm3"
)

// Version names the method. It changes with every change after which the same scan may give other bytes.
const Version = "yinxin-imprint 9"

// MaxEvidence bounds evidence, in bytes. The crops of a scan that would go beyond, of 1200 dpi without loss, are left out:
// the scan itself is then the evidence.
const MaxEvidence = 16 << 20

// Evidence is a ZIP file, stored without dates so that the same result gives the same bytes:
//
//	evidence.json   the parameters, all measures, gates and digests: see evidenceHead
//	filled.png      the canvas of the template: index 1 where ink was bridged under print, 2 where the other imprint gave it
//	crop-1.png      the part of the scan around the better imprint as it was read, 8 bits a channel; or, of a JPEG whose
//	crop-1-y.png    colour has fewer samples than light, its three planes as they are stored in it
//	crop-1-cb.png
//	crop-1-cr.png
//	crop-2…         the same of the other imprint, where there is one
const evidenceFormat = "yinxin imprint evidence 1"

// evidenceHead is evidence.json.
type evidenceHead struct {
	Format      string   `json:"format"`
	Version     string   `json:"version"`
	Width       float64  `json:"widthMM"`
	Height      float64  `json:"heightMM"` // 0: a round seal was declared
	Shape       Shape    `json:"shape"`
	Polarity    Polarity `json:"polarity"`
	Colour      Colour   `json:"colour"`
	Scale       Scale    `json:"scale"`
	Orientation int      `json:"orientation"` // of the scan's pixels, as EXIF counts
	// PaperGain is what the strong channel was multiplied by because of the colour of lamp and paper; 0 is 1.
	PaperGain float32        `json:"paperGain,omitempty"`
	Crops     []evidenceCrop `json:"crops"`
	Template  digests        `json:"template"`
	Picture   digests        `json:"picture"`
	Result    *Result        `json:"result"`
}

// evidenceCrop is one part of the scan.
type evidenceCrop struct {
	// Left and Top are where the crop begins, Mark what was found, both in pixels of the scan as stored.
	Left int             `json:"leftPixels"`
	Top  int             `json:"topPixels"`
	Mark image.Rectangle `json:"mark"`
	// Subsampling is empty for crop-n.png, else that of the planes: "4:2:0" and so on.
	Subsampling string `json:"subsampling,omitempty"`
	// Omitted says that the crop was too large to keep.
	Omitted bool `json:"omitted,omitempty"`
}

// digests are SM3 of a picture's file and of its pixels, which stay the same when another program packs them.
type digests struct {
	File   string `json:"fileSM3"`
	Pixels string `json:"pixelsSM3"`
}

func digestsOf(file []byte) (digests, error) {
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return digests{}, err
	}
	p, ok := img.(*image.Paletted)
	if !ok {
		return digests{}, errEvidence.With("%T", img)
	}
	hash := func(data []byte) string { sum := sm3.Sum(data); return hex.EncodeToString(sum[:]) }
	size := fmt.Appendf(nil, "%d %d\n", p.Rect.Dx(), p.Rect.Dy())
	return digests{hash(file), hash(append(size, p.Pix...))}, nil
}

// source is what a Result remembers of the scan: copies of its parts, so that the scan itself can go.
type source struct {
	options     Options
	scale       Scale
	orientation int
	paperGain   float32
	crops       []evidenceCrop
	parts       [][]part // of each crop
	filled      *image.Paletted
	rim         rim // of the better imprint
}

func (s *session) source(good []*mark, filled *image.Paletted) *source {
	kept := &source{options: s.options, scale: s.scale, orientation: s.orientation, paperGain: s.paperGain, filled: filled, rim: good[0].rim}
	for _, m := range good {
		crop := evidenceCrop{Left: m.at.X, Top: m.at.Y, Mark: m.stored, Subsampling: m.subsampling()}
		kept.crops, kept.parts = append(kept.crops, crop), append(kept.parts, m.files())
	}
	return kept
}

// Evidence is what the template was made from and how: the parts of the scan around the imprints that were looked at, as
// they were read, the map of all areas that were filled, every measure and parameter, and the version of the method.
// Reproduce makes the template again from it. It is at most MaxEvidence long, and shows what people wrote across the
// imprints: keep it as the scan is kept.
func (r *Result) Evidence() ([]byte, error) {
	s := r.source
	head := evidenceHead{Format: evidenceFormat, Version: Version, Width: s.options.Width, Height: s.options.Height, Shape: s.options.Shape,
		Polarity: s.options.Polarity, Colour: s.options.Colour, Scale: s.scale, Orientation: s.orientation, PaperGain: s.paperGain, Crops: slices.Clone(s.crops), Result: r}
	var err error
	if head.Template, err = digestsOf(r.Template); err != nil {
		return nil, err
	}
	if head.Picture, err = digestsOf(r.Picture); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	var names []string
	put := func(name string, img image.Image) error {
		var out bytes.Buffer
		encoder := png.Encoder{CompressionLevel: png.BestSpeed}
		err := encoder.Encode(&out, img)
		files[name], names = out.Bytes(), append(names, name)
		return err
	}
	if err := put("filled.png", s.filled); err != nil {
		return nil, err
	}
	total := len(files["filled.png"])
	for i, parts := range s.parts {
		for _, part := range parts {
			if err := put(cropName(i, part.suffix), part.Image); err != nil {
				return nil, err
			}
			total += len(files[names[len(names)-1]])
		}
	}
	const head64 = 256 << 10 // the measures and the directory
	if total > MaxEvidence-head64 {
		names = names[:1]
		for i := range head.Crops {
			head.Crops[i].Omitted = true
		}
	}
	if files["evidence.json"], err = json.MarshalIndent(head, "", "  "); err != nil {
		return nil, err
	}
	return packed(append([]string{"evidence.json"}, names...), files)
}

// part is one file of a crop.
type part struct {
	suffix string
	image.Image
}

// planeSuffixes name the planes of light and colour.
var planeSuffixes = [3]string{"-y", "-cb", "-cr"}

func cropName(i int, suffix string) string { return fmt.Sprintf("crop-%d%s.png", i+1, suffix) }

func packed(names []string, files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		method := zip.Store // PNG is packed
		if name == "evidence.json" {
			method = zip.Deflate
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(files[name]); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// readEvidence reads a file of Evidence. Whatever it says is checked before memory is taken for it.
func readEvidence(data []byte) (evidenceHead, map[string][]byte, error) {
	var head evidenceHead
	if len(data) > MaxEvidence {
		return head, nil, errEvidence.With("%d bytes", len(data))
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return head, nil, errEvidence.Because(err)
	}
	files := map[string][]byte{}
	left := int64(2 * MaxEvidence)
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			return head, nil, errEvidence.Because(err)
		}
		content, err := io.ReadAll(io.LimitReader(in, left+1))
		in.Close()
		left -= int64(len(content))
		if err != nil || left < 0 {
			return head, nil, errEvidence.With("%s", f.Name)
		}
		files[f.Name] = content
	}
	if err := json.Unmarshal(files["evidence.json"], &head); err != nil {
		return head, nil, errEvidence.Because(err)
	}
	if head.Format != evidenceFormat || len(head.Crops) < 1 || len(head.Crops) > 2 {
		return head, nil, errEvidence.With("%s", head.Format)
	}
	return head, files, nil
}

var subsamplingNames = map[image.YCbCrSubsampleRatio]string{
	image.YCbCrSubsampleRatio444: "4:4:4", image.YCbCrSubsampleRatio422: "4:2:2", image.YCbCrSubsampleRatio420: "4:2:0",
	image.YCbCrSubsampleRatio440: "4:4:0", image.YCbCrSubsampleRatio411: "4:1:1", image.YCbCrSubsampleRatio410: "4:1:0",
}

// image puts a crop together again, its first pixel at (0, 0).
func (c evidenceCrop) image(i int, files map[string][]byte) (image.Image, error) {
	if c.Omitted {
		return nil, errEvidence.Sayingf("%s：未存，请用扫描件", "%s: left out, take the scan", cropName(i, ""))
	}
	read := func(suffix string) (image.Image, error) {
		file := files[cropName(i, suffix)]
		config, err := png.DecodeConfig(bytes.NewReader(file))
		if err != nil {
			return nil, errEvidence.Because(err)
		}
		if config.Width*config.Height > maxCropPixels {
			return nil, errEvidence.With("%d × %d", config.Width, config.Height)
		}
		img, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			return nil, errEvidence.Because(err)
		}
		return img, nil
	}
	if c.Subsampling == "" {
		return read("")
	}
	var planes [3]*image.Gray
	for k := range planes {
		img, err := read(planeSuffixes[k])
		if err != nil {
			return nil, err
		}
		var ok bool
		if planes[k], ok = img.(*image.Gray); !ok {
			return nil, errEvidence.With("%T", img)
		}
	}
	whole := planes[0].Rect
	for ratio, name := range subsamplingNames {
		hs, vs := subsampling(ratio)
		chroma := image.Rect(0, 0, (whole.Dx()+hs-1)/hs, (whole.Dy()+vs-1)/vs)
		if name == c.Subsampling && planes[1].Rect == chroma && planes[2].Rect == chroma {
			return &image.YCbCr{Y: planes[0].Pix, Cb: planes[1].Pix, Cr: planes[2].Pix, YStride: planes[0].Stride, CStride: planes[1].Stride,
				SubsampleRatio: ratio, Rect: whole}, nil
		}
	}
	return nil, errEvidence.With("%s", c.Subsampling)
}

// maxCropPixels is more than a seal of greatestMM at 1200 dpi has, with its margin.
const maxCropPixels = 5000 * 5000
