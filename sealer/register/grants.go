package register

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// GrantState is what a grant is good for now.
type GrantState string

// The states of grants.
const (
	GrantComing  GrantState = "coming"  // its time has not begun
	GrantRuns    GrantState = "runs"    // it may be used
	GrantUsedUp  GrantState = "used-up" // within its time, all uses are spent
	GrantExpired GrantState = "expired" // its time is over
	GrantEnded   GrantState = "ended"   // somebody ended it
)

// maxUses bounds the uses of one grant that has a limit.
const maxUses = 10_000_000

// GrantStates are all of them.
var GrantStates = []GrantState{GrantRuns, GrantComing, GrantUsedUp, GrantExpired, GrantEnded}

// GrantCard is a grant as those see it who look after grants.
type GrantCard struct {
	Grant
	SealName, Organisation string
	State                  GrantState
	// Approval is the request that was approved: who asked, who agreed, and when.
	Approval, Requester, Approver string
	Approved                      time.Time
	// Ended is when somebody ended it: zero for one that was not, or before that was kept.
	Ended              time.Time
	EndedBy, EndReason string
}

// Left is how many uses are left of a grant that has a limit.
func (g Grant) Left() int { return max(0, g.Quota-g.Used) }

// GrantFilter narrows a list of grants; zero fields do not.
type GrantFilter struct {
	// Text stands in the seal's code, its name, that of its organisation, or the identifier of who may use it.
	Text string
	// Seal and Actor are a code and an identifier as they are.
	Seal, Actor string
	State       GrantState
	// After continues a list behind the grant with this identifier.
	After string
	Limit int // 0: 200
}

const selectGrant = `SELECT id, seal_code, actor_id, valid_from, valid_until, quota, used, name, organisation, state, approval_id, requester, approver, approved, ended, ended_by, end_reason
	FROM (SELECT g.id, g.seal_code, g.actor_id, g.valid_from, g.valid_until, g.quota, g.used, s.name, s.organisation,
		CASE WHEN g.withdrawn = 1 THEN 'ended' WHEN g.valid_until <= $1 THEN 'expired' WHEN g.valid_from > $1 THEN 'coming'
			WHEN g.quota > 0 AND g.used >= g.quota THEN 'used-up' ELSE 'runs' END AS state,
		g.approval_id, a.requester, a.approver, a.approved, g.ended, g.ended_by, g.end_reason
		FROM seal_grant g JOIN seal s ON s.code = g.seal_code JOIN access_approval a ON a.id = g.approval_id) x`

