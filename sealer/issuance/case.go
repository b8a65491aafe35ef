package issuance

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// State is how far a case has come.
type State string

// The states.
const (
	Requested State = "requested" // waits for the answer of the holding archive
	Found     State = "found"     // the copy is being put together
	Composed  State = "composed"  // waits for its seal
	Issued    State = "issued"    // sealed; waits for the receiving archive
	Received  State = "received"  // checked by the receiving archive
	Delivered State = "delivered" // handed over to the applicant
	Declined  State = "declined"  // not found, or not open
	Cancelled State = "cancelled" // by the receiving archive, before the answer
	Withdrawn State = "withdrawn" // by the holding archive, after it was issued
)

var labels = map[State]string{Requested: "待答复", Found: "已查到，待出具", Composed: "待盖章", Issued: "已出具，待接收", Received: "已核验接收",
	Delivered: "已交付", Declined: "未提供", Cancelled: "已取消", Withdrawn: "已撤回"}

// Label is the state in Chinese.
func (s State) Label() string { return labels[s] }

// Result is the answer of the holding archive.
type Result string

// The results. Missing and Closed need a reason.
const (
	Held    Result = "found"
	Missing Result = "not-found"
	Closed  Result = "not-open"
)

var resultLabels = map[Result]string{Held: "查到", Missing: "未查到", Closed: "不予开放"}

// Label is the result in Chinese.
func (r Result) Label() string { return resultLabels[r] }

// Case is a case as those see it who may. The applicant is masked.
type Case struct {
	ID        string
	Number    string // 业务编号
	OpenedBy  string // actor
	Receiving string // archive in which the applicant stands
	Holding   string // archive that holds the file
	Applicant Applicant
	State     State
	OpenedAt  time.Time
	DueAt     time.Time // the answer must be there before
	// Overdue: the answer came, or still does not come, after its term.
	Overdue     bool
	Result      Result // empty: no answer yet
	Reason      string // of an answer that is no copy
	AnsweredAt  time.Time
	Reference   Reference
	Parts       []Part
	Copy        *Copy // nil: none was composed
	ReceivedAt  time.Time
	DeliveredAt time.Time
	Manner      Manner
	ClosedAt    time.Time // declined, cancelled
}

// Part is a file of pages that the holding archive put in.
type Part struct {
	Number int // from 1
	Name   string
	Pages  int

	owner, document string
}

// Copy is the issued copy of a case.
type Copy struct {
	ID          string
	Number      string // 出证编号
	Seal        string // code
	Pages       int    // with the note
	Day         string // of issue, as printed: 2026-11-26
	IssuedAt    time.Time
	Size        int64  // bytes; zero before it was issued
	SM3         string // hexadecimal
	WithdrawnAt time.Time
	Withdrawal  string // reason
	Task        string // of sealing with a USB Key; empty: there is none

	issuer, composed, composedSM3, document string
	hash, sealed                            []byte
}

// row is a case as stored.
type row struct {
	Case
	opener   string
	platform bool
	sealed   []byte
}

// side is which archive of a case an actor may act for.
type side struct{ receiving, holding bool }

const selectCase = `SELECT id, number, opened_by, opener, platform, receiving, holding, sealed, state, opened_at, due_at, result, reason, COALESCE(answered_at, ''),
	fonds, file, item, pages, reference, COALESCE(received_at, ''), COALESCE(delivered_at, ''), delivery, COALESCE(closed_at, '') FROM issuance_case`

func (s *Service) scan(scan func(...any) error) (r row, err error) {
	var platform int
	var opened, due, answered, received, delivered, closed string
	if err = scan(&r.ID, &r.Number, &r.OpenedBy, &r.opener, &platform, &r.Receiving, &r.Holding, &r.sealed, &r.State, &opened, &due, &r.Result, &r.Reason, &answered,
		&r.Reference.Fonds, &r.Reference.File, &r.Reference.Item, &r.Reference.Pages, &r.Reference.Number, &received, &delivered, &r.Manner, &closed); err != nil {
		return r, err
	}
	r.platform = platform == 1
	for _, t := range []struct {
		text string
		into *time.Time
	}{{opened, &r.OpenedAt}, {due, &r.DueAt}, {answered, &r.AnsweredAt}, {received, &r.ReceivedAt}, {delivered, &r.DeliveredAt}, {closed, &r.ClosedAt}} {
		if *t.into, err = moment(t.text); err != nil {
			return r, err
		}
	}
	until := r.AnsweredAt
	if until.IsZero() {
		until = s.Clock()
		if r.State == Cancelled {
			until = r.ClosedAt
		}
	}
	r.Overdue = !until.Before(r.DueAt)
	return r, nil
}

// moment reads a time of the database; an empty one is zero.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return store.ParseTime(text)
}

// find reads a case that the actor may see, with what they may do. Error: issuance.not-found.
func (s *Service) find(ctx context.Context, q store.Querier, by access.Actor, id string) (row, side, error) {
	if !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return row{}, side{}, errNotFound.New()
	}
	actor, err := s.Access.ActorIn(ctx, q, by.ID) // roles count as they are now
	if err != nil {
		return row{}, side{}, err
	}
	r, err := s.scan(q.QueryRowContext(ctx, selectCase+` WHERE id = $1`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, side{}, errNotFound.New()
	}
	if err != nil {
		return row{}, side{}, err
	}
	may := sidesOf(actor, r)
	if may == (side{}) {
		return row{}, side{}, errNotFound.New()
	}
	return r, may, nil
}

