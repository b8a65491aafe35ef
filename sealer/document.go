package sealer

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/files"
	"yinxin/internal/hashstate"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Document is a stored document: the original, or an original with its sealing updates.
type Document struct {
	ID        string
	Owner     string // actor
	Name      string
	Size      int64
	SM3       string // hex
	CreatedAt time.Time

	state []byte // SM3 state after the last byte
	parts []part
}

// with is the document with one more part, as a new document whose digest and state are to be filled in.
func (d Document) with(id, owner string, p part, at time.Time) Document {
	return Document{ID: id, Owner: owner, Name: d.Name, Size: d.Size + p.size, CreatedAt: at, parts: append(append([]part{}, d.parts...), p)}
}

type part struct {
	object string
	size   int64
	begins bool // the object goes on behind it
}

// Upload stores a document while hashing it. Nothing is kept when the reader fails, the document is empty or larger
// than allowed, or the context ends. Errors: document.upload-broken, document.empty, document.too-large, files.full.
func (s *Service) Upload(ctx context.Context, by access.Actor, name string, r io.Reader) (Document, error) {
	return s.upload(ctx, by, name, "", r)
}

// UploadOnce is Upload of a content whose SM3, in hex, is declared before it comes. A document with this content that the
// actor has is given as known, and r is not read: of what others have nothing can be learnt, nor had, without its bytes.
// Errors: those of Upload, and document.digest when other bytes come.
func (s *Service) UploadOnce(ctx context.Context, by access.Actor, name, sum string, r io.Reader) (d Document, known bool, err error) {
	d, err = s.DocumentOf(ctx, by, sum)
	if err == nil || !fault.Has(err, errNoDocument) {
		return d, err == nil, err
	}
	d, err = s.upload(ctx, by, name, sum, r)
	return d, false, err
}

// upload stores a document; sum is what its digest must be, empty for any.
func (s *Service) upload(ctx context.Context, by access.Actor, name, sum string, r io.Reader) (Document, error) {
	d, err := s.receive(ctx, by, name, sum, r)
	if err != nil {
		return Document{}, err
	}
	err = s.DB.Write(ctx, func(tx *store.Tx) error { return s.recordReceived(ctx, tx, by, d, "") })
	if err != nil {
		return Document{}, errors.Join(err, s.removeUnrecorded(ctx, documentRecorded, d.ID, d.parts[0].object))
	}
	return d, nil
}

// recordReceived records a document that was received, with what the intake saw of it if it has looked.
func (s *Service) recordReceived(ctx context.Context, tx *store.Tx, by access.Actor, d Document, scan string) error {
	if err := insertDocument(ctx, tx, d, by.Organisation, scan); err != nil {
		return err
	}
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: d.CreatedAt, Kind: "document.received", Actor: by.ID, Subject: d.ID,
		Data: map[string]string{"sm3": d.SM3}})
	return err
}

// receive stores the bytes of a document while hashing them, if they have the digest sum or that is empty; nothing is
// recorded yet.
func (s *Service) receive(ctx context.Context, by access.Actor, name, sum string, r io.Reader) (Document, error) {
	w, err := s.Files.Create(ctx)
	if ctx.Err() != nil {
		err = errUpload.Because(err)
	}
	if err != nil {
		return Document{}, err
	}
	defer w.Abort()
	digest := sm3.New()
	size, err := copyContext(ctx, io.MultiWriter(digest, w), io.LimitReader(r, s.MaxSize+1))
	switch {
	case err != nil:
		return Document{}, err
	case size == 0:
		return Document{}, errEmpty.New()
	case size > s.MaxSize:
		return Document{}, errTooLarge.Sayingf("不超过 %d 字节", "%d bytes allowed", s.MaxSize)
	}
	d, err := s.arrived(by, name, size, digest)
	if err != nil {
		return Document{}, err
	}
	if sum != "" && sum != d.SM3 {
		return Document{}, errDigest.With("SM3 %s", d.SM3)
	}
	object, err := w.Commit()
	if err != nil {
		return Document{}, err
	}
	d.parts = []part{{object: object, size: size}}
	return d, nil
}

