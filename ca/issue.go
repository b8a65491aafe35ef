package ca

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/ca/conform"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// issuance is one certificate on its way.
type issuance struct {
	issuer     *issuingCA // nil for the infrastructure that a ceremony makes
	request    Request
	draft      draft
	tbs        []byte
	created    time.Time
	approval   access.Approval
	renews     string // serial number of the predecessor; empty for what is no renewal
	companions []Companion
	remarks    []conform.Finding // of the lints; they stop nothing
}

// Companion makes something that belongs to a certificate, so that both are on record or neither is: a seal, an
// encryption key in escrow. An error of any of its methods ends the issuance.
type Companion interface {
	// Intend runs in the transaction that records the intent: the place to redeem an approval. It may run again when
	// the database repeats the transaction.
	Intend(ctx context.Context, tx *store.Tx) error
	// Make runs outside of transactions when the certificate is signed and was compared. Nothing is released yet.
	Make(ctx context.Context, c *chain.Certificate) error
	// Complete records the result in the transaction that records the certificate as issued.
	Complete(ctx context.Context, tx *store.Tx, c *chain.Certificate) error
}

func (i issuance) serial() string { return SerialText(i.draft.serial) }

// Issue makes the certificate that was approved: approvalID is an approval of kind access.KindIssueCertificate over
// r.Subject() or r.Terms(). When it returns a certificate, that is on record and in the ledger, and so is what the
// companions make with it. Once the approval is redeemed the work goes on even if ctx ends, so that a caller who leaves
// does not leave half a certificate. Errors: ca.request, ca.public-key, ca.key-in-use, ca.issuer-expires, those of
// access.Redeem; after the approval was used ca.lint, ca.signing, ca.superseded; those of the companions.
func (a *Authority) Issue(ctx context.Context, approvalID string, r Request, with ...Companion) (*chain.Certificate, error) {
	i, err := a.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	i.companions = with
	return a.issue(ctx, i, func(tx *store.Tx) (access.Approval, error) {
		approval, err := a.access.Redeem(ctx, tx, approvalID, access.KindIssueCertificate, r.Subject(), r.Terms())
		if err == nil && !approval.Covers(access.KindIssueCertificate, r.Subject()) && !approval.Covers(access.KindIssueCertificate, r.Terms()) {
			err = access.ErrOtherSubject.New()
		}
		return approval, err
	})
}

// issue takes a prepared certificate from its intent to its record. approve gives the approval in the transaction of
// the intent.
func (a *Authority) issue(ctx context.Context, i issuance, approve func(tx *store.Tx) (access.Approval, error)) (*chain.Certificate, error) {
	if err := a.intend(ctx, &i, approve); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	a.at("intended")
	certificate, signed, err := a.makeCertificate(ctx, &i)
	if err != nil {
		return nil, a.fail(ctx, i, signed, err)
	}
	a.at("signed")
	for _, c := range i.companions {
		if err := c.Make(ctx, certificate); err != nil {
			return nil, a.fail(ctx, i, true, err)
		}
	}
	if err := a.complete(ctx, i, certificate); err != nil {
		return nil, a.fail(ctx, i, true, err)
	}
	return certificate, nil
}

func (a *Authority) at(step string) {
	if a.interrupt != nil {
		a.interrupt(step)
	}
}

// prepare writes the bytes to be signed by the CA that issues the profile.
func (a *Authority) prepare(ctx context.Context, r Request) (issuance, error) {
	i := issuance{issuer: a.issuerFor(ctx, r), request: r, created: a.Clock()}
	if err := r.Check(i.created); err != nil {
		return issuance{}, err
	}
	subject, err := distinguishedName(r.organisation(), r.commonName())
	if err != nil {
		return i, err
	}
	i.draft = draft{profile: r.Profile, subject: subject, public: keystore.Point(r.Public), creditCode: r.CreditCode, identity: r.Identity.Number}
	i.draft.notBefore, i.draft.notAfter = r.Profile.validity(i.created)
	if i.draft.notAfter.After(i.issuer.Certificate.NotAfter) || i.draft.notBefore.Before(i.issuer.Certificate.NotBefore) {
		return i, ErrValidity.With("%s", i.issuer.Certificate.NotAfter.Format(time.DateOnly))
	}
	if i.draft.serial, err = newSerial(a.Random, a.prefix); err != nil {
		return i, err
	}
	i.draft.shard = a.shardOf(i.draft.serial)
	i.draft.issuer = a.dataOf(i.issuer, i.draft.shard)
	i.tbs, err = i.draft.marshal()
	return i, err
}

// intend is the point of no return: the approval used, the serial number taken, the intent in the ledger.
func (a *Authority) intend(ctx context.Context, i *issuance, approve func(tx *store.Tx) (access.Approval, error)) error {
	digest := sm3.Sum(i.tbs)
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		approval, err := approve(tx)
		if err != nil {
			return err
		}
		if err := keyIsFree(ctx, tx, *i); err != nil {
			return err
		}
		i.approval = approval
		if err := insertIntent(ctx, tx, *i); err != nil {
			return err
		}
		for _, c := range i.companions {
			if err := c.Intend(ctx, tx); err != nil {
				return err
			}
		}
		data := map[string]string{"profile": string(i.request.Profile), "approval": approval.ID(), "approver": approval.Approver(),
			"tbs": hex.EncodeToString(digest[:])}
		if i.renews != "" {
			data["renews"] = i.renews
		}
		return a.record(ctx, tx, i.created, "certificate.intent", approval.Requester(), i.serial(), data)
	})
}

