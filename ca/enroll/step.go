package enroll

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Ref names an application as somebody saw it. An act on another revision than the present one is enroll.conflict.
type Ref struct {
	ID       string
	Revision int64
}

// act is one step being taken, inside its transaction.
type act struct {
	tx      *store.Tx
	v       viewer // empty when it is the service that acts
	r       *record
	now     time.Time
	step    Step
	parties []party
	// to is where the step leads: what the table says, unless the step decides.
	to      State
	reason  string
	remarks []Remark
	// data goes into history and ledger: no personal data.
	data map[string]string
}

// by is the actor whom other rooms are told.
func (a *act) by() access.Actor { return a.v.Actor }

func (a *act) is(p party) bool {
	for _, have := range a.parties {
		if have == p {
			return true
		}
	}
	return false
}

// take lets an actor take a step: it finds the application, compares the revision, asks the table, runs fn and records.
// What fn changes in the record is saved with it.
func (s *Service) take(ctx context.Context, by access.Actor, ref Ref, step Step, reason string, fn func(a *act) error) (Application, error) {
	var view Application
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		r, err := loadFor(ctx, tx, v, ref.ID)
		if err != nil {
			return err
		}
		if r.revision != ref.Revision {
			return ErrConflict.New()
		}
		a := &act{tx: tx, v: v, r: r, now: s.Clock(), step: step, parties: v.parties(r), reason: reason, data: map[string]string{}}
		if err := rules[step].allows(step, r.state, a.parties); err != nil {
			return err
		}
		if err := s.run(ctx, a, fn); err != nil {
			return err
		}
		view, err = s.view(ctx, tx, v, r)
		return err
	})
	return view, err
}

// takeAlone lets the service take a step, as time passes, if the application is still where it may be taken.
func (s *Service) takeAlone(ctx context.Context, tx *store.Tx, id string, step Step, fn func(a *act) error) error {
	r, err := load(ctx, tx, id)
	if err != nil {
		return err
	}
	a := &act{tx: tx, r: r, now: s.Clock(), step: step, parties: []party{partyService}, data: map[string]string{}}
	if err := rules[step].allows(step, r.state, a.parties); err != nil {
		return err
	}
	return s.run(ctx, a, fn)
}

// look lets an actor see what is not shown in lists: history and ledger have it, the application stays as it is.
func (s *Service) look(ctx context.Context, by access.Actor, id string, step Step, reason string, fn func(a *act) error) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		r, err := loadFor(ctx, tx, v, id)
		if err != nil {
			return err
		}
		a := &act{tx: tx, v: v, r: r, now: s.Clock(), step: step, parties: v.parties(r), reason: reason, data: map[string]string{}}
		if err := rules[step].allows(step, r.state, a.parties); err != nil {
			return err
		}
		if err := fn(a); err != nil {
			return err
		}
		return s.remember(ctx, a, r.state)
	})
}

func (s *Service) run(ctx context.Context, a *act, fn func(a *act) error) error {
	from := a.r.state
	a.to = rules[a.step].to
	if a.to == "" {
		a.to = from
	}
	if fn != nil {
		if err := fn(a); err != nil {
			return err
		}
	}
	if a.to != from {
		a.r.state, a.r.since = a.to, a.now
	}
	if err := a.r.save(ctx, a.tx); err != nil {
		return err
	}
	if err := s.affect(ctx, a); err != nil {
		return err
	}
	return s.remember(ctx, a, from)
}

// remember writes the history and the ledger.
func (s *Service) remember(ctx context.Context, a *act, from State) error {
	var number int
	err := a.tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM enroll_event WHERE application = $1`, a.r.id).Scan(&number)
	if err != nil {
		return err
	}
	data, err := json.Marshal(a.data)
	if err != nil {
		return err
	}
	_, err = a.tx.ExecContext(ctx, `INSERT INTO enroll_event (application, number, happened, actor, step, from_state, to_state, version, reason, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		a.r.id, number, store.Time(a.now), orNull(a.v.ID), string(a.step), string(from), string(a.r.state), a.r.version, a.reason, string(data))
	if err != nil {
		return err
	}
	if err := a.saveRemarks(ctx, number); err != nil {
		return err
	}
	told := maps.Clone(a.data)
	told["number"], told["from"], told["to"], told["version"] = a.r.number, string(from), string(a.r.state), strconv.Itoa(a.r.version)
	if a.reason != "" {
		told["reason"] = a.reason
	}
	for i, remark := range a.remarks {
		told["remark."+strconv.Itoa(i+1)] = remark.Field
	}
	_, err = s.Ledger.Append(ctx, a.tx, ledger.Event{Time: a.now, Kind: "application." + string(a.step), Actor: a.v.ID, Subject: a.r.id, Data: told})
	return err
}

// Remark is why an application goes back: the field (a member of form.Application, such as "seal.name", or another name
// such as "roster") and the reason in words.
type Remark struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

const maxRemarks = 50

func checkRemarks(remarks []Remark) error {
	if len(remarks) == 0 || len(remarks) > maxRemarks {
		return ErrReason.New()
	}
	for _, r := range remarks {
		if r.Field != "" && !validText(r.Field, 64) {
			return ErrReason.New()
		}
		if err := checkImpersonal("field", r.Field); err != nil {
			return err // before the field is named in an error
		}
		if !knownField(r.Field) {
			return ErrRemark.At(fault.Field(r.Field))
		}
		if err := checkReason(r.Reason); err != nil {
			if f, ok := fault.Of(err); ok {
				return f.At(fault.Field(r.Field))
			}
			return err
		}
	}
	return nil
}

func (a *act) saveRemarks(ctx context.Context, event int) error {
	for i, r := range a.remarks {
		_, err := a.tx.ExecContext(ctx, `INSERT INTO enroll_remark (application, event, number, field, reason) VALUES ($1, $2, $3, $4, $5)`,
			a.r.id, event, i+1, r.Field, r.Reason)
		if err != nil {
			return err
		}
	}
	return nil
}

// reopen makes void what was examined or approved of the present version, because that is about to change or to end:
// enroll.under-way once something of it has been carried out.
func (s *Service) reopen(ctx context.Context, a *act) error {
	if a.r.examination == "" {
		return nil
	}
	used, _, err := s.Access.PartsUsed(ctx, a.tx, a.r.examination)
	if err != nil {
		return err
	}
	if used > 0 {
		return ErrUnderWay.New()
	}
	if err := s.Access.Void(ctx, a.tx, a.by(), a.r.examination); err != nil {
		return err
	}
	a.data["voided"] = a.r.examination
	a.r.forgetExamination()
	return nil
}

func (r *record) forgetExamination() {
	r.examination, r.examinationVersion, r.examinationDigest = "", 0, ""
	r.approval, r.approved = "", time.Time{}
}
