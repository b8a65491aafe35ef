package ca

import (
	"context"
	"encoding/json"
	"math/big"
	"strconv"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Reason is why a certificate is revoked (CRLReason, RFC 5280 clause 5.3.1).
type Reason int

// The reasons that are used here. CertificateHold belongs to Suspend.
const (
	ReasonUnspecified          Reason = 0
	ReasonKeyCompromise        Reason = 1
	ReasonAffiliationChanged   Reason = 3
	ReasonSuperseded           Reason = 4
	ReasonCessationOfOperation Reason = 5
	ReasonCertificateHold      Reason = 6
	ReasonPrivilegeWithdrawn   Reason = 9
)

// Final reports whether a certificate is revoked for this reason here; a hold is not.
func (r Reason) Final() bool {
	switch r {
	case ReasonUnspecified, ReasonKeyCompromise, ReasonAffiliationChanged, ReasonSuperseded, ReasonCessationOfOperation, ReasonPrivilegeWithdrawn:
		return true
	}
	return false
}

// RevokeSubject is what is approved for Revoke (access.KindRevokeCertificate).
func RevokeSubject(serial *big.Int, reason Reason) []byte {
	return changeSubject("yinxin certificate revocation 1", serial, reason)
}

// SuspendSubject is what is approved for Suspend (access.KindSuspendCertificate).
func SuspendSubject(serial *big.Int) []byte {
	return changeSubject("yinxin certificate suspension 1", serial, ReasonCertificateHold)
}

// ResumeSubject is what is approved for Resume (access.KindResumeCertificate).
func ResumeSubject(serial *big.Int) []byte {
	return changeSubject("yinxin certificate resumption 1", serial, ReasonUnspecified)
}

func changeSubject(what string, serial *big.Int, reason Reason) []byte {
	text, err := json.Marshal(struct {
		Type   string `json:"type"`
		Serial string `json:"serial"`
		Reason int    `json:"reason"`
	}{what, SerialText(serial), int(reason)})
	if err != nil {
		panic("ca: strings can always be encoded: " + err.Error())
	}
	return text
}

// Revoke ends a certificate for good; one on hold as well. It counts in OCSP and Status when it returns, and in the
// CRL that CRL returns next. Errors: ca.reason, ca.not-found, ca.revoked, those of access.Redeem.
func (a *Authority) Revoke(ctx context.Context, approvalID string, serial *big.Int, reason Reason) error {
	return a.DB.Write(ctx, func(tx *store.Tx) error { return a.RevokeIn(ctx, tx, approvalID, serial, reason) })
}

// RevokeIn is Revoke in a transaction of the caller.
func (a *Authority) RevokeIn(ctx context.Context, tx *store.Tx, approvalID string, serial *big.Int, reason Reason) error {
	if !reason.Final() {
		return ErrReason.With("%d", int(reason))
	}
	return a.change(ctx, tx, approvalID, access.KindRevokeCertificate, RevokeSubject(serial, reason),
		statusChange{serial: SerialText(serial), action: actionRevoke, reason: reason})
}

// Suspend puts a certificate on hold by approval of two people. Errors: ca.not-found, ca.held, ca.revoked.
func (a *Authority) Suspend(ctx context.Context, approvalID string, serial *big.Int) error {
	return a.DB.Write(ctx, func(tx *store.Tx) error { return a.SuspendIn(ctx, tx, approvalID, serial) })
}

// SuspendIn is Suspend in a transaction of the caller.
func (a *Authority) SuspendIn(ctx context.Context, tx *store.Tx, approvalID string, serial *big.Int) error {
	return a.change(ctx, tx, approvalID, access.KindSuspendCertificate, SuspendSubject(serial),
		statusChange{serial: SerialText(serial), action: actionSuspend, reason: ReasonCertificateHold})
}

// Resume ends a hold by approval of two people: the certificate leaves the CRL. Errors: ca.not-found, ca.not-held.
func (a *Authority) Resume(ctx context.Context, approvalID string, serial *big.Int) error {
	return a.DB.Write(ctx, func(tx *store.Tx) error { return a.ResumeIn(ctx, tx, approvalID, serial) })
}

// ResumeIn is Resume in a transaction of the caller.
func (a *Authority) ResumeIn(ctx context.Context, tx *store.Tx, approvalID string, serial *big.Int) error {
	return a.change(ctx, tx, approvalID, access.KindResumeCertificate, ResumeSubject(serial),
		statusChange{serial: SerialText(serial), action: actionResume})
}

// SuspendAtOnce is the emergency: one registrar or approver puts a certificate on hold, to be confirmed by Revoke or
// lifted by Resume, which both take two people. why goes into the ledger, at most 200 bytes; no personal data.
func (a *Authority) SuspendAtOnce(ctx context.Context, by access.Actor, serial *big.Int, why string) error {
	return a.DB.Write(ctx, func(tx *store.Tx) error { return a.SuspendAtOnceIn(ctx, tx, by, serial, why) })
}

// SuspendAtOnceIn is SuspendAtOnce in a transaction of the caller.
func (a *Authority) SuspendAtOnceIn(ctx context.Context, tx *store.Tx, by access.Actor, serial *big.Int, why string) error {
	actor, err := a.access.ActorIn(ctx, tx, by.ID)
	if err != nil {
		return err
	}
	if !actor.Has(access.RoleRegistrar) && !actor.Has(access.RoleApprover) {
		return access.ErrRole.New()
	}
	return a.HoldIn(ctx, tx, actor, serial, why)
}

// HoldIn is SuspendAtOnceIn for a room that has asked itself whether the actor may: the holder of a certificate who lost
// the key, say, or who objects to it.
func (a *Authority) HoldIn(ctx context.Context, tx *store.Tx, by access.Actor, serial *big.Int, why string) error {
	if len(why) > 200 {
		return ErrRequest.At(fault.Field("why"))
	}
	change := statusChange{serial: SerialText(serial), action: actionSuspend, reason: ReasonCertificateHold,
		cause: causeEmergency, actor: by.ID, at: a.Clock()}
	if err := change.write(ctx, tx); err != nil {
		return err
	}
	return a.announce(ctx, tx, change, map[string]string{"cause": causeEmergency, "why": why})
}

// SupersedeIn revokes, as superseded, the certificate that an issued one renews: the renewal takes its place. It needs no
// approval of its own, since the renewal repeats what two people approved. Errors: ca.not-found when the certificate
// renews nothing, ca.revoked.
func (a *Authority) SupersedeIn(ctx context.Context, tx *store.Tx, successor *big.Int) error {
	var predecessor string
	err := tx.QueryRowContext(ctx, `SELECT renews FROM ca_certificate WHERE serial = $1 AND state = 'issued' AND renews IS NOT NULL`,
		SerialText(successor)).Scan(&predecessor)
	if isMissing(err) {
		return ErrNotFound.New()
	}
	if err != nil {
		return err
	}
	change := statusChange{serial: predecessor, action: actionRevoke, reason: ReasonSuperseded, cause: causeRenewal,
		successor: SerialText(successor), at: a.Clock()}
	if err := change.write(ctx, tx); err != nil {
		return err
	}
	return a.announce(ctx, tx, change, map[string]string{"cause": causeRenewal, "successor": change.successor})
}

func (a *Authority) change(ctx context.Context, tx *store.Tx, approvalID string, kind access.Kind, subject []byte, change statusChange) error {
	change.cause, change.at = causeApproval, a.Clock()
	approval, err := a.access.Redeem(ctx, tx, approvalID, kind, subject)
	if err != nil {
		return err
	}
	change.approval, change.actor = approval, approval.Requester()
	if err := change.write(ctx, tx); err != nil {
		return err
	}
	return a.announce(ctx, tx, change, map[string]string{"approval": approval.ID(), "approver": approval.Approver()})
}

func (a *Authority) announce(ctx context.Context, tx *store.Tx, change statusChange, data map[string]string) error {
	kinds := map[string]string{actionRevoke: "certificate.revoked", actionSuspend: "certificate.suspended", actionResume: "certificate.resumed"}
	data["reason"] = strconv.Itoa(int(change.reason))
	return a.record(ctx, tx, change.at, kinds[change.action], change.actor, change.serial, data)
}

const (
	actionRevoke  = "revoke"
	actionSuspend = "suspend"
	actionResume  = "resume"

	causeApproval  = "approval"
	causeEmergency = "emergency"
	causeRecovery  = "recovery"
	causeRenewal   = "renewal"

	stateRevoked = "revoked"
	stateHeld    = "held"
)

// statusChange is one step in the life of a certificate after it was issued.
type statusChange struct {
	serial   string
	action   string
	reason   Reason
	cause    string
	actor    string
	approval access.Approval
	// successor is the serial number of the renewal, for causeRenewal.
	successor string
	at        time.Time
}

// write checks that the step is possible now and records it.
func (c statusChange) write(ctx context.Context, tx *store.Tx) error {
	var issuer, state, notAfter string
	var shard int
	err := tx.QueryRowContext(ctx, `SELECT issuer, shard, state, not_after FROM ca_certificate WHERE serial = $1 AND state IN ('issued', 'failed')`, c.serial).
		Scan(&issuer, &shard, &state, &notAfter)
	if isMissing(err) || err == nil && state == "failed" && c.cause != causeRecovery {
		return ErrNotFound.New()
	}
	if err != nil {
		return err
	}
	now, events, err := currentStatus(ctx, tx, c.serial)
	if err != nil {
		return err
	}
	switch {
	case now == stateRevoked:
		return ErrRevoked.New()
	case c.action == actionSuspend && now == stateHeld:
		return ErrHeld.New()
	case c.action == actionResume && now != stateHeld:
		return ErrNotHeld.New()
	}
	if err := c.insertEvent(ctx, tx, state, events); err != nil {
		return err
	}
	if c.action == actionResume {
		_, err = tx.ExecContext(ctx, `DELETE FROM ca_status WHERE serial = $1`, c.serial)
		return err
	}
	becomes := stateRevoked
	if c.action == actionSuspend {
		becomes = stateHeld
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO ca_status (serial, issuer, shard, state, reason, since, not_after) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (serial) DO UPDATE SET state = excluded.state, reason = excluded.reason, since = excluded.since`,
		c.serial, issuer, shard, becomes, int(c.reason), store.Time(c.at), notAfter)
	return err
}

// currentStatus gives "", held or revoked, and how many events there were.
func currentStatus(ctx context.Context, q store.Querier, serial string) (state string, events int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COALESCE((SELECT state FROM ca_status WHERE serial = $1), ''),
		(SELECT COUNT(*) FROM ca_status_event WHERE serial = $1)`, serial).Scan(&state, &events)
	return state, events, err
}

func (c statusChange) insertEvent(ctx context.Context, tx *store.Tx, certificateState string, position int) error {
	var actor, approval, kind, used, successor, successorState any
	if c.actor != "" {
		actor = c.actor
	}
	if c.cause == causeApproval {
		approval, kind, used = c.approval.ID(), string(c.approval.Kind()), 1
	}
	if c.cause == causeRenewal {
		successor, successorState = c.successor, "issued"
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO ca_status_event
		(id, serial, certificate_state, position, action, reason, happened, cause, actor, approval, approval_kind, approval_used, successor, successor_state, crl)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0)`,
		store.NewID("cev_"), c.serial, certificateState, position, c.action, int(c.reason), store.Time(c.at), c.cause,
		actor, approval, kind, used, successor, successorState)
	return err
}