func sidesOf(a access.Actor, r row) side {
	if a.Organisation == "" {
		return side{}
	}
	clerk := a.Has(access.RoleOperator)
	relay := a.Has(access.RolePlatform) && r.platform && a.Organisation == r.opener
	return side{receiving: relay || clerk && a.Organisation == r.Receiving, holding: relay || clerk && a.Organisation == r.Holding}
}

// Case gives a case: issuance.not-found also for one that is none of the actor's business.
func (s *Service) Case(ctx context.Context, by access.Actor, id string) (Case, error) {
	q := s.DB.Read()
	r, may, err := s.find(ctx, q, by, id)
	if err != nil {
		return Case{}, err
	}
	return s.whole(ctx, q, r, may)
}

// whole adds applicant, parts and copy to a case. Before a copy was issued the receiving archive sees nothing of it.
func (s *Service) whole(ctx context.Context, q store.Querier, r row, may side) (Case, error) {
	if err := s.open(r.sealed, &r.Applicant, applicantContext(r.ID)); err != nil {
		return Case{}, err
	}
	r.Applicant = r.Applicant.Masked()
	var err error
	if may.holding {
		if r.Parts, err = parts(ctx, q, r.ID); err != nil {
			return Case{}, err
		}
	}
	c, err := copyOf(ctx, q, `case_id = $1`, r.ID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return Case{}, err
	case may.holding || !c.IssuedAt.IsZero():
		r.Copy = &c.Copy
	}
	if r.Copy != nil && r.Copy.document != "" {
		d, err := s.Sealer.Document(ctx, access.Actor{ID: r.Copy.issuer}, r.Copy.document)
		if err != nil {
			return Case{}, err
		}
		r.Copy.Size, r.Copy.SM3 = d.Size, d.SM3
	}
	return r.Case, nil
}

func parts(ctx context.Context, q store.Querier, id string) (list []Part, err error) {
	err = store.Each(ctx, q, func(scan func(...any) error) error {
		var p Part
		err := scan(&p.Number, &p.Name, &p.Pages, &p.owner, &p.document)
		list = append(list, p)
		return err
	}, `SELECT number, name, pages, owner, document FROM issuance_part WHERE case_id = $1 ORDER BY number`, id)
	return list, err
}

// keptCopy is a copy with its case.
type keptCopy struct {
	Copy
	caseID   string
	misses   int
	missedOn string
}

// copyOf reads one copy; where is a condition with $1.
func copyOf(ctx context.Context, q store.Querier, where string, argument any) (c keptCopy, err error) {
	var issued, withdrawn string
	err = q.QueryRowContext(ctx, `SELECT id, case_id, number, seal, pages, day, COALESCE(issued_at, ''), COALESCE(withdrawn_at, ''), withdrawal,
		issuer, composed, composed_sm3, document, task, code_hash, sealed, misses, missed_on FROM issuance_copy WHERE `+where, argument).
		Scan(&c.ID, &c.caseID, &c.Number, &c.Seal, &c.Pages, &c.Day, &issued, &withdrawn, &c.Withdrawal,
			&c.issuer, &c.composed, &c.composedSM3, &c.document, &c.Task, &c.hash, &c.sealed, &c.misses, &c.missedOn)
	if err != nil {
		return c, err
	}
	if c.IssuedAt, err = moment(issued); err != nil {
		return c, err
	}
	c.WithdrawnAt, err = moment(withdrawn)
	return c, err
}

// step changes a case in one transaction: it must be in one of the states, and the actor on the side. change does the rest.
func (s *Service) step(ctx context.Context, by access.Actor, id string, who func(side) bool, from []State, change func(tx *store.Tx, r row) error) (Case, error) {
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		r, err := s.allowed(ctx, tx, by, id, who, from...)
		if err != nil {
			return err
		}
		return change(tx, r)
	})
	if err != nil {
		return Case{}, err
	}
	return s.Case(ctx, by, id)
}

// allowed finds a case and says whether the step may be taken. Errors: issuance.not-found, issuance.side, issuance.state.
func (s *Service) allowed(ctx context.Context, q store.Querier, by access.Actor, id string, who func(side) bool, from ...State) (row, error) {
	r, may, err := s.find(ctx, q, by, id)
	if err != nil {
		return r, err
	}
	if !who(may) {
		return r, errSide.New()
	}
	for _, state := range from {
		if r.State == state {
			return r, nil
		}
	}
	return r, errState.Saying(r.State.Label(), string(r.State))
}

func atReceiving(s side) bool { return s.receiving }

func atHolding(s side) bool { return s.holding }

// record puts a step into the ledger and tells of it: last in its transaction, since what is told is how the case then stands.
func (s *Service) record(ctx context.Context, tx *store.Tx, kind string, by access.Actor, id string, data map[string]string) error {
	if _, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: kind, Actor: by.ID, Subject: id, Data: data}); err != nil {
		return err
	}
	return s.tell(ctx, tx, kind, id)
}
