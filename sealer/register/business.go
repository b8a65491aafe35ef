package register

import (
	"context"
	"database/sql"
	"errors"

	"yinxin/ca/enroll/business"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// forBusiness is the register as registration sees it.
type forBusiness struct{ *Register }

// ForBusiness gives registration what it needs of the register.
func (r *Register) ForBusiness() business.Seals { return forBusiness{r} }

var _ business.Seals = forBusiness{}

func orderFor(o business.SealOrder) Order {
	order := Order{Code: o.Code, Name: o.Name, FormerName: o.FormerName, Organisation: o.Organisation, CreditCode: o.CreditCode, Type: 1,
		Width: o.Width, Height: o.Height, Template: o.Template, Picture: o.Picture, Custody: Central, KeyName: o.KeyName, Networks: o.Networks}
	if o.Holder != "" {
		order.Custody, order.Holder = UserKey, o.Holder
	}
	return order
}

func grantFor(g business.SealGrant) Grant {
	return Grant{SealCode: g.Code, Actor: g.Actor, From: g.From, Until: g.Until, Quota: g.Quota}
}

func (f forBusiness) SealTerms(o business.SealOrder) []byte { return orderFor(o).Terms() }

func (f forBusiness) GrantTerms(g business.SealGrant) []byte { return grantFor(g).Subject() }

func (f forBusiness) CancelTerms(code string) []byte { return CancelSubject(code) }

func (f forBusiness) PrepareSeal(approvalID string, o business.SealOrder) (business.SealDraft, error) {
	return f.Prepare(approvalID, orderFor(o))
}

func (f forBusiness) PrepareSealRenewal(ctx context.Context, instanceID, keyName string) (business.SealDraft, error) {
	return f.PrepareRenewal(ctx, instanceID, keyName)
}

func (f forBusiness) GrantSeal(ctx context.Context, tx *store.Tx, approvalID string, g business.SealGrant) error {
	_, err := f.AllowIn(ctx, tx, approvalID, grantFor(g))
	return err
}

func (f forBusiness) CancelSeal(ctx context.Context, tx *store.Tx, approvalID, code string) error {
	return f.CancelIn(ctx, tx, approvalID, code)
}

func (f forBusiness) Withdraw(ctx context.Context, tx *store.Tx, by access.Actor, instanceID, reason string) error {
	return f.Register.Withdraw(ctx, tx, by, instanceID, reason)
}

func (f forBusiness) Registered(ctx context.Context, code string) (business.RegisteredSeal, error) {
	s := business.RegisteredSeal{Code: code}
	var width, height int64
	err := f.DB.Read().QueryRowContext(ctx, `SELECT s.name, s.organisation, s.credit_code, t.template, t.picture, t.width_um, t.height_um
		FROM seal s JOIN seal_template t ON t.seal_code = s.code WHERE s.code = $1
		ORDER BY (SELECT COALESCE(MIN(CASE i.state WHEN 'active' THEN 0 WHEN 'waiting' THEN 2 ELSE 1 END), 3) FROM seal_instance i
			WHERE i.seal_code = t.seal_code AND i.template_version = t.version), t.version DESC LIMIT 1`, code).
		Scan(&s.Name, &s.Organisation, &s.CreditCode, &s.Template, &s.Picture, &width, &height)
	if errors.Is(err, sql.ErrNoRows) {
		return s, errNoSeal.With("%s", code)
	}
	if err != nil {
		return s, err
	}
	s.Width, s.Height = float64(width)/1000, float64(height)/1000
	now, err := standing(ctx, f.DB.Read(), code, f.Clock())
	s.State = string(now.State)
	return s, err
}

func (f forBusiness) InstancesInUse(ctx context.Context, code string) ([]business.SealInstance, error) {
	return f.active(ctx, `WHERE i.seal_code = $1 AND i.state = 'active' ORDER BY i.custody, i.holder`, code)
}

func (f forBusiness) InstancesOf(ctx context.Context, holder string) ([]business.SealInstance, error) {
	return f.active(ctx, `WHERE i.custody = 'key' AND i.holder = $1 AND i.state = 'active' ORDER BY i.seal_code`, holder)
}

func (f forBusiness) WaitingRenewal(ctx context.Context, instanceID string) (der []byte, err error) {
	err = f.DB.Read().QueryRowContext(ctx, `SELECT certificate FROM seal_instance WHERE renews = $1 AND state = 'waiting'`, instanceID).Scan(&der)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return der, err
}

func (f forBusiness) GrantedOnKey(ctx context.Context, holder string) ([]string, error) {
	return store.Column[string](f.DB.Read().QueryContext(ctx, `SELECT DISTINCT i.seal_code FROM seal_instance i WHERE i.custody = 'key' AND i.holder = $1
		AND (i.state = 'active' OR EXISTS (SELECT 1 FROM seal_grant g WHERE g.seal_code = i.seal_code AND g.actor_id = $1 AND g.withdrawn = 0 AND g.valid_until > $2))
		AND NOT EXISTS (SELECT 1 FROM seal_state s WHERE s.seal_code = i.seal_code AND s.state = 'cancelled')
		ORDER BY i.seal_code`, holder, store.Time(f.Clock())))
}

func (f forBusiness) Waiting(ctx context.Context, tx *store.Tx, instanceID string) (der []byte, err error) {
	err = tx.QueryRowContext(ctx, `SELECT i.certificate FROM seal_instance i LEFT JOIN seal_instance o ON o.id = i.renews
		WHERE i.id = $1 AND i.state = 'waiting' AND (i.renews IS NULL OR o.state = 'active')`, instanceID).Scan(&der)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return der, err
}

func (f forBusiness) IdleKeys(ctx context.Context) ([]string, error) {
	return store.Column[string](f.DB.Read().QueryContext(ctx, `SELECT DISTINCT key_name FROM seal_instance WHERE custody = 'central' AND state IN ('superseded', 'withdrawn')
		AND key_name NOT IN (SELECT key_name FROM seal_instance WHERE custody = 'central' AND state IN ('waiting', 'active')) ORDER BY key_name`))
}

func (f forBusiness) active(ctx context.Context, where string, args ...any) ([]business.SealInstance, error) {
	rows, err := f.DB.Read().QueryContext(ctx, selectInstance+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []business.SealInstance
	for rows.Next() {
		in, err := scanInstance(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, business.SealInstance{ID: in.ID, Code: in.SealCode, Holder: in.Holder, KeyName: in.KeyName, Certificate: in.Certificate})
	}
	return list, rows.Err()
}
