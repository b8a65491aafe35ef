package terminal

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/subtle"
	"errors"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/terminal/manifest"
)

// completeTime is the longest that completing may take once the signature is taken, whether the terminal waits for it or not.
const completeTime = time.Minute

// Complete takes the signature of a job, once, and seals the document with it. The same again gives the same result. What is
// wrong with what came leaves the job waiting; what ended it since makes the item failed. Errors: terminal.no-job, also for the job of
// another terminal; terminal.other-nonce, terminal.manifest-expired, terminal.other-certificate, terminal.bad-signature; terminal.job-ended,
// terminal.consumed for another signature than the one that was taken; those of sealer.Complete.
func (s *Service) Complete(ctx context.Context, at Terminal, c manifest.Completion) (manifest.Completed, error) {
	if err := at.seals(); err != nil {
		return manifest.Completed{}, err
	}
	j, err := s.job(ctx, at, c.Job)
	if err != nil {
		return manifest.Completed{}, err
	}
	if subtle.ConstantTimeCompare(j.nonce, c.Nonce) != 1 {
		return manifest.Completed{}, s.refused(ctx, at, j, errNonce.New())
	}
	if j.state == jobPrepared {
		wrong := s.checkSignature(ctx, at, j, c)
		if wrong == nil {
			wrong = s.consume(ctx, at, j, c.Signature)
		}
		if j, err = s.job(ctx, at, c.Job); err != nil {
			return manifest.Completed{}, err
		}
		if wrong != nil && j.state == jobPrepared { // else somebody was faster, with whom this one may have collided
			return manifest.Completed{}, s.refused(ctx, at, j, wrong)
		}
	}
	same := bytes.Equal(j.signature, c.Signature)
	switch {
	case j.state == jobSealed && same:
		return s.completed(ctx, at, j)
	case j.state == jobConsumed && same:
		return s.finish(ctx, at, j)
	case j.state == jobSealed || j.state == jobConsumed:
		return manifest.Completed{}, errConsumed.New()
	}
	return manifest.Completed{}, errJobEnded.New()
}

// checkSignature checks everything that can be checked before the job is consumed, so that what is wrong does not cost it.
func (s *Service) checkSignature(ctx context.Context, at Terminal, j job, c manifest.Completion) error {
	if now := s.Clock(); !now.Before(j.expires) {
		return manifest.ErrExpired.With("%s", j.expires.UTC().Format(time.RFC3339))
	}
	prepared, err := s.Sealer.Job(ctx, at.Clerk, j.id)
	if code := fault.CodeOf(err); code == "sealing.abandoned" || code == "sealing.completed" || code == "sealing.no-job" {
		return errJobEnded.Because(err)
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(prepared.Certificate, c.Certificate) {
		return errOtherCertificate.New()
	}
	leaf, err := chain.ParseCertificate(prepared.Certificate)
	if err != nil {
		return err
	}
	public, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return errOtherCertificate.New()
	}
	if notes, err := chain.CheckSM2Digest(public, prepared.Digest, c.Signature); err != nil || len(notes) > 0 {
		return errSignature.Because(err)
	}
	return nil
}

// refused records that a completion was refused, and gives the reason.
func (s *Service) refused(ctx context.Context, at Terminal, j job, reason error) error {
	f, ok := fault.Of(reason)
	if !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable || ctx.Err() != nil {
		return reason
	}
	return errors.Join(reason, s.DB.Write(ctx, func(tx *store.Tx) error {
		return s.record(ctx, tx, "terminal.refused", at.Clerk.ID, j.item, map[string]string{"job": j.id, "reason": f.Code, "terminal": at.ID})
	}))
}

// consume takes the signature: of any number that come at once, one is taken.
func (s *Service) consume(ctx context.Context, at Terminal, j job, signature []byte) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		now := store.Time(s.Clock())
		done, err := tx.ExecContext(ctx, `UPDATE terminal_job SET state = 'consumed', signature = $3, consumed = $4 WHERE id = $1 AND terminal = $2 AND state = 'prepared' AND expires > $4`, j.id, at.ID, signature, now)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.record(ctx, tx, "terminal.consumed", at.Clerk.ID, j.item, map[string]string{"job": j.id, "terminal": at.ID})
	})
}

// finish completes a job whose signature was taken, and records what became of it. An interruption leaves it to Recover.
func (s *Service) finish(ctx context.Context, at Terminal, j job) (manifest.Completed, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeTime)
	defer cancel()
	sealed, err := s.Sealer.Complete(ctx, at.Clerk, j.id, j.signature)
	if err != nil && ctx.Err() == nil {
		// An order that is over and not closed could still be released by a process that is slow.
		if _, closed := s.Sealer.Recover(ctx); closed != nil {
			return manifest.Completed{}, errors.Join(err, closed)
		}
		switch _, waits := s.Sealer.Job(ctx, at.Clerk, j.id); fault.CodeOf(waits) {
		case "sealing.completed":
			sealed, err = s.Sealer.Complete(ctx, at.Clerk, j.id, j.signature) // gives the stored result
		case "sealing.abandoned":
			return manifest.Completed{}, errors.Join(err, s.end(ctx, at, j, manifest.ItemFailed, "", fault.CodeOf(err)))
		}
	}
	if err != nil { // it waits still, or nobody knows
		return manifest.Completed{}, err
	}
	return manifest.Completed{Item: j.item, Document: documentOf(sealed.Document)}, s.end(ctx, at, j, manifest.ItemSealed, sealed.Document.ID, "")
}

// end records the end of a consumed job and of its item.
func (s *Service) end(ctx context.Context, at Terminal, j job, state manifest.ItemState, result, reason string) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE terminal_job SET state = $2 WHERE id = $1 AND state = 'consumed'`, j.id, string(state))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		var document any
		if result != "" {
			document = result
		}
		if _, err := tx.ExecContext(ctx, `UPDATE terminal_item SET state = $2, result_id = $3, reason = $4, changed = $5 WHERE id = $1`,
			j.item, string(state), document, reason, store.Time(s.Clock())); err != nil {
			return err
		}
		if err := s.ifDoneOf(ctx, tx, j.item); err != nil || result != "" {
			return err
		}
		return s.record(ctx, tx, "terminal.refused", at.Clerk.ID, j.item, map[string]string{"job": j.id, "reason": reason, "terminal": at.ID})
	})
}

// completed gives the result of a job that was sealed before.
func (s *Service) completed(ctx context.Context, at Terminal, j job) (manifest.Completed, error) {
	var result string
	if err := s.DB.Read().QueryRowContext(ctx, `SELECT result_id FROM terminal_item WHERE id = $1 AND state = 'sealed'`, j.item).Scan(&result); err != nil {
		return manifest.Completed{}, err
	}
	d, err := s.Sealer.Document(ctx, at.Clerk, result)
	return manifest.Completed{Item: j.item, Document: documentOf(d)}, err
}

func documentOf(d sealer.Document) manifest.Document {
	return manifest.Document{ID: d.ID, Name: sayable(d.Name, d.ID), Size: d.Size, SM3: d.SM3}
}
