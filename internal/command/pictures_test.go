package command

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The pictures of the README: who sees which page.
var readmePictures = []struct{ name, actor, path string }{
	{"clerk", "clerk", "/home"},
	{"desk", "clerk", "/desk"},
	{"desk-check", "clerk-2", "desk:issued"},
	{"officer", "registrar", "/office/applications"},
	{"verifier", "", "/"},
}

// maxPictureBytes is what a picture of the README may take.
const maxPictureBytes = 140_000

// TestPictures takes the pictures of the README from the running demo (make pictures): YINXIN_PICTURES names the folder that they go to,
// YINXIN_PICTURES_DEMO that of the demo.
func TestPictures(t *testing.T) {
	into, dir := os.Getenv("YINXIN_PICTURES"), os.Getenv("YINXIN_PICTURES_DEMO")
	if into == "" || dir == "" {
		t.Skip("YINXIN_PICTURES and YINXIN_PICTURES_DEMO are not set: make pictures sets them")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	free.Close()
	at := "http://" + listen
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan int)
	go func() {
		served <- run(ctx, []string{"demo", "--dir", dir, "--listen", listen}, streams{in: strings.NewReader(""), out: os.Stderr, err: os.Stderr, now: time.Now})
	}()
	defer func() { stop(); <-served }()
	for tick := time.NewTicker(100 * time.Millisecond); ; <-tick.C {
		if answer, err := http.Get(at + "/health/ready"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		select {
		case status := <-served:
			t.Fatalf("the demo ended with %d", status)
		default:
		}
	}
	list, err := os.ReadFile(filepath.Join(dir, demoLogins))
	if err != nil {
		t.Fatal(err)
	}
	passwords := map[string]string{}
	for line := range strings.Lines(string(list)) {
		if f := strings.Fields(line); len(f) > 1 {
			passwords[f[0]] = f[1]
		}
	}
	for _, p := range readmePictures {
		shot := photographed(t, path, at, p.actor, passwords[p.actor], p.path)
		small := paletted(t, shot)
		if len(small) > maxPictureBytes {
			t.Errorf("%s: %d bytes", p.name, len(small))
		}
		if err := os.WriteFile(filepath.Join(into, p.name+".png"), small, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// photographed is a picture of a page as somebody sees it; "desk:STATE" is the check of the first case in that state.
func photographed(t *testing.T, chromium, at, actor, password, page string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ctx, end := chromedp.NewExecAllocator(ctx, chromedp.Headless, chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun)
	defer end()
	ctx, close := chromedp.NewContext(ctx)
	defer close()
	steps := []chromedp.Action[chromedp.Void]{chromedp.EmulateViewport(1100, 720), chromedp.Navigate(at + "/login?lang=zh"), chromedp.WaitVisible(chromedp.CSS("#content"))}
	if actor != "" {
		steps = append(steps, chromedp.SetValue(chromedp.CSS(`[name="name"]`), actor), chromedp.SetValue(chromedp.CSS(`[name="password"]`), password),
			chromedp.Click(chromedp.CSS("main .button")), chromedp.WaitVisible(chromedp.CSS(".who form")))
	}
	if state, ok := strings.CutPrefix(page, "desk:"); ok {
		steps = append(steps, chromedp.Navigate(at+"/desk?side=out&state="+state), chromedp.WaitVisible(chromedp.CSS("table.list")), chromedp.Click(chromedp.CSS("table.list a")),
			chromedp.WaitVisible(chromedp.CSS("#check")), chromedp.Click(chromedp.CSS("#check")), chromedp.WaitVisible(chromedp.CSS("#verdict")))
	} else {
		steps = append(steps, chromedp.Navigate(at+page), chromedp.WaitVisible(chromedp.CSS("main")))
	}
	if _, err := chromedp.Run(ctx, chromedp.Steps(steps...)); err != nil {
		t.Fatalf("%s %s: %v", actor, page, err)
	}
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	return shot
}

// paletted writes a picture with the 255 colours that it has most of; others become the nearest of them.
func paletted(t *testing.T, shot []byte) []byte {
	t.Helper()
	in, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA {
		r, g, b, _ := in.At(x, y).RGBA()
		return color.RGBA{uint8(r>>8) | 3, uint8(g>>8) | 3, uint8(b>>8) | 3, 255}
	}
	for y := range in.Bounds().Dy() {
		for x := range in.Bounds().Dx() {
			count[at(x, y)]++
		}
	}
	var all []color.RGBA
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var colours color.Palette
	for _, c := range all[:min(len(all), 255)] {
		colours = append(colours, c)
	}
	out := image.NewPaletted(in.Bounds(), colours)
	index := map[color.RGBA]uint8{}
	for y := range in.Bounds().Dy() {
		for x := range in.Bounds().Dx() {
			c := at(x, y)
			i, ok := index[c]
			if !ok {
				i = uint8(colours.Index(c))
				index[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
