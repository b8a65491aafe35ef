package sealer

import (
	"context"
	"crypto/ecdsa"
	"io"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/files"
	"yinxin/sealer/intake"
	"yinxin/sealer/register"
	"yinxin/sealer/verify"
)

// PlanFile plans a sealing of a file that no service stores, with an instance whose key the caller holds: at a terminal, with a
// USB Key. The service needs no database for it, only what the order asks for: a viewer for keywords, a font for lines.
// Whether the seal may be used is not asked here, and a time stamp is not taken. Who has the plan's ToSign signed calls
// Complete, appends what it gives to the file, and verifies the whole. name is for errors. Errors are those of Seal that are
// about the document and the order.
func (s *Service) PlanFile(ctx context.Context, in register.Instance, name string, file files.Object, o Order) (*Plan, Details, error) {
	o.NoTimeStamp = true
	o, err := o.Checked()
	if err != nil {
		return nil, Details{}, err
	}
	now := s.Clock().UTC().Truncate(time.Second)
	w := &work{document: Document{Name: cleanName(name), Size: file.Size()}, object: file, details: Details{Profile: o.Profile}}
	if w.prepared, err = s.prepareFile(in, o); err != nil {
		return nil, Details{}, err
	}
	report, err := s.scanFile(ctx, w, now)
	if err != nil {
		return nil, Details{}, at(err, w.document.Name)
	}
	original := sm3.New()
	if _, err := copyContext(ctx, original, io.NewSectionReader(file, 0, file.Size())); err != nil {
		return nil, Details{}, at(err, w.document.Name)
	}
	if err := s.planOver(ctx, w, o, now, report, original, nil); err != nil {
		return nil, Details{}, at(err, w.document.Name)
	}
	return w.plan, w.details, nil
}

func (s *Service) prepareFile(in register.Instance, o Order) (*Prepared, error) {
	p := Preparation{Instance: in, Profile: o.Profile}
	if o.Outline {
		p.Template = in.Picture
	}
	certificate, err := chain.ParseCertificate(in.Certificate)
	if err != nil {
		return nil, errCertificate.Because(err)
	}
	var ok bool
	if p.Public, ok = certificate.PublicKey.(*ecdsa.PublicKey); !ok {
		return nil, errCertificate.With("%T", certificate.PublicKey)
	}
	if p.Filter, p.SubFilter, err = s.names(o.Profile); err != nil {
		return nil, err
	}
	return Prepare(p)
}

// scanFile is scanned without a database.
func (s *Service) scanFile(ctx context.Context, w *work, now time.Time) (*intake.Report, error) {
	limited, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	return intake.Scan(limited, w.object, w.document.Size, intake.Options{
		Signatures: func(ctx context.Context) ([]intake.EarlierSignature, error) {
			return standings(verify.File(ctx, w.document.Name, w.object, w.document.Size, verify.Options{At: now})), nil
		}})
}
