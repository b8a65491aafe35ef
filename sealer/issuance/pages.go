package issuance

import (
	"bytes"
	"context"
	"fmt"

	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer/intake"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf"
	"yinxin/sealer/pdf/normalise"
)

const (
	// MaxPart is the largest file of pages, in bytes.
	MaxPart  = 64 << 20
	maxParts = 100
)

// AddPages puts a file behind the pages of a found file: a PDF, which is written anew, or scanned pages as JPEG, PNG or TIFF,
// which become one. A PDF that is encrypted or signed, or that holds what a seal must not be put on unseen, is refused. Errors:
// those of packages scan, normalise, compose and intake, issuance.too-many-pages, issuance.not-found, issuance.side,
// issuance.state.
func (s *Service) AddPages(ctx context.Context, by access.Actor, id, name string, data []byte) (Case, error) {
	found, err := s.allowed(ctx, s.DB.Read(), by, id, atHolding, Found)
	if err != nil {
		return Case{}, err
	}
	if len(data) > MaxPart {
		return Case{}, errTooManyPages.Sayingf("不超过 %d 字节", "%d bytes allowed", MaxPart)
	}
	made, count, err := s.pdfOf(ctx, name, data)
	if err != nil {
		return Case{}, err
	}
	if count > maxPages {
		return Case{}, errTooManyPages.Sayingf("不超过 %d 页", "%d pages allowed", maxPages)
	}
	// Names of files often name people: they are not kept.
	document, err := s.Sealer.Upload(ctx, by, found.Number+".pdf", bytes.NewReader(made))
	if err != nil {
		return Case{}, err
	}
	return s.step(ctx, by, id, atHolding, []State{Found}, func(tx *store.Tx, r row) error {
		var last, pages int
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0), COALESCE(SUM(pages), 0) FROM issuance_part WHERE case_id = $1`, id).Scan(&last, &pages); err != nil {
			return err
		}
		if last >= maxParts || pages+count > maxPages {
			return errTooManyPages.Sayingf("不超过 %d 个文件、%d 页", "%d files, %d pages allowed", maxParts, maxPages)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO issuance_part (case_id, number, owner, document, name, pages) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, last+1, by.ID, document.ID, fmt.Sprintf("%s-%d.pdf", r.Number, last+1), count); err != nil {
			return err
		}
		return s.record(ctx, tx, "issuance.pages-added", by, id, map[string]string{"document": document.ID, "sm3": document.SM3})
	})
}

// ClearPages takes all pages out again; the documents stay with the sealer.
func (s *Service) ClearPages(ctx context.Context, by access.Actor, id string) (Case, error) {
	return s.step(ctx, by, id, atHolding, []State{Found}, func(tx *store.Tx, r row) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM issuance_part WHERE case_id = $1`, id); err != nil {
			return err
		}
		return s.record(ctx, tx, "issuance.pages-cleared", by, id, nil)
	})
}

// pdfOf makes a PDF of a file and counts its pages.
func (s *Service) pdfOf(ctx context.Context, name string, data []byte) (made []byte, pages int, err error) {
	done, err := s.turn(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	if isPDF(data) {
		var out bytes.Buffer
		if err := normalise.Start(ctx, s.Program, bytes.NewReader(data), &out); err != nil {
			return nil, 0, err
		}
		made = out.Bytes()
		report, err := intake.Scan(ctx, bytes.NewReader(made), int64(len(made)), intake.Options{})
		if err != nil {
			return nil, 0, err
		}
		if d := intake.Decide(report.Findings, s.Sealer.Intake); len(d.Refused) > 0 {
			return nil, 0, d.Err()
		}
	} else if made, err = compose.Scans(ctx, s.Program, compose.Scan{Name: name, Data: data}); err != nil {
		return nil, 0, err
	}
	d, err := pdf.Open(ctx, bytes.NewReader(made), int64(len(made)))
	if err != nil {
		return nil, 0, err
	}
	pages, err = d.PageCount()
	return made, pages, err
}

// Bind makes a PDF of scanned pages, for who wants to seal them. Errors: those of compose.Scans.
func (s *Service) Bind(ctx context.Context, list ...compose.Scan) ([]byte, error) {
	done, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return compose.Scans(ctx, s.Program, list...)
}

// turn waits for a place among the workers, each of which may take much memory.
func (s *Service) turn(ctx context.Context) (done func(), err error) {
	select {
	case s.working <- struct{}{}:
		return func() { <-s.working }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// isPDF looks for the mark of a PDF where readers look for it (ISO 32000-1, Annex H.3, note 13).
func isPDF(data []byte) bool { return bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) }

// read gives the whole of a stored document as its owner has it.
func (s *Service) read(ctx context.Context, owner, id string) ([]byte, error) {
	d, err := s.Sealer.Document(ctx, access.Actor{ID: owner}, id)
	if err != nil {
		return nil, err
	}
	if d.Size > compose.MaxBytes {
		return nil, errTooManyPages.With("%d bytes", d.Size)
	}
	var b bytes.Buffer
	b.Grow(int(d.Size))
	if err := s.Sealer.Copy(ctx, &b, d); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
