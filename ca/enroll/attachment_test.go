package enroll

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/enroll/attachment"
	"yinxin/ca/enroll/form"
	"yinxin/internal/fault"
	"yinxin/internal/tooltest"
	"yinxin/internal/truetype"
)

func TestAScanIsKeptAsItIsAndRefusedAsWhatItIsNot(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		by := w.handler[unitDirect]
		a := w.draft(unitDirect)
		digest := sm3.Sum(scanPNG)
		if at := a.Attachments; len(at) != 3 || at[0].Kind != AttachForm || at[0].Media != "image/png" || at[0].Digest != hex.EncodeToString(digest[:]) || at[0].Matched != matchedByHand {
			t.Fatalf("%+v", at)
		}
		at, content, err := w.OpenAttachment(ctx, by, a.ID, a.Attachments[0].ID, "")
		if err != nil || !bytes.Equal(content, scanPNG) || at.ID != a.Attachments[0].ID {
			t.Errorf("%+v, %d bytes, %v", at, len(content), err)
		}
		_, _, err = w.OpenAttachment(ctx, w.registrar, a.ID, at.ID, "")
		wantCode(t, err, ErrReason)
		_, _, err = w.OpenAttachment(ctx, w.auditor, a.ID, at.ID, "看看")
		wantCode(t, err, ErrDenied)
		objects := w.objects()
		for name, c := range map[string]struct {
			scan Scan
			want fault.Spec
		}{
			"a text":           {Scan{AttachForm, "", []byte("hello")}, attachment.ErrUnknown},
			"nothing":          {Scan{AttachForm, "", nil}, attachment.ErrUnknown},
			"a false name":     {Scan{AttachForm, "申请表.pdf", scanPNG}, attachment.ErrName},
			"a broken picture": {Scan{AttachForm, "", scanPNG[:20]}, attachment.ErrBroken},
			"too much":         {Scan{AttachForm, "", append(bytes.Clone(scanPNG), make([]byte, MaxAttachment)...)}, ErrAttachmentSize},
			"of no kind":       {Scan{"passport", "", scanPNG}, ErrField},
		} {
			_, err := w.AddAttachment(ctx, by, a.Ref(), c.scan)
			if !fault.Has(err, c.want) {
				t.Errorf("%s: %v, want %s", name, err, c.want.Code)
			}
		}
		for len(a.Attachments) < MaxAttachments {
			a = w.with(w.AddAttachment(ctx, by, a.Ref(), Scan{AttachOther, "x.png", scanPNG}))
		}
		_, err = w.AddAttachment(ctx, by, a.Ref(), Scan{AttachOther, "", scanPNG})
		wantCode(t, err, ErrAttachmentSize)
		_, err = w.AddAttachment(ctx, by, Ref{a.ID, 1}, Scan{AttachOther, "", scanPNG})
		wantCode(t, err, ErrConflict)
		if got := w.objects() - objects; got != MaxAttachments-3 {
			t.Errorf("%d objects more: what could not be recorded was kept", got)
		}
		a = w.with(w.RemoveAttachment(ctx, by, a.Ref(), at.ID))
		_, _, err = w.OpenAttachment(ctx, w.registrar, a.ID, at.ID, "核对") // what an older version had stays on record
		w.must(err)
		_, err = w.RemoveAttachment(ctx, by, a.Ref(), at.ID)
		wantCode(t, err, ErrAttachment)
	})
}

// objects counts the files of scans.
func (w *world) objects() int {
	n := 0
	_ = filepath.WalkDir(w.folder, func(_ string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			n++
		}
		return nil
	})
	return n
}

// printedForm is the first page of an application's form, as a scanner of 150 dpi sees it.
func (w *world) printedForm(t *testing.T, a Application) []byte {
	t.Helper()
	path, err := truetype.Find()
	if err != nil {
		t.Skip("the font fonts-arphic-gbsn00lp is not installed")
	}
	font, err := os.ReadFile(path)
	w.must(err)
	f, err := w.ForPrint(context.Background(), w.registrar, a.ID)
	w.must(err)
	var pdf bytes.Buffer
	w.must(form.Draw(&pdf, f, font))
	out := filepath.Join(t.TempDir(), "page")
	tooltest.Run(t, "pdftoppm", "-gray", "-png", "-singlefile", "-r", "150", tooltest.File(t, "form.pdf", pdf.Bytes()), out)
	page, err := os.ReadFile(out + ".png")
	w.must(err)
	return page
}

func TestAScannedFormFindsItsApplication(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a, b := w.draft(unitA), w.draft(unitDirect)
		page := w.printedForm(t, a)
		found, pages, err := w.FileScan(ctx, w.handler[unitA], Scan{AttachForm, "scan.png", page})
		if err != nil || found.ID != a.ID || len(pages) != 1 || !pages[0].Precise {
			t.Fatalf("%s, %+v, %v", found.ID, pages, err)
		}
		if last := found.Attachments[len(found.Attachments)-1]; last.Matched != matchedByCode || found.Version != a.Version+1 {
			t.Errorf("%+v", last)
		}
		_, _, err = w.FileScan(ctx, w.handler[unitDirect], Scan{AttachForm, "", page})
		wantCode(t, err, ErrNotFound)
		_, _, err = w.FileScan(ctx, w.registrar, Scan{AttachForm, "", scanPNG})
		wantCode(t, err, ErrUnmatched)
		if now := w.again(b); now.Revision != b.Revision {
			t.Error("another application changed")
		}
	})
}
