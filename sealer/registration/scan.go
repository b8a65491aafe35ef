package registration

import (
	"context"
	"encoding/hex"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
)

// MaxScan is the largest scan in bytes.
const MaxScan = 64 << 20

// limits are those of the house, for files of at most MaxScan.
func limits() scan.Limits {
	l := scan.DefaultLimits
	l.Bytes = MaxScan
	return l
}

// Outcome says what became of a page of a scan.
type Outcome string

// The outcomes.
const (
	// Attached is a form that was put with its application, now or when the same scan came before.
	Attached Outcome = "attached"
	// Unmatched has no code of an application of ours on it: somebody says by hand what it is (Attach).
	Unmatched Outcome = "unmatched"
	// Refused could not be attached; Page.Problem says why.
	Refused Outcome = "refused"
)

// Page is what became of one page of a scan.
type Page struct {
	form.ScannedPage
	Outcome Outcome
	// Problem is why the page was refused, or could not be looked at; nil otherwise.
	Problem error
	// Application and Attachment are where it is kept now, if it was attached.
	Application enroll.Application
	Attachment  string
}

// Scan recognises the forms in a scan by their codes and puts each with its application, as one page of its own. A page
// that cannot be placed does not keep the others back. The same scan again changes nothing. Errors: those of
// scan.Open, registration.busy, that of ctx.
func (d *Desk) Scan(ctx context.Context, by access.Actor, name string, data []byte) ([]Page, error) {
	file, err := scan.Open(name, data, limits())
	if err != nil {
		return nil, err
	}
	done, err := d.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := form.Recognise(ctx, file)
	if err != nil {
		return nil, err
	}
	pages := make([]Page, len(found))
	for i, f := range found {
		if pages[i], err = d.place(ctx, by, file, data, f); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// place puts a page with its application. Only what is nobody's fault is an error.
func (d *Desk) place(ctx context.Context, by access.Actor, file *scan.File, data []byte, found form.ScannedPage) (Page, error) {
	page := Page{ScannedPage: found, Outcome: Unmatched}
	if found.Problem != "" {
		_, page.Problem = file.Picture(found.Page - 1)
		return page, nil
	}
	if found.Number == "" {
		return page, nil
	}
	a, err := d.Enroll.ByNumber(ctx, by, found.Number)
	if err == nil {
		page.Outcome = Refused
		var content []byte
		if content, err = pageOf(file, data, found.Page-1); err == nil {
			page.Application, page.Attachment, err = d.attachOnce(ctx, by, a, content)
		}
	}
	if err == nil {
		page.Outcome = Attached
		return page, nil
	}
	if f, ok := fault.Of(err); !ok || f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return page, err
	}
	page.Problem = err
	return page, nil
}

// attachOnce attaches a form unless the application has it already. Anybody can print the code of an application: a page in
// a pile takes back nothing that was examined or approved, as an attachment does that somebody means.
func (d *Desk) attachOnce(ctx context.Context, by access.Actor, a enroll.Application, content []byte) (enroll.Application, string, error) {
	sum := sm3.Sum(content)
	digest := hex.EncodeToString(sum[:])
	if id := withDigest(a, enroll.AttachForm, digest); id != "" {
		return a, id, nil
	}
	if a.State == enroll.StateExamined || a.State == enroll.StateApproved {
		return a, "", enroll.ErrState.Saying(a.State.Label(), string(a.State))
	}
	a, err := d.Enroll.AddAttachment(ctx, by, a.Ref(), enroll.Scan{Kind: enroll.AttachForm, Content: content, ByCode: true})
	return a, withDigest(a, enroll.AttachForm, digest), err
}

// withDigest is the newest attachment of a kind with a content.
func withDigest(a enroll.Application, kind enroll.AttachmentKind, digest string) (id string) {
	for _, at := range a.Attachments {
		if at.Kind == kind && at.Digest == digest {
			id = at.ID
		}
	}
	return id
}

// Attach puts a scan with an application by hand: the whole file, or one page of it, counted from 1. The name may be
// empty. Errors: those of scan.Open and enroll.Service.AddAttachment, registration.order for a page that is not
// there.
func (d *Desk) Attach(ctx context.Context, by access.Actor, ref enroll.Ref, kind enroll.AttachmentKind, name string, data []byte, page int) (enroll.Application, error) {
	file, err := scan.Open(name, data, limits())
	if err != nil {
		return enroll.Application{}, err
	}
	if page < 0 || page > len(file.Pages) {
		return enroll.Application{}, ErrOrder.At(fault.Field("page"))
	}
	if page > 0 {
		done, err := d.turn(ctx)
		if err != nil {
			return enroll.Application{}, err
		}
		name = "" // what it says is the format of the file, not of the page
		data, err = pageOf(file, data, page-1)
		done()
		if err != nil {
			return enroll.Application{}, err
		}
	}
	return d.Enroll.AddAttachment(ctx, by, ref, enroll.Scan{Kind: kind, Name: name, Content: data})
}
