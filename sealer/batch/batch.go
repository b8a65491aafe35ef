package batch

import (
	"context"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/register"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error {
	return db.Migrate(ctx, "batch", migrations)
}

// Bounds of a batch.
const (
	MaxFiles     = 10_000
	perJob       = 100
	maxReference = 100 // characters
	maxTitle     = 100
)

// State of a batch.
type State string

// The states of batches. A batch that is done runs again when failed files are taken up.
const (
	Running   State = "running"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// FileState is the state of one file.
type FileState string

// The states of files.
const (
	FileWaiting   FileState = "waiting"
	FileSealed    FileState = "sealed"
	FileFailed    FileState = "failed"
	FileCancelled FileState = "cancelled"
)

// Batch is many documents that are sealed in the same way.
type Batch struct {
	ID       string
	Title    string
	Seal     string
	State    State
	Created  time.Time
	Finished time.Time // zero while it runs
	Total    int
	Count    map[FileState]int
	Unread   int  // of those that failed: they could not be read as they arrived, and there is nothing to take up again
	Replayed bool // Create found it: the idempotency key was used before for the same batch
}

// File is one document of a batch.
type File struct {
	Number    int    // from 1
	Document  string // empty: it could not be read as it arrived
	Reference string // what the caller calls it
	State     FileState
	Tries     int
	Sealing   string
	Result    string // the sealed document
	Failure   *Failure
}

// Failure is why a file was not sealed.
type Failure struct {
	Code  string      `json:"code"`
	ZH    string      `json:"zh"`
	EN    string      `json:"en"`
	Place fault.Place `json:"place,omitzero"`
}

// Request asks for a batch. The order has no document and no idempotency key.
type Request struct {
	Title string       `json:"title,omitempty"`
	Order sealer.Order `json:"order"`
	Files []Wanted     `json:"files"`
	Key   string       `json:"-"` // idempotency key; empty: none
}

// ordered is how the documents of a batch are sealed, and over which network that was asked for: as it is kept.
type ordered struct {
	sealer.Order
	Network string `json:"network,omitempty"`
}

// Wanted is a document to be sealed, with what the caller calls it; or one that could not be read as it arrived, which has
// no document and stands in the batch with the reason.
type Wanted struct {
	Document  string   `json:"document,omitempty"`
	Reference string   `json:"reference,omitempty"`
	Unread    *Failure `json:"unread,omitempty"`
}

func (r Request) check() (Request, error) {
	if len(r.Files) == 0 || len(r.Files) > MaxFiles {
		return r, errFiles.Saying(fmt.Sprintf("1 至 %d 份", MaxFiles), fmt.Sprintf("1 to %d files", MaxFiles)).At(fault.Field("files"))
	}
	if !text(r.Title, maxTitle) {
		return r, errFiles.At(fault.Field("title"))
	}
	seen := make(map[string]bool, len(r.Files))
	for i, f := range r.Files {
		switch {
		case f.Unread != nil && f.Document == "" && text(f.Reference, maxReference):
			continue
		case f.Unread != nil || f.Document == "" || len(f.Document) > 64 || !text(f.Reference, maxReference):
			return r, errFiles.At(fault.Place{Field: "files", Row: i + 1})
		case seen[f.Document]:
			return r, errFiles.Saying("同一份文件出现两次", "the same document twice").At(fault.Place{Field: "files", Row: i + 1})
		}
		seen[f.Document] = true
	}
	if len(seen) == 0 {
		return r, errFiles.Saying("没有可读的文件", "no file could be read").At(fault.Field("files"))
	}
	var err error
	r.Order.Document, r.Order.IdempotencyKey = "", ""
	r.Order, err = r.Order.Checked()
	return r, err
}

// Reference makes a reference of the name of a file: without signs that are not printed, and no longer than one may be.
func Reference(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	if signs := []rune(name); len(signs) > maxReference {
		name = string(signs[:maxReference-1]) + "…"
	}
	return name
}

// text reports whether s is printable and at most so many characters long.
func text(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// Config is what the room works with.
type Config struct {
	DB       *store.DB
	Ledger   *ledger.Ledger
	Access   *access.Service
	Register *register.Register
	Sealer   *sealer.Service
	Clock    func() time.Time
	Log      *slog.Logger
	// Done, if set, is told of every batch in which no file waits any more, in the transaction that records it.
	Done func(ctx context.Context, tx *store.Tx, caller, batch string, data map[string]string) error
	// Side is how many files of one job are sealed side by side: 0 is 4.
	Side int
}

// Service is the room's door. It is safe for concurrent use.
type Service struct {
	Config
	queue *jobs.Queue[part]
}

// New gives the room over its tables and registers its work with the queue; it must come before the queue runs.
func New(c Config, j *jobs.Jobs) *Service {
	if c.Side == 0 {
		c.Side = 4
	}
	s := &Service{Config: c}
	s.queue = jobs.Register(j, jobs.Kind{Name: "sealings.batch", Timeout: jobTime, Attempts: 10,
		Pause: func(attempt int) time.Duration { return min(2*time.Second<<(attempt-1), time.Minute) }}, s.work)
	j.Periodic(jobs.Periodic{Name: "sealings.batches", Every: 30 * time.Second, Timeout: time.Minute, Do: s.sweep})
	return s
}

// part names a hundred files of a batch: those with numbers from Part·100+1.
type part struct {
	Batch string `json:"batch"`
	Part  int    `json:"part"`
	Round int    `json:"round"`
}

// key has the round in it: the job of the round before may be about to end, and would keep a new one out.
func (p part) key() string { return fmt.Sprintf("%s/%d/%d", p.Batch, p.Part, p.Round) }

// Create records a batch and asks for its work. Whether the caller may use the seal is asked now, and again for every file.
// Errors: batch.files, batch.key-reused, sealing.order and those of register.Authorise.
func (s *Service) Create(ctx context.Context, by access.Actor, r Request) (Batch, error) {
	r, err := r.check()
	if err != nil {
		return Batch{}, err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return Batch{}, err
	}
	sum := sm3.Sum(body)
	digest := hex.EncodeToString(sum[:])
	if r.Key == "" {
		r.Key = store.NewID("once_")
	}
	if b, found, err := s.replay(ctx, by, r.Key, digest); found || err != nil {
		return b, err
	}
	if err := by.CheckReal(); err != nil { // the work is done later, without the key
		return Batch{}, err
	}
	if _, err := s.Register.Authorise(ctx, by, r.Order.Seal); err != nil {
		return Batch{}, err
	}
	order, err := json.Marshal(ordered{r.Order, access.NetworkOf(ctx)})
	if err != nil {
		return Batch{}, err
	}
	id, now := store.NewID("sb_"), s.Clock()
	err = s.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sealing_batch (id, caller, idempotency_key, request_digest, title, seal_code, request, total, state, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'running', $9)`,
			id, by.ID, r.Key, digest, r.Title, r.Order.Seal, string(order), len(r.Files), store.Time(now)); err != nil {
			return err
		}
		if err := insertFiles(ctx, tx, id, r.Files); err != nil {
			return err
		}
		for n := 0; n*perJob < len(r.Files); n++ {
			p := part{id, n, 1}
			if _, err := s.queue.Enqueue(ctx, tx, p.key(), p); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, "batch.created", by.ID, id, map[string]string{"seal": r.Order.Seal, "files": fmt.Sprint(len(r.Files)), "digest": digest})
	})
	if store.IsUnique(err) {
		b, _, err := s.replay(ctx, by, r.Key, digest)
		return b, err
	}
	if err != nil {
		return Batch{}, err
	}
	return s.Find(ctx, by, id)
}

// insertFiles writes the files of a batch, several hundred in a statement.
func insertFiles(ctx context.Context, tx *store.Tx, id string, files []Wanted) error {
	const rows = 400
	for from := 0; from < len(files); from += rows {
		var values strings.Builder
		args := []any{id}
		for i, f := range files[from:min(from+rows, len(files))] {
			if i > 0 {
				values.WriteByte(',')
			}
			state, failure := FileWaiting, ""
			if f.Unread != nil {
				reason, err := json.Marshal(f.Unread)
				if err != nil {
					return err
				}
				state, failure = FileFailed, string(reason)
			}
			n := len(args)
			fmt.Fprintf(&values, "($1, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5)
			args = append(args, from+i+1, f.Document, f.Reference, string(state), failure)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO sealing_batch_item (batch_id, number, document_id, reference, state, failure) VALUES `+values.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

// replay looks for an earlier batch with the same key.
func (s *Service) replay(ctx context.Context, by access.Actor, key, digest string) (Batch, bool, error) {
	found, err := store.Column[string](s.DB.Read().QueryContext(ctx, `SELECT id || ' ' || request_digest FROM sealing_batch WHERE caller = $1 AND idempotency_key = $2`, by.ID, key))
	if err != nil || len(found) == 0 {
		return Batch{}, false, err
	}
	id, was, _ := strings.Cut(found[0], " ")
	if was != digest {
		return Batch{}, true, errKeyReused.New()
	}
	b, err := s.Find(ctx, by, id)
	b.Replayed = true
	return b, true, err
}

func (s *Service) record(ctx context.Context, tx *store.Tx, kind, actor, id string, data map[string]string) error {
	_, err := s.Ledger.Append(ctx, tx, ledger.Event{Time: s.Clock(), Kind: kind, Actor: actor, Subject: id, Data: data})
	return err
}
