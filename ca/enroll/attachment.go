package enroll

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/scan"
	"yinxin/internal/store"
)

// AttachmentKind says what was scanned.
type AttachmentKind string

// The kinds of attachments.
const (
	AttachForm     AttachmentKind = "form"        // the stamped form page
	AttachCredit   AttachmentKind = "credit-code" // 统一社会信用代码证
	AttachIdentity AttachmentKind = "identity"    // the handler's identity card
	AttachOther    AttachmentKind = "other"
)

var attachmentWords = map[AttachmentKind]string{AttachForm: "申请表", AttachCredit: "统一社会信用代码证", AttachIdentity: "经办人身份证", AttachOther: "其他附件"}

// Label is the kind in words, empty for none.
func (k AttachmentKind) Label() string { return attachmentWords[k] }

// How a scan found its application: Attachment.Matched.
const (
	matchedByCode = "code" // by the QR code on the form: see sealer/registration
	matchedByHand = "hand"
)

// Attachment describes a scan without its content. It has no file name: people put numbers of persons into those.
type Attachment struct {
	ID      string
	Kind    AttachmentKind
	Media   string // MIME type
	Size    int64  // bytes
	Digest  string // SM3 of the content, hexadecimal
	Matched string
	Added   time.Time
	By      string
}

// Limits of attachments.
const (
	MaxAttachment  = 10 << 20 // bytes
	MaxAttachments = 20       // of one application
)

// Scan is an upload: what it is for, its content, and the name that it came with, of which only the ending is looked at.
type Scan struct {
	Kind    AttachmentKind
	Name    string
	Content []byte
	ByCode  bool // the code on the page names the application; otherwise somebody chose it
}

// open looks into a scan: what it really is.
func (c Scan) open() (*scan.File, error) {
	if c.Kind.Label() == "" {
		return nil, ErrField.At(fault.Field("kind"))
	}
	if len(c.Content) > MaxAttachment {
		return nil, ErrAttachmentSize.With("%d MiB", MaxAttachment>>20)
	}
	limits := scan.DefaultLimits
	limits.Bytes = MaxAttachment
	return scan.Open(c.Name, c.Content, limits)
}

// AddAttachment keeps a scan with an application, sealed, and makes another version of it. Errors: enroll.attachment-size,
// and those of scan.Open for what is none of PDF, JPEG, PNG and TIFF, is damaged, or is not what its name says.
func (s *Service) AddAttachment(ctx context.Context, by access.Actor, ref Ref, scan Scan) (Application, error) {
	file, err := scan.open()
	if err != nil {
		return Application{}, err
	}
	matched := matchedByHand
	if scan.ByCode {
		matched = matchedByCode
	}
	return s.attach(ctx, by, ref, scan, file.Format.MediaType(), matched)
}

