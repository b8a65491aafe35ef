package enroll

import (
	"context"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/ca/number"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Finding is something wrong or doubtful with an application, by the rules of the form or by what this service knows
// besides.
type Finding struct {
	form.Finding
	Confirmed *Confirmation // by an officer, for this version
}

// Confirmation is an officer's reason to let a doubtful point pass.
type Confirmation struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// stands reports whether the finding is in the way of an approval.
func (f Finding) stands() bool { return f.Severity == form.Error || f.Confirmed == nil }

// Findings judges the present version of an application.
func (s *Service) Findings(ctx context.Context, by access.Actor, id string) ([]Finding, error) {
	var list []Finding
	err := s.show(ctx, by, id, func(q store.Querier, _ viewer, r *record) error {
		ver, err := s.loadVersion(ctx, q, r)
		if err != nil {
			return err
		}
		list, err = s.judge(ctx, q, r, ver)
		return err
	})
	return list, err
}

// judge collects every finding and its confirmation.
func (s *Service) judge(ctx context.Context, q store.Querier, r *record, ver version) ([]Finding, error) {
	found, err := s.judgeForm(ctx, q, r, ver)
	if err != nil {
		return nil, err
	}
	j := judge{r: r, f: ver.form, found: found}
	for _, more := range []func(context.Context, store.Querier, *judge, version) error{s.judgeUnit, s.judgeAttachments, s.judgeRoster, s.judgeOthers} {
		if err := more(ctx, q, &j, ver); err != nil {
			return nil, err
		}
	}
	confirmed, err := readConfirmations(ctx, q, r)
	if err != nil {
		return nil, err
	}
	list := make([]Finding, len(j.found))
	for i, f := range j.found {
		list[i] = Finding{Finding: f}
		if c, ok := confirmed[f.Key()]; ok && f.Severity == form.Confirm {
			list[i].Confirmed = &c
		}
	}
	return list, nil
}

// judge collects what is found beside the form.
type judge struct {
	r     *record
	f     form.Application
	found []form.Finding
}

func (j *judge) add(severity form.Severity, field, label string, spec fault.Spec) {
	j.found = append(j.found, form.Finding{Severity: severity, Code: spec.Code, Field: field, Label: label, ZH: spec.ZH, EN: spec.EN})
}

// judgeForm applies the rules of the form.
func (s *Service) judgeForm(ctx context.Context, q store.Querier, r *record, ver version) ([]form.Finding, error) {
	versions, err := agreementVersions(ctx, q)
	if err != nil {
		return nil, err
	}
	c := form.Circumstances{Today: s.Clock(), Agreements: versions, Regions: s.Regions}
	if r.inkBy != "" {
		c.Original = &r.reading
	}
	if s.Seals == nil || !ver.form.ConcernsSeal() || ver.form.Seal.Code == "" {
		return form.Check(ver.form, c), nil
	}
	if c.Existing, err = s.Seals.Seal(ctx, q, ver.form.Seal.Code); err != nil {
		return nil, err
	}
	list := form.Check(ver.form, c)
	if c.Existing == nil {
		list = append(list, form.Finding{Severity: form.Error, Code: findingSeal.Code, Field: "seal.code", Label: form.LabelOf("seal.code"),
			ZH: findingSeal.ZH, EN: findingSeal.EN})
	}
	return list, nil
}

// judgeUnit compares with the register of units.
func (s *Service) judgeUnit(ctx context.Context, q store.Querier, j *judge, _ version) error {
	u, err := readUnit(ctx, q, j.r.unit)
	if err != nil {
		return err
	}
	if j.f.Unit.Name != u.Name {
		j.add(form.Confirm, "unit.name", form.LabelOf("unit.name"), findingUnitName)
	}
	if u.CreditCode != "" && j.f.Unit.CreditCode != u.CreditCode {
		j.add(form.Confirm, "unit.creditCode", form.LabelOf("unit.creditCode"), findingUnitCode)
	}
	if !u.Direct && elsewhere(j.f.Unit.CreditCode, u.Area) {
		j.add(form.Confirm, "unit.creditCode", form.LabelOf("unit.creditCode"), findingUnitArea)
	}
	return nil
}

// elsewhere reports whether a credit code was given in another prefecture than that of the area. A code of the province or
// of the state says nothing about where a unit is, nor does one whose region is not known.
func elsewhere(creditCode, area string) bool {
	if number.CreditCode(creditCode) != nil || number.DoubtCredit(creditCode, nil) != nil || !number.KnownRegion(area) {
		return false
	}
	region := creditCode[2:8]
	return region[2:] != "0000" && area[2:] != "0000" && region[:4] != area[:4]
}

// judgeAttachments looks for the three papers that come with an application.
func (s *Service) judgeAttachments(ctx context.Context, q store.Querier, j *judge, _ version) error {
	present, err := readAttachments(ctx, q, j.r.id)
	if err != nil {
		return err
	}
	has := map[AttachmentKind]bool{}
	for _, a := range present {
		has[a.Kind] = true
	}
	for _, kind := range []AttachmentKind{AttachForm, AttachCredit, AttachIdentity} {
		if !has[kind] {
			j.add(form.Error, "attachments."+string(kind), kind.Label(), findingAttachment)
		}
	}
	return nil
}

// judgeRoster holds the roster against the form: 所属单位名称 and 需使用印章名称 agree with annex 1.
func (s *Service) judgeRoster(ctx context.Context, q store.Querier, j *judge, ver version) error {
	if ver.roster == "" {
		if j.f.NeedsUsers() {
			j.add(form.Error, "roster", rosterLabel, findingNoRoster)
		}
		return nil
	}
	persons, err := s.readPersons(ctx, q, ver.roster)
	if err != nil {
		return err
	}
	var unit, seal, active, region bool
	for _, p := range persons {
		unit = unit || p.Unit != j.f.Unit.Name
		seal = seal || p.SealName != j.f.Seal.Name
		active = active || p.Status == StatusActive
		region = region || p.IDType == idCard && number.DoubtIdentity(p.Identity, s.Regions) != nil
	}
	if unit {
		j.add(form.Error, "roster.unit", rosterLabel, findingRosterUnit)
	}
	if seal {
		j.add(form.Error, "roster.sealName", rosterLabel, findingRosterSeal)
	}
	if j.f.NeedsUsers() && !active {
		j.add(form.Error, "roster", rosterLabel, findingNoRoster)
	}
	if region {
		j.add(form.Confirm, "roster.identityRegion", rosterLabel, findingRosterRegion)
	}
	return s.judgePersons(ctx, q, j, ver.roster)
}

const rosterLabel = "电子印章使用人信息汇总表"

// judgePersons asks whether somebody of the roster is known elsewhere, or stopped.
func (s *Service) judgePersons(ctx context.Context, q store.Querier, j *judge, roster string) error {
	var elsewhere, stopped int
	err := q.QueryRowContext(ctx, `SELECT
		(SELECT COUNT(*) FROM enroll_person p JOIN enroll_holder h ON h.id = p.holder
			JOIN enroll_holder o ON o.identity_index = h.identity_index AND o.unit <> h.unit WHERE p.roster = $1 AND p.status = 'US01'),
		(SELECT COUNT(*) FROM enroll_person p JOIN enroll_suspension x ON x.holder = p.holder AND x.state = 'open'
			WHERE p.roster = $1 AND p.status = 'US01')`, roster).Scan(&elsewhere, &stopped)
	if err != nil {
		return err
	}
	if elsewhere > 0 {
		j.add(form.Confirm, "roster.identity", rosterLabel, findingElsewhere)
	}
	if stopped > 0 {
		j.add(form.Confirm, "roster.status", rosterLabel, findingStopped)
	}
	return nil
}

// judgeOthers looks for another application for the same seal that is under way.
func (s *Service) judgeOthers(ctx context.Context, q store.Querier, j *judge, _ version) error {
	var others int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM enroll_application WHERE unit = $1 AND seal_name = $2 AND businesses = $3 AND id <> $4
		AND state NOT IN ('draft', 'accepted', 'closed', 'withdrawn', 'rejected', 'expired')`, j.r.unit, j.r.sealName, j.r.businesses, j.r.id).Scan(&others)
	if err == nil && others > 0 {
		j.add(form.Confirm, "seal.name", form.LabelOf("seal.name"), findingDuplicate)
	}
	return err
}

// Confirm lets a doubtful point pass, with a reason. It counts for this version only. Errors: enroll.finding-not-found
// also for an error, which nobody may let pass.
func (s *Service) Confirm(ctx context.Context, by access.Actor, ref Ref, key, reason string) (Application, error) {
	if err := checkReason(reason); err != nil {
		return Application{}, err
	}
	return s.take(ctx, by, ref, StepConfirm, reason, func(a *act) error {
		ver, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		findings, err := s.judge(ctx, a.tx, a.r, ver)
		if err != nil {
			return err
		}
		for _, f := range findings {
			if f.Key() == key && f.Severity == form.Confirm {
				a.data["finding"] = key
				return confirm(ctx, a, key)
			}
		}
		return ErrNoFinding.New()
	})
}

func confirm(ctx context.Context, a *act, key string) error {
	_, err := a.tx.ExecContext(ctx, `INSERT INTO enroll_confirmation (application, version, finding, reason, confirmed, by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (application, version, finding) DO UPDATE SET reason = excluded.reason, confirmed = excluded.confirmed, by = excluded.by`,
		a.r.id, a.r.version, key, a.reason, store.Time(a.now), a.v.ID)
	return err
}

func readConfirmations(ctx context.Context, q store.Querier, r *record) (map[string]Confirmation, error) {
	rows, err := q.QueryContext(ctx, `SELECT finding, reason, confirmed, by FROM enroll_confirmation WHERE application = $1 AND version = $2`, r.id, r.version)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := map[string]Confirmation{}
	for rows.Next() {
		var key, at string
		var c Confirmation
		if err := rows.Scan(&key, &c.Reason, &at, &c.By); err != nil {
			return nil, err
		}
		if c.At, err = store.ParseTime(at); err != nil {
			return nil, err
		}
		list[key] = c
	}
	return list, rows.Err()
}
