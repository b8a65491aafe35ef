package business

import (
	"context"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/store"
)

var _ enroll.Seals = (*Service)(nil)

// Seal implements enroll.Seals: what the register says of a seal that a form names.
func (s *Service) Seal(ctx context.Context, _ store.Querier, code string) (*form.Existing, error) {
	registered, err := s.Seals.Registered(ctx, code)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &form.Existing{Unit: registered.Organisation, Name: registered.Name}, nil
}
