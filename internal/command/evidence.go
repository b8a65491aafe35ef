package command

import (
	"context"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/ocsp"
	"yinxin/ca/tsa"
	"yinxin/internal/fault"
	"yinxin/internal/fetch"
	"yinxin/internal/oid"
	"yinxin/sealer"
)

// evidence proves certificates for long: those of the installation's own CA from its database, those of others with the
// revocation lists at hand, else by asking at the addresses that they name, where that is allowed.
type evidence struct {
	own    *ca.Authority
	lists  []*chain.CRL
	client *fetch.Client // nil: nobody else is asked
}

var _ sealer.Evidence = evidence{}

func (e evidence) Evidence(ctx context.Context, certificate, issuer *chain.Certificate) (crls, answers [][]byte, err error) {
	crls, answers, err = e.own.Evidence(ctx, certificate, issuer)
	if err != nil || len(crls)+len(answers) > 0 {
		return crls, answers, err
	}
	for _, list := range e.lists {
		if list.CheckIssuer(issuer) == nil {
			crls = append(crls, list.Raw)
		}
	}
	if len(crls) > 0 {
		return crls, nil, nil
	}
	if e.client == nil {
		return nil, nil, errEvidence.With("%s", issuer.Subject.CommonName)
	}
	for _, address := range certificate.CRLURLs[:min(len(certificate.CRLURLs), 3)] {
		list, failed := e.list(ctx, address, issuer)
		if failed == nil {
			crls = append(crls, list)
			break
		}
		err = failed
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
		return nil, nil, errEvidence.With("%s%s", issuer.Subject.CommonName, fault.Reason(err)).Because(err)
	}
	return crls, answers, nil
}

// list fetches a revocation list and checks that it is the issuer's.
func (e evidence) list(ctx context.Context, address string, issuer *chain.Certificate) ([]byte, error) {
	data, err := e.client.Fetch(ctx, address, "", nil)
	if err != nil {
		return nil, err
	}
	list, err := chain.ParseCRL(data)
	if err != nil {
		return nil, err
	}
	return list.Raw, list.CheckIssuer(issuer)
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
	if err != nil {
		return nil, err
	}
	// Verified as of when it was made: whether the clocks agree is for the verifier of the document to judge.
	if _, err := read.Responder(issuer, read.ProducedAt); err != nil {
		return nil, err
	}
	if _, ok := read.Find(certificate, issuer); !ok {
		return nil, ocsp.ErrUnsuccessful.Saying("另一张证书", "another certificate")
	}
	return answer, nil
}

// foreignStamps is a time-stamp authority elsewhere. Its address is the operator's own word, so it may be private.
func foreignStamps(address string) tsa.Source {
	return fetch.New(fetch.Options{Private: true}).TimeStamps(address)
}
