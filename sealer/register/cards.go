package register

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Card is a seal as the register has it, with everything that happened to its state.
type Card struct {
	Code, Name, Organisation, CreditCode string
	Standing                             // as registered, whatever its certificates say
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

const selectCard = `SELECT s.code, s.name, s.organisation, s.credit_code, COALESCE(t.state, 'making'), COALESCE(t.since, s.created_at), COALESCE(t.actor, ''), COALESCE(t.reason, '')
	FROM seal s LEFT JOIN seal_state t ON t.seal_code = s.code AND t.number = (SELECT MAX(n.number) FROM seal_state n WHERE n.seal_code = s.code)`

func scanCard(row interface{ Scan(...any) error }) (c Card, err error) {
	var since string
	if err = row.Scan(&c.Code, &c.Name, &c.Organisation, &c.CreditCode, &c.State, &since, &c.Actor, &c.Reason); err != nil {
		return c, err
	}
	c.Since, err = store.ParseTime(since)
	return c, err
}

// oversees refuses whoever is neither an officer nor an auditor now.
func (r *Register) oversees(ctx context.Context, by access.Actor) error {
	now, err := r.Access.Actor(ctx, by.ID)
	if err == nil && !now.Has(access.RoleRegistrar) && !now.Has(access.RoleApprover) && !now.Has(access.RoleAuditor) {
		err = errDenied.New()
	}
	return err
}

// Cards lists seals by their codes, for officers and auditors.
func (r *Register) Cards(ctx context.Context, by access.Actor, f CardFilter) ([]Card, error) {
	if err := r.oversees(ctx, by); err != nil {
		return nil, err
	}
	limit := f.Limit
	if limit < 1 || limit > 1000 {
		limit = 200
	}
	clean := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") }
	args := []any{clean(f.After), limit}
	query := selectCard + ` WHERE s.code > $1`
	if f.State != "" {
		args = append(args, clean(string(f.State)))
		query += ` AND COALESCE(t.state, 'making') = $` + strconv.Itoa(len(args))
	}
	if f.Text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(clean(f.Text[:min(len(f.Text), 300)])) + "%"
		for _, column := range []string{"s.code", "s.name", "s.organisation"} {
			args = append(args, like)
			query += map[bool]string{true: ` AND (`, false: ` OR `}[column == "s.code"] + column + ` LIKE $` + strconv.Itoa(len(args)) + ` ESCAPE '\'`
		}
		query += `)`
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
	if err := r.oversees(ctx, by); err != nil {
		return Card{}, err
	}
	code = strings.ReplaceAll(strings.ToValidUTF8(code, ""), "\x00", "")
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
