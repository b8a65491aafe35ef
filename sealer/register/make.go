package register

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/keystore"
	"yinxin/sealer/ses"
)

// Order is everything a seal is made from.
type Order struct {
	Code         string  // 14 digits
	Name         string  // exactly the text of the imprint
	Organisation string  // full name of the holder
	CreditCode   string  // 统一社会信用代码
	Type         int     // type of SES_ESPropertyInfo: 1 unit seal, 2 personal seal
	Width        float64 // mm, true size
	Height       float64 // mm
	Template     []byte  // PNG, 600 dpi
	Picture      []byte  // PNG, 300 dpi: travels in every sealed file
	Custody      Custody
	Holder       string // actor of the USB Key; empty for Central
	KeyName      string // in the keystore; empty for UserKey
	Certificate  []byte // DER: the institution's, or the Key user's
}

// Subject is what two people approve before Make: every field, large ones by their SM3 digest.
func (o Order) Subject() []byte {
	b, err := json.Marshal(map[string]any{
		"code": o.Code, "name": o.Name, "organisation": o.Organisation, "credit_code": o.CreditCode, "type": o.Type,
		"width_um": micrometres(o.Width), "height_um": micrometres(o.Height), "template": digest(o.Template), "picture": digest(o.Picture),
		"custody": o.Custody, "holder": o.Holder, "key": o.KeyName, "certificate": digest(o.Certificate),
	})
	if err != nil {
		panic("register: an order always marshals: " + err.Error())
	}
	return b
}

// Make makes an electronic seal under an approval of kind access.KindMakeSeal over o.Subject. A seal that is not
// registered yet is registered; an active instance for the same holder is superseded. The intent is recorded before
// the maker signs and the result after it. Errors: seal.invalid-order, seal.exists, and those of access.Redeem.
func (r *Register) Make(ctx context.Context, approvalID string, o Order) (Instance, error) {
	certificate, err := r.check(o)
	if err != nil {
		return Instance{}, err
	}
	now := r.Clock().UTC().Truncate(time.Second)
	in := Instance{ID: newID("s"), SealCode: o.Code, SealName: o.Name, Custody: o.Custody, Holder: o.Holder, KeyName: o.KeyName,
		Certificate: o.Certificate, Picture: o.Picture, Width: o.Width, Height: o.Height,
		ValidFrom: certificate.NotBefore, ValidUntil: certificate.NotAfter}
	if err := r.DB.Write(ctx, func(tx *store.Tx) error { return r.intend(ctx, tx, approvalID, o, in, now) }); err != nil {
		return Instance{}, err
	}
	in.Seal, err = r.sign(ctx, o, in, now)
	if err != nil {
		return Instance{}, r.failed(ctx, in, err)
	}
	err = r.DB.Write(ctx, func(tx *store.Tx) error { return r.activate(ctx, tx, in) })
	return in, err
}

// checkPicture checks what every seal needs, with or without a certificate.
func checkPicture(o Order) error {
	if len(o.Code) != 14 || strings.Trim(o.Code, "0123456789") != "" {
		return errOrder.With("seal code %q is not 14 digits", o.Code)
	}
	if o.Name == "" || o.Organisation == "" || len(o.Picture) == 0 || len(o.Template) == 0 {
		return errOrder.With("name, organisation or picture is missing")
	}
	if !(o.Width >= 5 && o.Width <= 100 && o.Height >= 5 && o.Height <= 100) {
		return errOrder.With("size %.1f × %.1f mm is not between 5 and 100 mm", o.Width, o.Height)
	}
	return nil
}

func (r *Register) check(o Order) (*chain.Certificate, error) {
	if err := checkPicture(o); err != nil {
		return nil, err
	}
	if (o.Custody == Central) != (o.KeyName != "") || (o.Custody == UserKey) != (o.Holder != "") {
		return nil, errOrder.With("a central seal names a key, a Key user's seal names its holder")
	}
	c, err := chain.ParseCertificate(o.Certificate)
	if err != nil {
		return nil, errOrder.With("certificate").Because(err)
	}
	if o.Custody == Central && c.Subject.CommonName != o.Code {
		return nil, errOrder.With("the certificate is for seal %s", c.Subject.CommonName)
	}
	return c, nil
}

