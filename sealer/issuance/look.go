package issuance

import (
	"context"
	"slices"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/verify"
)

// PartDocument gives the document of a part, to people of the holding archive, for pictures of its pages. Errors:
// issuance.not-found, issuance.side.
func (s *Service) PartDocument(ctx context.Context, by access.Actor, id string, number int) (sealer.Document, error) {
	q := s.DB.Read()
	_, may, err := s.find(ctx, q, by, id)
	if err != nil {
		return sealer.Document{}, err
	}
	if !may.holding {
		return sealer.Document{}, errSide.New()
	}
	list, err := parts(ctx, q, id)
	if err != nil {
		return sealer.Document{}, err
	}
	at := slices.IndexFunc(list, func(p Part) bool { return p.Number == number })
	if at < 0 {
		return sealer.Document{}, errNotFound.New()
	}
	return s.Sealer.Document(ctx, access.Actor{ID: list[at].owner}, list[at].document)
}

// ArrangePages puts the parts in another order, named by their numbers; a part that is not named is taken out, and its document
// stays with the sealer. The parts are then numbered anew. before is how many there were when the order was chosen: a
// list that changed meanwhile is refused. Errors: issuance.order, issuance.not-found, issuance.side, issuance.state.
func (s *Service) ArrangePages(ctx context.Context, by access.Actor, id string, before int, order []int) (Case, error) {
	return s.step(ctx, by, id, atHolding, []State{Found}, func(tx *store.Tx, r row) error {
		list, err := parts(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(list) != before {
			return errOrder.New()
		}
		arranged := make([]Part, 0, len(order))
		seen := map[int]bool{}
		for _, n := range order {
			at := slices.IndexFunc(list, func(p Part) bool { return p.Number == n })
			if at < 0 || seen[n] {
				return errOrder.New()
			}
			seen[n] = true
			arranged = append(arranged, list[at])
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM issuance_part WHERE case_id = $1`, id); err != nil {
			return err
		}
		for i, p := range arranged {
			if _, err := tx.ExecContext(ctx, `INSERT INTO issuance_part (case_id, number, owner, document, name, pages) VALUES ($1, $2, $3, $4, $5, $6)`,
				id, i+1, p.owner, p.document, p.Name, p.Pages); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, "issuance.pages-arranged", by, id, map[string]string{"parts": itoa(len(arranged))})
	})
}

var errOrder = fault.Spec{Kind: fault.Conflict, Code: "issuance.order",
	ZH: "页面清单已变化，请核对后再调整。", EN: "The list of pages has changed: look at it again."}

// previewNumber stands where the number of the issue will stand.
const previewNumber = "预览 PREVIEW"

// Preview composes the copy as Issue would, with a number and a code that lead nowhere, and keeps nothing; a composed copy
// is given as it is. Errors: issuance.pages, issuance.no-font, those of compose, issuance.not-found, issuance.side,
// issuance.state.
func (s *Service) Preview(ctx context.Context, by access.Actor, id string) ([]byte, error) {
	q := s.DB.Read()
	r, err := s.allowed(ctx, q, by, id, atHolding, Found, Composed)
	if err != nil {
		return nil, err
	}
	if r.State == Composed {
		c, err := copyOf(ctx, q, `case_id = $1`, id)
		if err != nil {
			return nil, err
		}
		return s.read(ctx, c.issuer, c.composed)
	}
	if err := s.open(r.sealed, &r.Applicant, applicantContext(r.ID)); err != nil {
		return nil, err
	}
	code, err := newCode(zeros{})
	if err != nil {
		return nil, err
	}
	paper := r.sheet(previewNumber, s.Clock())
	file, _, err := s.composed(ctx, r, paper, code)
	return file, err
}

// zeros give the code of previews, which belongs to no copy.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Check verifies the issued copy as it lies here, for people to see before they take it; language is zh or en. Errors: those of Document.
func (s *Service) Check(ctx context.Context, by access.Actor, id, language string) (*verify.Report, error) {
	d, err := s.Document(ctx, by, id)
	if err != nil {
		return nil, err
	}
	object, err := s.Sealer.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	o := s.Verify
	o.At, o.Language = s.Clock(), language
	report := verify.File(ctx, d.Name, object, d.Size, o)
	return report, ctx.Err()
}

// ReceiveHere is Receive with the copy as it lies here. Errors: those of Receive and Document.
func (s *Service) ReceiveHere(ctx context.Context, by access.Actor, id string) (Case, error) {
	d, err := s.Document(ctx, by, id)
	if err != nil {
		return Case{}, err
	}
	object, err := s.Sealer.Open(ctx, d)
	if err != nil {
		return Case{}, err
	}
	defer object.Close()
	return s.Receive(ctx, by, id, object, d.Size)
}
