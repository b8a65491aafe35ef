package business

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"yinxin/ca/enroll"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// HandOver is how a USB Key came to its holder.
type HandOver struct {
	Token   string // serial number of the Key, in custody for its holder
	On      string // day, 2026-11-27
	Receipt string // number of the receipt that the holder signed, at most 60 characters
}

const maxReceipt = 60

// check reads the fields: enroll.field, enroll.personal-data.
func (h HandOver) check(now time.Time) error {
	if day, err := civil.ParseDay(h.On); err != nil || day.After(now) {
		return enroll.ErrField.At(fault.Field("on"))
	}
	if strings.TrimSpace(h.Receipt) != h.Receipt || utf8.RuneCountInString(h.Receipt) > maxReceipt {
		return enroll.ErrField.At(fault.Field("receipt"))
	}
	err := enroll.CheckReason(h.Receipt) // text without the numbers of a person
	if fault.Has(err, enroll.ErrReason) {
		err = enroll.ErrField.At(fault.Field("receipt"))
	}
	return err
}

// HandOver records that the USB Key that an application made for somebody was handed to them. A registrar does it, when
// the Key holds its certificates and its encryption key. Errors: access.role, enroll.field, enroll.personal-data,
// business.no-key, business.not-done before that, business.token for a token that is not in custody for this person,
// business.done when it is on record.
func (s *Service) HandOver(ctx context.Context, by access.Actor, application, actor string, h HandOver) error {
	if err := h.check(s.Clock()); err != nil {
		return err
	}
	w, err := s.begin(ctx, by, application)
	if err != nil {
		return err
	}
	acts := w.keyActs(actor)
	if acts.signing == nil || acts.encryption == nil {
		return ErrNoKey.With("%s", actor)
	}
	if !acts.signing.Done || !acts.encryption.Done {
		return ErrNotDone.New()
	}
	serial := acts.signing.Result
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.mayDecide(ctx, tx, by, ""); err != nil {
			return err
		}
		var state, holder string
		err := tx.QueryRowContext(ctx, `SELECT state FROM escrow_key WHERE serial = $1`, acts.encryption.Result).Scan(&state)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if state == "escrowed" || state == "delivered" {
			return ErrNotDone.Sayingf("托管 %s", "escrow %s", state)
		}
		err = tx.QueryRowContext(ctx, `SELECT holder FROM business_token WHERE serial = $1`, h.Token).Scan(&holder)
		if errors.Is(err, sql.ErrNoRows) || err == nil && holder != actor {
			return ErrToken.With("%.32s", h.Token).At(fault.Field("token"))
		}
		if err != nil {
			return err
		}
		now := s.Clock()
		_, err = tx.ExecContext(ctx, `INSERT INTO business_handover (serial, application, token, handed, receipt, recorded, by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			serial, application, h.Token, h.On, h.Receipt, store.Time(now), by.ID)
		if err != nil {
			return err
		}
		_, err = s.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "key.handed-over", Actor: by.ID, Subject: serial,
			Data: map[string]string{"application": application, "holder": actor, "token": h.Token, "on": h.On, "receipt": h.Receipt}})
		return err
	})
	if store.IsUnique(err) {
		return ErrDone.New()
	}
	return err
}