// Enter registers a seal and its template without an electronic instance, under an approval of kind
// access.KindMakeSeal over o.Subject: a seal that waits for its USB Key stays Making.
func (r *Register) Enter(ctx context.Context, approvalID string, o Order) error {
	if err := checkPicture(o); err != nil {
		return err
	}
	if len(o.Certificate) != 0 {
		return errOrder.With("a seal that has a certificate is made, not entered")
	}
	now := r.Clock()
	return r.DB.Write(ctx, func(tx *store.Tx) error {
		approval, err := r.Access.Redeem(ctx, tx, approvalID, access.KindMakeSeal, o.Subject())
		if err != nil {
			return err
		}
		if err := r.enter(ctx, tx, o, approval, now); err != nil {
			return err
		}
		if _, err := enterTemplate(ctx, tx, o, now); err != nil {
			return err
		}
		_, err = r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "seal.entered", Actor: approval.Approver(), Subject: o.Code,
			Data: map[string]string{"approval": approval.ID(), "picture": digest(o.Picture)}})
		return err
	})
}

// intend redeems the approval and records what is going to be made.
func (r *Register) intend(ctx context.Context, tx *store.Tx, approvalID string, o Order, in Instance, now time.Time) error {
	approval, err := r.Access.Redeem(ctx, tx, approvalID, access.KindMakeSeal, o.Subject())
	if err != nil {
		return err
	}
	if err := r.enter(ctx, tx, o, approval, now); err != nil {
		return err
	}
	version, err := enterTemplate(ctx, tx, o, now)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO seal_instance (id, seal_code, template_version, custody, holder, key_name,
		certificate, certificate_hash, approval_id, approval_kind, approval_used, state, valid_from, valid_until, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 'making', $11, $12, $13)`,
		in.ID, in.SealCode, version, string(in.Custody), in.Holder, in.KeyName, in.Certificate, digest(in.Certificate), approval.ID(),
		string(approval.Kind()), store.Time(in.ValidFrom), store.Time(in.ValidUntil), store.Time(now)); err != nil {
		return err
	}
	_, err = r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "seal.intended", Actor: approval.Approver(), Subject: o.Code,
		Data: map[string]string{"instance": in.ID, "requester": approval.Requester(), "approval": approval.ID(), "picture": digest(o.Picture)}})
	return err
}

// enter registers the seal, or makes sure that the registered one is the same.
func (r *Register) enter(ctx context.Context, tx *store.Tx, o Order, approval access.Approval, now time.Time) error {
	done, err := tx.ExecContext(ctx, `INSERT INTO seal (code, name, organisation, credit_code, type, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code) DO NOTHING`,
		o.Code, o.Name, o.Organisation, o.CreditCode, o.Type, store.Time(now))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil {
		return err
	} else if n == 1 {
		return enterState(ctx, tx, o.Code, step{to: Making, actor: approval.Approver(), reason: "approval " + approval.ID(),
			approval: approval.ID(), kind: approval.Kind()}, now)
	}
	var name, creditCode string
	if err := tx.QueryRowContext(ctx, `SELECT name, credit_code FROM seal WHERE code = $1`, o.Code).Scan(&name, &creditCode); err != nil {
		return err
	}
	if name != o.Name || creditCode != o.CreditCode {
		return errExists.With("%s", o.Code)
	}
	return nil
}

func enterTemplate(ctx context.Context, tx *store.Tx, o Order, now time.Time) (version int, err error) {
	d := digest(append(append([]byte{}, o.Template...), o.Picture...))
	var last int
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM seal_template WHERE seal_code = $1`, o.Code).Scan(&last); err != nil {
		return 0, err
	}
	if last > 0 {
		var newest string
		if err := tx.QueryRowContext(ctx, `SELECT digest FROM seal_template WHERE seal_code = $1 AND version = $2`, o.Code, last).Scan(&newest); err != nil {
			return 0, err
		}
		if newest == d {
			return last, nil
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO seal_template (seal_code, version, width_um, height_um, template, picture, digest, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		o.Code, last+1, micrometres(o.Width), micrometres(o.Height), o.Template, o.Picture, d, store.Time(now))
	return last + 1, err
}

// sign makes the SESeal of GB/T 38540-2020. Width and height are whole millimetres there; the exact size goes into
// the extension of internal/oid.
func (r *Register) sign(ctx context.Context, o Order, in Instance, now time.Time) ([]byte, error) {
	info, err := ses.SealInfo{
		Version: 4, VendorID: r.Maker.VendorID, ID: o.Code, Type: o.Type, Name: o.Name, Certificates: [][]byte{o.Certificate},
		CreateDate: now, ValidStart: in.ValidFrom, ValidEnd: in.ValidUntil,
		Picture:   ses.Picture{Type: "PNG", Data: o.Picture, Width: int(math.Round(o.Width)), Height: int(math.Round(o.Height))},
		TrueWidth: o.Width, TrueHeight: o.Height,
	}.Marshal()
	if err != nil {
		return nil, err
	}
	e, err := keystore.Digest(r.Maker.Key.Public(), info)
	if err != nil {
		return nil, err
	}
	value, err := r.Maker.Key.SignDigest(ctx, e)
	if err != nil {
		return nil, err
	}
	return ses.AssembleSeal(info, r.Maker.Certificate, value)
}

func (r *Register) activate(ctx context.Context, tx *store.Tx, in Instance) error {
	now := r.Clock()
	if _, err := tx.ExecContext(ctx, `UPDATE seal_instance SET state = 'superseded'
		WHERE seal_code = $1 AND custody = $2 AND holder = $3 AND state = 'active'`, in.SealCode, string(in.Custody), in.Holder); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE seal_instance SET state = 'active', seal = $2 WHERE id = $1 AND state = 'making'`, in.ID, in.Seal); err != nil {
		return err
	}
	if _, err := r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "seal.made", Actor: "seal-maker", Subject: in.SealCode,
		Data: map[string]string{"instance": in.ID, "seal": digest(in.Seal), "certificate": digest(in.Certificate)}}); err != nil {
		return err
	}
	s, err := standing(ctx, tx, in.SealCode, now)
	if err != nil || s.State != Making {
		return err
	}
	var approval string
	if err := tx.QueryRowContext(ctx, `SELECT approval_id FROM seal_instance WHERE id = $1`, in.ID).Scan(&approval); err != nil {
		return err
	}
	return r.move(ctx, tx, in.SealCode, step{to: Active, actor: "seal-maker", reason: "instance " + in.ID,
		approval: approval, kind: access.KindMakeSeal}, Making)
}

// failed records that making ended without a seal and gives the reason back.
func (r *Register) failed(ctx context.Context, in Instance, reason error) error {
	err := r.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE seal_instance SET state = 'failed' WHERE id = $1`, in.ID); err != nil {
			return err
		}
		_, err := r.Ledger.Append(ctx, tx, ledger.Event{Time: r.Clock(), Kind: "seal.failed", Actor: "seal-maker", Subject: in.SealCode,
			Data: map[string]string{"instance": in.ID}})
		return err
	})
	if err != nil {
		return err
	}
	return reason
}

func micrometres(mm float64) int64 { return int64(math.Round(mm * 1000)) }

func digest(b []byte) string {
	d := sm3.Sum(b)
	return hex.EncodeToString(d[:])
}

// newID gives a random identifier of 130 bits with a prefix that names its kind.
func newID(prefix string) string { return prefix + "_" + strings.ToLower(rand.Text()) }
