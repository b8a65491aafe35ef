package issuance

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"strconv"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf"
)

// Order says with which seal a copy is issued.
type Order struct {
	Seal  string // code, of a seal of the holding archive that the actor may use
	ByKey bool   // with the USB Key on the actor's terminal: a task waits there, and Issue is called again when it is done
}

// Issue composes the copy, has it sealed, checks it as the receiving archive will, and records it as issued. It can be repeated
// after whatever happened: what was composed is sealed once, in the name of the actor who had it composed; repeated with the same
// seal after it was issued it gives the case as it is. Errors: issuance.pages, issuance.seal, issuance.no-font,
// issuance.waits-for-key, issuance.no-keys, those of compose and of sealing, issuance.not-found, issuance.side, issuance.state.
func (s *Service) Issue(ctx context.Context, by access.Actor, id string, o Order) (Case, error) {
	if err := by.CheckReal(); err != nil {
		return Case{}, err
	}
	if err := by.CheckSeal(o.Seal); err != nil { // whoever composed it first may have been let through without limits
		return Case{}, err
	}
	q := s.DB.Read()
	r, err := s.allowed(ctx, q, by, id, atHolding, Found, Composed, Issued, Received, Delivered)
	if err != nil {
		return Case{}, err
	}
	if r.State == Found {
		if err := s.compose(ctx, by, r, o); err != nil {
			return Case{}, err
		}
	}
	kept, err := copyOf(ctx, q, `case_id = $1`, id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Case{}, errState.New() // discarded meanwhile
	case err != nil:
		return Case{}, err
	case kept.Seal != o.Seal:
		return Case{}, errState.Saying("已选用印章 "+kept.Seal, "it was composed for seal "+kept.Seal).At(fault.Field("seal"))
	case !kept.IssuedAt.IsZero():
		return s.Case(ctx, by, id)
	}
	document, issuer, err := s.sealed(ctx, by, kept, o)
	if err != nil {
		return Case{}, err
	}
	kept.issuer = issuer
	if err := s.genuineDocument(ctx, r, kept, document); err != nil {
		return Case{}, err
	}
	if err := s.issued(ctx, by, id, kept, document); err != nil {
		return Case{}, err
	}
	return s.Case(ctx, by, id)
}

// compose makes the copy of a case and keeps it, if nobody else did meanwhile.
func (s *Service) compose(ctx context.Context, by access.Actor, r row, o Order) error {
	if err := s.ofHolding(ctx, r, o.Seal); err != nil {
		return err
	}
	if o.ByKey && s.Keys == nil {
		return errNoKeys.New()
	}
	// Said before anything is composed; the sealer asks again.
	if !o.ByKey {
		if _, err := s.Register.Authorise(ctx, by, o.Seal); err != nil {
			return err
		}
	}
	if err := s.open(r.sealed, &r.Applicant, applicantContext(r.ID)); err != nil {
		return err
	}
	code, err := newCode(s.Random)
	if err != nil {
		return err
	}
	now, id := s.Clock(), store.NewID("isc_")
	var number string
	// Numbers that lead to nothing leave gaps, as in any register; what is printed must be known before it is composed.
	err = s.DB.Write(ctx, func(tx *store.Tx) (err error) {
		number, err = nextNumber(ctx, tx, copySeries, now)
		return err
	})
	if err != nil {
		return err
	}
	paper := r.sheet(number, now)
	file, pages, err := s.composed(ctx, r, paper, code)
	if err != nil {
		return err
	}
	document, err := s.Sealer.Upload(ctx, by, number+".pdf", bytes.NewReader(file))
	if err != nil {
		return err
	}
	sealed, err := s.seal(paper, paperContext(id))
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.allowed(ctx, tx, by, r.ID, atHolding, Found); err != nil {
			if fault.Has(err, errState) {
				return nil // somebody else was faster: theirs is sealed
			}
			return err
		}
		// The case first: of two who compose at once PostgreSQL then repeats the slower, instead of refusing its copy as the second of a case.
		if _, err := tx.ExecContext(ctx, `UPDATE issuance_case SET state = 'composed' WHERE id = $1`, r.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO issuance_copy (id, case_id, case_result, number, code_hash, issuer, seal, composed, composed_sm3, pages, day, sealed,
			composed_at, task, document, withdrawal, misses, missed_on) VALUES ($1, $2, 'found', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', '', 0, '')`,
			id, r.ID, number, hashOf(code), by.ID, o.Seal, document.ID, document.SM3, pages, paper.Day, sealed, store.Time(now)); err != nil {
			return err
		}
		return s.record(ctx, tx, "issuance.composed", by, r.ID, map[string]string{"copy": number, "document": document.ID, "sm3": document.SM3, "seal": o.Seal})
	})
}

