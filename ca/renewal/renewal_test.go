package renewal_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/renewal"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/mail"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

var _ renewal.Mail = (*mail.Mailer)(nil)

const day = 24 * time.Hour

// book is a list of certificates as the authority would have it.
type book struct {
	mutex sync.Mutex
	list  []ca.Expiry
}

// strike takes out what has a successor.
func (b *book) strike(serial *big.Int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.list = slices.DeleteFunc(b.list, func(e ca.Expiry) bool { return e.Serial.Cmp(serial) == 0 })
}

func (b *book) Expiring(_ context.Context, after, until time.Time) (found []ca.Expiry, err error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, e := range b.list {
		if e.NotAfter.After(after) && !e.NotAfter.After(until) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b ca.Expiry) int { return a.NotAfter.Compare(b.NotAfter) })
	return found, nil
}

func (b *book) Expiry(_ context.Context, serial *big.Int) (ca.Expiry, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, e := range b.list {
		if e.Serial.Cmp(serial) == 0 {
			return e, nil
		}
	}
	return ca.Expiry{}, ca.ErrNotFound.New()
}

// outbox keeps what was enqueued; a mail whose transaction was undone is not in the database, so it looks there.
type outbox struct{ ids []string }

func (o *outbox) Enqueue(_ context.Context, _ *store.Tx, source, id string) error {
	o.ids = append(o.ids, source+" "+id)
	return nil
}

type renewer struct {
	mutex  sync.Mutex
	calls  []string
	answer func(e ca.Expiry) error
}

func (r *renewer) Renew(_ context.Context, e ca.Expiry) error {
	r.mutex.Lock()
	r.calls = append(r.calls, e.Serial.String())
	r.mutex.Unlock()
	return r.answer(e)
}

type contacts map[string]string

func (c contacts) Address(_ context.Context, serial *big.Int) (string, error) {
	return c[serial.String()], nil
}

type world struct {
	*renewal.Service
	now  time.Time
	book *book
	out  *outbox
	made *renewer
}

var start = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC) // a Thursday

func newWorld(t *testing.T, db *store.DB, list ...ca.Expiry) *world {
	t.Helper()
	if err := renewal.Migrate(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	w := &world{now: start, book: &book{list: list}, out: &outbox{}, made: &renewer{answer: func(ca.Expiry) error { return nil }}}
	w.Service = renewal.New(renewal.Config{DB: db, Authority: w.book, Clock: func() time.Time { return w.now },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Renewer: w.made, Mail: w.out,
		Contacts: contacts{"1": "clerk@city.example"}, Administrators: []string{"one@archive.example", "two@archive.example"}})
	return w
}

func (w *world) run(t *testing.T) {
	t.Helper()
	if err := w.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func key(n int64, end time.Time) ca.Expiry {
	return ca.Expiry{Serial: big.NewInt(n), Profile: "personal", Organisation: "云山市档案馆", CommonName: "张三", NotAfter: end, RenewableUntil: end.AddDate(4, 0, 0)}
}

func central(n int64, end time.Time) ca.Expiry {
	return ca.Expiry{Serial: big.NewInt(n), Profile: ca.ProfileInstitution, Organisation: "云山市档案馆", CommonName: "22000012345678", NotAfter: end, RenewableUntil: end.AddDate(4, 0, 0)}
}

func TestReminderIsMadeOncePerBorder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		end := start.Add(31 * day)
		w := newWorld(t, db, key(1, end))
		for _, step := range []struct {
			left time.Duration // to the end
			want int           // mails in all
		}{
			{31 * day, 0}, {30*day + time.Second, 0}, {30 * day, 1}, {30 * day, 1}, {15 * day, 1},
			{14*day + time.Second, 1}, {14 * day, 2}, {8 * day, 2}, {7 * day, 3}, {day + time.Second, 3}, {day, 4}, {time.Second, 4}, {0, 4}, {-day, 4},
		} {
			w.now = end.Add(-step.left)
			w.run(t)
			if len(w.out.ids) != step.want {
				t.Fatalf("%v before the end: %v", step.left, w.out.ids)
			}
		}
		w.now = end.Add(-time.Hour)
		list, err := w.Due(context.Background(), w.now)
		if err != nil || len(list) != 1 || !slices.Equal(list[0].Reminders, []int{30, 14, 7, 1}) || list[0].Days != 0 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestBordersThatWerePassedWhileNothingRanCountOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, key(1, start.Add(10*day)), key(2, start.Add(12*time.Hour)))
		w.run(t)
		w.run(t)
		if len(w.out.ids) != 2 {
			t.Errorf("%v", w.out.ids)
		}
		list, err := w.Due(context.Background(), w.now)
		if err != nil || !slices.Equal(list[0].Reminders, []int{1}) || !slices.Equal(list[1].Reminders, []int{14}) {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// stale lists what another process has renewed since.
type stale struct{ *book }

func (stale) Expiry(context.Context, *big.Int) (ca.Expiry, error) {
	return ca.Expiry{}, ca.ErrNotFound.New()
}

func TestNothingIsRenewedFromAListThatIsOutOfDate(t *testing.T) {
	w := newWorld(t, storetest.Open(t, t.TempDir()+"/yinxin.db"), central(1, start.Add(5*day)))
	c := w.Config
	c.Authority = stale{w.book}
	if err := renewal.New(c).Run(context.Background()); err != nil || len(w.made.calls) != 0 || len(w.out.ids) != 0 {
		t.Errorf("%v, %v, %v", w.made.calls, w.out.ids, err)
	}
}

func TestHolderIsNotRemindedOfACertificateOnHold(t *testing.T) {
	held, ended := key(1, start.Add(10*day)), key(2, start)
	held.Held = true
	w := newWorld(t, storetest.Open(t, t.TempDir()+"/yinxin.db"), held, ended)
	w.run(t)
	if len(w.out.ids) != 0 {
		t.Errorf("%v", w.out.ids)
	}
	if list, err := w.Due(context.Background(), w.now); err != nil || len(list) != 2 {
		t.Errorf("both are listed all the same: %+v, %v", list, err)
	}
}

func TestSeveralProcessesRemindOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, key(1, start.Add(10*day)), central(2, start.Add(5*day)))
		w.made.answer = func(e ca.Expiry) error { w.book.strike(e.Serial); return nil }
		var all sync.WaitGroup
		boxes := make([]*outbox, 4)
		for i := range boxes {
			boxes[i] = &outbox{}
			c := w.Config
			c.Mail = boxes[i]
			all.Go(func() {
				if err := renewal.New(c).Run(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		made := 0
		if err := db.Read().QueryRowContext(context.Background(), `SELECT COUNT(*) FROM renewal_reminder`).Scan(&made); err != nil || made != 1 {
			t.Errorf("%d reminders, %v", made, err)
		}
		if len(w.made.calls) != 1 {
			t.Errorf("the seal was renewed %d times", len(w.made.calls))
		}
	})
}

func TestCentralSealIsDueWhenATermOfAcceptanceWouldEndTooLate(t *testing.T) {
	// Twenty working days after Thursday the 26th of November end on Thursday the 24th of December.
	for name, c := range map[string]struct {
		end time.Time
		due bool
	}{
		"a second before": {time.Date(2026, 12, 24, 7, 59, 59, 0, time.UTC), true},
		"at the end":      {time.Date(2026, 12, 24, 8, 0, 0, 0, time.UTC), false},
		"ended yesterday": {start.Add(-day), true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, storetest.Open(t, t.TempDir()+"/yinxin.db"), central(1, c.end))
			list, err := w.Due(context.Background(), w.now)
			if err != nil || len(list) == 1 != c.due {
				t.Errorf("%+v, %v", list, err)
			}
			w.run(t)
			if len(w.made.calls) == 1 != c.due {
				t.Errorf("%v", w.made.calls)
			}
		})
	}
}