// arrived is a document that came whole, with the SM3 of all its bytes; where it is stored is to be filled in.
func (s *Service) arrived(by access.Actor, name string, size int64, digest hash.Hash) (d Document, err error) {
	d = Document{ID: store.NewID("d_"), Owner: by.ID, Name: cleanName(name), Size: size, CreatedAt: s.Clock()}
	if d.state, err = hashstate.Of(digest); err != nil {
		return Document{}, err
	}
	d.SM3 = hex.EncodeToString(digest.Sum(nil))
	return d, nil
}

// Whether a document or a job was recorded.
const (
	documentRecorded = `SELECT COUNT(*) FROM document WHERE id = $1`
	jobRecorded      = `SELECT COUNT(*) FROM sealing_job WHERE sealing_id = $1`
)

// removeUnrecorded removes an object after the document or job that it belongs to could not be recorded, which query
// asks. A commit can fail for the caller and succeed in the database (a lost connection): then, and when that cannot be
// found out, the object stays.
func (s *Service) removeUnrecorded(ctx context.Context, query, id, object string) error {
	ctx = context.WithoutCancel(ctx)
	var recorded int
	err := s.DB.Read().QueryRowContext(ctx, query, id).Scan(&recorded)
	if err != nil || recorded != 0 {
		return err
	}
	return s.Files.Remove(ctx, object)
}

// copyContext copies until the end, an error or the context's end; it tells a broken source from a broken store.
func copyContext(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	buffer := make([]byte, 256<<10)
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return n, errUpload.Because(err)
		}
		k, rerr := r.Read(buffer)
		if k > 0 {
			if _, err := w.Write(buffer[:k]); err != nil {
				return n, err
			}
			n += int64(k)
		}
		if rerr == io.EOF {
			return n, nil
		}
		if rerr != nil {
			return n, broken(rerr)
		}
	}
}

// broken is why a source could not be read to its end.
func broken(err error) error {
	if _, known := fault.Of(err); known {
		return err
	}
	return errUpload.Because(err)
}

// cleanName keeps the last element of a name, printable and at most 200 bytes long.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(name, "\\", "/"))
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	for len(name) > 200 {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	if name == "." || name == ".." || name == "/" || name == "" {
		return "document.pdf"
	}
	return name
}

// insertDocument records a document; scan is what the intake saw, empty when it has not looked yet.
func insertDocument(ctx context.Context, tx *store.Tx, d Document, organisation, scan string) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO document (id, owner, organisation, name, size, sm3, hash_state, created_at, intake)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		d.ID, d.Owner, organisation, d.Name, d.Size, d.SM3, d.state, store.Time(d.CreatedAt), scan); err != nil {
		return err
	}
	for i, p := range d.parts {
		if err := insertPart(ctx, tx, d.ID, i, p); err != nil {
			return err
		}
	}
	return nil
}

func insertPart(ctx context.Context, tx *store.Tx, document string, number int, p part) error {
	whole := 1
	if p.begins {
		whole = 0
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO document_part (document_id, number, object, size, whole) VALUES ($1, $2, $3, $4, $5)`,
		document, number, p.object, p.size, whole)
	return err
}

// Document finds a document of the actor's organisation. A document of somebody else's is document.not-found: who
// may not read it may not learn that it exists either.
func (s *Service) Document(ctx context.Context, by access.Actor, id string) (Document, error) {
	q := s.DB.Read()
	d := Document{ID: id}
	var organisation, created string
	err := q.QueryRowContext(ctx, `SELECT owner, organisation, name, size, sm3, hash_state, created_at FROM document WHERE id = $1`, id).
		Scan(&d.Owner, &organisation, &d.Name, &d.Size, &d.SM3, &d.state, &created)
	if errors.Is(err, sql.ErrNoRows) || err == nil && d.Owner != by.ID && (organisation == "" || organisation != by.Organisation) {
		return Document{}, errNoDocument.With("%s", cleanName(id))
	}
	if err != nil {
		return Document{}, err
	}
	if d.CreatedAt, err = store.ParseTime(created); err != nil {
		return Document{}, err
	}
	rows, err := q.QueryContext(ctx, `SELECT object, size, 1 - whole FROM document_part WHERE document_id = $1 ORDER BY number`, id)
	if err != nil {
		return Document{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var p part
		var begins int
		if err := rows.Scan(&p.object, &p.size, &begins); err != nil {
			return Document{}, err
		}
		p.begins = begins != 0
		d.parts = append(d.parts, p)
	}
	return d, rows.Err()
}

// DocumentOf finds the newest document with a content, by its SM3 in hex, that the actor uploaded or sealed. Documents of
// others are not found, nor those of colleagues, nor one whose bytes went with the sealing that failed: document.not-found.
func (s *Service) DocumentOf(ctx context.Context, by access.Actor, sm3 string) (Document, error) {
	var id string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT id FROM document WHERE sm3 = $1 AND owner = $2
		AND EXISTS (SELECT 1 FROM document_part WHERE document_id = document.id) ORDER BY created_at DESC, id LIMIT 1`, sm3, by.ID).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return Document{}, errNoDocument.With("%s", cleanName(sm3))
	}
	if err != nil {
		return Document{}, err
	}
	return s.Document(ctx, by, id)
}