func scanGrant(scan func(...any) error) (GrantCard, error) {
	var c GrantCard
	var from, until, approved, ended string
	err := scan(&c.ID, &c.SealCode, &c.Actor, &from, &until, &c.Quota, &c.Used, &c.SealName, &c.Organisation, &c.State,
		&c.Approval, &c.Requester, &c.Approver, &approved, &ended, &c.EndedBy, &c.EndReason)
	if err != nil {
		return c, err
	}
	for _, t := range []struct {
		text string
		into *time.Time
	}{{from, &c.From}, {until, &c.Until}, {approved, &c.Approved}, {ended, &c.Ended}} {
		if t.text == "" {
			continue
		}
		if *t.into, err = store.ParseTime(t.text); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Grants lists grants, what was approved last first, for administrators, officers and auditors. Error: seal.role-missing.
func (r *Register) Grants(ctx context.Context, by access.Actor, f GrantFilter) ([]GrantCard, error) {
	q := r.DB.Read()
	if err := r.needs(ctx, q, by, append(overseers, access.RoleAdministrator)...); err != nil {
		return nil, err
	}
	limit := f.Limit
	if limit < 1 || limit > 1000 {
		limit = 200
	}
	args := []any{store.Time(r.Clock()), limit}
	query := selectGrant + ` WHERE 1 = 1`
	for _, one := range []struct{ column, is string }{{"seal_code", f.Seal}, {"actor_id", f.Actor}} {
		if one.is != "" {
			args = append(args, clean(one.is))
			query += ` AND ` + one.column + ` = $` + strconv.Itoa(len(args))
		}
	}
	if f.State != "" {
		args = append(args, clean(string(f.State)))
		query += ` AND state = $` + strconv.Itoa(len(args))
	}
	if f.After != "" {
		args = append(args, clean(f.After))
		query += ` AND (approved, id) < (SELECT ba.approved, b.id FROM seal_grant b JOIN access_approval ba ON ba.id = b.approval_id WHERE b.id = $` + strconv.Itoa(len(args)) + `)`
	}
	if f.Text != "" {
		where, like := containing(f.Text, len(args), "seal_code", "name", "organisation", "actor_id")
		args, query = append(args, like...), query+where
	}
	list := []GrantCard{}
	err := store.Each(ctx, q, func(scan func(...any) error) error {
		c, err := scanGrant(scan)
		list = append(list, c)
		return err
	}, query+` ORDER BY approved DESC, id DESC LIMIT $2`, args...)
	return list, err
}

// GrantCard is one grant, for those who may list them. Errors: seal.grant-not-found, seal.role-missing.
func (r *Register) GrantCard(ctx context.Context, by access.Actor, id string) (GrantCard, error) {
	q := r.DB.Read()
	if err := r.needs(ctx, q, by, append(overseers, access.RoleAdministrator)...); err != nil {
		return GrantCard{}, err
	}
	return r.grantCard(ctx, q, id)
}

func (r *Register) grantCard(ctx context.Context, q store.Querier, id string) (GrantCard, error) {
	c, err := scanGrant(q.QueryRowContext(ctx, selectGrant+` WHERE id = $2`, store.Time(r.Clock()), clean(id)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoGrant.With("%.64q", id)
	}
	return c, err
}

// AskGrant asks for the second person's word on a grant; Allow then makes it. by is an administrator or a registrar.
// Errors: seal.grant-terms with the field, seal.not-found, seal.cancelled, those of access.RequestBecause, whose reason why is.
func (r *Register) AskGrant(ctx context.Context, by access.Actor, g Grant, why string) (request string, err error) {
	bad := func(field string) error { return errGrantTerms.At(fault.Field(field)) }
	switch {
	case g.From.IsZero():
		return "", bad("from")
	case !g.Until.After(g.From) || !g.Until.After(r.Clock()) || g.Until.Year() > 9999:
		return "", bad("until")
	case g.Quota < 0 || g.Quota > maxUses:
		return "", bad("quota")
	}
	s, err := standing(ctx, r.DB.Read(), g.SealCode, r.Clock())
	if err != nil {
		return "", err
	}
	if s.State == Cancelled || s.State == Collected {
		return "", errCancelled.With("%s", g.SealCode)
	}
	user, err := r.Access.Actor(ctx, g.Actor)
	if fault.Has(err, access.ErrActorNotFound) {
		return "", errGrantTerms.With("%.64q", g.Actor).At(fault.Field("actor"))
	}
	if err != nil {
		return "", err
	}
	if !user.Has(access.RoleOperator) && !user.Has(access.RolePlatform) { // nobody else seals
		return "", errGrantTerms.With("%s", g.Actor).Saying("被授权人须是用印员或平台程序", "seals are used by operators and programs").At(fault.Field("actor"))
	}
	return r.Access.RequestBecause(ctx, by, access.KindGrant, g.Subject(), why)
}

// MakeGrant makes a grant that AskGrant asked for and a second person approved. by is an administrator or a registrar.
// Errors: seal.role-missing, seal.grant-terms, access.request-not-found, access.part, those of Allow.
func (r *Register) MakeGrant(ctx context.Context, by access.Actor, request string) (Grant, error) {
	if err := by.CheckReal(); err != nil {
		return Grant{}, err
	}
	if err := r.needs(ctx, r.DB.Read(), by, access.RoleAdministrator, access.RoleRegistrar); err != nil {
		return Grant{}, err
	}
	asked, err := r.Access.Pending(ctx, request)
	if err != nil {
		return Grant{}, err
	}
	if asked.Parent != "" { // the business that it is a part of makes it, in its turn
		return Grant{}, access.ErrPart.With("%s", asked.Parent)
	}
	g, err := ParseGrant(asked.Subject)
	if err != nil {
		return Grant{}, err
	}
	return r.Allow(ctx, request, g)
}

// ParseGrant reads what Subject wrote.
func ParseGrant(subject []byte) (Grant, error) {
	var g Grant
	if err := json.Unmarshal(subject, &g); err != nil {
		return g, errGrantTerms.Because(err)
	}
	return g, nil
}

// EndGrant ends one grant at once. One person does it, since it only narrows what is possible: an administrator or a
// registrar. Errors: seal.grant-not-found, seal.grant-ended, seal.role-missing, enroll.reason, enroll.personal-data.
func (r *Register) EndGrant(ctx context.Context, by access.Actor, id, reason string) error {
	if err := by.CheckReal(); err != nil {
		return err
	}
	if err := enroll.CheckReason(reason); err != nil {
		return err
	}
	return r.DB.Write(ctx, func(tx *store.Tx) error {
		if err := r.needs(ctx, tx, by, access.RoleAdministrator, access.RoleRegistrar); err != nil {
			return err
		}
		c, err := r.grantCard(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.State == GrantExpired {
			return errGrantEnded.With("%s", id)
		}
		n, err := r.endGrants(ctx, tx, by, reason, `id = $4`, id)
		if err == nil && n == 0 {
			err = errGrantEnded.With("%s", id)
		}
		return err
	})
}

// clean takes out of a text what a database may not take.
func clean(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") }

// containing is a condition that one of the columns contains a text, after so many parameters, with its own.
func containing(text string, after int, columns ...string) (where string, args []any) {
	like := "%" + store.LikeText(clean(text[:min(len(text), 300)])) + "%"
	var any []string
	for i, column := range columns {
		any = append(any, column+` LIKE $`+strconv.Itoa(after+i+1)+` ESCAPE '\'`)
		args = append(args, like)
	}
	return ` AND (` + strings.Join(any, ` OR `) + `)`, args
}
