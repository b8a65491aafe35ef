package mail_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/template"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/jobs"
	"yinxin/internal/mail"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

var now = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

const patience = time.Minute

// mailer gives a Mailer that speaks with the server; what it logs goes to log.
func mailer(t testing.TB, db *store.DB, s *server, log io.Writer, change func(o *mail.Options)) (*mail.Mailer, *jobs.Jobs) {
	t.Helper()
	ctx := context.Background()
	if err := jobs.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	if err := mail.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	j, err := jobs.New(jobs.Config{DB: db, Clock: time.Now, Log: slog.New(slog.NewTextHandler(log, nil)), Poll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	o := mail.Options{Config: mail.Config{Host: "127.0.0.1", Port: s.port(), From: "印信服务 <seal@archive.example>"}, DB: db, Jobs: j,
		Clock: func() time.Time { return now }, Authorities: s.pem}
	if change != nil {
		change(&o)
	}
	m, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m, j
}

func direct(t testing.TB, s *server, change func(o *mail.Options)) *mail.Mailer {
	t.Helper()
	m, _ := mailer(t, storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db")), s, io.Discard, change)
	return m
}

var letter = mail.Message{To: "clerk@city.example", Subject: "印章证书将在 30 天后到期", Text: "您好：\n.\n这是一封提醒邮件。\n"}

func TestMailArrivesEncryptedAndReadable(t *testing.T) {
	for name, c := range map[string]struct {
		server func(s *server)
		option func(o *mail.Options)
	}{
		"STARTTLS":                {},
		"TLS from the first byte": {func(s *server) { s.implicit = true }, func(o *mail.Options) { o.TLS = mail.Implicit }},
		"login after STARTTLS": {func(s *server) { s.login = "seal 秘密-9" },
			func(o *mail.Options) { o.Username, o.Password = "seal", "秘密-9" }},
		"login in TLS": {func(s *server) { s.implicit, s.login = true, "seal pass" },
			func(o *mail.Options) { o.TLS, o.Username, o.Password = mail.Implicit, "seal", "pass" }},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveMail(t, c.server)
			if err := direct(t, s, c.option).Send(context.Background(), "id-1@archive.example", letter); err != nil {
				t.Fatal(err)
			}
			d := <-s.came
			if !d.encrypted || !strings.HasPrefix(d.from, "FROM:<seal@archive.example>") || !strings.HasPrefix(d.to, "TO:<clerk@city.example>") {
				t.Errorf("%+v", d)
			}
			got, err := netmail.ReadMessage(strings.NewReader(d.data))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
			if err != nil || subject != letter.Subject {
				t.Errorf("subject %q, %v", subject, err)
			}
			from, err := netmail.ParseAddress(got.Header.Get("From"))
			if err != nil || from.Name != "印信服务" {
				t.Errorf("from %v, %v", from, err)
			}
			if id := got.Header.Get("Message-ID"); id != "<id-1@archive.example>" {
				t.Errorf("Message-ID %q", id)
			}
			if date, err := got.Header.Date(); err != nil || !date.Equal(now) {
				t.Errorf("date %v, %v", date, err)
			}
			if kind, parameters, err := mime.ParseMediaType(got.Header.Get("Content-Type")); err != nil || kind != "text/plain" || !strings.EqualFold(parameters["charset"], "utf-8") {
				t.Errorf("%s %v, %v", kind, parameters, err)
			}
			text, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, got.Body))
			if err != nil || strings.ReplaceAll(string(text), "\r\n", "\n") != letter.Text {
				t.Errorf("text %q, %v", text, err)
			}
			for name := range got.Header {
				if strings.Contains(strings.ToLower(d.data), "go-mail") || name == "Bcc" {
					t.Errorf("header %s in %s", name, d.data)
				}
			}
			host, _ := os.Hostname()
			if host != "" && strings.Contains(s.said()+d.data, host) {
				t.Errorf("the name of the machine is told: %s", s.said())
			}
		})
	}
}

