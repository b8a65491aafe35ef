package sealer

import (
	"context"
	"encoding/hex"
	"io"

	"yinxin/internal/access"
	"yinxin/internal/files"
)

// PreparedFile is what a job that waits for its signature will release, before the signature is in it: the document followed by
// the update, with the digits of /Contents all 0.
type PreparedFile struct {
	Document Document // the original
	Size     int64    // bytes
	SM3      string   // hex
	object   files.Object
}

// PreparedFile gives the file of a waiting job of the actor; the caller closes it. Errors are those of Job.
func (s *Service) PreparedFile(ctx context.Context, by access.Actor, id string) (*PreparedFile, error) {
	j, err := s.thaw(ctx, by, id)
	if err != nil {
		return nil, err
	}
	f, err := j.work.file()
	if err != nil {
		j.work.close()
	}
	return f, err
}

func (w *work) file() (*PreparedFile, error) {
	update, err := w.plan.update.Fill(nil)
	if err != nil {
		return nil, err
	}
	digest, err := w.document.digestOfState()
	if err != nil {
		return nil, err
	}
	digest.Write(update)
	object := files.Concat(w.object, inMemory(update))
	return &PreparedFile{Document: w.document, Size: object.Size(), SM3: hex.EncodeToString(digest.Sum(nil)), object: object}, nil
}

// Copy streams the file out; the end comes only if the whole has its SM3. Error: document.damaged.
func (f *PreparedFile) Copy(ctx context.Context, w io.Writer) error {
	return copyChecked(ctx, w, f.object, f.SM3, f.Document.ID)
}

// Close ends reading.
func (f *PreparedFile) Close() error { return f.object.Close() }
