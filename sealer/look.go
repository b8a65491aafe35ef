package sealer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer/intake"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// scanTime bounds the scan of one document; what it had no time for is said in a finding.
const scanTime = 5 * time.Second

// decide applies the service's policy to what the scan found. What the order accepts is not refused; it stays among the
// findings. It comes after planning, whose refusals are more exact.
func (s *Service) decide(w *work, o Order, report *intake.Report) error {
	decision := intake.Decide(report.Findings, s.Intake)
	w.details.Findings = decision.Warnings
	var refused []intake.Finding
	for _, f := range decision.Refused {
		if slices.Contains(o.Accept, f.Code) {
			w.details.Findings = append(w.details.Findings, f)
		} else {
			refused = append(refused, f)
		}
	}
	decision.Refused = refused
	if len(refused) == 0 {
		return nil
	}
	return decision.Err()
}

// Look says, before anything is ordered, what a person should know of a document of the actor's: what the policy warns of, and
// what it refuses the document for, unless an order accepts it. closed is why no seal can be put on it at all: it is encrypted,
// certified or locked. Errors: document.not-found, those of package pdf for a file that cannot be read.
func (s *Service) Look(ctx context.Context, by access.Actor, id string) (found intake.Decision, closed, err error) {
	d, err := s.Document(ctx, by, id)
	if err != nil {
		return found, nil, err
	}
	w := &work{document: d}
	if w.object, err = s.Open(ctx, d); err != nil {
		return found, nil, err
	}
	defer w.close()
	report, err := s.scanned(ctx, w)
	if err == nil && w.scan != "" { // the order that follows need not make it again
		err = s.DB.Write(ctx, func(tx *store.Tx) error { return storeScan(ctx, tx, d.ID, w.scan) })
	}
	if err != nil {
		return found, nil, at(err, d.Name)
	}
	found = intake.Decide(report.Findings, s.Intake)
	doc, err := pdf.OpenRecovering(ctx, w.object, d.Size)
	if err != nil {
		return found, nil, at(err, d.Name)
	}
	closed = doc.Recovering(ctx, func() error { return doc.Closed(ctx) })
	if _, known := fault.Of(closed); closed != nil && !known {
		return found, nil, closed
	}
	return found, closed, nil
}

// scanned gives the scan of a document: the stored one, or a new one that is then stored. One that a limit cut short is
// stored too, and says so in a finding: else each seal of a big document would pay for it again.
func (s *Service) scanned(ctx context.Context, w *work) (*intake.Report, error) {
	report := new(intake.Report)
	var stored string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT intake FROM document WHERE id = $1`, w.document.ID).Scan(&stored)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // a document that comes with its order has no record yet
		return nil, err
	}
	if stored != "" {
		return report, json.Unmarshal([]byte(stored), report)
	}
	limited, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	report, err = intake.Scan(limited, w.object, w.document.Size, intake.Options{
		Signatures: func(ctx context.Context) ([]intake.EarlierSignature, error) { return s.earlier(ctx, w), nil }})
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(report)
	if err != nil {
		return nil, err
	}
	w.scan = string(b) // stored with the intent, in its transaction
	return report, nil
}

// storeScan keeps a new scan of a document, that the next order need not make it again.
func storeScan(ctx context.Context, tx *store.Tx, document, scan string) error {
	if scan == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE document SET intake = $2 WHERE id = $1`, document, scan)
	return err
}

// earlier has the signatures judged that a document already bears. Whether their signers are trusted is not asked:
// sealing must not hang on foreign anchors.
func (s *Service) earlier(ctx context.Context, w *work) []intake.EarlierSignature {
	return standings(verify.File(ctx, w.document.Name, w.object, w.document.Size, verify.Options{Chain: s.Chain, At: s.Clock()}))
}

func standings(report *verify.Report) []intake.EarlierSignature {
	out := make([]intake.EarlierSignature, 0, len(report.Signatures))
	for _, g := range report.Signatures {
		e := intake.EarlierSignature{Field: g.Field, Standing: intake.SignatureHolds}
		switch g.Verdict {
		case verify.Modified, verify.Invalid:
			e.Standing = intake.SignatureBroken
		case verify.Undetermined:
			if !slices.ContainsFunc(g.Checks, func(c verify.Check) bool { return c.Name == verify.CheckDigest && c.Result == verify.OK }) {
				e.Standing = intake.SignatureUnknown
			}
		}
		out = append(out, e)
	}
	return out
}
