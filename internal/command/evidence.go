package command

import (
	"context"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/ca/tsa"
	"yinxin/internal/fetch"
	"yinxin/internal/oid"
	"yinxin/sealer"
)

// evidence proves certificates for long: those of the installation's own CA from its database, those of others by
// asking at the addresses that they name, where that is allowed.
type evidence struct {
	own    *ca.Authority
	client *fetch.Client // nil: nobody else is asked
}

var _ sealer.Evidence = evidence{}

func (e evidence) Evidence(ctx context.Context, certificate, issuer *chain.Certificate) (crls, answers [][]byte, err error) {
	crls, answers, err = e.own.Evidence(ctx, certificate, issuer)
	if err != nil || len(crls)+len(answers) > 0 {
		return crls, answers, err
	}
	if e.client == nil {
		return nil, nil, errEvidence.With("%s", issuer.Subject.CommonName)
	}
	for _, address := range certificate.CRLURLs[:min(len(certificate.CRLURLs), 3)] {
		var list []byte
		if list, err = e.client.Fetch(ctx, address, "", nil); err != nil {
			continue
		}
		if parsed, bad := chain.ParseCRL(list); bad == nil && parsed.CheckIssuer(issuer) == nil {
			crls = append(crls, parsed.Raw)
			break
		}
	}
	for _, address := range certificate.OCSPURLs[:min(len(certificate.OCSPURLs), 3)] {
		answer, failed := e.ask(ctx, address, certificate, issuer)
		if failed == nil {
			answers = append(answers, answer)
			break
		}
		err = failed
	}
	if len(crls)+len(answers) == 0 {
		return nil, nil, errEvidence.With("%s", issuer.Subject.CommonName).Because(err)
	}
	return crls, answers, nil
}

func (e evidence) ask(ctx context.Context, address string, certificate, issuer *chain.Certificate) ([]byte, error) {
	id, err := ocsp.NewCertID(oid.SHA1, issuer, certificate.Serial) // what responders everywhere understand
	if err != nil {
		return nil, err
	}
	request, err := ocsp.CreateRequest([]ocsp.CertID{id}, nil)
	if err != nil {
		return nil, err
	}
	answer, err := e.client.Fetch(ctx, address, "application/ocsp-request", request)
	if err != nil {
		return nil, err
	}
	read, err := ocsp.ParseResponse(answer)
	if err == nil && read.Status != ocsp.Successful {
		err = ocsp.ErrUnsuccessful.With("%d", read.Status)
	}
	return answer, err
}

// foreignStamps is a time-stamp authority elsewhere (RFC 3161, 3.4).
func foreignStamps(address string) tsa.Source {
	client := fetch.New(fetch.Options{Private: true, Bytes: tsa.MaxResponse})
	return &tsa.Client{Send: func(ctx context.Context, request []byte) ([]byte, error) {
		return client.Fetch(ctx, address, "application/timestamp-query", request)
	}}
}
