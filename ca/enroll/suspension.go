package enroll

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Suspension is a user of seals who was stopped at once, until two people make it final or lift it.
type Suspension struct {
	ID          string
	Holder      string
	Name        string
	Unit        string
	SealName    string // of the seal that is meant; empty: all that the person has
	Cause       SuspensionCause
	Application string // whose roster said so
	Reason      string
	Opened      time.Time
	By          string
	State       SuspensionState
	Revision    int64
	Request     string // what waits for the second person's decision, or was decided
	Decided     time.Time
}

// Ref is the suspension at the revision that is shown.
func (s Suspension) Ref() Ref { return Ref{ID: s.ID, Revision: s.Revision} }

// SuspensionCause says why a user was stopped.
type SuspensionCause string

// The causes.
const (
	CauseRoster    SuspensionCause = "roster"    // US02 in a roster that was submitted
	CauseEmergency SuspensionCause = "emergency" // a Key was lost, somebody telephoned
)

// SuspensionState says what became of it.
type SuspensionState string

// The states of a suspension.
const (
	SuspensionOpen      SuspensionState = "open"
	SuspensionConfirmed SuspensionState = "confirmed"
	SuspensionLifted    SuspensionState = "lifted"
)

// SuspendAtOnce stops a user without paper, with everything on their USB Key: a registrar or approver, or the user's own
// unit. It is confirmed or lifted by two people later. Errors: enroll.holder-not-found also for a user whom the actor may
// not know of, enroll.suspended.
func (s *Service) SuspendAtOnce(ctx context.Context, by access.Actor, holder, reason string) (Suspension, error) {
	return s.suspendAtOnce(ctx, by, holder, "", reason)
}

// SuspendSealAtOnce is SuspendAtOnce for one seal, by its name: the person goes on using the others. Another error:
// enroll.field for a seal that none of the unit's applications names.
func (s *Service) SuspendSealAtOnce(ctx context.Context, by access.Actor, holder, sealName, reason string) (Suspension, error) {
	if sealName == "" {
		return Suspension{}, ErrField.At(fault.Field("seal"))
	}
	return s.suspendAtOnce(ctx, by, holder, sealName, reason)
}

func (s *Service) suspendAtOnce(ctx context.Context, by access.Actor, holder, sealName, reason string) (Suspension, error) {
	if err := checkReason(reason); err != nil {
		return Suspension{}, err
	}
	var done Suspension
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		u, err := readUser(ctx, tx, holder)
		if err != nil {
			return err
		}
		if !v.seesUnit(u.Unit.ID, u.Unit.Area, u.Unit.Direct) {
			return ErrHolder.New()
		}
		if !v.officer() && v.unit != u.Unit.ID {
			return ErrDenied.New()
		}
		if err := sealNamed(ctx, tx, u.Unit.ID, sealName); err != nil {
			return err
		}
		x := Suspension{ID: store.NewID("sus_"), Holder: holder, Name: u.Name, Unit: u.Unit.ID, SealName: sealName, Cause: CauseEmergency, Reason: reason,
			Opened: s.Clock(), By: v.ID, State: SuspensionOpen, Revision: 1}
		opened, err := s.suspend(ctx, tx, v, u, x)
		if err == nil && !opened {
			return ErrSuspended.New()
		}
		done = x
		return err
	})
	return done, err
}

// sealNamed refuses a name that no application of the unit gave to a seal; the empty one means all.
func sealNamed(ctx context.Context, tx *store.Tx, unit, name string) error {
	if name == "" {
		return nil
	}
	var known int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM enroll_application WHERE unit = $1 AND seal_name = $2`, unit, key(name)).Scan(&known)
	if err == nil && known == 0 {
		err = ErrField.At(fault.Field("seal"))
	}
	return err
}

// suspend opens a suspension and stops the user; a user who is stopped already stays so, and false comes back.
func (s *Service) suspend(ctx context.Context, tx *store.Tx, v viewer, u User, x Suspension) (bool, error) {
	result, err := tx.ExecContext(ctx, `INSERT INTO enroll_suspension (id, holder, unit, cause, application, reason, opened, by, state, revision, seal_name)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', 1, $9) ON CONFLICT (holder, seal_name) WHERE state = 'open' DO NOTHING`,
		x.ID, x.Holder, x.Unit, string(x.Cause), orNull(x.Application), x.Reason, store.Time(x.Opened), x.By, x.SealName)
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	u.SealName, u.Suspension = x.SealName, x.ID
	if err := s.Suspender.SuspendUser(ctx, tx, v.Actor, u, x.Reason); err != nil {
		return false, err
	}
	data := map[string]string{"suspension": x.ID, "cause": string(x.Cause), "reason": x.Reason}
	if x.SealName != "" {
		data["seal"] = x.SealName
	}
	if x.Application != "" {
		data["application"] = x.Application
	}
	return true, s.note(ctx, tx, v, "user.suspended", x.Holder, data)
}

