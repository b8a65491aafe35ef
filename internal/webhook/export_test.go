package webhook

import "context"

// SecretOf is the secret of an endpoint, as a delivery finds it.
func (s *Service) SecretOf(ctx context.Context, endpoint string) (string, error) {
	_, secret, err := s.secretOf(ctx, endpoint)
	return secret, err
}
