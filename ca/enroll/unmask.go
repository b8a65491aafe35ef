package enroll

import (
	"context"
	"log/slog"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
)

// Unmasked are the personal data of an application in the clear. They are for the eyes of the person who asked: do not log
// or store them.
type Unmasked struct {
	Personal form.Personal
	Persons  []Person
}

// Unmask shows an officer the identity numbers and mobiles of an application, for a reason. Who looked, when and why is in
// history and ledger before anything is shown. Errors: enroll.denied, enroll.reason, enroll.personal-data.
func (s *Service) Unmask(ctx context.Context, by access.Actor, id, reason string) (Unmasked, error) {
	if err := checkReason(reason); err != nil {
		return Unmasked{}, err
	}
	var u Unmasked
	err := s.look(ctx, by, id, StepUnmask, reason, func(a *act) error {
		ver, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		u.Personal = ver.form.Personal
		u.Personal.Salt = ""
		u.Persons, err = s.readPersons(ctx, a.tx, ver.roster)
		return err
	})
	if err != nil {
		return Unmasked{}, err
	}
	return u, nil
}

// ForPrint gives the complete form, to be drawn with form.Draw: the authorisation on it names the handler's identity
// number. It is in history and ledger. The unit prints what it filled in; an officer says why. Errors: enroll.denied,
// enroll.reason, enroll.personal-data.
func (s *Service) ForPrint(ctx context.Context, by access.Actor, id, reason string) (form.Application, error) {
	if reason != "" {
		if err := checkReason(reason); err != nil {
			return form.Application{}, err
		}
	}
	var f form.Application
	err := s.look(ctx, by, id, StepPrint, reason, func(a *act) error {
		if reason == "" && !a.is(partyUnit) {
			return ErrReason.At(fault.Field("reason"))
		}
		ver, err := s.loadVersion(ctx, a.tx, a.r)
		f = ver.form
		return err
	})
	if err != nil {
		return form.Application{}, err
	}
	return f, nil
}

// String says that there is something, and not what: Unmasked, Dossier and their like end up in no log.
func (u Unmasked) String() string { return "unmasked personal data" }

// GoString is String.
func (u Unmasked) GoString() string { return u.String() }

// LogValue is String.
func (u Unmasked) LogValue() slog.Value { return slog.StringValue(u.String()) }

// String names the application.
func (d Dossier) String() string { return "dossier " + d.Number }

// GoString is String.
func (d Dossier) GoString() string { return d.String() }

// LogValue is String.
func (d Dossier) LogValue() slog.Value { return slog.StringValue(d.String()) }
