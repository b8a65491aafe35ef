package command

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/jobs"
	"yinxin/sealer"
	bulk "yinxin/sealer/batch"
	"yinxin/sealer/pdf"
)

// sealingBatch is a batch that is being worked on while other things are done.
type sealingBatch struct {
	h     *installation
	clerk access.Actor
	id    string
	stop  func()
}

// startBatch has a clerk hand in files of which one cannot be sealed: it is encrypted.
func (d *demo) startBatch(ctx context.Context, h *installation, s *demoSeal) (b sealingBatch, err error) {
	b.h = h
	if b.clerk, err = h.operator(ctx, ""); err != nil {
		return b, err
	}
	log := slog.New(slog.DiscardHandler)
	j, err := jobs.New(jobs.Config{DB: h.db, Clock: h.now, Log: log})
	if err != nil {
		return b, err
	}
	h.workForPrograms(j, log)
	request := bulk.Request{Title: "馆藏目录公开件", Key: "demo", Order: sealer.Order{Seal: s.code, Reason: "档案公开",
		Places: []sealer.Place{{Placement: pdf.Placement{Page: -1, From: pdf.BottomRight, X: fixtures.ArchivalSealRight, Y: fixtures.ArchivalSealBottom}}}}}
	for _, f := range []struct {
		name  string
		shape fixtures.Shape
	}{{"公开目录-01.pdf", fixtures.ShapePDF17}, {"公开目录-02.pdf", fixtures.ShapeCompact}, {"公开目录-03（加密）.pdf", fixtures.ShapeEncryptedAES256}, {"公开目录-04.pdf", fixtures.ShapeXrefStream}} {
		file, err := fixtures.PDF(f.shape, fixtures.PDFOptions{})
		if err != nil {
			return b, errors.Join(err, j.Close())
		}
		document, err := h.sealer.Upload(ctx, b.clerk, f.name, bytes.NewReader(file))
		if err != nil {
			return b, errors.Join(err, j.Close())
		}
		request.Files = append(request.Files, bulk.Wanted{Document: document.ID, Reference: f.name})
	}
	made, err := h.batches.Create(ctx, b.clerk, request)
	if err != nil {
		return b, errors.Join(err, j.Close())
	}
	b.id = made.ID
	running, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = j.Run(running) // what is not done is done by the service
	}()
	b.stop = func() {
		cancel()
		<-ended
		_ = j.Close()
	}
	return b, nil
}

// wait waits until all files are done.
func (b sealingBatch) wait(ctx context.Context) error {
	for {
		found, err := b.h.batches.Find(ctx, b.clerk, b.id)
		if err != nil {
			return err
		}
		if found.State == bulk.Done {
			if found.Count[bulk.FileFailed] != 1 {
				return errDemoFailed.With("%v", found.Count)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
