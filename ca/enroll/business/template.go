package business

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"math"
	"math/big"
	"strconv"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Template is what was made of the imprints on a form.
type Template struct {
	// Code is the seal's: 14 digits that the authority assigned, or empty for one made here. A change keeps that of the seal.
	Code     string
	Width    float64 // mm
	Height   float64 // mm
	Template []byte  // PNG, 600 dpi
	Picture  []byte  // PNG, 300 dpi
	Verdict  string  // pass, warn
	Measures string  // JSON: all measures, gates and parameters
	// Reason is why an officer accepts a warning.
	Reason string
	// Evidence is what the template was made from (sealer/imprint Result.Evidence); empty where there is none. It is kept
	// sealed, and SetTemplate alone reads it: see EvidenceOf.
	Evidence []byte
}

// template is a Template as the plan uses it.
type template struct {
	code              string
	width, height     float64
	template, picture []byte
}

// SetTemplate keeps the template of a version of an application; a later one replaces it until the application is
// examined. A registrar does it. Errors: access.role, business.template, business.code-taken, enroll.state,
// enroll.conflict for another version than the present one, those of enroll.CheckReason.
func (s *Service) SetTemplate(ctx context.Context, by access.Actor, application string, version int, t Template) (code string, err error) {
	switch {
	case t.Verdict != "pass" && t.Verdict != "warn":
		return "", ErrTemplate.With("%s", t.Verdict)
	case t.Verdict == "warn" && t.Reason == "":
		return "", ErrTemplate.At(fault.Field("reason"))
	case len(t.Template) == 0 || len(t.Picture) == 0 || !(t.Width > 0) || !(t.Height > 0):
		return "", ErrTemplate.New()
	case t.Code != "" && !ca.ValidSealCode(t.Code):
		return "", ErrTemplate.At(fault.Field("code"))
	}
	if t.Reason != "" {
		if err := enroll.CheckReason(t.Reason); err != nil {
			return "", err
		}
	}
	e, err := s.sealEvidence(application, version, t.Evidence)
	if err != nil {
		return "", err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		actor, err := s.Access.ActorIn(ctx, tx, by.ID)
		if err != nil {
			return err
		}
		if !actor.Has(access.RoleRegistrar) {
			return access.ErrRole.With("%s", access.RoleRegistrar)
		}
		// Two people approve the template as it is when the application is examined: it does not change behind them.
		d, err := s.Enroll.DossierIn(ctx, tx, application)
		switch {
		case err != nil:
			return err
		case d.State == enroll.StateExamined || d.State.Carried() || d.State.Ended():
			return enroll.ErrState.Saying(d.State.Label(), string(d.State))
		case d.Version != version:
			return enroll.ErrConflict.New()
		}
		if code = t.Code; code == "" {
			if code, err = s.codeOf(ctx, tx, application); err != nil {
				return err
			}
		}
		now := s.Clock()
		_, err = tx.ExecContext(ctx, `INSERT INTO business_template (application, version, code, width_um, height_um, template, picture, verdict, measures, reason, made, by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (application, version) DO UPDATE SET code = excluded.code, width_um = excluded.width_um, height_um = excluded.height_um,
				template = excluded.template, picture = excluded.picture, verdict = excluded.verdict, measures = excluded.measures,
				reason = excluded.reason, made = excluded.made, by = excluded.by`,
			application, version, code, int64(math.Round(t.Width*1000)), int64(math.Round(t.Height*1000)), t.Template, t.Picture, t.Verdict, t.Measures,
			t.Reason, store.Time(now), actor.ID)
		if err != nil {
			return err
		}
		if err := keepEvidence(ctx, tx, application, version, e); err != nil {
			return err
		}
		_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "application.template", Actor: actor.ID, Subject: application,
			Data: map[string]string{"code": code, "verdict": t.Verdict, "reason": t.Reason, "evidence": e.digest}})
		return err
	})
	return code, err
}

// codeOf is the code that an earlier version of the application was given, or a new one.
func (s *Service) codeOf(ctx context.Context, tx *store.Tx, application string) (string, error) {
	var code string
	err := tx.QueryRowContext(ctx, `SELECT code FROM business_template WHERE application = $1 ORDER BY version DESC LIMIT 1`, application).Scan(&code)
	if errors.Is(err, sql.ErrNoRows) {
		return s.newCode(ctx, tx)
	}
	return code, err
}

func readTemplate(ctx context.Context, q store.Querier, application string, version int) (template, error) {
	var t template
	var width, height int64
	err := q.QueryRowContext(ctx, `SELECT code, width_um, height_um, template, picture FROM business_template WHERE application = $1 AND version <= $2
		ORDER BY version DESC LIMIT 1`, application, version).Scan(&t.code, &width, &height, &t.template, &t.picture)
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil
	}
	t.width, t.height = float64(width)/1000, float64(height)/1000
	return t, err
}

// TemplateOf gives the template with which a version of an application would be examined: business.no-template. Who may
// see it is for the caller to say.
func (s *Service) TemplateOf(ctx context.Context, application string, version int) (Template, error) {
	var t Template
	var width, height int64
	err := s.DB.Read().QueryRowContext(ctx, `SELECT code, width_um, height_um, template, picture, verdict, measures, reason FROM business_template
		WHERE application = $1 AND version <= $2 ORDER BY version DESC LIMIT 1`, application, version).
		Scan(&t.Code, &width, &height, &t.Template, &t.Picture, &t.Verdict, &t.Measures, &t.Reason)
	if errors.Is(err, sql.ErrNoRows) {
		return t, ErrNoTemplate.New()
	}
	t.Width, t.Height = float64(width)/1000, float64(height)/1000
	return t, err
}

// newCode makes a seal code of 14 digits that no seal and no other application has. The first is no 0, so that nobody
// who handles it as a number shortens it.
func (s *Service) newCode(ctx context.Context, tx *store.Tx) (string, error) {
	for {
		n, err := rand.Int(rand.Reader, big.NewInt(9e13))
		if err != nil {
			return "", err
		}
		code := strconv.FormatInt(n.Int64()+1e13, 10)
		var taken int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM business_template WHERE code = $1`, code).Scan(&taken); err != nil {
			return "", err
		}
		if _, err := s.Seals.Registered(ctx, code); taken > 0 || err == nil {
			continue
		} else if !isNotFound(err) {
			return "", err
		}
		return code, nil
	}
}
