package business

import (
	"context"
	"database/sql"
	"errors"
	"math/big"

	"yinxin/ca"
)

// Address is where the holder of a certificate can be written to: the mail address of the handler in the unit's last
// application; empty when none is known. It implements renewal.Contacts.
func (s *Service) Address(ctx context.Context, serial *big.Int) (string, error) {
	q := s.DB.Read()
	var application string
	// A USB Key belongs to a person of a unit, a central seal to the unit that applied for it.
	err := q.QueryRowContext(ctx, `SELECT a.id FROM enroll_application a WHERE a.state IN ('issued', 'accepted', 'closed') AND a.unit IN (
			SELECT o.unit FROM business_holding h JOIN business_user u ON u.actor = h.actor JOIN enroll_holder o ON o.id = u.holder WHERE h.serial = $1
			UNION SELECT b.unit FROM business_act t JOIN enroll_application b ON b.id = t.application WHERE t.result = $1)
		ORDER BY a.created DESC, a.id LIMIT 1`, ca.SerialText(serial)).Scan(&application)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	d, err := s.Enroll.DossierIn(ctx, q, application)
	return d.Form.Handler.Email, err
}
