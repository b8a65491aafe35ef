package command

import (
	"context"
	"strings"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/enroll/workday"
	"yinxin/ca/escrow"
	"yinxin/internal/fault"
	"yinxin/keystore"
	"yinxin/sealer/registration"
)

// registrationConfig is the section "registration" of config.json.
type registrationConfig struct {
	// AcceptDays is after how many working days silence counts as acceptance; 0 leaves it to the service.
	AcceptDays int `json:"accept_days,omitempty"`
	// KeyRetention is how many years an encryption key stays in escrow after its certificate's end; 0 leaves it to the
	// key centre, which keeps five at least.
	KeyRetention int `json:"key_retention_years,omitempty"`
	// Days are the public holidays, and the weekend days that are worked instead.
	Days workday.Days `json:"days,omitzero"`
	// Authority names which of "authorities" makes the certificates of central seals; empty: the own one.
	Authority string `json:"authority,omitempty"`
	// DocumentTypes are the 证件类型 that a roster may hold beside 111-居民身份证, by code.
	DocumentTypes map[string]string `json:"document_types,omitempty"`
	// Regions are beginnings of region codes that are known beside GB/T 2260: new districts, development zones.
	Regions []string `json:"regions,omitempty"`
}

// wireRegistration puts the rooms of registration together: key centre, applications, businesses. They know each other
// through what they declare.
func (h *installation) wireRegistration(ctx context.Context) error {
	c := h.config.Registration
	for _, r := range c.Regions {
		if len(r) < 2 || len(r) > 6 || strings.Trim(r, "0123456789") != "" {
			return errNotData.With("registration.regions %.10q", r).At(fault.File(configName))
		}
	}
	calendar, err := workday.New(c.Days)
	if err != nil {
		return err
	}
	safe, err := h.safe(ctx, enroll.SafeName)
	if err != nil {
		return err
	}
	h.calendar = calendar
	h.escrow = escrow.New(escrow.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Clock: h.now, Standing: h.stands, Retention: c.KeyRetention})
	authorities, err := h.backends(ctx)
	if err != nil {
		return err
	}
	if c.Authority != "" {
		if _, err := authorities.Named(c.Authority); err != nil {
			return err
		}
	}
	acceptDays := c.AcceptDays
	if acceptDays == 0 {
		acceptDays = enroll.DefaultAcceptDays
	}
	h.business = business.New(business.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Authority: h.authority, Seals: h.register.ForBusiness(),
		Keys: business.RingKeys{Ring: h.keys.Ring(keystore.PurposeSealing)}, Escrow: h.escrow, Safe: safe,
		Authorities: authorities, Institutions: c.Authority, Clock: h.now, Calendar: calendar, AcceptDays: acceptDays})
	h.enroll = enroll.New(enroll.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Safe: safe, Files: h.files, Planner: h.business, Suspender: h.business,
		Seals: h.business, Effects: h.business.Effects(), DocumentTypes: c.DocumentTypes, Regions: c.Regions, Clock: h.now, Calendar: calendar, AcceptDays: acceptDays})
	h.business.Enroll = h.enroll
	h.desk = registration.New(registration.Config{Enroll: h.enroll, Business: h.business})
	return nil
}

// safe opens the safe for personal data; an installation of before there was one gets it.
func (h *installation) safe(ctx context.Context, name string) (*keystore.Safe, error) {
	ring := h.keys.Ring(keystore.PurposePersonalData)
	safe, err := ring.Safe(ctx, name)
	if fault.Has(err, keystore.ErrKeyNotFound) {
		safe, err = ring.CreateSafe(ctx, name, keystore.PurposePersonalData)
	}
	return safe, err
}

// stands says whether the holder of a signing certificate may be given keys for it.
func (h *installation) stands(ctx context.Context, c *chain.Certificate) error {
	r, err := h.authority.Certificate(ctx, c.Serial)
	switch {
	case err != nil:
		return err
	case r.State == ca.RecordHeld:
		return ca.ErrHeld.New()
	case r.State != ca.RecordGood:
		return ca.ErrRevoked.New()
	}
	return nil
}