func TestNothingIsSentWhenTheConnectionIsNotWhatItShouldBe(t *testing.T) {
	other := serveMail(t, nil)
	for name, c := range map[string]struct {
		server func(s *server)
		option func(o *mail.Options)
		code   string
	}{
		"no STARTTLS":               {func(s *server) { s.noSTARTTLS = true }, nil, "mail.tls"},
		"STARTTLS refused":          {func(s *server) { s.replies = map[string]string{"STARTTLS": "454 not now"} }, nil, "mail.unavailable"},
		"a stranger":                {nil, func(o *mail.Options) { o.Authorities = other.pem }, "mail.tls"},
		"a stranger, TLS at once":   {func(s *server) { s.implicit = true }, func(o *mail.Options) { o.TLS, o.Authorities = mail.Implicit, other.pem }, "mail.tls"},
		"plain where TLS should be": {nil, func(o *mail.Options) { o.TLS, o.Timeout = mail.Implicit, "1s" }, "mail.tls"},
		"wrong password":            {func(s *server) { s.login = "seal pass" }, func(o *mail.Options) { o.Username, o.Password = "seal", "Geheim-77" }, "mail.login"},
		"no login there":            {nil, func(o *mail.Options) { o.Username, o.Password = "seal", "Geheim-77" }, "mail.login"},
		"nobody there":              {func(s *server) { s.listener.Close() }, nil, "mail.unavailable"},
		"silence":                   {func(s *server) { s.silent = true }, func(o *mail.Options) { o.Timeout = "100ms" }, "mail.unavailable"},
		"no end":                    {func(s *server) { s.endless = true }, func(o *mail.Options) { o.Timeout = "5s" }, "mail.unavailable"},
		"busy":                      {func(s *server) { s.replies = map[string]string{"MAIL": "451 later"} }, nil, "mail.unavailable"},
		"refused sender":            {func(s *server) { s.replies = map[string]string{"MAIL": "550 seal@archive.example may not"} }, nil, "mail.unavailable"},
		"grey":                      {func(s *server) { s.replies = map[string]string{"RCPT": "450 clerk@city.example later"} }, nil, "mail.unavailable"},
		"unknown":                   {func(s *server) { s.replies = map[string]string{"RCPT": "550 clerk@city.example unknown"} }, nil, "mail.refused"},
		"content refused":           {func(s *server) { s.replies = map[string]string{".": "554 spam from clerk@city.example"} }, nil, "mail.refused"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serveMail(t, c.server)
			err := direct(t, s, c.option).Send(context.Background(), "id-1@archive.example", letter)
			if fault.CodeOf(err) != c.code {
				t.Fatalf("%v, want %s", err, c.code)
			}
			if strings.Contains(err.Error(), "clerk@") || strings.Contains(err.Error(), "Geheim") {
				t.Errorf("the error tells too much: %v", err)
			}
			if n := s.wrote.Load(); n > 16<<20 { // with what lies in the buffers of the connection
				t.Errorf("%d bytes were listened to", n)
			}
			if len(s.mails) != 0 || c.code == "mail.tls" && strings.Contains(s.said(), "MAIL") {
				t.Errorf("something was sent: %s", s.said())
			}
		})
	}
}

func TestWhatIsPutIntoMailsStaysWhereItIsPut(t *testing.T) {
	s := serveMail(t, nil)
	m := direct(t, s, nil)
	send := func(change func(m *mail.Message)) error {
		l := letter
		change(&l)
		return m.Send(context.Background(), "id-1@archive.example", l)
	}
	for _, to := range []string{"", "clerk", "a@b@c", "clerk@city.example\r\nRCPT TO:<other@example>", "clerk@city.example, other@city.example",
		"<clerk@city.example>", "名 <clerk@city.example>", `"a b"@city.example`, "a..b@city.example", ".a@city.example", "a@city..example",
		"a@[127.0.0.1]", "印@city.example", "a@印.example", "a @city.example", "a@city.example ", "a\x00@city.example", strings.Repeat("a", 65) + "@b.example",
		"a@" + strings.Repeat("b.", 130) + "example"} {
		if err := send(func(m *mail.Message) { m.To = to }); fault.CodeOf(err) != "mail.address" {
			t.Errorf("%q: %v", to, err)
		}
	}
	for _, subject := range []string{"", "a\r\nBcc: other@example", "a\nb", "a\rb", "a\x00b", "a\u2028b", "a\u0085b", "\xff", strings.Repeat("印", 201)} {
		if err := send(func(m *mail.Message) { m.Subject = subject }); fault.CodeOf(err) != "mail.message" {
			t.Errorf("%q: %v", subject, err)
		}
	}
	for _, text := range []string{"", "a\x00", "a\r\nb", "\xff", strings.Repeat("a", 100<<10+1)} {
		if err := send(func(m *mail.Message) { m.Text = text }); fault.CodeOf(err) != "mail.message" {
			t.Errorf("%q: %v", text[:min(10, len(text))], err)
		}
	}
	// What looks like the end of a header, of the mail or of a line within allowed characters arrives as it is.
	odd := "=?utf-8?q?=0D=0ABcc:_other=40example?= " + strings.Repeat("很长的标题", 30)
	if err := send(func(m *mail.Message) { m.Subject, m.Text = odd, "\n.\n\nQUIT\n" }); err != nil {
		t.Fatal(err)
	}
	got, err := netmail.ReadMessage(strings.NewReader((<-s.came).data))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.mails) != 1 || got.Header.Get("Bcc") != "" || strings.Contains(s.said(), "\nQUIT\n.") {
		t.Errorf("%v", got.Header)
	}
}

