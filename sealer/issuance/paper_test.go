package issuance_test

import (
	"crypto/rand"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
	"yinxin/sealer/issuance"
)

// TestThePaperSaysWhatItShould reads a copy as people do, with programs that nobody here wrote.
func TestThePaperSaysWhatItShould(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		b := h.file(h.issued().ID)
		code := codeOn(t, b)
		name := tooltest.File(t, "copy.pdf", b)
		text := strings.Join(strings.Fields(tooltest.Run(t, "pdftotext", "-f", "4", "-l", "4", name, "-")), "")
		for _, want := range []string{"档案复制件出具证明", archiveA, archiveB, "CZ-2026-000001", "YD-2026-000001", "欧***", "220***********2326", "办理退休手续", reference.Number, "J021", "0137", "0012",
			"共3页", "2026年11月26日", code} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not on the note: %s", want, text)
			}
		}
		if strings.Contains(text, fullName) || strings.Contains(text, identity) {
			t.Error("the applicant stands unmasked on the note")
		}
		for page, want := range map[string]string{"1": "复制件第1页，共3页验证码" + code, "3": "复制件第3页，共3页验证码" + code} {
			text := strings.Join(strings.Fields(tooltest.Run(t, "pdftotext", "-f", page, "-l", page, name, "-")), "")
			// Lines that rise are read in pieces, character by character.
			if !strings.Contains(text, want) || strings.Count(text, "仅") != 3 || strings.Count(text, "续") != 3 {
				t.Errorf("page %s: %s", page, text)
			}
		}
		if pages := tooltest.Run(t, "qpdf", "--show-npages", name); strings.TrimSpace(pages) != "4" {
			t.Errorf("%s pages", pages)
		}
		tooltest.Run(t, "qpdf", "--check", name)
		if got := scanQR(t, name); got != "https://seal.example/c/"+code {
			t.Errorf("the QR code holds %q", got)
		}
	})
}

// scanQR decodes the QR code of the note as a telephone sees it: from its picture.
func scanQR(t *testing.T, name string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "note")
	tooltest.Run(t, "pdftoppm", "-r", "120", "-gray", "-f", "4", "-l", "4", "-png", "-singlefile", name, out)
	f, err := os.Open(out + ".png")
	must(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	must(t, err)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	must(t, err)
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	must(t, err)
	return result.GetText()
}

// TestLongNamesLeaveRoomForSealAndCode: an organisation may have a name of 200 characters.
func TestLongNamesLeaveRoomForSealAndCode(t *testing.T) {
	name, err := truetype.Find()
	if err != nil {
		t.Skip("no font: ", err)
	}
	font := got(os.ReadFile(name))(t)
	for _, n := range []int{8, 40, 200} {
		b, free, err := issuance.Note(font, strings.Repeat("馆", n), got(issuance.NewCode(rand.Reader))(t))
		must(t, err)
		if free < 0 {
			t.Errorf("%d characters: the table ends %.0f points too low", n, -free)
		}
		if dir := os.Getenv("NOTES"); dir != "" {
			must(t, os.WriteFile(filepath.Join(dir, "note.pdf"), b, 0o600))
		}
	}
}
