package enroll

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/scan"
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
			"a text":           {Scan{Kind: AttachForm, Content: []byte("hello")}, scan.ErrUnknown},
			"nothing":          {Scan{Kind: AttachForm}, scan.ErrUnknown},
			"a false name":     {Scan{Kind: AttachForm, Name: "申请表.pdf", Content: scanPNG}, scan.ErrName},
			"a broken picture": {Scan{Kind: AttachForm, Content: scanPNG[:20]}, scan.ErrBroken},
			"too much":         {Scan{Kind: AttachForm, Content: append(bytes.Clone(scanPNG), make([]byte, MaxAttachment)...)}, ErrAttachmentSize},
			"of no kind":       {Scan{Kind: "passport", Content: scanPNG}, ErrField},
		} {
			_, err := w.AddAttachment(ctx, by, a.Ref(), c.scan)
			if !fault.Has(err, c.want) {
				t.Errorf("%s: %v, want %s", name, err, c.want.Code)
			}
		}
		for len(a.Attachments) < MaxAttachments {
			a = w.with(w.AddAttachment(ctx, by, a.Ref(), Scan{Kind: AttachOther, Name: "x.png", Content: scanPNG}))
		}
		_, err = w.AddAttachment(ctx, by, a.Ref(), Scan{Kind: AttachOther, Content: scanPNG})
		wantCode(t, err, ErrAttachmentSize)
		_, err = w.AddAttachment(ctx, by, Ref{a.ID, 1}, Scan{Kind: AttachOther, Content: scanPNG})
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
