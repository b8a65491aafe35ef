package command

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"yinxin/ca"
	"yinxin/ca/renewal"
	"yinxin/internal/jobs"
	"yinxin/internal/mail"
	"yinxin/keystore"
	"yinxin/sealer/register"
)

// The periodic work of the service and how often it is done. A revocation is in a published list within a minute: the
// job runs every ten seconds; a dead leader is followed by another within 21 seconds; and when none does it for 30
// seconds, for whatever reason, every process is ready to.
const (
	crlEvery, crlPatience = 10 * time.Second, 30 * time.Second
	// A sealing whose process died is given up after a minute (sealer), so nobody waits for these seconds.
	recoverEvery, recoverPatience = 10 * time.Second, 2 * time.Minute
	renewalEvery                  = time.Hour
)

// work registers everything that the service does in the background, for all processes over this database together.
func (h *installation) work(log *slog.Logger) (*jobs.Jobs, error) {
	j, err := jobs.New(jobs.Config{DB: h.db, Clock: h.now, Log: log})
	if err != nil {
		return nil, err
	}
	j.Periodic(jobs.Periodic{Name: "ca.crl", Every: crlEvery, Patience: crlPatience, Do: h.authority.PublishIfDue})
	j.Periodic(jobs.Periodic{Name: "sealings.recover", Every: recoverEvery, Patience: recoverPatience, Timeout: time.Minute,
		Do: func(ctx context.Context) error {
			_, err := h.sealer.Recover(ctx)
			return err
		}})
	r := renewal.Config{DB: h.db, Authority: h.authority, Clock: h.now, Log: log, Renewer: renewer{h}, Policy: h.config.Renewals}
	m, err := h.mailer(j)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	if m != nil {
		r.Mail, r.Administrators = m, h.config.Mail.Administrators
	}
	renewals := renewal.New(r)
	if m != nil {
		m.Source(renewal.SourceReminder, renewals.Reminder)
		m.Source(renewal.SourceAlarm, renewals.Alarm)
	}
	j.Periodic(jobs.Periodic{Name: "renewals", Every: renewalEvery, Timeout: renewal.RunTime, Do: renewals.Run})
	return j, nil
}

// mailer is nil where config.json has no mail server.
func (h *installation) mailer(j *jobs.Jobs) (*mail.Mailer, error) {
	if h.config.Mail == nil {
		return nil, nil
	}
	var password string
	if c := h.config.Mail; c.Username != "" {
		name := c.PasswordFile
		if name != "" && !filepath.IsAbs(name) {
			name = filepath.Join(h.dir, name)
		}
		var err error
		if password, err = mail.ReadPassword(name); err != nil {
			return nil, err
		}
	}
	return mail.New(mail.Options{Config: *h.config.Mail, Password: password, DB: h.db, Jobs: j, Clock: h.now})
}

// keepTrust writes the trust folder of this data directory as long as the process lives. It stays a loop of each process,
// since the folder is on the disk of each. It looks often enough that the folder, too, has a revocation within a minute.
func (h *installation) keepTrust(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	for {
		if err := h.publish(ctx); err != nil && ctx.Err() == nil {
			log.Error("writing the trust folder", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// renewer renews the certificate of a central seal together with the seal instance that lists it.
type renewer struct{ h *installation }

var _ renewal.Renewer = renewer{}

// Renew makes a new key, a certificate for it under the original approval, and the instance of the seal with it, which
// waits for acceptance. A second call after a failure takes the key of the first.
func (r renewer) Renew(ctx context.Context, e ca.Expiry) error {
	in, err := r.instance(ctx, e)
	if err != nil {
		return err
	}
	name := "seal-" + in.SealCode + "-" + e.NotAfter.UTC().Format("20060102150405")
	ring := r.h.keys.Ring(keystore.PurposeSealing)
	key, err := ring.Generate(ctx, name, keystore.PurposeSealing)
	if err != nil {
		var missing error
		if key, missing = ring.Get(ctx, name); missing != nil {
			return err
		}
	}
	draft, err := r.h.register.PrepareRenewal(ctx, in.ID, name)
	if err != nil {
		return err
	}
	_, err = r.h.authority.Renew(ctx, e.Serial, key.Public(), draft)
	return err
}

// instance is the central instance in use that lists the certificate.
func (r renewer) instance(ctx context.Context, e ca.Expiry) (register.Instance, error) {
	list, err := r.h.register.InUse(ctx, e.CommonName)
	if err != nil {
		return register.Instance{}, err
	}
	record, err := r.h.authority.Certificate(ctx, e.Serial)
	if err != nil {
		return register.Instance{}, err
	}
	for _, in := range list {
		if in.Custody == register.Central && string(in.Certificate) == string(record.Certificate.Raw) {
			return in, nil
		}
	}
	return register.Instance{}, errNoInstance.With("%s", e.CommonName)
}
