package register

import (
	"context"

	"yinxin/ca/trustlist"
	"yinxin/internal/store"
)

// Published is every seal that has come into use, with its states and instances, in order of the codes: what a trust list
// says of them. What certificates do to a seal is not in it; the revocation lists beside it say that.
func (r *Register) Published(ctx context.Context) ([]trustlist.Seal, error) {
	q := r.DB.Read()
	var list []trustlist.Seal
	err := store.Each(ctx, q, func(scan func(...any) error) error {
		var s trustlist.Seal
		err := scan(&s.Code, &s.Name, &s.Organisation)
		list = append(list, s)
		return err
	}, `SELECT code, name, organisation FROM seal WHERE code IN (SELECT seal_code FROM seal_state) ORDER BY code`)
	if err != nil {
		return nil, err
	}
	of := make(map[string]*trustlist.Seal, len(list))
	for i := range list {
		of[list[i].Code] = &list[i]
	}
	err = store.Each(ctx, q, func(scan func(...any) error) error {
		var code, since string
		var state trustlist.State
		if err := scan(&code, &since, &state.State); err != nil {
			return err
		}
		var err error
		state.Since, err = store.ParseTime(since)
		if s := of[code]; s != nil { // else it came after the first query
			s.States = append(s.States, state)
		}
		return err
	}, `SELECT seal_code, since, state FROM seal_state ORDER BY seal_code, number`)
	if err != nil {
		return nil, err
	}
	return list, r.publishedInstances(ctx, q, of)
}

// publishedInstances fills in the instances. A seal has a picture in it and never changes: each is read once.
func (r *Register) publishedInstances(ctx context.Context, q store.Querier, of map[string]*trustlist.Seal) error {
	type row struct{ id, code string }
	var rows []row
	err := store.Each(ctx, q, func(scan func(...any) error) error {
		var one row
		err := scan(&one.id, &one.code)
		rows = append(rows, one)
		return err
	}, `SELECT id, seal_code FROM seal_instance WHERE seal IS NOT NULL ORDER BY seal_code, created_at, id`)
	if err != nil {
		return err
	}
	for _, one := range rows {
		known, ok := r.digests.Load(one.id)
		if !ok {
			var certificate, seal []byte
			if err := q.QueryRowContext(ctx, `SELECT certificate, seal FROM seal_instance WHERE id = $1`, one.id).Scan(&certificate, &seal); err != nil {
				return err
			}
			known = trustlist.Instance{Certificate: digest(certificate), Seal: digest(seal)}
			r.digests.Store(one.id, known)
		}
		if s := of[one.code]; s != nil {
			s.Instances = append(s.Instances, known.(trustlist.Instance))
		}
	}
	return nil
}