func enqueue(t testing.TB, db *store.DB, m *mail.Mailer, id string) {
	t.Helper()
	err := db.Write(context.Background(), func(tx *store.Tx) error { return m.Enqueue(context.Background(), tx, "test", id) })
	if err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, j *jobs.Jobs) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func await(t testing.TB, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !yes() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: it did not come about", what)
		}
	}
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) text() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.String()
}

func TestQueuedMailIsSentOnceAndRefusedOneIsShown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := serveMail(t, nil)
		var log syncBuffer
		m, j := mailer(t, db, s, &log, nil)
		var composed atomic.Int32
		m.Source("test", func(_ context.Context, id string) (mail.Message, error) {
			composed.Add(1)
			switch id {
			case "moot":
				return mail.Message{}, mail.ErrMoot
			case "wrong":
				l := letter
				l.To = "zhangsan@nowhere" + "\n.example"
				return l, nil
			}
			return letter, nil
		})
		run(t, j)
		enqueue(t, db, m, "17")
		if d := <-s.came; !strings.Contains(d.to, "clerk@city.example") {
			t.Errorf("%+v", d)
		}
		count := func(state jobs.State) int {
			l, err := j.List(ctx, jobs.Filter{States: []jobs.State{state}})
			if err != nil {
				t.Fatal(err)
			}
			return len(l)
		}
		await(t, "the first is done", func() bool { return count(jobs.StateDone) == 1 })
		enqueue(t, db, m, "17") // again, after it was sent
		enqueue(t, db, m, "moot")
		enqueue(t, db, m, "wrong")
		await(t, "all have ended", func() bool { return count(jobs.StateDone) == 3 && count(jobs.StateFailed) == 1 })
		if len(s.mails) != 1 || composed.Load() != 3 {
			t.Errorf("%d mails, composed %d times", len(s.mails), composed.Load())
		}
		failed, err := j.List(ctx, jobs.Filter{States: []jobs.State{jobs.StateFailed}})
		if err != nil || failed[0].Attempt != 1 || !strings.HasPrefix(failed[0].Failure, "mail.address") {
			t.Errorf("%+v, %v", failed, err)
		}
		array := `''`
		if db.Dialect() == "postgres" {
			array = `'{}'`
		}
		var kept string
		err = db.Read().QueryRowContext(ctx, `SELECT CAST(args AS TEXT) || CAST(COALESCE(errors, `+array+`) AS TEXT) FROM river_job WHERE state = 'cancelled'`).Scan(&kept)
		if err != nil || !strings.Contains(kept, "mail.address") {
			t.Fatalf("%q, %v", kept, err)
		}
		if all := kept + log.text(); strings.Contains(all, "zhangsan") || strings.Contains(all, "clerk@") {
			t.Errorf("an address where none should be: %s", all)
		}
	})
}