func TestFailedRenewalIsRecordedTriedAgainAndRaisesOneAlarm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		w := newWorld(t, db, central(1, start.Add(10*day)))
		broken := true
		w.made.answer = func(ca.Expiry) error {
			if broken {
				return ca.ErrSigning.With("7").Because(errors.New("Zhang San"))
			}
			return nil
		}
		w.run(t)
		w.run(t) // too early for the next attempt
		if len(w.made.calls) != 1 {
			t.Fatalf("%d attempts", len(w.made.calls))
		}
		list, err := w.Due(ctx, w.now)
		if err != nil || len(list) != 1 || list[0].Attempt == nil {
			t.Fatalf("%+v, %v", list, err)
		}
		a := *list[0].Attempt
		if a.Number != 1 || a.Outcome != "failed" || !a.Next.Equal(start.Add(time.Hour)) || !strings.HasPrefix(a.Failure, "ca.signing: ") ||
			!strings.HasSuffix(a.Failure, "(7)") || strings.Contains(a.Failure, "Zhang") {
			t.Errorf("%+v", a)
		}
		w.now = start.Add(time.Hour)
		w.run(t)
		w.now = start.Add(2 * time.Hour)
		w.run(t) // two hours after the second failure, not one
		if len(w.made.calls) != 2 {
			t.Fatalf("%d attempts", len(w.made.calls))
		}
		alarms, err := w.Alarms(ctx)
		if err != nil || len(alarms) != 1 || alarms[0].Reason != renewal.ReasonFailed || len(w.out.ids) != 2 {
			t.Fatalf("%+v, %v, %v", alarms, w.out.ids, err)
		}
		for i, to := range w.Administrators {
			source, id, _ := strings.Cut(w.out.ids[i], " ")
			m, err := w.Alarm(ctx, id)
			if err != nil || source != renewal.SourceAlarm || m.To != to || !strings.Contains(m.Text, "ca.signing") || !strings.Contains(m.Text, "云山市档案馆") || strings.Contains(m.Subject, "\n") {
				t.Errorf("%s: %+v, %v", source, m, err)
			}
		}
		broken = false
		w.now = start.Add(3 * time.Hour)
		w.run(t)
		w.book.list = nil // the authority knows its successor now
		if alarms, err := w.Alarms(ctx); err != nil || len(alarms) != 0 {
			t.Errorf("%+v, %v", alarms, err)
		}
		if _, err := w.Alarm(ctx, strings.TrimPrefix(w.out.ids[0], renewal.SourceAlarm+" ")); !errors.Is(err, mail.ErrMoot) {
			t.Errorf("the mail of an alarm that is over: %v", err)
		}
		var outcome string
		if err := db.Read().QueryRowContext(ctx, `SELECT outcome FROM renewal_attempt WHERE number = 3`).Scan(&outcome); err != nil || outcome != "renewed" {
			t.Errorf("%q, %v", outcome, err)
		}
	})
}

