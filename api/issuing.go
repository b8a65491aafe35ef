package api

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"yinxin/ca/enroll/business"
	"yinxin/internal/access"
)

// Act is one thing that an application takes.
type Act struct {
	Number  int    `json:"number"`
	Kind    string `json:"kind" enum:"certificate,seal,grant,role,revoke,resume,cancel,unlock"`
	Phase   string `json:"phase" enum:"issue,accept" doc:"When it is done: after the approval, or when the holder has accepted."`
	Actor   string `json:"actor,omitempty" doc:"Whose USB Key it takes, or who gets a role or grant."`
	Name    string `json:"name,omitempty"`
	Profile string `json:"profile,omitempty"`
	Object  string `json:"object,omitempty" doc:"Code of a seal, serial number of a certificate or of a token."`
	Done    bool   `json:"done"`
	Spent   bool   `json:"spent,omitempty" doc:"The approval was used and nothing came of it: it is being carried out right now, or cannot be repeated."`
	Order   string `json:"order,omitempty" doc:"The order to another authority, which has not answered yet."`
	Result  string `json:"result,omitempty" doc:"What was made."`
	Request string `json:"request,omitempty" doc:"The part of the plan under which it is done."`
}

// KeyRequest is what a USB Key asks with.
type KeyRequest struct {
	Actor   string `json:"actor" minLength:"1" maxLength:"64" doc:"Whose Key it is: see the acts of the application."`
	Request string `json:"request" minLength:"1" maxLength:"20000" doc:"PKCS#10 that the Key signed: PEM, or DER in base64." example:"-----BEGIN CERTIFICATE REQUEST-----…"`
}

// KeyAnswer is what a USB Key receives.
type KeyAnswer struct {
	Signing    string   `json:"signing" doc:"Certificate, PEM."`
	Encryption string   `json:"encryption" doc:"Certificate, PEM."`
	Seals      []string `json:"seals" doc:"Identifiers of the electronic seals on it."`
	Escrow     string   `json:"escrow" doc:"Identifier of the encryption key in escrow, to be confirmed when the Key has it."`
	Answer     []byte   `json:"answer" doc:"GM/T 0092: both certificates and the encryption key, enveloped for the Key; in base64."`
}

// SOPIN is the security officer's PIN of a token on its way to the program that talks to the token.
type SOPIN struct {
	Token string `json:"token"`
	Now   string `json:"now" doc:"Opens the token. It is shown this once."`
	Next  string `json:"next,omitempty" doc:"To be set instead, and confirmed."`
}

func sopinOf(p business.SOPIN) SOPIN { return SOPIN{Token: p.Token, Now: p.Now, Next: p.Next} }