// composed puts parts, what is laid over them and the note together; pages is how many there are with the note.
func (s *Service) composed(ctx context.Context, r row, c sheetContent, code string) (file []byte, pages int, err error) {
	if s.Font == "" {
		return nil, 0, errNoFont.New()
	}
	done, err := s.turn(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	font, err := os.ReadFile(s.Font)
	if err != nil {
		return nil, 0, errNoFont.Because(err)
	}
	list, err := parts(ctx, s.DB.Read(), r.ID)
	if err != nil {
		return nil, 0, err
	}
	o := compose.Order{Code: grouped(code), Title: c.Number + " " + noteTitle, Author: c.Holding}
	for _, p := range list {
		o.Pages += p.Pages
		data, err := s.read(ctx, p.owner, p.document)
		if err != nil {
			return nil, 0, err
		}
		o.Parts = append(o.Parts, data)
	}
	if o.Pages != r.Reference.Pages {
		return nil, 0, errPages.Saying("登记 "+itoa(r.Reference.Pages)+" 页，已上传 "+itoa(o.Pages)+" 页", itoa(o.Pages)+" pages, "+itoa(r.Reference.Pages)+" by the answer")
	}
	shown, err := sizes(ctx, o.Parts)
	if err != nil {
		return nil, 0, err
	}
	if o.Layers, err = s.layers(font, c, code, shown); err != nil {
		return nil, 0, err
	}
	if o.Note, err = note(font, c, code, s.Address+grouped(code)); err != nil {
		return nil, 0, err
	}
	file, err = compose.Copy(ctx, s.Program, o)
	return file, o.Pages + 1, err
}

// order is how a copy is sealed: on its note, and over the edges of all pages. It is the same whenever it is asked for.
func (c keptCopy) order() sealer.Order {
	return sealer.Order{Document: c.composed, Seal: c.Seal, Places: []sealer.Place{{Placement: pdf.Placement{Page: -1, From: pdf.Centre,
		X: sealX / pointsPerMM, Y: sealY / pointsPerMM, MoveInside: true}}}, Straddle: &pdf.Straddle{},
		Reason: "档案复制件出证 " + c.Number, IdempotencyKey: "issuance:" + c.ID}
}

// sealed has a composed copy sealed, in the name of who had it composed: whoever sets an unfinished one going again must not
// make a second signature. Where that person may not seal any more, and has not, it is done in the name of the actor. It gives
// the document, and whose it is.
func (s *Service) sealed(ctx context.Context, by access.Actor, c keptCopy, o Order) (document, issuer string, err error) {
	first, err := s.Access.Actor(ctx, c.issuer)
	if err == nil {
		document, err = s.sealedBy(ctx, first, c, o)
	}
	if f, known := fault.Of(err); known && gone[f.Code] && c.issuer != by.ID {
		document, err = s.sealedBy(ctx, by, c, o)
		return document, by.ID, err
	}
	return document, c.issuer, err
}

// gone are the refusals that say that somebody may not seal any more.
var gone = map[string]bool{access.ErrActorNotFound.Code: true, "seal.not-granted": true, "seal.quota-exhausted": true}

func (s *Service) sealedBy(ctx context.Context, issuer access.Actor, c keptCopy, o Order) (string, error) {
	if !o.ByKey && c.Task == "" {
		done, err := s.Sealer.Seal(ctx, issuer, c.order())
		return done.Document.ID, err
	}
	if s.Keys == nil {
		return "", errNoKeys.New()
	}
	if c.Task == "" {
		task, err := s.Keys.Ask(ctx, issuer, c.order())
		if err != nil {
			return "", err
		}
		c.Task = task
		err = s.DB.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE issuance_copy SET task = $2 WHERE id = $1`, c.ID, task)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	document, err := s.Keys.Sealed(ctx, issuer, c.Task)
	if err == nil && document == "" {
		err = ErrWaiting.New()
	}
	return document, err
}

// issued records a sealed copy. Only one that is still composed becomes issued.
func (s *Service) issued(ctx context.Context, by access.Actor, id string, c keptCopy, document string) error {
	now := s.Clock()
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE issuance_copy SET document = $2, issued_at = $3, issuer = $4 WHERE id = $1 AND issued_at IS NULL`, c.ID, document, store.Time(now), c.issuer)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err // recorded by somebody else, or discarded: the case says which
		}
		if _, err := tx.ExecContext(ctx, `UPDATE issuance_case SET state = 'issued' WHERE id = $1 AND state = 'composed'`, id); err != nil {
			return err
		}
		return s.record(ctx, tx, EventIssued, by, id, map[string]string{"copy": c.Number, "document": document, "seal": c.Seal})
	})
}

// Discard takes a composed copy apart again, that is not sealed and cannot be: the pages or the answer were wrong. Its code and number are
// never given again. Errors: issuance.not-found, issuance.side, issuance.state.
func (s *Service) Discard(ctx context.Context, by access.Actor, id string) (Case, error) {
	return s.step(ctx, by, id, atHolding, []State{Composed}, func(tx *store.Tx, r row) error {
		c, err := copyOf(ctx, tx, `case_id = $1`, id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM issuance_copy WHERE id = $1`, c.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE issuance_case SET state = 'found' WHERE id = $1`, id); err != nil {
			return err
		}
		return s.record(ctx, tx, "issuance.discarded", by, id, map[string]string{"copy": c.Number})
	})
}

// ofHolding says whether a seal is one of the archive that holds the file.
func (s *Service) ofHolding(ctx context.Context, r row, code string) error {
	organisation, err := s.Register.Organisation(ctx, code)
	if err != nil {
		return err
	}
	if organisation != r.Holding {
		return errSeal.At(fault.Field("seal"))
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
