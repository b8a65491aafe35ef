package backend

import (
	"bytes"
	"context"
	"database/sql"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Change is what two people decide about a certificate that was issued, here or elsewhere.
type Change string

// The changes. Another authority takes a revocation; what it is to hold meanwhile is for it to say.
const (
	ChangeRevoke  Change = "revoke"
	ChangeSuspend Change = "suspend"
	ChangeResume  Change = "resume"
)

// Own gives the backends of an installation that works with no other authority.
func Own(authority *ca.Authority, people *access.Service) *Backends {
	c := Config{DB: authority.DB, Access: people, Authority: authority}
	return &Backends{Config: c, byName: map[string]Backend{BuiltIn: builtIn{c}}, names: []string{BuiltIn}}
}

// Issued is a certificate as whoever asked for it has it on record.
type Issued struct {
	Authority string // that made it: BuiltIn or a name of the settings
	ca.Record        // of another authority's: certificate, serial number, profile, creation, approval, and its end
}

// Find gives a certificate by its serial number, or by its fingerprint (SM3, 64 hexadecimal digits), which names those of
// other authorities for certain: their serial numbers may be any. The own one's go first. Error: ca.not-found.
func (b *Backends) Find(ctx context.Context, id string) (Issued, error) {
	if serial, err := ca.ParseSerial(id); err == nil {
		r, err := b.Authority.Certificate(ctx, serial)
		if err == nil || !fault.Has(err, ca.ErrNotFound) {
			return Issued{BuiltIn, r}, err
		}
		return b.foreign(ctx, `o.state = 'issued'`, func(c *chain.Certificate) bool { return c.Serial.Cmp(serial) == 0 })
	}
	if len(id) != 64 {
		return Issued{}, ca.ErrNotFound.New()
	}
	return b.foreign(ctx, `o.state = 'issued' AND o.fingerprint = $1`, func(*chain.Certificate) bool { return true }, id)
}

// foreign finds a certificate of another authority among the orders for which a condition holds; the later one where there
// are two.
func (b *Backends) foreign(ctx context.Context, condition string, is func(*chain.Certificate) bool, args ...any) (Issued, error) {
	if len(b.names) == 1 {
		return Issued{}, ca.ErrNotFound.New()
	}
	rows, err := b.DB.Read().QueryContext(ctx, `SELECT o.backend, o.profile, o.certificate, o.created, o.approval, v.reason, v.created FROM backend_order o
		LEFT JOIN backend_revocation v ON v.order_id = o.id WHERE `+condition+` ORDER BY o.created DESC, o.id`, args...)
	if err != nil {
		return Issued{}, err
	}
	defer rows.Close()
	for rows.Next() {
		found := Issued{Record: ca.Record{State: ca.RecordGood}}
		var der []byte
		var created string
		var reason sql.NullInt64
		var ended sql.NullString
		if err := rows.Scan(&found.Authority, (*string)(&found.Profile), &der, &created, &found.Approval, &reason, &ended); err != nil {
			return Issued{}, err
		}
		if found.Certificate, err = chain.ParseCertificate(der); err != nil {
			return Issued{}, err
		}
		if !is(found.Certificate) {
			continue
		}
		if found.Serial = found.Certificate.Serial; ended.Valid {
			found.State, found.Reason = ca.RecordRevoked, ca.Reason(reason.Int64)
			if found.Since, err = store.ParseTime(ended.String); err != nil {
				return Issued{}, err
			}
		}
		found.Created, err = store.ParseTime(created)
		return found, err
	}
	if err := rows.Err(); err != nil {
		return Issued{}, err
	}
	return Issued{}, ca.ErrNotFound.New()
}

// Ask gives what two people decide on for a change that is possible now. Errors: ca.not-found, ca.revoked, ca.held,
// ca.not-held, ca.reason, backend.no-hold.
func (b *Backends) Ask(ctx context.Context, id string, change Change, reason ca.Reason) (access.Kind, []byte, error) {
	found, err := b.Find(ctx, id)
	switch {
	case err != nil:
		return "", nil, err
	case found.Certificate == nil:
		return "", nil, ca.ErrNotFound.New()
	case found.State == ca.RecordRevoked:
		return "", nil, ca.ErrRevoked.New()
	case change != ChangeRevoke && found.Authority != BuiltIn:
		return "", nil, ErrNoHold.With("%s", found.Authority)
	case change == ChangeSuspend && found.State == ca.RecordHeld:
		return "", nil, ca.ErrHeld.New()
	case change == ChangeResume && found.State != ca.RecordHeld:
		return "", nil, ca.ErrNotHeld.New()
	}
	switch change {
	case ChangeSuspend:
		return access.KindSuspendCertificate, ca.SuspendSubject(found.Serial), nil
	case ChangeResume:
		return access.KindResumeCertificate, ca.ResumeSubject(found.Serial), nil
	}
	if !reason.Final() {
		return "", nil, ca.ErrReason.At(fault.Field("reason"))
	}
	at, err := b.Named(found.Authority)
	if err != nil {
		return "", nil, err
	}
	return access.KindRevokeCertificate, at.RevokeSubject(found.Certificate, reason), nil
}

// finalReasons are those of revocations.
var finalReasons = []ca.Reason{ca.ReasonUnspecified, ca.ReasonKeyCompromise, ca.ReasonAffiliationChanged, ca.ReasonSuperseded,
	ca.ReasonCessationOfOperation, ca.ReasonPrivilegeWithdrawn}

// CarryOut makes the change that two people approved with a request. Another authority is told at once where that is
// possible, and until it knows. Errors: those of access.Redeem and of the change, ca.not-found, access.other-subject,
// access.part.
func (b *Backends) CarryOut(ctx context.Context, id, request string) error {
	found, err := b.Find(ctx, id)
	if err == nil && found.Certificate == nil {
		err = ca.ErrNotFound.New()
	}
	if err != nil {
		return err
	}
	asked, err := b.Access.Pending(ctx, request)
	if err != nil {
		return err
	}
	at, err := b.Named(found.Authority)
	if err != nil {
		return err
	}
	own := found.Authority == BuiltIn
	switch {
	case asked.Parent != "":
		return access.ErrPart.New()
	case asked.Kind == access.KindSuspendCertificate && own:
		return b.Authority.Suspend(ctx, request, found.Serial)
	case asked.Kind == access.KindResumeCertificate && own:
		return b.Authority.Resume(ctx, request, found.Serial)
	case asked.Kind == access.KindRevokeCertificate:
		for _, reason := range finalReasons {
			if bytes.Equal(asked.Subject, at.RevokeSubject(found.Certificate, reason)) {
				return at.Revoke(ctx, request, found.Certificate, reason)
			}
		}
	}
	return access.ErrOtherSubject.New()
}
