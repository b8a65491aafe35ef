package register

import (
	"context"
	"database/sql"
	"errors"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Listed is a seal as its users see it.
type Listed struct {
	Code         string  `json:"code"`
	Name         string  `json:"name"`
	Organisation string  `json:"organisation"`
	State        State   `json:"state"`
	Width        float64 `json:"width_mm"`
	Height       float64 `json:"height_mm"`
	ValidFrom    string  `json:"valid_from"`
	ValidUntil   string  `json:"valid_until"`
	Usable       bool    `json:"usable"`
	Reason       string  `json:"reason,omitempty"` // code of the refusal when not usable
	Left         *int    `json:"uses_left,omitempty"`
	Custody      Custody `json:"custody,omitempty"`       // of the instance that the actor would use
	GrantedFrom  string  `json:"granted_from,omitempty"`  // of the grant that is used next
	GrantedUntil string  `json:"granted_until,omitempty"` // empty: there is none in force
}

// Seals lists the seals that the actor has ever been granted, usable or not, in order of their codes.
func (r *Register) Seals(ctx context.Context, actor access.Actor) ([]Listed, error) {
	q := r.DB.Read()
	rows, err := q.QueryContext(ctx, `SELECT DISTINCT s.code, s.name, s.organisation FROM seal s
		JOIN seal_grant g ON g.seal_code = s.code WHERE g.actor_id = $1 ORDER BY s.code`, actor.ID)
	if err != nil {
		return nil, err
	}
	list := []Listed{}
	for rows.Next() {
		var l Listed
		if err := rows.Scan(&l.Code, &l.Name, &l.Organisation); err != nil {
			rows.Close()
			return nil, err
		}
		list = append(list, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for i := range list {
		if err := r.describe(ctx, q, actor, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *Register) describe(ctx context.Context, q store.Querier, actor access.Actor, l *Listed) error {
	now := r.Clock()
	s, err := r.StateAt(ctx, l.Code, now)
	if err != nil {
		return err
	}
	l.State = s.State
	in, err := r.instance(ctx, q, l.Code, Central, "")
	if fault.Has(err, errNotReady) { // a seal that is on USB Keys only
		in, err = r.instance(ctx, q, l.Code, UserKey, actor.ID)
	}
	if err == nil {
		l.Width, l.Height = in.Width, in.Height
		l.ValidFrom, l.ValidUntil, l.Custody = store.Time(in.ValidFrom), store.Time(in.ValidUntil), in.Custody
	}
	if g, err := usableGrant(ctx, q, actor.ID, l.Code, now); err == nil {
		l.GrantedFrom, l.GrantedUntil = store.Time(g.From), store.Time(g.Until)
		if g.Quota > 0 {
			left := g.Quota - g.Used
			l.Left = &left
		}
	}
	holder := ""
	if l.Custody == UserKey {
		holder = actor.ID
	}
	in, err = r.authorise(ctx, q, actor, l.Code, holder)
	if err == nil {
		err = r.certified(ctx, in, now)
	}
	l.Usable = err == nil
	if err != nil {
		l.Reason = fault.CodeOf(err)
	}
	return nil
}

const selectInstance = `SELECT i.id, i.seal_code, i.custody, i.holder, i.key_name, i.certificate, i.seal, i.valid_from, i.valid_until,
			t.picture, t.width_um, t.height_um, i.name
		FROM seal_instance i
		JOIN seal_template t ON t.seal_code = i.seal_code AND t.version = i.template_version `

// instance gives the active central instance of a seal, or that on the USB Key of a holder. Which one that is is asked each time.
// Error: seal.not-ready.
func (r *Register) instance(ctx context.Context, q store.Querier, code string, custody Custody, holder string) (Instance, error) {
	var id string
	err := q.QueryRowContext(ctx, `SELECT id FROM seal_instance WHERE seal_code = $1 AND custody = $2 AND holder = $3 AND state = 'active'
		ORDER BY created_at DESC LIMIT 1`, code, string(custody), holder).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNotReady.With("%s", code)
	}
	if err != nil {
		return Instance{}, err
	}
	if in, known := r.made.get(id); known {
		return in, nil
	}
	in, err := scanInstance(q.QueryRowContext(ctx, selectInstance+`WHERE i.id = $1`, id))
	if err == nil {
		r.made.keep(in)
	}
	return in, err
}

// KeyCertificates are the certificates (DER) with which the seal instances on an actor's USB Keys are in use, each once, the newest
// first: at most 20. Whether they are good is for the caller to ask.
func (r *Register) KeyCertificates(ctx context.Context, q store.Querier, actorID string) ([][]byte, error) {
	return store.Column[[]byte](q.QueryContext(ctx, `SELECT certificate FROM seal_instance WHERE custody = $1 AND holder = $2 AND state = 'active'
		GROUP BY certificate ORDER BY MAX(created_at) DESC LIMIT 20`, string(UserKey), actorID))
}

// KeyHolders are those on whose USB Keys a certificate (DER) is that of a seal instance in use.
func (r *Register) KeyHolders(ctx context.Context, q store.Querier, certificate []byte) ([]string, error) {
	return store.Column[string](q.QueryContext(ctx, `SELECT DISTINCT holder FROM seal_instance WHERE certificate = $1 AND custody = $2 AND state = 'active'`,
		certificate, string(UserKey)))
}

// Picture is the picture of a seal that the actor was ever granted, as PNG: of the instance that the actor would use.
// Errors: seal.not-found, seal.not-ready.
func (r *Register) Picture(ctx context.Context, actor access.Actor, code string) ([]byte, error) {
	q := r.DB.Read()
	var granted int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM seal_grant WHERE actor_id = $1 AND seal_code = $2`, actor.ID, code).Scan(&granted)
	if err != nil {
		return nil, err
	}
	if granted == 0 {
		return nil, errNoSeal.With("%.40q", code)
	}
	in, err := r.instance(ctx, q, code, Central, "")
	if fault.Has(err, errNotReady) {
		in, err = r.instance(ctx, q, code, UserKey, actor.ID)
	}
	return in.Picture, err
}

// Organisation is whose seal it is, in whatever state: the full name. Error: seal.not-found.
func (r *Register) Organisation(ctx context.Context, code string) (name string, err error) {
	err = r.DB.Read().QueryRowContext(ctx, `SELECT organisation FROM seal WHERE code = $1`, code).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoSeal.With("%.40q", code)
	}
	return name, err
}

// Instance reads an instance by its identifier, in whatever state it is. Error: seal.not-found.
func (r *Register) Instance(ctx context.Context, id string) (Instance, error) {
	in, err := scanInstance(r.DB.Read().QueryRowContext(ctx, selectInstance+`WHERE i.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoSeal.With("%s", id)
	}
	return in, err
}

// Template gives the 600-dpi template that an instance was made from: PNG. Error: seal.not-found.
func (r *Register) Template(ctx context.Context, instanceID string) (png []byte, err error) {
	err = r.DB.Read().QueryRowContext(ctx, `SELECT t.template FROM seal_instance i
		JOIN seal_template t ON t.seal_code = i.seal_code AND t.version = i.template_version WHERE i.id = $1`, instanceID).Scan(&png)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoSeal.With("%s", instanceID)
	}
	return png, err
}

func scanInstance(row interface{ Scan(...any) error }) (Instance, error) {
	var in Instance
	var custody, from, until string
	var width, height int64
	err := row.Scan(&in.ID, &in.SealCode, &custody, &in.Holder, &in.KeyName, &in.Certificate, &in.Seal, &from, &until, &in.Picture, &width, &height, &in.SealName)
	if err != nil {
		return Instance{}, err
	}
	in.Custody = Custody(custody)
	in.Width, in.Height = float64(width)/1000, float64(height)/1000
	if in.ValidFrom, err = store.ParseTime(from); err != nil {
		return Instance{}, err
	}
	in.ValidUntil, err = store.ParseTime(until)
	return in, err
}
