package issuance

import (
	"context"
	"slices"
	"strings"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// days are the bounds of a filter as the database has times.
func (f Filter) days() (from, until string, err error) {
	from, until = "", "9999"
	if f.From != "" {
		t, err := civil.ParseDay(f.From)
		if err != nil {
			return "", "", errRequest.At(fault.Field("from"))
		}
		from = store.Time(t)
	}
	if f.Until != "" {
		t, err := civil.ParseDay(f.Until)
		if err != nil {
			return "", "", errRequest.At(fault.Field("until"))
		}
		until = store.Time(t.AddDate(0, 0, 1))
	}
	return from, until, nil
}

// Statistics are the numbers of a year, counted by when cases were opened, in China.
type Statistics struct {
	Year     int
	Archives []Tally // of each archive that holds files, by name
	Total    Tally
}

// Tally counts the cases that an archive was asked in.
type Tally struct {
	Archive   string
	Requested int // all
	Found     int
	Missing   int
	Closed    int
	Cancelled int
	Open      int // no answer yet
	InTime    int // answered within the term
	Late      int // answered after it, or still open after it
	Issued    int // copies, withdrawn ones included
	Withdrawn int
}

// Statistics counts a year: everything for an auditor, and for a clerk what their own archive was asked. Errors:
// issuance.year, access.role.
func (s *Service) Statistics(ctx context.Context, by access.Actor, year int) (Statistics, error) {
	if year < 2000 || year > 9000 {
		return Statistics{}, errYear.New()
	}
	actor, err := s.Access.Actor(ctx, by.ID)
	if err != nil {
		return Statistics{}, err
	}
	only := actor.Organisation
	switch {
	case actor.Has(access.RoleAuditor):
		only = ""
	case !actor.Has(access.RoleOperator) || only == "":
		return Statistics{}, access.ErrRole.With("%s", access.RoleAuditor)
	}
	begin := time.Date(year, 1, 1, 0, 0, 0, 0, civil.China)
	list := map[string]*Tally{}
	err = store.Each(ctx, s.DB.Read(), func(scan func(...any) error) error {
		var archive, result, state, due, answered string
		var issued, withdrawn int
		if err := scan(&archive, &result, &state, &due, &answered, &issued, &withdrawn); err != nil {
			return err
		}
		t := list[archive]
		if t == nil {
			t = &Tally{Archive: archive}
			list[archive] = t
		}
		t.count(Result(result), State(state), due, answered, store.Time(s.Clock()))
		t.Issued, t.Withdrawn = t.Issued+issued, t.Withdrawn+withdrawn
		return nil
	}, `SELECT c.holding, c.result, c.state, c.due_at, COALESCE(c.answered_at, ''), CASE WHEN p.issued_at IS NULL THEN 0 ELSE 1 END,
		CASE WHEN p.withdrawn_at IS NULL THEN 0 ELSE 1 END FROM issuance_case c LEFT JOIN issuance_copy p ON p.case_id = c.id
		WHERE c.opened_at >= $1 AND c.opened_at < $2 AND ($3 = '' OR c.holding = $3)`,
		store.Time(begin), store.Time(begin.AddDate(1, 0, 0)), only)
	if err != nil {
		return Statistics{}, err
	}
	out := Statistics{Year: year}
	for _, t := range list {
		out.Archives = append(out.Archives, *t)
		out.Total.add(*t)
	}
	slices.SortFunc(out.Archives, func(a, b Tally) int { return strings.Compare(a.Archive, b.Archive) })
	return out, nil
}

// count takes one case in; times are as in the database, which compare as texts.
func (t *Tally) count(result Result, state State, due, answered, now string) {
	t.Requested++
	switch {
	case state == Cancelled:
		t.Cancelled++
		return
	case result == Held:
		t.Found++
	case result == Missing:
		t.Missing++
	case result == Closed:
		t.Closed++
	default:
		t.Open++
	}
	switch {
	case answered == "" && now >= due, answered != "" && answered >= due:
		t.Late++
	case answered != "":
		t.InTime++
	}
}

func (t *Tally) add(o Tally) {
	for _, p := range []struct{ into, of *int }{{&t.Requested, &o.Requested}, {&t.Found, &o.Found}, {&t.Missing, &o.Missing}, {&t.Closed, &o.Closed},
		{&t.Cancelled, &o.Cancelled}, {&t.Open, &o.Open}, {&t.InTime, &o.InTime}, {&t.Late, &o.Late}, {&t.Issued, &o.Issued}, {&t.Withdrawn, &o.Withdrawn}} {
		*p.into += *p.of
	}
}
