package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca"
	"yinxin/ca/enroll/business"
	"yinxin/internal/access"
)

// Renewal is the renewal of a central seal, or of all that is on one USB Key.
type Renewal struct {
	ID           string               `json:"id"`
	Seal         string               `json:"seal,omitempty" doc:"Code of a central seal."`
	Holder       string               `json:"holder,omitempty" doc:"The actor of a USB Key."`
	State        string               `json:"state" enum:"waiting,in-use,objected"`
	Made         time.Time            `json:"made"`
	AcceptBy     time.Time            `json:"accept_by" doc:"Silence until then is acceptance."`
	Certificates []RenewedCertificate `json:"certificates" doc:"The signing certificate first."`
}

// RenewedCertificate is a certificate and what takes its place.
type RenewedCertificate struct {
	Successor   string   `json:"successor" doc:"Serial number."`
	Predecessor string   `json:"predecessor"`
	Seals       []string `json:"seals" doc:"Instances of seals that list the successor."`
}

func renewalOf(r business.Renewal) Renewal {
	v := Renewal{ID: r.ID, Seal: r.Seal, Holder: r.Holder, State: string(r.State), Made: r.Made.UTC(), AcceptBy: r.AcceptBy.UTC(), Certificates: []RenewedCertificate{}}
	for _, c := range r.Certificates {
		v.Certificates = append(v.Certificates, RenewedCertificate{Successor: ca.SerialText(c.Successor), Predecessor: ca.SerialText(c.Predecessor),
			Seals: append([]string{}, c.Instances...)})
	}
	return v
}

func (s *server) renewals() {
	const path = "/v1/renewals"
	b := s.Registration.Business
	type filter struct {
		Paging
		State string `query:"state" enum:"waiting,in-use,objected" doc:"Only in this state."`
	}
	type listed struct {
		Body struct {
			Renewals []Renewal `json:"renewals"`
			Next     string    `json:"next,omitempty"`
		}
	}
	operate(s, huma.Operation{OperationID: "list-renewals", Method: http.MethodGet, Path: path, Tags: []string{tagIssuing},
		Summary: "List renewals", Description: "The oldest first. The holder of a USB Key sees their own.", Responses: s.answers(401, 403, 422)},
		renewalReaders(), func(ctx context.Context, in *filter) (*listed, error) {
			f := business.RenewalFilter{State: business.RenewalState(in.State), After: in.After, Limit: in.Limit}
			if by := actorOf(ctx); !seesEveryRenewal(by) {
				f.Holder = by.ID
			}
			list, err := b.ListRenewals(ctx, f)
			if err != nil {
				return nil, err
			}
			out := &listed{}
			out.Body.Renewals = make([]Renewal, 0, len(list))
			for _, r := range list {
				out.Body.Renewals = append(out.Body.Renewals, renewalOf(r))
			}
			if len(list) == in.Limit {
				out.Body.Next = list[len(list)-1].ID
			}
			return out, nil
		})
	type one struct {
		Location string `header:"Location"`
		Body     Renewal
	}
	type request struct {
		Body struct {
			Serial  string `json:"serial" minLength:"1" maxLength:"64" doc:"Of the signing certificate on the USB Key, hexadecimal."`
			Request string `json:"request" minLength:"1" maxLength:"20000" doc:"PKCS#10 by the Key's present key or a new one: PEM, or DER in base64."`
		}
	}
	operate(s, huma.Operation{OperationID: "renew-key", Method: http.MethodPost, Path: path, Tags: []string{tagIssuing},
		Summary:       "Renew a USB Key",
		Description:   "Both certificates and the seals on it, under the approval of the first ones; by its holder or a registrar. The encryption certificate keeps its key. Repeating it with the same key goes on where it was interrupted.",
		DefaultStatus: http.StatusCreated, Responses: s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)},
		keyHolders(), func(ctx context.Context, in *request) (*one, error) {
			serial, err := serialOf(in.Body.Serial)
			if err != nil {
				return nil, err
			}
			r, err := b.RenewKey(ctx, actorOf(ctx), serial, derOf(in.Body.Request))
			if err != nil {
				return nil, err
			}
			return &one{Location: path + "/" + r.ID, Body: renewalOf(r)}, nil
		})
	operate(s, huma.Operation{OperationID: "get-renewal", Method: http.MethodGet, Path: path + "/{id}", Tags: []string{tagIssuing},
		Summary: "Read a renewal", Responses: s.reading()},
		renewalReaders(), func(ctx context.Context, in *Named) (*one, error) {
			r, err := s.renewal(ctx, in.ID)
			return &one{Body: renewalOf(r)}, err
		})
	done(s, huma.Operation{OperationID: "accept-renewal", Method: http.MethodPost, Path: path + "/{id}/accept", Tags: []string{tagIssuing},
		Summary: "Accept a renewal", Description: "It takes its place before its term ends: by the holder of the USB Key, or a registrar who has it in writing.",
		Responses: s.answers(401, 403, 404, 409, 422)},
		keyHolders(), func(ctx context.Context, by access.Actor, in *Named) error {
			if _, err := s.renewal(ctx, in.ID); err != nil {
				return err
			}
			return b.AcceptRenewal(ctx, by, in.ID)
		})
	type objected struct {
		ID   string `path:"id" maxLength:"64"`
		Body Reason
	}
	done(s, huma.Operation{OperationID: "object-to-renewal", Method: http.MethodPost, Path: path + "/{id}/object", Tags: []string{tagIssuing},
		Summary: "Object to a renewal", Description: "Its certificates go on hold at once; what it was to renew stays.", Responses: s.answers(400, 401, 403, 404, 409, 413, 415, 422)},
		keyHolders(), func(ctx context.Context, by access.Actor, in *objected) error {
			if _, err := s.renewal(ctx, in.ID); err != nil {
				return err
			}
			return b.ObjectToRenewal(ctx, by, in.ID, in.Body.Reason)
		})
}

// renewal finds one that the caller may know of: business.no-renewal.
func (s *server) renewal(ctx context.Context, id string) (business.Renewal, error) {
	r, err := s.Registration.Business.Renewal(ctx, id)
	if err == nil && !seesRenewal(actorOf(ctx), r) {
		r, err = business.Renewal{}, business.ErrNoRenewal.New()
	}
	return r, err
}

func seesRenewal(by access.Actor, r business.Renewal) bool {
	return seesEveryRenewal(by) || r.Holder != "" && r.Holder == by.ID
}

func seesEveryRenewal(by access.Actor) bool {
	return by.Has(access.RoleRegistrar) || by.Has(access.RoleApprover) || by.Has(access.RoleAuditor)
}