// beginning is the first part of an object.
type beginning struct {
	files.Object
	size int64
}

func (b beginning) Size() int64 { return b.size }

func (b beginning) ReadAt(p []byte, offset int64) (int, error) {
	return io.NewSectionReader(b.Object, 0, b.size).ReadAt(p, offset)
}

// Open gives the bytes of a document, read from where they are stored. The caller closes the object. A stored part
// whose size changed is document.damaged, and so is a document of which nothing was stored.
func (s *Service) Open(ctx context.Context, d Document) (files.Object, error) {
	if len(d.parts) == 0 { // the sealing that it came with failed
		return nil, errDamaged.With("%s", d.ID)
	}
	var objects []files.Object
	for _, p := range d.parts {
		o, err := s.Files.Open(ctx, p.object)
		if err == nil && p.begins && o.Size() > p.size {
			o = beginning{o, p.size}
		}
		if err == nil && o.Size() != p.size {
			err = errors.Join(errDamaged.With("%s", d.ID), o.Close())
		}
		if err != nil {
			for _, o := range objects {
				err = errors.Join(err, o.Close())
			}
			return nil, err
		}
		objects = append(objects, o)
	}
	return files.Concat(objects...), nil
}

// Copy streams a document out and hashes it again on the way. The last block is held back until the digest of the
// whole matches the recorded one, so that a damaged document never arrives complete. Error: document.damaged.
func (s *Service) Copy(ctx context.Context, w io.Writer, d Document) error {
	object, err := s.Open(ctx, d)
	if err != nil {
		return err
	}
	defer object.Close()
	return copyChecked(ctx, w, object, d.SM3, d.ID)
}

// copyChecked streams an object out, whose SM3 must be the one given; the last block is held back until it is. id names
// the document in document.damaged.
func copyChecked(ctx context.Context, w io.Writer, object files.Object, sum, id string) error {
	digest := sm3.New()
	buffer := make([]byte, 256<<10)
	last := (object.Size() - 1) / int64(len(buffer)) * int64(len(buffer))
	body := io.NewSectionReader(object, 0, last)
	if _, err := copyContext(ctx, io.MultiWriter(digest, w), body); err != nil {
		return err
	}
	tail := buffer[:object.Size()-last]
	if _, err := object.ReadAt(tail, last); err != nil && err != io.EOF {
		return errDamaged.With("%s", id).Because(err)
	}
	digest.Write(tail)
	if hex.EncodeToString(digest.Sum(nil)) != sum {
		return errDamaged.With("%s", id)
	}
	_, err := w.Write(tail)
	return err
}

// digestOfState continues from a document's kept state, after checking that it finalises to the recorded digest.
func (d Document) digestOfState() (hash.Hash, error) {
	h, err := hashstate.Resume(sm3.New(), d.state)
	if err != nil {
		return nil, errDamaged.With("%s", d.ID).Because(err)
	}
	want, err := hex.DecodeString(d.SM3)
	if err != nil || !bytes.Equal(h.Sum(nil), want) {
		return nil, errDamaged.Sayingf("%s：保存的摘要中间状态", "%s: kept hash state", d.ID)
	}
	return h, nil
}
