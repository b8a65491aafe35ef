package enroll

import (
	"context"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// steps are those that somebody takes, in the order in which a page offers them.
var steps = []Step{StepEdit, StepSubmit, StepRecall, StepGather, StepRelease, StepReceive, StepOriginal, StepInk, StepConfirm, StepExamine, StepApprove,
	StepAccept, StepObject, StepSettle, StepClose, StepReturn, StepReject, StepAbort, StepWithdraw, StepUnmask, StepPrint, StepView}

// Possible lists the steps that the actor may take with an application where it stands now, as the one table of steps says.
// What a step looks at besides, findings say, can still refuse it.
func (s *Service) Possible(ctx context.Context, by access.Actor, id string) ([]Step, error) {
	var list []Step
	err := s.show(ctx, by, id, func(q store.Querier, v viewer, r *record) error {
		parties := v.parties(r)
		handed, err := handedIn(ctx, q, r.batch)
		if err != nil {
			return err
		}
		for _, step := range steps {
			if rules[step].allows(step, r.state, parties) != nil {
				continue
			}
			if step == StepGather && r.direct || step == StepRelease && handed || step == StepReceive && !r.direct && !handed {
				continue
			}
			list = append(list, step)
		}
		return nil
	})
	return list, err
}

// Counts says how many applications that the actor may see are in each state.
func (s *Service) Counts(ctx context.Context, by access.Actor) (map[State]int, error) {
	v, err := s.viewer(ctx, s.DB.Read(), by)
	if err != nil {
		return nil, err
	}
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT a.state, COUNT(*) FROM enroll_application a JOIN enroll_unit u ON u.id = a.unit
		WHERE $1 = 1 OR a.unit = $2 OR (u.area = $3 AND u.direct = 0) GROUP BY a.state`, bit(v.seesAll()), v.unit, v.area)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := map[State]int{}
	for rows.Next() {
		var state State
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		counts[state] = n
	}
	return counts, rows.Err()
}

// Stands is for whom an actor acts now: a unit, an area, or neither.
func (s *Service) Stands(ctx context.Context, by access.Actor) (unit, area string, err error) {
	v, err := s.viewer(ctx, s.DB.Read(), by)
	return v.unit, v.area, err
}

// Examined finds the application of which a request is the examination: enroll.not-found also for one that the actor may
// not see.
func (s *Service) Examined(ctx context.Context, by access.Actor, request string) (Application, error) {
	var view Application
	err := s.DB.Snapshot(ctx, func(q store.Querier) error {
		v, err := s.viewer(ctx, q, by)
		if err != nil {
			return err
		}
		list, err := scanRecords(q.QueryContext(ctx, selectRecord+` WHERE a.examination = $1`, key(request)))
		if err != nil {
			return err
		}
		if len(list) != 1 || !v.sees(list[0]) {
			return ErrNotFound.New()
		}
		view, err = s.view(ctx, q, v, list[0])
		return err
	})
	return view, err
}