func (s *server) issuing() {
	type acts struct {
		Body struct {
			Acts []Act  `json:"acts"`
			Next string `json:"next,omitempty"`
		}
	}
	type asked struct {
		Named
		Paging
	}
	operate(s, huma.Operation{OperationID: "application-acts", Method: http.MethodGet, Path: applicationPath + "/{id}/acts", Tags: []string{tagIssuing},
		Summary: "What an application takes, and how far it is", Description: "Nothing before it was examined.", Responses: s.reading()},
		registrationReaders(), func(ctx context.Context, in *asked) (*acts, error) {
			if _, err := s.Registration.Enroll.Application(ctx, actorOf(ctx), in.ID); err != nil {
				return nil, err
			}
			list, err := s.Registration.Business.Acts(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			piece, next := page(list, in.Paging, func(a business.Act) string { return strconv.Itoa(a.Number) })
			out := &acts{}
			out.Body.Acts, out.Body.Next = make([]Act, 0, len(piece)), next
			for _, a := range piece {
				out.Body.Acts = append(out.Body.Acts, Act{Number: a.Number, Kind: a.Kind, Phase: a.Phase, Actor: a.Actor, Name: a.Name, Profile: string(a.Profile),
					Object: a.Object, Done: a.Done, Spent: a.Spent, Order: a.Order, Result: a.Result, Request: a.Request})
			}
			return out, nil
		})
	operate(s, huma.Operation{OperationID: "carry-out-application", Method: http.MethodPost, Path: applicationPath + "/{id}/carry-out", Tags: []string{tagIssuing},
		Summary:     "Carry out what was approved",
		Description: "Everything for which nobody has to come with a USB Key: central seals, revocations, the end of a seal. Repeating it goes on where it was interrupted and does nothing twice. When nothing is left, the application is issued.",
		Responses:   s.answers(401, 403, 404, 409, 422, 503)},
		registrars(), func(ctx context.Context, in *Named) (*applicationOutput, error) {
			if err := s.Registration.Business.CarryOut(ctx, actorOf(ctx), in.ID); err != nil {
				return nil, err
			}
			return showApplication(s.Registration.Enroll.Application(ctx, actorOf(ctx), in.ID))
		})
	s.keyRoutes()
	s.tokenRoutes()
}

func (s *server) keyRoutes() {
	type issued struct{ Body KeyAnswer }
	type request struct {
		ID   string `path:"id" maxLength:"64"`
		Body KeyRequest
	}
	operate(s, huma.Operation{OperationID: "issue-key", Method: http.MethodPost, Path: applicationPath + "/{id}/issue-key", Tags: []string{tagIssuing},
		Summary:     "Make the certificates and seals of a USB Key",
		Description: "With its holder present. Called again with a request by the same key it goes on where it was interrupted, and hands the answer out again, until the holder has it.",
		Responses:   s.answers(400, 401, 403, 404, 408, 409, 413, 415, 422, 503)},
		registrars(), func(ctx context.Context, in *request) (*issued, error) {
			k, err := s.Registration.Business.IssueKey(ctx, actorOf(ctx), in.ID, in.Body.Actor, derOf(in.Body.Request))
			if err != nil {
				return nil, err
			}
			out := &issued{KeyAnswer{Signing: pemOf(k.Signing.Raw), Encryption: pemOf(k.Encryption.Raw), Seals: k.Seals, Escrow: k.Escrow, Answer: k.Answer}}
			if out.Body.Seals == nil {
				out.Body.Seals = []string{}
			}
			return out, nil
		})
	if s.Escrow == nil {
		return
	}
	done(s, huma.Operation{OperationID: "confirm-key", Method: http.MethodPost, Path: "/v1/escrow-keys/{id}/confirm", Tags: []string{tagIssuing},
		Summary: "Confirm that a USB Key has its encryption key", Description: "The answer is not handed out any more.", Responses: s.answers(401, 403, 404, 409, 422)},
		registrars(), func(ctx context.Context, by access.Actor, in *Named) error { return s.Escrow.Confirm(ctx, by, in.ID) })
}

func (s *server) tokenRoutes() {
	type pin struct{ Body SOPIN }
	type registered struct {
		Serial string `path:"serial" maxLength:"32" doc:"As the token says it."`
		Body   struct {
			Holder string `json:"holder" minLength:"1" maxLength:"64" doc:"The actor whose it is."`
		}
	}
	operate(s, huma.Operation{OperationID: "register-token", Method: http.MethodPut, Path: "/v1/tokens/{serial}", Tags: []string{tagIssuing},
		Summary:     "Take a USB Key into custody for its holder",
		Description: "Gives the SO PIN that must be set on it, this once. A token that was initialised again is registered anew.", Responses: s.answers(400, 401, 403, 404, 413, 415, 422)},
		registrars(), func(ctx context.Context, in *registered) (*pin, error) {
			p, err := s.Registration.Business.RegisterToken(ctx, actorOf(ctx), in.Serial, in.Body.Holder)
			return &pin{sopinOf(p)}, err
		})
	operate(s, huma.Operation{OperationID: "release-so-pin", Method: http.MethodPost, Path: applicationPath + "/{id}/release-so-pin", Tags: []string{tagIssuing},
		Summary: "Unlock a USB Key (Key 解锁)", Description: "Gives the SO PIN of the token that an approved application names, once, and the one to be set instead.",
		Responses: s.answers(400, 401, 403, 404, 409, 422)},
		registrars(), func(ctx context.Context, in *Named) (*pin, error) {
			p, err := s.Registration.Business.ReleaseSOPIN(ctx, actorOf(ctx), in.ID)
			return &pin{sopinOf(p)}, err
		})
	type confirmed struct {
		Serial string `path:"serial" maxLength:"32"`
	}
	done(s, huma.Operation{OperationID: "confirm-so-pin", Method: http.MethodPost, Path: "/v1/tokens/{serial}/confirm", Tags: []string{tagIssuing},
		Summary: "Confirm that a token has its new SO PIN", Responses: s.answers(400, 401, 403, 422)},
		registrars(), func(ctx context.Context, by access.Actor, in *confirmed) error {
			return s.Registration.Business.ConfirmSOPIN(ctx, by, in.Serial)
		})
}

// derOf reads a request in PEM or in base64. What is neither is given on as it is, for the reader of requests to refuse.
func derOf(text string) []byte {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes
	}
	if der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		return der
	}
	return []byte(text)
}

func pemOf(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
