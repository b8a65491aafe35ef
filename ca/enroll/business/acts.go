package business

import (
	"context"
	"strings"

	"yinxin/ca"
	"yinxin/internal/store"
)

// Act is one thing that an application takes, as people see how far it is.
type Act struct {
	Number int
	// Kind is certificate, seal, grant, role, revoke, resume, cancel or unlock; Phase issue or accept.
	Kind, Phase string
	// Actor is whose USB Key it takes, or who gets a role or grant; empty for what is made in the service.
	Actor string
	// Name is the person of a certificate, or the text of a seal.
	Name    string
	Profile ca.Profile // of a certificate
	// Object is what it is about: the code of a seal, the serial number of a certificate to be revoked or released, or the
	// serial number of a token.
	Object string
	Done   bool
	// Spent says that the approval was used and nothing came of it: it is being carried out right now, or cannot be repeated.
	Spent bool
	// Order is that to another authority, which has not answered yet.
	Order string
	// Result is what was made: a serial number, or the identifier of an instance or grant.
	Result string
	// Request is the part of the plan under which it is done.
	Request string
}

// Acts lists what the present version of an application takes, in its order; nothing before it was examined. Who may see
// it is for the caller to say.
func (s *Service) Acts(ctx context.Context, application string) ([]Act, error) {
	var list []Act
	err := s.DB.Snapshot(ctx, func(q store.Querier) error {
		d, err := s.Enroll.DossierIn(ctx, q, application)
		if err != nil {
			return err
		}
		if d.Examination == "" {
			return nil
		}
		acts, err := readActs(ctx, q, application, d.Version, d.Examination)
		for _, a := range acts {
			list = append(list, a.shown())
		}
		return err
	})
	return list, err
}

func (a act) shown() Act {
	v := Act{Number: a.Number, Kind: string(a.Kind), Phase: string(a.Phase), Done: a.Done, Spent: a.Spent, Order: a.Order, Result: a.Result, Request: a.Part}
	if a.Group != groupCentral {
		v.Actor = strings.TrimPrefix(a.Group, groupPresent)
	}
	switch {
	case a.Certificate != nil:
		v.Name, v.Profile, v.Object = a.Certificate.CommonName, a.Certificate.Profile, a.Certificate.SealCode
	case a.Seal != nil:
		v.Name, v.Object = a.Seal.Name, a.Seal.Code
	case a.Grant != nil:
		v.Actor, v.Object = a.Grant.Actor, a.Grant.Code
	case a.Kind == actRole:
		v.Actor = a.Actor
	case a.Kind == actCancel:
		v.Object = a.Code
	case a.Kind == actUnlock:
		v.Object = a.Token
	default:
		v.Object = a.Serial
	}
	return v
}