// suspendWithdrawn stops the users whom a roster calls withdrawn.
func (s *Service) suspendWithdrawn(ctx context.Context, a *act, roster string) error {
	persons, err := s.readPersons(ctx, a.tx, roster)
	if err != nil {
		return err
	}
	stopped := 0
	for _, p := range persons {
		if p.Status != StatusWithdrawn {
			continue
		}
		u, err := readUser(ctx, a.tx, p.Holder)
		if err != nil {
			return err
		}
		x := Suspension{ID: store.NewID("sus_"), Holder: p.Holder, Unit: u.Unit.ID, SealName: p.SealName, Cause: CauseRoster, Application: a.r.id,
			Reason: "使用人信息汇总表中状态为 US02", Opened: a.now, By: a.v.ID}
		opened, err := s.suspend(ctx, a.tx, a.v, u, x)
		if err != nil {
			return err
		}
		if opened {
			stopped++
		}
	}
	if stopped > 0 {
		a.data["suspended"] = itoa(stopped)
	}
	return nil
}

// confirmWithdrawn makes final what the roster of an approved application began: the approval covers it, and the
// revocations are parts of its plan.
func (s *Service) confirmWithdrawn(ctx context.Context, a *act) error {
	rows, err := a.tx.QueryContext(ctx, `UPDATE enroll_suspension SET state = 'confirmed', revision = revision + 1, decided = $1, request = $2,
		approval = $2, approval_kind = $3, approval_used = 1
		WHERE application = $4 AND cause = 'roster' AND state = 'open' AND request IS NULL AND holder IN
		(SELECT p.holder FROM enroll_person p JOIN enroll_version v ON v.roster = p.roster
			WHERE v.application = $4 AND v.version = $5 AND p.status = 'US02') RETURNING id, holder, seal_name`,
		store.Time(a.now), a.r.approval, string(planKind), a.r.id, a.r.version)
	if err != nil {
		return err
	}
	defer rows.Close()
	var final []Suspension
	for rows.Next() {
		var x Suspension
		if err := rows.Scan(&x.ID, &x.Holder, &x.SealName); err != nil {
			return err
		}
		final = append(final, x)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, x := range final {
		u, err := x.user(ctx, a.tx)
		if err != nil {
			return err
		}
		if err := s.Suspender.Withdrawn(ctx, a.tx, a.v.Actor, u); err != nil {
			return err
		}
	}
	return nil
}

// user is whom the suspension is about, and which seal.
func (x *Suspension) user(ctx context.Context, q store.Querier) (User, error) {
	u, err := readUser(ctx, q, x.Holder)
	u.SealName, u.Suspension = x.SealName, x.ID
	return u, err
}

// RequestDecision asks for the second person's word on a suspension: to make it final, or to lift it. A registrar does it.
// Errors: enroll.suspension-decided while another request waits.
func (s *Service) RequestDecision(ctx context.Context, by access.Actor, ref Ref, confirm bool) (Suspension, error) {
	return s.onSuspension(ctx, by, ref, func(tx *store.Tx, v viewer, x *Suspension) error {
		if err := v.need(access.RoleRegistrar); err != nil {
			return err
		}
		if x.Request != "" {
			waiting, err := s.Access.PendingIn(ctx, tx, x.Request)
			if err != nil {
				return err
			}
			if waiting.State == "open" && !waiting.Voided && s.Clock().Before(waiting.Expires) {
				return ErrDecided.New()
			}
		}
		u, err := x.user(ctx, tx)
		if err != nil {
			return err
		}
		parts, err := s.Suspender.PlanDecision(ctx, tx, u, confirm)
		if err != nil {
			return err
		}
		kind, what := decisionOf(x, confirm)
		x.Request, err = s.Access.RequestPlanIn(ctx, tx, v.Actor, kind, what, parts)
		return err
	})
}

// decisionOf is what is approved of a suspension: its kind, and
//
//	{"type":"yinxin suspension decision 1","suspension":"sus_…","holder":"hol_…","seal":"…","confirm":true}
//
// without seal where all is meant that the person has.
func decisionOf(x *Suspension, confirm bool) (access.Kind, []byte) {
	text, err := json.Marshal(struct {
		Type       string `json:"type"`
		Suspension string `json:"suspension"`
		Holder     string `json:"holder"`
		Seal       string `json:"seal,omitempty"`
		Confirm    bool   `json:"confirm"`
	}{"yinxin suspension decision 1", x.ID, x.Holder, x.SealName, confirm})
	if err != nil {
		panic("enroll: strings can always be encoded: " + err.Error())
	}
	if confirm {
		return access.KindConfirmSuspension, text
	}
	return access.KindLiftSuspension, text
}

// ApproveDecision is the second person's consent to what was requested. The acts that it takes are parts of the request.
func (s *Service) ApproveDecision(ctx context.Context, by access.Actor, ref Ref) (Suspension, error) {
	return s.onSuspension(ctx, by, ref, func(tx *store.Tx, v viewer, x *Suspension) error {
		if x.Request == "" {
			return access.ErrNotApproved.New()
		}
		waiting, err := s.Access.PendingIn(ctx, tx, x.Request)
		if err != nil {
			return err
		}
		confirm := waiting.Kind == access.KindConfirmSuspension
		if err := s.Access.ApproveIn(ctx, tx, v.Actor, x.Request); err != nil {
			return err
		}
		kind, what := decisionOf(x, confirm)
		if _, err := s.Access.Redeem(ctx, tx, x.Request, kind, what); err != nil {
			return err
		}
		x.State, x.Decided = SuspensionLifted, s.Clock()
		if confirm {
			x.State = SuspensionConfirmed
		}
		u, err := x.user(ctx, tx)
		if err != nil {
			return err
		}
		return s.Suspender.Decided(ctx, tx, v.Actor, u, x.Request, confirm)
	})
}

// RejectDecision is the second person's refusal: the user stays suspended, and another decision can be requested.
func (s *Service) RejectDecision(ctx context.Context, by access.Actor, ref Ref, reason string) (Suspension, error) {
	if err := checkReason(reason); err != nil {
		return Suspension{}, err
	}
	return s.onSuspension(ctx, by, ref, func(tx *store.Tx, v viewer, x *Suspension) error {
		if x.Request == "" {
			return access.ErrNotApproved.New()
		}
		if err := s.Access.RejectIn(ctx, tx, v.Actor, x.Request, reason); err != nil {
			return err
		}
		x.Request = ""
		return nil
	})
}

// onSuspension changes an open suspension that the actor may see.
func (s *Service) onSuspension(ctx context.Context, by access.Actor, ref Ref, fn func(tx *store.Tx, v viewer, x *Suspension) error) (Suspension, error) {
	var x Suspension
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		v, err := s.viewer(ctx, tx, by)
		if err != nil {
			return err
		}
		var area string
		var direct bool
		if x, area, direct, err = scanSuspension(tx.QueryRowContext(ctx, selectSuspension+` WHERE x.id = $1`, key(ref.ID))); err != nil {
			return err
		}
		switch {
		case !v.seesUnit(x.Unit, area, direct):
			return ErrSuspension.New()
		case x.Revision != ref.Revision:
			return ErrConflict.New()
		case x.State != SuspensionOpen:
			return ErrDecided.New()
		}
		if err := fn(tx, v, &x); err != nil {
			return err
		}
		return s.saveSuspension(ctx, tx, v, &x)
	})
	return x, err
}

func (s *Service) saveSuspension(ctx context.Context, tx *store.Tx, v viewer, x *Suspension) error {
	var approval, kind, used any
	event := "user.suspension-requested"
	switch x.State {
	case SuspensionConfirmed:
		approval, kind, used, event = x.Request, string(access.KindConfirmSuspension), 1, "user.suspension-confirmed"
	case SuspensionLifted:
		approval, kind, used, event = x.Request, string(access.KindLiftSuspension), 1, "user.suspension-lifted"
	default:
		if x.Request == "" {
			event = "user.suspension-kept"
		}
	}
	result, err := tx.ExecContext(ctx, `UPDATE enroll_suspension SET state = $1, revision = revision + 1, request = $2, decided = $3,
		approval = $4, approval_kind = $5, approval_used = $6 WHERE id = $7 AND revision = $8`,
		string(x.State), orNull(x.Request), timeOrNull(x.Decided), approval, kind, used, x.ID, x.Revision)
	if err != nil {
		return err
	}
	if err := store.ExactlyOne(result, ErrConflict.New()); err != nil {
		return err
	}
	x.Revision++
	return s.note(ctx, tx, v, event, x.Holder, map[string]string{"suspension": x.ID, "request": x.Request})
}
