package ca

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// AnchorPurpose is what an imported certificate is trusted for.
type AnchorPurpose string

// The purposes. A CA is trusted for what it certifies, an end certificate for itself alone: a seal maker's certificate
// that is imported as seal-maker is a pinned one. TLS is none of them: connections use the system's anchors.
const (
	AnchorSigner    AnchorPurpose = "signer"     // signatures on documents
	AnchorSealMaker AnchorPurpose = "seal-maker" // signatures on seals
	AnchorTimeStamp AnchorPurpose = "time-stamp"
)

func (p AnchorPurpose) usage() (chain.Usage, bool) {
	switch p {
	case AnchorSigner:
		return chain.UsageSign, true
	case AnchorSealMaker:
		return chain.UsageSealMaker, true
	case AnchorTimeStamp:
		return chain.UsageTimeStamp, true
	}
	return 0, false
}

// maxAnchorLimits bounds purposes and organisations of an anchor.
const maxAnchorLimits = 50

// AnchorRequest says whom to trust for what. Organisations, if any, are the only ones (O of the subject, with or without
// the credit code before it) whose certificates are believed below the anchor.
type AnchorRequest struct {
	Name          string // for people
	Purposes      []AnchorPurpose
	Organisations []string
	Certificate   []byte // DER
}

// Subject is what two people approve (access.KindImportAnchor).
func (r AnchorRequest) Subject() []byte {
	fingerprint := ""
	if c, err := chain.ParseCertificate(r.Certificate); err == nil {
		fingerprint = c.FingerprintText()
	}
	text, err := json.Marshal(anchorText{"yinxin anchor import 1", r.Name, r.Purposes, r.Organisations, fingerprint, r.Certificate})
	if err != nil {
		panic("ca: strings can always be encoded: " + err.Error())
	}
	return text
}

type anchorText struct {
	Type          string          `json:"type"`
	Name          string          `json:"name"`
	Purposes      []AnchorPurpose `json:"purposes"`
	Organisations []string        `json:"organisations"`
	SM3           string          `json:"sm3"`
	Certificate   []byte          `json:"certificate"`
}

// ParseAnchorRequest reads what Subject wrote. Error: ca.anchor.
func ParseAnchorRequest(subject []byte) (AnchorRequest, error) {
	var t anchorText
	if err := json.Unmarshal(subject, &t); err != nil || t.Type != "yinxin anchor import 1" {
		return AnchorRequest{}, ErrAnchor.Because(err)
	}
	return AnchorRequest{Name: t.Name, Purposes: t.Purposes, Organisations: t.Organisations, Certificate: t.Certificate}, nil
}

// Check says whether the request can be granted: ca.anchor with the field, or what is wrong with the certificate. An
// anchor for signers or seal makers must be able to certify them, or to be one.
func (r AnchorRequest) Check() error {
	bad := func(field string) error { return ErrAnchor.At(fault.Field(field)) }
	if !validName(r.Name) {
		return bad("name")
	}
	if len(r.Purposes) == 0 || len(r.Purposes) > 3 || len(r.Organisations) > maxAnchorLimits {
		return bad("purposes")
	}
	for i, p := range r.Purposes {
		if _, ok := p.usage(); !ok || slices.Contains(r.Purposes[:i], p) {
			return bad("purposes")
		}
	}
	for _, o := range r.Organisations {
		if !validName(o) {
			return bad("organisations")
		}
	}
	_, _, _, err := ReadForeign(r.Certificate)
	return err
}

// Anchor is an imported trust anchor.
type Anchor struct {
	ID            string
	Name          string
	Purposes      []AnchorPurpose
	Organisations []string
	Certificate   *chain.Certificate
	Lenient       bool // a strict reader refused it, or ours overlooked something: see Readings
	Readings      []Reading
	Imported      time.Time
	// Approval is the request that was approved: who asked, who agreed.
	Approval, Requester, Approver string
	Removed                       time.Time // zero: in force
	// RemovedBy and RemovalWhy are who ended the trust, and why; empty where two people did, as it once took.
	RemovedBy, RemovalWhy string
}

