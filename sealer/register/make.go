package register

import (
	"context"
	"crypto/x509"
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
	Holder       string   // actor of the USB Key; empty for Central
	KeyName      string   // in the keystore; empty for UserKey
	Certificate  []byte   // DER: the institution's, or the Key user's; nil while it is not issued yet
	Networks     []string // 用章范围, when the seal is first registered; empty: any
	FormerName   string   // the seal's name until this instance is put into use, when that changes (机构变更)
}

// Subject is what two people approve before Make: every field, large ones by their SM3 digest.
func (o Order) Subject() []byte {
	fields := o.terms()
	fields["key"], fields["certificate"] = o.KeyName, digest(o.Certificate)
	return canonical(fields)
}

// Terms is what two people approve where the certificate is issued only afterwards: every field but the key and the
// certificate.
func (o Order) Terms() []byte { return canonical(o.terms()) }

func (o Order) terms() map[string]any {
	fields := map[string]any{
		"code": o.Code, "name": o.Name, "organisation": o.Organisation, "credit_code": o.CreditCode, "type": o.Type,
		"width_um": micrometres(o.Width), "height_um": micrometres(o.Height), "template": digest(o.Template), "picture": digest(o.Picture),
		"custody": o.Custody, "holder": o.Holder,
	}
	if o.FormerName != "" {
		fields["former_name"] = o.FormerName
	}
	if len(o.Networks) > 0 {
		fields["networks"] = o.Networks
	}
	return fields
}

// canonical writes fields in the order of their names.
func canonical(fields map[string]any) []byte {
	b, err := json.Marshal(fields)
	if err != nil {
		panic("register: an order always marshals: " + err.Error())
	}
	return b
}

// Make makes an electronic seal and puts it into use, under an approval of kind access.KindMakeSeal over o.Subject. A
// seal that is not registered yet is registered; an active instance for the same holder is superseded. The intent is
// recorded before the maker signs and the result after it. Errors: seal.invalid-order, seal.exists, and those of
// access.Redeem.
func (r *Register) Make(ctx context.Context, approvalID string, o Order) (Instance, error) {
	certificate, err := chain.ParseCertificate(o.Certificate)
	if err != nil {
		return Instance{}, errOrder.Saying("证书", "certificate").Because(err)
	}
	m, err := r.Prepare(approvalID, o)
	if err != nil {
		return Instance{}, err
	}
	if err := o.fits(certificate); err != nil {
		return Instance{}, err
	}
	if err := r.DB.Write(ctx, func(tx *store.Tx) error { return m.Intend(ctx, tx) }); err != nil {
		return Instance{}, err
	}
	if err := m.Make(ctx, certificate); err != nil {
		return Instance{}, err
	}
	err = r.DB.Write(ctx, func(tx *store.Tx) error {
		if err := m.Complete(ctx, tx, certificate); err != nil {
			return err
		}
		return r.Activate(ctx, tx, m.instance.ID)
	})
	return m.Instance(), err
}

// checkPicture checks what every seal needs, with or without a certificate.
func checkPicture(o Order) error {
	if len(o.Code) != 14 || strings.Trim(o.Code, "0123456789") != "" {
		return errOrder.Sayingf("印章编码 %q 不是 14 位数字", "seal code %q is not 14 digits", o.Code)
	}
	if o.Name == "" || o.Organisation == "" || len(o.Picture) == 0 || len(o.Template) == 0 {
		return errOrder.Saying("缺少名称、单位或印模图片", "name, organisation or picture is missing")
	}
	if !(o.Width >= 5 && o.Width <= 100 && o.Height >= 5 && o.Height <= 100) {
		return errOrder.Sayingf("尺寸 %.1f × %.1f 毫米，应在 5～100 毫米之间", "size %.1f × %.1f mm is not between 5 and 100 mm", o.Width, o.Height)
	}
	return nil
}

// check refuses what cannot be ordered, before anybody's approval is used.
func (o Order) check() error {
	if err := checkPicture(o); err != nil {
		return err
	}
	if (o.Custody == Central) != (o.KeyName != "") || (o.Custody == UserKey) != (o.Holder != "") {
		return errOrder.Saying("系统用章须指定密钥，USB Key 用章须指定持有人", "a central seal names a key, a Key user's seal names its holder")
	}
	return nil
}

// fits says why a certificate is not one for this seal.
func (o Order) fits(c *chain.Certificate) error {
	if o.Custody == Central && c.Subject.CommonName != o.Code {
		return errOrder.Sayingf("该证书是 %s 的", "the certificate is for seal %s", c.Subject.CommonName)
	}
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return errOrder.Saying("该证书不能用于签名", "the certificate is not for signatures")
	}
	return nil
}

// Enter registers a seal and its template without an electronic instance, under an approval of kind
// access.KindMakeSeal over o.Subject: a seal that waits for its USB Key stays Making.
func (r *Register) Enter(ctx context.Context, approvalID string, o Order) error {
	if err := checkPicture(o); err != nil {
		return err
	}
	if len(o.Certificate) != 0 {
		return errOrder.Saying("已有证书的印章须制作，不能登记", "a seal that has a certificate is made, not entered")
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
		if _, err := enterTemplate(ctx, tx, o, "", now); err != nil {
			return err
		}
		_, err = r.Ledger.Append(ctx, tx, ledger.Event{Time: now, Kind: "seal.entered", Actor: approval.Approver(), Subject: o.Code,
			Data: map[string]string{"approval": approval.ID(), "picture": digest(o.Picture)}})
		return err
	})
}

// enter registers the seal, or makes sure that the registered one is the same, or the one whose name is to change.
func (r *Register) enter(ctx context.Context, tx *store.Tx, o Order, approval access.Approval, now time.Time) error {
	done, err := tx.ExecContext(ctx, `INSERT INTO seal (code, name, organisation, credit_code, type, created_at, networks)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (code) DO NOTHING`,
		o.Code, o.Name, o.Organisation, o.CreditCode, o.Type, store.Time(now), strings.Join(o.Networks, " "))
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
	switch {
	case o.FormerName == "" && (name != o.Name || creditCode != o.CreditCode), o.FormerName != "" && name != o.FormerName && name != o.Name:
		return errExists.With("%s", o.Code)
	}
	return nil
}

// enterTemplate records the template of an order, or finds it: that of the instance which is repeated, or an earlier one
// that is the same. The newest need not be the one in use, since a change may have been objected to.
func enterTemplate(ctx context.Context, tx *store.Tx, o Order, renews string, now time.Time) (version int, err error) {
	d := digest(append(append([]byte{}, o.Template...), o.Picture...))
	var last, same int
	if renews != "" {
		err := tx.QueryRowContext(ctx, `SELECT template_version FROM seal_instance WHERE id = $1`, renews).Scan(&same)
		return same, err
	}
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0), COALESCE(MAX(CASE WHEN digest = $2 AND width_um = $3 AND height_um = $4 THEN version END), 0)
		FROM seal_template WHERE seal_code = $1`, o.Code, d, micrometres(o.Width), micrometres(o.Height)).Scan(&last, &same)
	if err != nil || same > 0 {
		return same, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO seal_template (seal_code, version, width_um, height_um, template, picture, digest, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		o.Code, last+1, micrometres(o.Width), micrometres(o.Height), o.Template, o.Picture, d, store.Time(now))
	return last + 1, err
}

func micrometres(mm float64) int64 { return int64(math.Round(mm * 1000)) }

func digest(b []byte) string {
	d := sm3.Sum(b)
	return hex.EncodeToString(d[:])
}