func TestOneFailureDoesNotKeepTheOthersWaiting(t *testing.T) {
	w := newWorld(t, storetest.Open(t, t.TempDir()+"/yinxin.db"), central(1, start.Add(1*day)), central(2, start.Add(2*day)), central(3, start.Add(3*day)))
	w.made.answer = func(e ca.Expiry) error {
		if e.Serial.Int64() == 1 {
			return errors.New("broken")
		}
		return nil
	}
	w.run(t)
	if !slices.Equal(w.made.calls, []string{"1", "2", "3"}) {
		t.Errorf("%v", w.made.calls)
	}
}

func TestWhatMayNotBeRenewedRaisesAnAlarm(t *testing.T) {
	over := central(1, start.Add(5*day))
	over.RenewableUntil = start
	almost := central(2, start.Add(5*day))
	almost.RenewableUntil = start.Add(time.Second)
	held := central(3, start.Add(5*day))
	held.Held = true
	own := ca.Expiry{Serial: big.NewInt(4), Profile: ca.ProfileOCSP, CommonName: "OCSP", NotAfter: start.Add(60 * day)}
	far := ca.Expiry{Serial: big.NewInt(5), Profile: ca.ProfileTSA, CommonName: "TSA", NotAfter: start.Add(60*day + time.Second)}
	ended := central(6, start.Add(5*day))
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, over, almost, held, own, far, ended)
		w.made.answer = func(e ca.Expiry) error {
			if e.Serial.Int64() == 6 {
				return access.ErrExpired.New()
			}
			return nil
		}
		w.run(t)
		slices.Sort(w.made.calls)
		if !slices.Equal(w.made.calls, []string{"2", "6"}) {
			t.Errorf("renewed %v", w.made.calls)
		}
		alarms, err := w.Alarms(context.Background())
		got := map[string]renewal.Reason{}
		for _, a := range alarms {
			got[a.Serial.String()] = a.Reason
		}
		if err != nil || len(got) != 3 || got["1"] != renewal.ReasonApprovalOver || got["4"] != renewal.ReasonCeremony || got["6"] != renewal.ReasonApprovalOver {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestAttemptOfADeadProcessIsMadeAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		w := newWorld(t, db, central(1, start.Add(10*day)))
		err := db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO renewal_attempt (serial, number, started, outcome, ended, next, failure) VALUES ($1, 1, $2, '', '', '', '')`, ca.SerialText(big.NewInt(1)), store.Time(start))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.now = start.Add(29 * time.Minute)
		w.run(t)
		if len(w.made.calls) != 0 {
			t.Error("while it may still be made")
		}
		w.now = start.Add(30 * time.Minute)
		w.run(t)
		if len(w.made.calls) != 1 {
			t.Error("it was given up")
		}
	})
}

func TestReminderSaysWhatItMustAndNotMore(t *testing.T) {
	w := newWorld(t, storetest.Open(t, t.TempDir()+"/yinxin.db"), key(1, start.Add(30*day)), key(2, start.Add(30*day)))
	ctx := context.Background()
	w.run(t)
	if len(w.out.ids) != 2 {
		t.Fatal(w.out.ids)
	}
	moot := 0
	for _, entry := range w.out.ids {
		source, id, _ := strings.Cut(entry, " ")
		m, err := w.Reminder(ctx, id)
		if errors.Is(err, mail.ErrMoot) {
			moot++ // nobody knows the address of the second
			continue
		}
		if err != nil || source != renewal.SourceReminder || m.To != "clerk@city.example" || m.Subject != "印章用户证书将于 2026-12-26 16:00 到期" ||
			!strings.Contains(m.Text, "云山市档案馆") || !strings.Contains(m.Text, "还有 30 天") || strings.Contains(m.Text+m.Subject, "张三") {
			t.Errorf("%+v, %v", m, err)
		}
	}
	if moot != 1 {
		t.Errorf("%d are moot", moot)
	}
	w.book.list = nil
	for _, entry := range append(w.out.ids, "renewal unknown") {
		if _, err := w.Reminder(ctx, strings.TrimPrefix(entry, "renewal ")); !errors.Is(err, mail.ErrMoot) {
			t.Errorf("%s: %v", entry, err)
		}
	}
	if _, err := w.Alarm(ctx, "alm_x.99"); !errors.Is(err, mail.ErrMoot) {
		t.Error(err)
	}
	var f *fault.Fault
	if errors.As(mail.ErrMoot, &f) {
		t.Error("a mail that is moot is no failure")
	}
}