// keyIsFree refuses a key that stands in a certificate of somebody else or for something else: a signature by it could
// be laid at two doors.
func keyIsFree(ctx context.Context, tx *store.Tx, i issuance) error {
	var other int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_certificate WHERE public_key = $1
		AND (profile <> $2 OR organisation <> $3 OR profile IN ('personal', 'encryption') AND common_name <> $4)`,
		i.draft.public, string(i.request.Profile), i.request.organisation(), i.request.commonName()).Scan(&other)
	if err != nil {
		return err
	}
	if other > 0 {
		return ErrKeyInUse.New()
	}
	return nil
}

func insertIntent(ctx context.Context, tx *store.Tx, i issuance) error {
	var renews any
	if i.renews != "" {
		renews = i.renews
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO ca_certificate
		(serial, issuer, profile, state, request, organisation, common_name, public_key, tbs, shard, not_before, not_after, created,
			approval, approval_kind, approval_used, approved, renews)
		VALUES ($1, $2, $3, 'intent', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, $15, $16)`,
		i.serial(), i.issuer.ID, string(i.draft.profile), i.request.Subject(), i.request.organisation(), i.request.commonName(),
		i.draft.public, i.tbs, i.draft.shard, store.Time(i.draft.notBefore), store.Time(i.draft.notAfter), store.Time(i.created),
		i.approval.ID(), string(i.approval.Kind()), store.Time(i.approval.Approved()), renews)
	if store.IsUnique(err) && i.renews != "" {
		return ErrRenewed.With("%s", i.renews)
	}
	return err
}

// makeCertificate lints, signs and compares. signed says whether a signature may exist.
func (a *Authority) makeCertificate(ctx context.Context, i *issuance) (c *chain.Certificate, signed bool, err error) {
	token, err := lint(i.tbs, a.throwaway, expected{request: i.request, profile: i.request.Profile, serial: i.draft.serial,
		from: i.created, issuer: i.issuer.Certificate, urls: i.draft.issuer})
	if err != nil {
		return nil, false, err
	}
	i.remarks = token.remarks
	a.at("linted")
	der, err := token.sign(ctx, i.issuer.key)
	if err != nil {
		return nil, true, err
	}
	c, err = token.released(der, i.issuer.Certificate.PublicKey)
	return c, true, err
}

// complete records the result. Only an intent becomes a certificate: one that was voided meanwhile stays void.
func (a *Authority) complete(ctx context.Context, i issuance, c *chain.Certificate) error {
	now := a.Clock()
	data := map[string]string{"profile": string(i.request.Profile), "certificate": c.FingerprintText()}
	if len(i.remarks) > 0 {
		data["lints"] = remarksText(i.remarks)
	}
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE ca_certificate SET state = 'issued', certificate = $1, completed = $2 WHERE serial = $3 AND state = 'intent'`,
			c.Raw, store.Time(now), i.serial())
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrSuperseded.New()); err != nil {
			return err
		}
		for _, companion := range i.companions {
			if err := companion.Complete(ctx, tx, c); err != nil {
				return err
			}
		}
		return a.record(ctx, tx, now, "certificate.issued", i.approval.Requester(), i.serial(), data)
	})
}

// fail voids the serial number of an issuance that went wrong and gives the error for the caller. If it cannot be
// voided now, Recover will.
func (a *Authority) fail(ctx context.Context, i issuance, signed bool, cause error) error {
	if err := a.void(ctx, i.serial(), fault.CodeOf(cause), signed); err != nil {
		cause = errors.Join(cause, err)
	}
	if _, ok := fault.Of(cause); ok {
		return cause
	}
	return ErrSigning.Because(cause)
}

// void marks an intent as failed. When a signature may exist the serial number also goes on the revocation list.
// An intent that is none any more is left alone.
func (a *Authority) void(ctx context.Context, serial, why string, signed bool) error {
	now := a.Clock()
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE ca_certificate SET state = 'failed', failure = $1, completed = $2 WHERE serial = $3 AND state = 'intent'`,
			why, store.Time(now), serial)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if signed {
			change := statusChange{serial: serial, action: actionRevoke, reason: ReasonUnspecified, cause: causeRecovery, at: now}
			if err := change.write(ctx, tx); err != nil {
				return err
			}
		}
		return a.record(ctx, tx, now, "certificate.failed", "", serial, map[string]string{"why": why})
	})
}

// Recover voids intents without a result that are at least RecoveryAge old: the process that worked on them died. Their
// certificates were never released, but signatures may exist, so the serial numbers are revoked.
func (a *Authority) Recover(ctx context.Context) error {
	serials, err := store.Column[string](a.DB.Read().QueryContext(ctx, `SELECT serial FROM ca_certificate WHERE state = 'intent' AND created <= $1 ORDER BY created`,
		store.Time(a.Clock().Add(-a.RecoveryAge))))
	if err != nil {
		return err
	}
	for _, serial := range serials {
		if err := a.void(ctx, serial, "interrupted", true); err != nil {
			return err
		}
	}
	return nil
}
