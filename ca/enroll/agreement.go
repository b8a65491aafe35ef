package enroll

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

// Agreement is one version of 《CA数字证书电子认证服务协议》.
type Agreement struct {
	Version   string
	Text      string
	Digest    string // SM3 of the text, hexadecimal
	Published time.Time
}

const maxAgreement = 1 << 20

// PublishAgreement puts a version of the agreement in force, in place of the one before. A version never changes:
// enroll.agreement-exists. A registrar or administrator does it.
func (s *Service) PublishAgreement(ctx context.Context, by access.Actor, version, text string) (Agreement, error) {
	if !validText(version, 40) {
		return Agreement{}, ErrField.At(fault.Field("version"))
	}
	if text == "" || len(text) > maxAgreement || !utf8.ValidString(text) {
		return Agreement{}, ErrField.At(fault.Field("text"))
	}
	digest := sm3.Sum([]byte(text))
	a := Agreement{Version: version, Text: text, Digest: hex.EncodeToString(digest[:]), Published: s.Clock()}
	err := s.asOfficer(ctx, by, func(tx *store.Tx, v viewer) error {
		var next int
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM enroll_agreement`).Scan(&next); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO enroll_agreement (version, text, digest, number, published, by) VALUES ($1, $2, $3, $4, $5, $6)`,
			a.Version, a.Text, a.Digest, next, store.Time(a.Published), v.ID)
		if err != nil {
			return err
		}
		return s.note(ctx, tx, v, "registration.agreement", a.Version, map[string]string{"digest": a.Digest})
	})
	if store.IsUnique(err) {
		return Agreement{}, ErrAgreementExists.With("%s", version)
	}
	return a, err
}

// Agreement reads a version; the empty one is that in force. Error: enroll.agreement-not-found.
func (s *Service) Agreement(ctx context.Context, version string) (Agreement, error) {
	if version == "" {
		return currentAgreement(ctx, s.DB.Read())
	}
	return scanAgreement(s.DB.Read().QueryRowContext(ctx, selectAgreement+` WHERE version = $1`, key(version)))
}

const selectAgreement = `SELECT version, text, digest, published FROM enroll_agreement`

func currentAgreement(ctx context.Context, q store.Querier) (Agreement, error) {
	return scanAgreement(q.QueryRowContext(ctx, selectAgreement+` ORDER BY number DESC LIMIT 1`))
}

func scanAgreement(row scanner) (Agreement, error) {
	var a Agreement
	var published string
	err := row.Scan(&a.Version, &a.Text, &a.Digest, &published)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrNoAgreement.New()
	}
	if err != nil {
		return a, err
	}
	a.Published, err = store.ParseTime(published)
	return a, err
}

// agreementVersions are all that were ever in force.
func agreementVersions(ctx context.Context, q store.Querier) ([]string, error) {
	return store.Column[string](q.QueryContext(ctx, `SELECT version FROM enroll_agreement ORDER BY number`))
}
