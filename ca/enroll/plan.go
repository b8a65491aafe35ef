package enroll

import (
	"context"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/store"
)

// Dossier is everything that is known of an application, opened: for the rooms that carry it out. It must not leave the
// process.
type Dossier struct {
	ID      string
	Number  string
	Version int
	State   State
	Unit    Unit
	Form    form.Application // with its personal fields
	Persons []Person         // of the roster, with their numbers and holders
	// Examination is the request whose parts are the acts; empty before it was examined.
	Examination string
}

// Planner says what an application takes: which certificates, seals, grants, revocations. Each act is approved as a part
// of the application and redeemed by the room that does it.
type Planner interface {
	// Plan is called inside the transaction of the examination, with what that transaction sees. An application that takes
	// nothing is an error of the planner.
	Plan(ctx context.Context, tx *store.Tx, d Dossier) ([]access.Part, error)
}

// Seals answers what the register of seals knows of a seal that a form names.
type Seals interface {
	// Seal is nil where there is no seal with the code.
	Seal(ctx context.Context, q store.Querier, code string) (*form.Existing, error)
}

// User is a holder as a Suspender needs to know them.
type User struct {
	Holder   string
	Name     string
	Unit     Unit
	SealName string // of the seal that is meant; empty: all of the person's
	// Suspension is the one that is opened or decided.
	Suspension string
}

// Suspender stops a user of seals.
type Suspender interface {
	// SuspendUser takes the user's grants off and puts on hold the certificates that serve what is meant alone, in the
	// caller's transaction. What is off already stays off; somebody who has nothing is no error.
	SuspendUser(ctx context.Context, tx *store.Tx, by access.Actor, u User, reason string) error
	// PlanDecision says which acts it takes to make a suspension final (confirm) or to lift it.
	PlanDecision(ctx context.Context, tx *store.Tx, u User, confirm bool) ([]access.Part, error)
	// Decided carries those acts out, in the transaction of the second person's consent; request is what was approved.
	Decided(ctx context.Context, tx *store.Tx, by access.Actor, u User, request string, confirm bool) error
	// Withdrawn ends what the user has of the seal that is meant, when an approved application made the suspension final; what
	// it takes of certificates are acts of that application.
	Withdrawn(ctx context.Context, tx *store.Tx, by access.Actor, u User) error
}

// Effect is what else happens when a step is taken, in its transaction: an error undoes the step.
type Effect func(ctx context.Context, tx *store.Tx, by access.Actor, d Dossier) error

func (s *Service) dossier(ctx context.Context, q store.Querier, r *record, ver version) (Dossier, error) {
	d := Dossier{ID: r.id, Number: r.number, Version: r.version, State: r.state, Form: ver.form, Examination: r.examination}
	var err error
	if d.Unit, err = readUnit(ctx, q, r.unit); err != nil {
		return d, err
	}
	d.Persons, err = s.readPersons(ctx, q, ver.roster)
	return d, err
}

// DossierIn opens an application for the rooms that carry it out: for callers inside the process, which have authorised
// what they do.
func (s *Service) DossierIn(ctx context.Context, q store.Querier, id string) (Dossier, error) {
	r, err := load(ctx, q, id)
	if err != nil {
		return Dossier{}, err
	}
	ver, err := s.loadVersion(ctx, q, r)
	if err != nil {
		return Dossier{}, err
	}
	return s.dossier(ctx, q, r, ver)
}

// affect runs the effect of a step; what is aborted is kept from use as what is objected to.
func (s *Service) affect(ctx context.Context, a *act) error {
	effect := s.Effects[a.step]
	if a.step == StepAbort {
		effect = s.Effects[StepObject]
	}
	if effect == nil {
		return nil
	}
	d, err := s.DossierIn(ctx, a.tx, a.r.id)
	if err != nil {
		return err
	}
	return effect(ctx, a.tx, a.by(), d)
}