// AskAnchor asks for the second person's word on an anchor; ImportApproved then imports it. by is a registrar or an
// administrator. Errors: ca.anchor, ca.anchor-known, those of access.Request.
func (a *Authority) AskAnchor(ctx context.Context, by access.Actor, r AnchorRequest, why string) (request string, err error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	c, _, _, err := ReadForeign(r.Certificate)
	if err != nil {
		return "", err
	}
	var known int
	if err := a.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM ca_anchor WHERE fingerprint = $1 AND removed IS NULL`, c.FingerprintText()).Scan(&known); err != nil {
		return "", err
	}
	if known > 0 {
		return "", ErrAnchorKnown.New()
	}
	return a.access.RequestBecause(ctx, by, access.KindImportAnchor, r.Subject(), why)
}

// ImportApproved imports what AskAnchor asked for and a second person approved. Errors: access.request-not-found, those of
// ImportAnchor.
func (a *Authority) ImportApproved(ctx context.Context, request string) (id string, err error) {
	asked, err := a.access.Pending(ctx, request)
	if err != nil {
		return "", err
	}
	r, err := ParseAnchorRequest(asked.Subject)
	if err != nil {
		return "", err
	}
	return a.ImportAnchor(ctx, request, r)
}

// ImportAnchor trusts a certificate of another authority from now on, under an approval of kind access.KindImportAnchor
// over r.Subject(). Errors: ca.anchor, ca.anchor-known, those of access.Redeem.
func (a *Authority) ImportAnchor(ctx context.Context, approvalID string, r AnchorRequest) (id string, err error) {
	if err := r.Check(); err != nil {
		return "", err
	}
	c, readings, lenient, err := ReadForeign(r.Certificate)
	if err != nil {
		return "", err
	}
	said, err := json.Marshal(readings)
	if err != nil {
		return "", err
	}
	purposes, err := json.Marshal(r.Purposes)
	if err != nil {
		return "", err
	}
	organisations, err := json.Marshal(append([]string{}, r.Organisations...))
	if err != nil {
		return "", err
	}
	fingerprint := c.FingerprintText()
	id = store.NewID("anc_")
	now := a.Clock()
	err = a.DB.Write(ctx, func(tx *store.Tx) error {
		approval, err := a.access.Redeem(ctx, tx, approvalID, access.KindImportAnchor, r.Subject())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO ca_anchor (id, name, purposes, organisations, certificate, fingerprint, lenient, readings, imported, approval, approval_kind, approval_used)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1)`, id, r.Name, string(purposes), string(organisations), c.Raw, fingerprint,
			zeroOrOne(lenient), string(said), store.Time(now), approval.ID(), string(approval.Kind()))
		if err != nil {
			return err
		}
		return a.record(ctx, tx, now, "anchor.imported", approval.Requester(), id, map[string]string{"approval": approval.ID(), "approver": approval.Approver(),
			"certificate": fingerprint, "purposes": string(purposes)})
	})
	if store.IsUnique(err) {
		return "", ErrAnchorKnown.New()
	}
	if err != nil {
		return "", err
	}
	return id, nil
}

func zeroOrOne(b bool) int {
	if b {
		return 1
	}
	return 0
}

// RemoveAnchor ends the trust in an imported anchor at once; it stays on record. One person does it, a registrar or an
// administrator, since it only narrows what is believed. Errors: ca.anchor-reason, ca.anchor-not-found, access.role.
func (a *Authority) RemoveAnchor(ctx context.Context, by access.Actor, id, why string) error {
	if err := by.CheckReal(); err != nil {
		return err
	}
	if !validName(why) {
		return ErrAnchorReason.New()
	}
	now := a.Clock()
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		if err := a.tendsTrust(ctx, tx, by); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE ca_anchor SET removed = $1, removed_by = $2, removal_why = $3 WHERE id = $4 AND removed IS NULL`,
			store.Time(now), by.ID, why, id)
		if err != nil {
			return err
		}
		if err := store.ExactlyOne(result, ErrAnchorNotFound.New()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM ca_foreign_crl WHERE anchor = $1`, id); err != nil { // nobody vouches for them now
			return err
		}
		return a.record(ctx, tx, now, "anchor.removed", by.ID, id, map[string]string{"reason": why})
	})
}

// tendsTrust refuses whoever is neither a registrar nor an administrator now.
func (a *Authority) tendsTrust(ctx context.Context, q store.Querier, by access.Actor) error {
	now, err := a.access.ActorIn(ctx, q, by.ID)
	if err == nil && !now.Has(access.RoleRegistrar) && !now.Has(access.RoleAdministrator) {
		err = access.ErrRole.With("%s %s", access.RoleRegistrar, access.RoleAdministrator)
	}
	return err
}

