package api

import (
	"context"
	"math/big"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca"
	"yinxin/ca/backend"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
)

// Certificate is a certificate as the authority has it on record.
type Certificate struct {
	Serial    string    `json:"serial" doc:"Hexadecimal."`
	Profile   string    `json:"profile" example:"institution"`
	State     string    `json:"state" enum:"pending,failed,good,held,revoked"`
	Reason    *int      `json:"reason,omitempty" doc:"Of a revocation or hold: CRLReason (RFC 5280 clause 5.3.1)."`
	Since     time.Time `json:"since,omitzero" doc:"Of a revocation or hold."`
	Subject   string    `json:"subject,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	SM3       string    `json:"sm3,omitempty"`
	Created   time.Time `json:"created"`
	Approval  string    `json:"approval,omitempty" doc:"Empty for certificates of a ceremony."`
	Authority string    `json:"authority,omitempty" doc:"That made it, where it is another one. What is revoked here was ended by this house; its authority follows in its own time."`
	PEM       string    `json:"pem,omitempty"`
}

func certificateOf(r ca.Record, whole bool) Certificate {
	v := Certificate{Serial: ca.SerialText(r.Serial), Profile: string(r.Profile), State: string(r.State), Since: r.Since.UTC(), Created: r.Created.UTC(), Approval: r.Approval}
	if !r.Since.IsZero() {
		reason := int(r.Reason)
		v.Reason = &reason
	}
	if r.Certificate != nil {
		v.Subject, v.NotBefore, v.NotAfter, v.SM3 = r.Certificate.Subject.String(), r.Certificate.NotBefore.UTC(), r.Certificate.NotAfter.UTC(), r.Certificate.FingerprintText()
		if whole {
			v.PEM = pemOf(r.Certificate.Raw)
		}
	}
	return v
}

type certificateOutput struct{ Body Certificate }

const certificatePath = "/v1/certificates"

func (s *server) certificates() {
	type filter struct {
		Profile string    `query:"profile" maxLength:"40"`
		Name    string    `query:"name" maxLength:"100" doc:"Common name: a person, or the code of a seal."`
		State   string    `query:"state" enum:"pending,failed,good,held,revoked"`
		Before  time.Time `query:"before" doc:"Only those made before."`
		After   string    `query:"after" maxLength:"64" doc:"Goes on behind this one: next of the answer before."`
		Limit   int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	type listed struct {
		Body struct {
			Certificates []Certificate `json:"certificates"`
			Next         string        `json:"next,omitempty" doc:"For after, when there may be more."`
		}
	}
	operate(s, huma.Operation{OperationID: "list-certificates", Method: http.MethodGet, Path: certificatePath, Tags: []string{tagCertificates},
		Summary: "List certificates", Description: "The newest first. With a state, an answer may have fewer than limit and yet go on.", Responses: s.answers(401, 403, 404, 422)},
		overseers(), func(ctx context.Context, in *filter) (*listed, error) {
			f := ca.Filter{Profile: ca.Profile(in.Profile), Name: in.Name, Before: in.Before, Limit: in.Limit}
			if in.After != "" {
				var err error
				if f.After, err = serialOf(in.After); err != nil {
					return nil, err
				}
			}
			records, err := s.Authority.Certificates(ctx, f)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Certificates = []Certificate{}
			for _, r := range records {
				if in.State == "" || string(r.State) == in.State {
					out.Body.Certificates = append(out.Body.Certificates, certificateOf(r, false))
				}
			}
			if len(records) == in.Limit {
				out.Body.Next = ca.SerialText(records[len(records)-1].Serial)
			}
			return out, nil
		})
	operate(s, huma.Operation{OperationID: "get-certificate", Method: http.MethodGet, Path: certificatePath + "/{serial}", Tags: []string{tagCertificates},
		Summary: "Show a certificate", Responses: s.reading()},
		overseers(), func(ctx context.Context, in *Numbered) (*certificateOutput, error) {
			return s.showCertificate(ctx, in.Serial)
		})
	type hold struct {
		Serial string `path:"serial" maxLength:"64" doc:"Hexadecimal."`
		Body   Reason
	}
	operate(s, huma.Operation{OperationID: "hold-certificate", Method: http.MethodPost, Path: certificatePath + "/{serial}/hold", Tags: []string{tagCertificates},
		Summary:     "Put a certificate on hold at once",
		Description: "The emergency: one officer does it; revocation or release then take two people.", Responses: s.answers(400, 401, 403, 404, 409, 413, 415, 422)},
		officers(), func(ctx context.Context, in *hold) (*certificateOutput, error) {
			serial, err := serialOf(in.Serial)
			if err == nil {
				err = enroll.CheckReason(in.Body.Reason)
			}
			if err == nil {
				err = s.Authority.SuspendAtOnce(ctx, actorOf(ctx), serial, in.Body.Reason)
			}
			if err != nil {
				return nil, err
			}
			return s.showCertificate(ctx, in.Serial)
		})
	s.certificateChanges()
}

// Numbered is the input of a route about a certificate.
type Numbered struct {
	Serial string `path:"serial" maxLength:"64" doc:"Hexadecimal; or the SM3 fingerprint, by which a certificate of another authority is known for certain."`
}

func (s *server) showCertificate(ctx context.Context, text string) (*certificateOutput, error) {
	found, err := s.Authorities.Find(ctx, text)
	if err != nil {
		return nil, err
	}
	v := certificateOf(found.Record, true)
	if found.Authority != backend.BuiltIn {
		v.Authority = found.Authority
	}
	return &certificateOutput{v}, nil
}

// CertificateChange is what two people decide about a certificate.
type CertificateChange struct {
	Change string `json:"change" enum:"revoke,suspend,resume"`
	Reason int    `json:"reason,omitempty" enum:"0,1,3,4,5,9" doc:"Of a revocation: CRLReason (RFC 5280 clause 5.3.1)."`
	Why    string `json:"why,omitempty" maxLength:"200" doc:"For whoever decides, in your words; without personal data."`
}

// certificateChanges ask for what two people decide, and carry it out.
func (s *server) certificateChanges() {
	type asked struct {
		Numbered
		Body CertificateChange
	}
	type request struct {
		Location string `header:"Location"`
		Body     Approval
	}
	operate(s, huma.Operation{OperationID: "request-certificate-change", Method: http.MethodPost, Path: certificatePath + "/{serial}/requests", Tags: []string{tagCertificates},
		Summary:       "Ask for revocation, suspension or resumption",
		Description:   "An approver decides; then a registrar carries it out. A certificate of another authority can be revoked: that authority is told.",
		DefaultStatus: http.StatusAccepted, Responses: s.answers(400, 401, 403, 404, 409, 413, 415, 422)},
		registrars(), func(ctx context.Context, in *asked) (*request, error) {
			kind, subject, err := s.Authorities.Ask(ctx, in.Serial, backend.Change(in.Body.Change), ca.Reason(in.Body.Reason))
			if err != nil {
				return nil, err
			}
			if in.Body.Why != "" {
				if err := enroll.CheckReason(in.Body.Why); err != nil {
					return nil, err
				}
			}
			id, err := s.Access.RequestBecause(ctx, actorOf(ctx), kind, subject, in.Body.Why)
			if err != nil {
				return nil, err
			}
			p, err := s.Access.Pending(ctx, id)
			return &request{Location: approvalPath + "/" + id, Body: approvalOf(p, true)}, err
		})
	type carried struct {
		Numbered
		Body struct {
			Request string `json:"request" minLength:"1" maxLength:"64" doc:"Identifier of the approved request."`
		}
	}
	operate(s, huma.Operation{OperationID: "carry-out-certificate-change", Method: http.MethodPost, Path: certificatePath + "/{serial}/changes", Tags: []string{tagCertificates},
		Summary: "Carry out what was approved", Description: "Once. It counts in OCSP at once, and in the revocation lists within a minute.",
		Responses: s.answers(400, 401, 403, 404, 409, 413, 415, 422)},
		registrars(), func(ctx context.Context, in *carried) (*certificateOutput, error) {
			if err := s.Authorities.CarryOut(ctx, in.Serial, in.Body.Request); err != nil {
				return nil, err
			}
			return s.showCertificate(ctx, in.Serial)
		})
}

// serialOf reads a serial number in hexadecimal digits. Error: ca.not-found, since no certificate has it.
func serialOf(text string) (*big.Int, error) {
	n, err := ca.ParseSerial(text)
	if err != nil {
		return nil, ca.ErrNotFound.At(fault.Field("serial"))
	}
	return n, nil
}
