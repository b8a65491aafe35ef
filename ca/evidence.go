package ca

import (
	"bytes"
	"context"
	"slices"

	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/internal/oid"
)

// Evidence gives what proves later and offline that a certificate of this authority is good now: the list of its issuer,
// and for what an issuing CA signed also an OCSP answer. For certificates of others it gives the imported list that knows of them,
// or nothing. Errors:
// ca.no-crl, ocsp.unsuccessful.
func (a *Authority) Evidence(ctx context.Context, certificate, issuer *chain.Certificate) (crls, answers [][]byte, err error) {
	if bytes.Equal(issuer.Raw, a.root.Raw) {
		list, err := a.RootCRL(ctx)
		if err != nil {
			return nil, nil, err
		}
		return [][]byte{list}, nil, nil
	}
	at := slices.IndexFunc(a.issuers, func(s *issuingCA) bool { return bytes.Equal(issuer.Raw, s.Certificate.Raw) })
	if at < 0 {
		crls, err := a.foreignEvidence(ctx, certificate, issuer)
		return crls, nil, err
	}
	list, err := a.CRL(ctx, a.issuers[at].ID)
	if err != nil {
		return nil, nil, err
	}
	id, err := ocsp.NewCertID(oid.SM3, issuer, certificate.Serial)
	if err != nil {
		return nil, nil, err
	}
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
	if err != nil {
		return nil, nil, err
	}
	answer := a.OCSP(ctx, request)
	if read, err := ocsp.ParseResponse(answer); err != nil {
		return nil, nil, err
	} else if read.Status != ocsp.Successful {
		return nil, nil, ocsp.ErrUnsuccessful.With("%d", read.Status)
	}
	return [][]byte{list}, [][]byte{answer}, nil
}