// attach seals and records what was opened.
func (s *Service) attach(ctx context.Context, by access.Actor, ref Ref, scan Scan, media, matched string) (Application, error) {
	kind, content := scan.Kind, scan.Content
	digest := sm3.Sum(content)
	at := Attachment{ID: store.NewID("att_"), Kind: kind, Media: media, Size: int64(len(content)), Digest: hex.EncodeToString(digest[:]), Matched: matched}
	// Looked at before 10 MiB are sealed and written for somebody who may not: the transaction looks again.
	if _, err := s.Application(ctx, by, ref.ID); err != nil {
		return Application{}, err
	}
	object, sealing, err := s.keep(ctx, at.ID, content)
	if err != nil {
		return Application{}, err
	}
	view, err := s.take(ctx, by, ref, StepEdit, "", func(a *act) error {
		before, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		present, err := readAttachments(ctx, a.tx, a.r.id)
		if err != nil {
			return err
		}
		if len(present) >= MaxAttachments {
			return ErrAttachmentSize.With("%d", MaxAttachments)
		}
		_, err = a.tx.ExecContext(ctx, `INSERT INTO enroll_attachment (id, application, number, kind, media, size, digest, object, matched, added, by, sealing)
			VALUES ($1, $2, (SELECT COALESCE(MAX(o.number), 0) + 1 FROM enroll_attachment o WHERE o.application = $2), $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			at.ID, a.r.id, string(kind), media, at.Size, at.Digest, object, matched, store.Time(a.now), a.v.ID, sealing)
		if err != nil {
			return err
		}
		a.data["what"], a.data["kind"], a.data["digest"], a.data["matched"] = "attachment", string(kind), at.Digest, matched
		return s.edited(ctx, a, before.form, before.roster)
	})
	if err != nil {
		// What could not be recorded is not kept; what a crash leaves here is sealed, and nothing points to it.
		_ = s.Files.Remove(context.WithoutCancel(ctx), object)
	}
	return view, err
}

// RemoveAttachment takes a scan away from an application, which makes another version. The content stays on record.
func (s *Service) RemoveAttachment(ctx context.Context, by access.Actor, ref Ref, id string) (Application, error) {
	return s.take(ctx, by, ref, StepEdit, "", func(a *act) error {
		before, err := s.loadVersion(ctx, a.tx, a.r)
		if err != nil {
			return err
		}
		var kind, digest string
		err = a.tx.QueryRowContext(ctx, `UPDATE enroll_attachment SET removed = $1, removed_by = $2
			WHERE id = $3 AND application = $4 AND removed IS NULL RETURNING kind, digest`,
			store.Time(a.now), a.v.ID, key(id), a.r.id).Scan(&kind, &digest)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrAttachment.New()
		}
		if err != nil {
			return err
		}
		a.data["what"], a.data["kind"], a.data["digest"] = "attachment-removed", kind, digest
		return s.edited(ctx, a, before.form, before.roster)
	})
}

// OpenAttachment gives the content of a scan: to the handler of the unit, whose paper it is, and to an officer with a
// reason. Each look is in history and ledger. Errors: enroll.attachment-not-found, enroll.denied, enroll.reason.
func (s *Service) OpenAttachment(ctx context.Context, by access.Actor, application, id, reason string) (Attachment, []byte, error) {
	return s.OpenAttachmentAt(ctx, by, application, id, reason, 1)
}

// OpenAttachmentAt is OpenAttachment for the pages from one on, counted from 1, which is on record.
func (s *Service) OpenAttachmentAt(ctx context.Context, by access.Actor, application, id, reason string, page int) (Attachment, []byte, error) {
	var at Attachment
	var object string
	err := s.look(ctx, by, application, StepView, reason, func(a *act) error {
		if !a.is(partyUnit) {
			if err := checkReason(reason); err != nil {
				return err
			}
		}
		var err error
		at, object, err = readAttachment(ctx, a.tx, a.r.id, id)
		a.data["attachment"], a.data["kind"] = at.ID, string(at.Kind)
		if page > 1 {
			a.data["page"] = itoa(page)
		}
		return err
	})
	if err != nil {
		return Attachment{}, nil, err
	}
	content, err := s.fetch(ctx, at.ID, object)
	return at, content, err
}

func readAttachment(ctx context.Context, q store.Querier, application, id string) (at Attachment, object string, err error) {
	at, object, err = scanAttachment(q.QueryRowContext(ctx, selectAttachment+` WHERE id = $1 AND application = $2`, key(id), application))
	if errors.Is(err, sql.ErrNoRows) {
		return at, "", ErrAttachment.New()
	}
	return at, object, err
}

const selectAttachment = `SELECT id, kind, media, size, digest, object, matched, added, by FROM enroll_attachment`

// readAttachments lists what is attached now, in the order of adding.
func readAttachments(ctx context.Context, q store.Querier, application string) ([]Attachment, error) {
	rows, err := q.QueryContext(ctx, selectAttachment+` WHERE application = $1 AND removed IS NULL ORDER BY number`, application)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Attachment
	for rows.Next() {
		at, _, err := scanAttachment(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, at)
	}
	return list, rows.Err()
}

func scanAttachment(row scanner) (at Attachment, object string, err error) {
	var added string
	if err = row.Scan(&at.ID, &at.Kind, &at.Media, &at.Size, &at.Digest, &object, &at.Matched, &added, &at.By); err != nil {
		return at, "", err
	}
	at.Added, err = store.ParseTime(added)
	return at, object, err
}

func attachmentContext(id string) []string { return []string{"enroll_attachment", id, "object"} }

// keep seals a scan and makes it durable. sealing is the version of the safe, as it stands at the start of what is sealed.
func (s *Service) keep(ctx context.Context, id string, content []byte) (object string, sealing []byte, err error) {
	sealed, err := s.Safe.Seal(content, attachmentContext(id)...)
	if err != nil {
		return "", nil, err
	}
	w, err := s.Files.Create(ctx)
	if err != nil {
		return "", nil, err
	}
	if _, err := w.Write(sealed); err != nil {
		return "", nil, errors.Join(err, w.Abort())
	}
	object, err = w.Commit()
	return object, bytes.Clone(sealed[:headSize]), err
}

// headSize is the length of keystore.Safe.Head.
const headSize = 5

// fetch reads a scan back.
func (s *Service) fetch(ctx context.Context, id, object string) ([]byte, error) {
	o, err := s.Files.Open(ctx, object)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	sealed, err := io.ReadAll(io.NewSectionReader(o, 0, min(o.Size(), MaxAttachment+1<<10)))
	if err != nil {
		return nil, err
	}
	return s.Safe.Open(sealed, attachmentContext(id)...)
}
