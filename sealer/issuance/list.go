package issuance

import (
	"context"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Filter narrows a list of cases; zero fields do not.
type Filter struct {
	// Side is whose desk it is: "out" is what the actor's archive asked for, "in" what others ask of it.
	Side  string
	State State
	// Overdue leaves only what waits for an answer beyond its term.
	Overdue bool
	// From and Until bound when cases were opened: days as civil.Day writes them, both included.
	From, Until string
	// After continues a list behind the case with this identifier; at most Limit come back, 200 without.
	After string
	Limit int
}

const maxListed = 1000

// Cases lists those that the actor may see, the newest first, without parts and copies. Errors: issuance.request, access.*.
func (s *Service) Cases(ctx context.Context, by access.Actor, f Filter) (list []Case, err error) {
	actor, err := s.Access.Actor(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	if f.Limit <= 0 {
		f.Limit = 200
	}
	from, until, err := f.days()
	if err != nil {
		return nil, err
	}
	err = s.eachRow(ctx, actor, f, from, until, min(f.Limit, maxListed), func(r row) error {
		if err := s.open(r.sealed, &r.Applicant, applicantContext(r.ID)); err != nil {
			return err
		}
		r.Applicant = r.Applicant.Masked()
		list = append(list, r.Case)
		return nil
	})
	return list, err
}

// eachRow calls fn with the cases of an actor; its conditions are those of sidesOf.
func (s *Service) eachRow(ctx context.Context, a access.Actor, f Filter, from, until string, limit int, fn func(row) error) error {
	clerk, relay := flag(a.Has(access.RoleOperator) && a.Organisation != ""), flag(a.Has(access.RolePlatform) && a.Organisation != "")
	return store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		r, err := s.scan(scan)
		if err != nil {
			return err
		}
		return fn(r)
	}, selectCase+` WHERE (($1 = 1 AND (receiving = $3 AND $4 <> 'in' OR holding = $3 AND $4 <> 'out')) OR ($2 = 1 AND platform = 1 AND opener = $3))
		AND ($5 = '' OR state = $5) AND ($6 = 0 OR (state = 'requested' AND due_at <= $7)) AND opened_at >= $8 AND opened_at < $9
		AND ($10 = '' OR (opened_at, id) < (SELECT b.opened_at, b.id FROM issuance_case b WHERE b.id = $10))
		ORDER BY opened_at DESC, id DESC LIMIT $11`,
		clerk, relay, a.Organisation, f.Side, string(f.State), flag(f.Overdue), store.Time(s.Clock()), from, until, f.After, limit)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
