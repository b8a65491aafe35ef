package mail

import (
	"context"
	"embed"
	"encoding/hex"
	"errors"
	netmail "net/mail"
	"os"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "mail", migrations) }

// Options is what New needs.
type Options struct {
	Config
	Password string // see ReadPassword
	DB       *store.DB
	Jobs     *jobs.Jobs
	Clock    func() time.Time
	// Authorities, if set, is a file of certificates in PEM that the server's is judged by instead of the system's.
	Authorities string
}

// PasswordVariable names the environment variable with the password.
const PasswordVariable = "YINXIN_MAIL_PASSWORD"

// ReadPassword gives the first line of a file, or without a file the value of YINXIN_MAIL_PASSWORD. Error: mail.password.
func ReadPassword(file string) (string, error) {
	text := os.Getenv(PasswordVariable)
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", ErrPassword.At(fault.File(file)).Because(err)
		}
		text, _, _ = strings.Cut(string(b), "\n")
		text = strings.TrimSuffix(text, "\r")
	}
	if len(text) > 1000 || strings.ContainsFunc(text, isControl) {
		return "", ErrPassword.At(fault.File(file))
	}
	return text, nil
}

// Message is a mail before it is sent.
type Message struct {
	To      string // one address without a name
	Subject string // at most 200 characters, one line
	Text    string // at most 100 kB
}

// Compose gives the mail that an identifier stands for, or ErrMoot.
type Compose func(ctx context.Context, id string) (Message, error)

// Mailer sends mails. It is safe for concurrent use once the sources are known.
type Mailer struct {
	Options
	sender  *netmail.Address
	sources map[string]Compose
	queue   *jobs.Queue[letter]
}

// letter is what the queue holds of a mail.
type letter struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// New gives a Mailer over tables that Migrate has made, and registers its jobs. Errors: mail.config, mail.password.
func New(o Options) (*Mailer, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Username != "" && o.Password == "" {
		return nil, ErrPassword.New()
	}
	sender, err := parseSender(o.From)
	if err != nil {
		return nil, err
	}
	limit, err := o.timeout()
	if err != nil {
		return nil, err
	}
	m := &Mailer{Options: o, sender: sender, sources: make(map[string]Compose)}
	// Twelve attempts over six hours, then every six hours: two days and a half in all, about as long as mail servers try.
	m.queue = jobs.Register(o.Jobs, jobs.Kind{Name: "mail.send", Timeout: limit, Attempts: 20}, m.send)
	return m, nil
}

// Source says how the mails of a room are composed. It must come before the jobs run; a name counts once.
func (m *Mailer) Source(name string, compose Compose) { m.sources[name] = compose }

// Enqueue asks for the mail that a source composes for an identifier, in the transaction in which its reason is recorded.
// A mail that waits already, or was sent, is not sent again. The identifier stands in the queue: no personal data.
func (m *Mailer) Enqueue(ctx context.Context, tx *store.Tx, source, id string) error {
	if _, ok := m.sources[source]; !ok {
		return ErrSource.With("%s", source)
	}
	_, err := m.queue.Enqueue(ctx, tx, source+"/"+id, letter{source, id})
	return err
}

func (m *Mailer) send(ctx context.Context, _ jobs.Job, l letter) error {
	compose, ok := m.sources[l.Source]
	if !ok {
		return ErrSource.With("%s", l.Source)
	}
	var sent int
	err := m.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM mail_sent WHERE source = $1 AND id = $2`, l.Source, l.ID).Scan(&sent)
	if err != nil || sent > 0 {
		return err
	}
	message, err := compose(ctx, l.ID)
	if errors.Is(err, ErrMoot) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := m.Send(ctx, m.messageID(l), message); err != nil {
		if fault.Has(err, ErrRefused) || fault.Has(err, ErrAddress) || fault.Has(err, ErrMessage) {
			return jobs.Permanent(err)
		}
		return err
	}
	// The mail has gone: this is recorded even if the service is about to end.
	return m.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO mail_sent (source, id, sent) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			l.Source, l.ID, store.Time(m.Clock()))
		return err
	})
}

// messageID is the same for every attempt at the same mail.
func (m *Mailer) messageID(l letter) string {
	digest := sm3.Sum([]byte(l.Source + "\x00" + l.ID))
	_, domain, _ := strings.Cut(m.sender.Address, "@")
	return hex.EncodeToString(digest[:16]) + "@" + domain
}

const (
	mostSubject = 200
	mostText    = 100 << 10
)

// check refuses what must not be sent: mail.address, mail.message.
func (m Message) check() error {
	if err := CheckAddress(m.To); err != nil {
		return err
	}
	if m.Subject == "" || !utf8.ValidString(m.Subject) || utf8.RuneCountInString(m.Subject) > mostSubject || strings.ContainsFunc(m.Subject, isControl) {
		return ErrMessage.At(fault.Field("subject"))
	}
	text := func(r rune) bool { return isControl(r) && r != '\n' && r != '\t' }
	if m.Text == "" || len(m.Text) > mostText || !utf8.ValidString(m.Text) || strings.ContainsFunc(m.Text, text) {
		return ErrMessage.At(fault.Field("text"))
	}
	return nil
}

// Render gives subject and text from a template that defines both names. Line ends within the subject, which come from
// how a template is written, become spaces; those within the data do not get that far, since data is one line each: a
// line end in it is refused when the mail is sent.
func Render(t *template.Template, data any) (subject, text string, err error) {
	var s, b strings.Builder
	if err := t.ExecuteTemplate(&s, "subject", data); err != nil {
		return "", "", ErrMessage.Because(err)
	}
	if err := t.ExecuteTemplate(&b, "text", data); err != nil {
		return "", "", ErrMessage.Because(err)
	}
	return strings.TrimSpace(s.String()), strings.TrimSpace(b.String()) + "\n", nil
}