func TestMailWaitsForServerThatIsAway(t *testing.T) {
	db := storetest.Open(t, filepath.Join(t.TempDir(), "yinxin.db"))
	s := serveMail(t, func(s *server) { s.replies = map[string]string{"RCPT": "450 clerk@city.example later"} })
	var log syncBuffer
	m, j := mailer(t, db, s, &log, nil)
	m.Source("test", func(context.Context, string) (mail.Message, error) { return letter, nil })
	run(t, j)
	enqueue(t, db, m, "17")
	retrying := func() []jobs.Record {
		l, err := j.List(context.Background(), jobs.Filter{States: []jobs.State{jobs.StateRetrying}})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	await(t, "it is to be tried again", func() bool { return len(retrying()) == 1 })
	s.mutex.Lock()
	s.replies = nil
	s.mutex.Unlock()
	r := retrying()[0]
	if !strings.HasPrefix(r.Failure, "mail.unavailable") || strings.Contains(r.Failure, "@") || strings.Contains(log.text(), "clerk@") {
		t.Errorf("%+v %s", r, log.text())
	}
	if err := j.Retry(context.Background(), r.ID); err != nil {
		t.Fatal(err)
	}
	<-s.came
}

func TestConfigIsChecked(t *testing.T) {
	for name, c := range map[string]struct{ text, field string }{
		"the least":        {`{"host": "smtp.example", "from": "seal@archive.example"}`, ""},
		"everything":       {`{"host": "10.0.0.1", "port": 2525, "tls": "implicit", "from": "印信 <seal@archive.example>", "username": "u", "password_file": "p", "administrators": ["a@b.example"], "timeout": "1m"}`, ""},
		"local, plain":     {`{"host": "127.0.0.1", "tls": "none", "from": "seal@archive.example"}`, ""},
		"a password":       {`{"host": "smtp.example", "from": "seal@archive.example", "password": "x"}`, "mail"},
		"no host":          {`{"from": "seal@archive.example"}`, "mail.host"},
		"a URL":            {`{"host": "smtp://x", "from": "seal@archive.example"}`, "mail.host"},
		"a socket":         {`{"host": "unix:///x", "from": "seal@archive.example"}`, "mail.host"},
		"port":             {`{"host": "x", "port": 70000, "from": "seal@archive.example"}`, "mail.port"},
		"tls":              {`{"host": "x", "tls": "opportunistic", "from": "seal@archive.example"}`, "mail.tls"},
		"plain, afar":      {`{"host": "smtp.example", "tls": "none", "from": "seal@archive.example"}`, "mail.tls"},
		"plain, login":     {`{"host": "localhost", "tls": "none", "username": "u", "from": "seal@archive.example"}`, "mail.username"},
		"from":             {`{"host": "x", "from": "seal"}`, "mail.from"},
		"from, two":        {`{"host": "x", "from": "a@b.example, c@d.example"}`, "mail.from"},
		"from, injected":   {`{"host": "x", "from": "a\r\nBcc: x <a@b.example>"}`, "mail.from"},
		"administrators":   {`{"host": "x", "from": "a@b.example", "administrators": ["x <a@b.example>"]}`, "mail.administrators"},
		"timeout":          {`{"host": "x", "from": "a@b.example", "timeout": "1h"}`, "mail.timeout"},
		"not an object":    {`[]`, "mail"},
		"a number as host": {`{"host": 7}`, "mail"},
	} {
		t.Run(name, func(t *testing.T) {
			var got mail.Config
			err := json.Unmarshal([]byte(c.text), &got)
			if c.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			f, ok := fault.Of(err)
			if !ok || f.Code != "mail.config" || f.Place.Field != c.field {
				t.Fatalf("%v, want it at %s", err, c.field)
			}
		})
	}
}

func TestPasswordComesFromFileOrEnvironment(t *testing.T) {
	name := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(name, []byte("秘密 9\r\nmore\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := mail.ReadPassword(name); err != nil || p != "秘密 9" {
		t.Errorf("%q, %v", p, err)
	}
	t.Setenv(mail.PasswordVariable, "other")
	if p, err := mail.ReadPassword(""); err != nil || p != "other" {
		t.Errorf("%q, %v", p, err)
	}
	if _, err := mail.ReadPassword(name + "x"); fault.CodeOf(err) != "mail.password" {
		t.Error(err)
	}
}

func TestRenderGivesSubjectAndText(t *testing.T) {
	texts := template.Must(template.New("").Parse(`{{define "subject"}}
关于 {{.}}
{{end}}{{define "text"}}
您好：{{.}}
{{end}}`))
	subject, text, err := mail.Render(texts, "印章")
	if err != nil || subject != "关于 印章" || text != "您好：印章\n" {
		t.Errorf("%q, %q, %v", subject, text, err)
	}
	if _, _, err := mail.Render(template.New(""), "印章"); fault.CodeOf(err) != "mail.message" {
		t.Error(err)
	}
}
