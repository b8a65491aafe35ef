package register

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Card is a seal as the register has it, with everything that happened to its state.
type Card struct {
	Code, Name, Organisation, CreditCode string
	// Networks are its 用章范围; empty where none was kept: it may be used on all.
	Networks []string
	Standing // as registered, whatever its certificates say
	// History are all states, the oldest first; nil in lists.
	History []Standing
	// Instances are the electronic seals in use; nil in lists.
	Instances []Instance
}

// CardFilter narrows a list of cards; zero fields do not.
type CardFilter struct {
	State State
	// Text stands in the code, the seal's or the organisation's name.
	Text string
	// After continues a list behind the seal with this code.
	After string
	Limit int // 0: 200
}

const selectCard = `SELECT s.code, s.name, s.organisation, s.credit_code, s.networks, COALESCE(t.state, 'making'), COALESCE(t.since, s.created_at), COALESCE(t.actor, ''), COALESCE(t.reason, '')
	FROM seal s LEFT JOIN seal_state t ON t.seal_code = s.code AND t.number = (SELECT MAX(n.number) FROM seal_state n WHERE n.seal_code = s.code)`

func scanCard(row interface{ Scan(...any) error }) (c Card, err error) {
	var since, networks string
	if err = row.Scan(&c.Code, &c.Name, &c.Organisation, &c.CreditCode, &networks, &c.State, &since, &c.Actor, &c.Reason); err != nil {
		return c, err
	}
	c.Networks = strings.Fields(networks)
	c.Since, err = store.ParseTime(since)
	return c, err
}

// UsableOn says whether the seal may be used on a listener with a label; one without a label refuses nothing.
func (c Card) UsableOn(network string) bool {
	return network == "" || len(c.Networks) == 0 || slices.Contains(c.Networks, network)
}

// overseers are those who may see every seal and every grant.
var overseers = []access.Role{access.RoleRegistrar, access.RoleApprover, access.RoleAuditor}

// needs refuses whoever holds none of the roles now.
func (r *Register) needs(ctx context.Context, q store.Querier, by access.Actor, roles ...access.Role) error {
	now, err := r.Access.ActorIn(ctx, q, by.ID)
	if err == nil && !slices.ContainsFunc(roles, now.Has) {
		err = errDenied.New()
	}
	return err
}

// Cards lists seals by their codes, for officers and auditors, and for administrators, who ask for grants.
func (r *Register) Cards(ctx context.Context, by access.Actor, f CardFilter) ([]Card, error) {
	if err := r.needs(ctx, r.DB.Read(), by, append(overseers, access.RoleAdministrator)...); err != nil {
		return nil, err
	}
	limit := f.Limit
	if limit < 1 || limit > 1000 {
		limit = 200
	}
	args := []any{clean(f.After), limit}
	query := selectCard + ` WHERE s.code > $1`
	if f.State != "" {
		args = append(args, clean(string(f.State)))
		query += ` AND COALESCE(t.state, 'making') = $` + strconv.Itoa(len(args))
	}
	if f.Text != "" {
		where, like := containing(f.Text, len(args), "s.code", "s.name", "s.organisation")
		args, query = append(args, like...), query+where
	}
	rows, err := r.DB.Read().QueryContext(ctx, query+` ORDER BY s.code LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []Card{}
	for rows.Next() {
		c, err := scanCard(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// Card is one seal with its history and what is in use of it, for officers and auditors. Error: seal.not-found.
func (r *Register) Card(ctx context.Context, by access.Actor, code string) (Card, error) {
	if err := r.needs(ctx, r.DB.Read(), by, overseers...); err != nil {
		return Card{}, err
	}
	code = clean(code)
	c, err := scanCard(r.DB.Read().QueryRowContext(ctx, selectCard+` WHERE s.code = $1`, code))
	if errors.Is(err, sql.ErrNoRows) {
		return c, errNoSeal.With("%s", code)
	}
	if err != nil {
		return c, err
	}
	if c.History, err = r.history(ctx, code); err != nil {
		return c, err
	}
	used, err := r.ForBusiness().InstancesInUse(ctx, code)
	if err != nil {
		return c, err
	}
	for _, u := range used {
		in, err := r.Instance(ctx, u.ID)
		if err != nil {
			return c, err
		}
		c.Instances = append(c.Instances, in)
	}
	return c, nil
}

func (r *Register) history(ctx context.Context, code string) ([]Standing, error) {
	rows, err := r.DB.Read().QueryContext(ctx, `SELECT state, since, actor, reason FROM seal_state WHERE seal_code = $1 ORDER BY number`, code)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Standing
	for rows.Next() {
		var s Standing
		var since string
		if err := rows.Scan(&s.State, &since, &s.Actor, &s.Reason); err != nil {
			return nil, err
		}
		if s.Since, err = store.ParseTime(since); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}
