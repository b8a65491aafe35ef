package api

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"yinxin/api/web"
	"yinxin/internal/truetype"
)

// photo is what a telephone makes of the paper on a desk: turned, unevenly lit, noisy, JPEG.
func photo(t *testing.T, page image.Image, degrees float64) []byte {
	t.Helper()
	b := page.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()*13/10, b.Dy()*13/10))
	draw.Draw(out, out.Rect, image.NewUniform(color.RGBA{120, 95, 70, 255}), image.Point{}, draw.Src)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	cx, cy := float64(b.Dx())/2, float64(b.Dy())/2
	ox, oy := float64(out.Rect.Dx())/2, float64(out.Rect.Dy())/2
	draw.BiLinear.Transform(out, f64.Aff3{cos, -sin, ox - cos*cx + sin*cy, sin, cos, oy - sin*cx - cos*cy}, page, b, draw.Over, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range out.Pix {
		if i%4 != 3 {
			light := 0.65 + 0.3*float64(i%out.Stride)/float64(out.Stride)
			out.Pix[i] = uint8(min(255, max(0, float64(out.Pix[i])*light+float64(rng.IntN(21)-10))))
		}
	}
	var data bytes.Buffer
	must(t, jpeg.Encode(&data, out, &jpeg.Options{Quality: 75}))
	return data.Bytes()
}

func TestAPhotoOfAPaperCopyLeadsToItsRecord(t *testing.T) {
	if _, err := truetype.Find(); err != nil {
		t.Skip(err)
	}
	b := newBrowser(t)
	w := equipped(t)
	c, code := w.issuedCopy()
	data := w.call("stranger", "GET", issuancePath+"/"+c.ID+"/copy", nil).is(200).body
	drawn := got(w.sealer.Viewer.Render(t.Context(), bytes.NewReader(data), int64(len(data)), 4, 150))(t)
	page := got(png.Decode(bytes.NewReader(drawn.PNG)))(t)
	send := func(picture []byte) answer {
		body, contentType := formBody(t, "photo.jpg", picture)
		return w.call("", "POST", "/?lang=zh", body, contentType, web.FragmentHeader+": 1")
	}
	for _, degrees := range []float64{-7, 4, 92} {
		send(photo(t, page, degrees)).is(200).says(`data-verdict="paper"`, code, "图片上的印章无法验证")
	}
	blank := image.NewGray(image.Rect(0, 0, 400, 400))
	var plain bytes.Buffer
	must(t, png.Encode(&plain, blank))
	send(plain.Bytes()).is(422).says("没有找到纸质件的二维码")
	send([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")).is(422).says("请改用 JPEG")
	send([]byte("\xff\xd8\xff\xe0 and no more")).is(400)
	var huge bytes.Buffer // 64 megapixels in some kilobytes
	must(t, png.Encode(&huge, image.NewPaletted(image.Rect(0, 0, 8000, 8000), color.Palette{color.White, color.Black})))
	if a := send(huge.Bytes()); a.status != 413 && a.status != 422 || !bytes.Contains(a.body, []byte("没有得出结论")) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if left := w.kept("scratch"); len(left) != 0 {
		t.Fatal(left)
	}
	// In a browser: dropped, recognised, looked up; the date is still asked for.
	path := filepath.Join(t.TempDir(), "照片.jpg")
	must(t, os.WriteFile(path, photo(t, page, 5), 0o600))
	b.open(w.http.URL+"/?lang=zh", 390, 844)
	b.do(drop(path), chromedp.WaitVisible(chromedp.CSS(`[data-found="issued"]`)))
	if at := evaluate[string](b, `location.pathname + location.hash`); at != "/copies" {
		t.Errorf("the browser is at %q", at)
	}
	if typed := evaluate[string](b, `document.querySelector("#look").elements.code.value`); typed != code {
		t.Errorf("the form has the code %q", typed)
	}
	if day := evaluate[string](b, `document.querySelector("#look").elements.day.value`); day != "" {
		t.Errorf("the form has the date %q", day)
	}
	b.screenshot("photo-phone")
	bad := filepath.Join(t.TempDir(), "自拍.png")
	must(t, os.WriteFile(bad, plain.Bytes(), 0o600))
	b.open(w.http.URL+"/?lang=zh", 390, 844)
	b.do(drop(bad), chromedp.WaitVisible(chromedp.CSS(`[data-verdict="error"]`)))
	if text := b.text("#result"); !strings.Contains(text, "没有找到纸质件的二维码") {
		t.Errorf("the page says %q", text)
	}
	b.screenshot("photo-none-phone")
	if log := w.log.text(); strings.Contains(log, code) {
		t.Error("the code is in the log")
	}
}
