package issuance

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"slices"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// Document gives the issued copy of a case, for its bytes: sealer.Service.Copy. Errors: issuance.not-found, issuance.state before it was
// issued, issuance.withdrawn.
func (s *Service) Document(ctx context.Context, by access.Actor, id string) (sealer.Document, error) {
	c, err := s.Case(ctx, by, id)
	switch {
	case err != nil:
		return sealer.Document{}, err
	case c.Copy == nil || c.Copy.document == "":
		return sealer.Document{}, errState.Saying(c.State.Label(), string(c.State))
	case c.State == Withdrawn:
		return sealer.Document{}, errWithdrawn.New()
	}
	return s.Sealer.Document(ctx, access.Actor{ID: c.Copy.issuer}, c.Copy.document)
}

// Receive takes the copy that the receiving archive has, by verification and not by trust: the file must be judged valid now, with a
// seal of the holding archive on it, and hold the code of this case. A refusal is on record. Errors: issuance.not-genuine,
// issuance.not-found, issuance.side, issuance.state.
func (s *Service) Receive(ctx context.Context, by access.Actor, id string, file io.ReaderAt, size int64) (Case, error) {
	q := s.DB.Read()
	r, err := s.allowed(ctx, q, by, id, atReceiving, Issued)
	if err != nil {
		return Case{}, err
	}
	c, err := copyOf(ctx, q, `case_id = $1`, id)
	if err != nil {
		return Case{}, err
	}
	if err := s.genuine(ctx, r, c, file, size); err != nil {
		if f, ok := fault.Of(err); ok && f.Code == errNotGenuine.Code {
			err = s.refused(ctx, by, id, f)
		}
		return Case{}, err
	}
	return s.step(ctx, by, id, atReceiving, []State{Issued}, func(tx *store.Tx, r row) error {
		if _, err := tx.ExecContext(ctx, `UPDATE issuance_case SET state = 'received', received_at = $2, received_by = $3 WHERE id = $1`, id, store.Time(s.Clock()), by.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, EventReceived, by, id, map[string]string{"copy": c.Number})
	})
}

func (s *Service) refused(ctx context.Context, by access.Actor, id string, why *fault.Fault) error {
	err := s.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return s.record(ctx, tx, EventRefused, by, id, map[string]string{"why": why.Detail()})
	})
	if err != nil {
		return err
	}
	return why
}

// genuineDocument judges a stored document as genuine does.
func (s *Service) genuineDocument(ctx context.Context, r row, c keptCopy, document string) error {
	d, err := s.Sealer.Document(ctx, access.Actor{ID: c.issuer}, document)
	if err != nil {
		return err
	}
	object, err := s.Sealer.Open(ctx, d)
	if err != nil {
		return err
	}
	defer object.Close()
	return s.genuine(ctx, r, c, object, d.Size)
}

// genuine judges a file: valid, sealed by the holding archive with the seal of the issue, and with the code of the copy in what
// the seal covers. Error: issuance.not-genuine.
func (s *Service) genuine(ctx context.Context, r row, c keptCopy, file io.ReaderAt, size int64) error {
	o := s.Verify
	o.At, o.Language = s.Clock(), "zh"
	report := verify.File(ctx, c.Number+".pdf", file, size, o)
	if err := ctx.Err(); err != nil {
		return err // a verification that was cut short says nothing
	}
	if report.Verdict != verify.Valid {
		return errNotGenuine.Saying("验证结论："+verdictWords[report.Verdict], "verdict "+string(report.Verdict))
	}
	at := slices.IndexFunc(report.Signatures, func(g verify.Signature) bool {
		return g.Kind == verify.KindSeal && g.Verdict == verify.Valid && g.SealID == c.Seal && g.Signer == r.Holding
	})
	if at < 0 {
		return errNotGenuine.Saying("没有保管单位的印章", "there is no seal of the holding archive")
	}
	if err := s.ofHolding(ctx, r, c.Seal); err != nil {
		return err
	}
	covered, err := verify.AsSealed(ctx, file, size, report.Signatures[at].Field)
	if err != nil {
		return errNotGenuine.Saying("印章覆盖范围不完整", "what the seal covers is not complete").Because(err)
	}
	code, err := codeIn(ctx, covered)
	if err != nil || subtle.ConstantTimeCompare(hashOf(code), c.hash) != 1 {
		return errNotGenuine.Saying("验证码与本业务不符", "the code is not that of this case").Because(err)
	}
	return nil
}

var verdictWords = map[verify.Verdict]string{verify.ValidWithAdditions: "盖章后有追加内容", verify.Undetermined: "无法完全确认", verify.Modified: "盖章后被改动",
	verify.Invalid: "签名数据无效或缺失", verify.Unsealed: "未发现电子签章", verify.Unreadable: "无法读取"}

// codeIn reads the verification code that a file holds.
func codeIn(ctx context.Context, file *io.SectionReader) (string, error) {
	d, err := pdf.Open(ctx, file, file.Size())
	if err != nil {
		return "", err
	}
	object, err := d.Resolve(d.Trailer().Get("Info"))
	if err != nil {
		return "", err
	}
	info, ok := object.(pdf.Dict)
	if !ok {
		return "", fmt.Errorf("no information dictionary but %T", object)
	}
	object, err = d.Resolve(info.Get(compose.CodeProperty))
	if err != nil {
		return "", err
	}
	text, ok := object.(pdf.String)
	if !ok {
		return "", fmt.Errorf("no code but %T", object)
	}
	return ParseCode(text.Text())
}

// Manner is how a copy was handed over.
type Manner string

// The manners.
const (
	Printed Manner = "printed"
	AsFile  Manner = "file"
)

// Delivery is how the receiving archive handed the copy over.
type Delivery struct {
	Manner Manner
	// IdentityChecked: the identity document of whoever took it was looked at.
	IdentityChecked bool
}

// Deliver records that the copy was handed over. Errors: issuance.delivery, issuance.not-found, issuance.side, issuance.state.
func (s *Service) Deliver(ctx context.Context, by access.Actor, id string, d Delivery) (Case, error) {
	if d.Manner != Printed && d.Manner != AsFile {
		return Case{}, errDelivery.At(fault.Field("manner"))
	}
	if !d.IdentityChecked {
		return Case{}, errDelivery.At(fault.Field("identity_checked"))
	}
	return s.step(ctx, by, id, atReceiving, []State{Received}, func(tx *store.Tx, r row) error {
		if _, err := tx.ExecContext(ctx, `UPDATE issuance_case SET state = 'delivered', delivered_at = $2, delivered_by = $3, delivery = $4 WHERE id = $1`,
			id, store.Time(s.Clock()), by.ID, string(d.Manner)); err != nil {
			return err
		}
		return s.record(ctx, tx, EventDelivered, by, id, map[string]string{"manner": string(d.Manner)})
	})
}
