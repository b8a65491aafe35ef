package issuance

import (
	"context"
	"strings"

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
	// Text is a part of a number, an archival number or the name of an archive, whatever the case of its letters.
	Text string
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
		AND ($12 = '' OR LOWER(number) LIKE $12 ESCAPE '!' OR LOWER(reference) LIKE $12 ESCAPE '!' OR LOWER(receiving) LIKE $12 ESCAPE '!' OR LOWER(holding) LIKE $12 ESCAPE '!')
		AND ($10 = '' OR (opened_at, id) < (SELECT b.opened_at, b.id FROM issuance_case b WHERE b.id = $10))
		ORDER BY opened_at DESC, id DESC LIMIT $11`,
		clerk, relay, a.Organisation, f.Side, string(f.State), flag(f.Overdue), store.Time(s.Clock()), from, until, f.After, limit, pattern(f.Text))
}

// pattern is a text as LIKE looks for it anywhere, or empty. What no text of the database can hold finds nothing.
func pattern(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToLower(strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd"))
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}

// Waiting counts what waits for somebody at an archive.
type Waiting struct {
	Answer  int // asked of it, without answer
	Overdue int // of these, beyond the term
	Issue   int // found, and not issued yet
	Receive int // issued for it
	Deliver int // received, and not handed over
}

// Waiting counts what waits at the archive of a clerk.
func (s *Service) Waiting(ctx context.Context, by access.Actor) (w Waiting, err error) {
	actor, err := s.Access.Actor(ctx, by.ID)
	if err != nil || !actor.Has(access.RoleOperator) || actor.Organisation == "" {
		return Waiting{}, err
	}
	err = s.DB.Read().QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM issuance_case WHERE holding = $1 AND state = 'requested'),
		(SELECT COUNT(*) FROM issuance_case WHERE holding = $1 AND state = 'requested' AND due_at <= $2),
		(SELECT COUNT(*) FROM issuance_case WHERE holding = $1 AND state IN ('found', 'composed')),
		(SELECT COUNT(*) FROM issuance_case WHERE receiving = $1 AND state = 'issued'),
		(SELECT COUNT(*) FROM issuance_case WHERE receiving = $1 AND state = 'received')`, actor.Organisation, store.Time(s.Clock())).
		Scan(&w.Answer, &w.Overdue, &w.Issue, &w.Receive, &w.Deliver)
	return w, err
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
