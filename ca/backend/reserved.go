package backend

import (
	"context"
	"crypto/ecdsa"

	"yinxin/ca"
	"yinxin/keystore"
)

// Reserved reports keys that the authority has in a certificate of its own infrastructure, for csr.Options.
func Reserved(ctx context.Context, a *ca.Authority) func(*ecdsa.PublicKey) (bool, error) {
	return func(key *ecdsa.PublicKey) (bool, error) {
		list, err := a.Certificates(ctx, ca.Filter{Public: keystore.Point(key)})
		if err != nil {
			return false, err
		}
		for _, r := range list {
			switch r.Profile {
			case ca.ProfileInstitution, ca.ProfilePersonal, ca.ProfileEncryption:
			default:
				return true, nil
			}
		}
		return false, nil
	}
}