// ImportedAnchors lists what was imported, newest first, what was removed included.
func (a *Authority) ImportedAnchors(ctx context.Context) ([]Anchor, error) {
	rows, err := a.DB.Read().QueryContext(ctx, `SELECT c.id, c.name, c.purposes, c.organisations, c.certificate, c.lenient, c.readings, c.imported, c.approval, a.requester, a.approver,
		COALESCE(c.removed, ''), c.removed_by, c.removal_why FROM ca_anchor c JOIN access_approval a ON a.id = c.approval ORDER BY c.imported DESC, c.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Anchor
	for rows.Next() {
		anchor, err := scanAnchor(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, anchor)
	}
	return list, rows.Err()
}

func scanAnchor(row interface{ Scan(...any) error }) (Anchor, error) {
	var r Anchor
	var purposes, organisations, readings, imported, removed string
	var der []byte
	err := row.Scan(&r.ID, &r.Name, &purposes, &organisations, &der, &r.Lenient, &readings, &imported, &r.Approval, &r.Requester, &r.Approver, &removed, &r.RemovedBy, &r.RemovalWhy)
	if err != nil {
		return r, err
	}
	err = errors.Join(json.Unmarshal([]byte(purposes), &r.Purposes), json.Unmarshal([]byte(organisations), &r.Organisations),
		json.Unmarshal([]byte(readings), &r.Readings))
	if err != nil {
		return r, err
	}
	if r.Certificate, err = chain.ParseCertificate(der); err != nil {
		return r, err
	}
	if r.Imported, err = store.ParseTime(imported); err != nil || removed == "" {
		return r, err
	}
	r.Removed, err = store.ParseTime(removed)
	return r, err
}

// limit is what the anchor is trusted for.
func (r Anchor) limit() chain.Limit {
	l := chain.Limit{Usages: []chain.Usage{chain.UsageAny}}
	for _, p := range r.Purposes {
		if u, ok := p.usage(); ok {
			l.Usages = append(l.Usages, u)
		}
	}
	if len(r.Organisations) > 0 {
		l.Leaf = func(leaf *chain.Certificate, _ chain.Usage) bool {
			return slices.ContainsFunc(r.Organisations, func(o string) bool {
				return leaf.Subject.Organisation == o || leaf.OrganisationCode != "" && leaf.Subject.Organisation == leaf.OrganisationCode+o
			})
		}
	}
	return l
}

// Anchors is what this authority believes now: its root, below which only the certificates that it made for the purpose
// count as seal makers; and what was imported, each for its purposes. Ask again where anchors may have changed.
func (a *Authority) Anchors(ctx context.Context) (*chain.Anchors, error) {
	imported, err := a.ImportedAnchors(ctx)
	if err != nil {
		return nil, err
	}
	believed := []*chain.Certificate{a.root}
	for _, r := range imported {
		if r.Removed.IsZero() {
			believed = append(believed, r.Certificate)
		}
	}
	anchors := chain.NewAnchors(believed...).WithIntermediates(a.intermediates()...).Limited(a.root, chain.Limit{Leaf: a.maySeal})
	for _, r := range imported {
		if r.Removed.IsZero() && r.Certificate.Fingerprint() != a.root.Fingerprint() {
			anchors = anchors.Limited(r.Certificate, r.limit())
		}
	}
	return anchors, nil
}

func (a *Authority) intermediates() []*chain.Certificate {
	var list []*chain.Certificate
	for _, s := range a.issuers {
		list = append(list, s.Certificate)
	}
	return list
}

// maySeal says whether a certificate below our own root may be believed in a use: as a seal maker only one that was made
// for that, since else any holder of a certificate could make seals of any name.
func (a *Authority) maySeal(leaf *chain.Certificate, u chain.Usage) bool {
	if u != chain.UsageSealMaker {
		return true
	}
	fingerprint := leaf.Fingerprint()
	if _, known := a.makers.Load(fingerprint); known {
		return true
	}
	// A certificate's profile never changes, so a yes is remembered. A no is not: the certificate may come in a moment.
	var profile string
	err := a.DB.Read().QueryRowContext(context.Background(), `SELECT profile FROM ca_certificate WHERE serial = $1 AND certificate = $2`,
		SerialText(leaf.Serial), leaf.Raw).Scan(&profile)
	if err != nil || profile != string(ProfileSealMaker) {
		return false
	}
	a.makers.Store(fingerprint, true)
	return true
}
