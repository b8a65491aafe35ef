package command

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"yinxin/ca"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/ca/renewal"
	"yinxin/internal/fault"
	"yinxin/internal/fetch"
	"yinxin/internal/jobs"
	"yinxin/internal/mail"
	"yinxin/internal/store"
	"yinxin/internal/webhook"
	"yinxin/keystore"
	bulk "yinxin/sealer/batch"
)

// The periodic work of the service and how often it is done. A revocation is in a published list within a minute: the
// job runs every ten seconds, and when none has ended for twenty (the leader has died, whose successor takes up to 21
// seconds, or River stands still) any process does it within seven more. The rest of the minute is for the caches that
// lists are read through.
const (
	crlEvery, crlPatience = 10 * time.Second, 20 * time.Second
	// A sealing whose process died is given up after a minute (sealer), so nobody waits for these seconds.
	recoverEvery, recoverPatience = 10 * time.Second, 2 * time.Minute
	renewalEvery                  = time.Hour
	termsEvery                    = time.Minute
)

// work registers everything that the service does in the background, for all processes over this database together.
func (h *installation) work(log *slog.Logger) (*jobs.Jobs, error) {
	j, err := jobs.New(jobs.Config{DB: h.db, Clock: h.now, Log: log})
	if err != nil {
		return nil, err
	}
	h.jobs = j
	h.workForPrograms(j, log)
	j.Periodic(jobs.Periodic{Name: "ca.crl", Every: crlEvery, Patience: crlPatience, Do: h.authority.PublishIfDue})
	j.Periodic(jobs.Periodic{Name: "sealings.recover", Every: recoverEvery, Patience: recoverPatience, Timeout: time.Minute,
		Do: func(ctx context.Context) error {
			_, err := h.sealer.Recover(ctx)
			return err
		}})
	j.Periodic(jobs.Periodic{Name: "terminals.recover", Every: recoverEvery, Patience: recoverPatience, Timeout: 2 * time.Minute, Do: h.terminals.Recover})
	r := renewal.Config{DB: h.db, Authority: h.authority, Clock: h.now, Log: log, Renewer: renewer{h}, Elsewhere: renewer{h}, Objections: business.Objections{DB: h.db}, Policy: h.config.Renewals,
		Calendar: h.calendar, Contacts: h.business}
	if r.Others, err = h.backends(context.Background()); err != nil {
		return nil, errors.Join(err, j.Close())
	}
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
	j.Periodic(jobs.Periodic{Name: "registration.terms", Every: termsEvery, Timeout: 10 * time.Minute, Do: h.passTime})
	j.Periodic(jobs.Periodic{Name: "renewals", Every: renewalEvery, Timeout: renewal.RunTime, Do: renewals.Run})
	return j, nil
}

// workForPrograms is what programs ask for and are told of in the background.
func (h *installation) workForPrograms(j *jobs.Jobs, log *slog.Logger) {
	h.webhooks = webhook.New(webhook.Config{DB: h.db, Ledger: h.ledger, Safe: h.secrets.Safe, Former: h.secrets.Former, Clock: h.now, Log: log,
		Client: fetch.New(fetch.Options{Private: h.config.Webhooks.Private}), Plain: h.config.Webhooks.Private}, j)
	tell := func(kind string) func(ctx context.Context, tx *store.Tx, owner, subject string, data map[string]string) error {
		return func(ctx context.Context, tx *store.Tx, owner, subject string, data map[string]string) error {
			return h.webhooks.Emit(ctx, tx, owner, kind, subject, data)
		}
	}
	h.sealer.Released = tell(webhook.KindReleased)
	h.batches = bulk.New(bulk.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Register: h.register, Sealer: h.sealer, Clock: h.now, Log: log,
		Done: tell(webhook.KindBatchDone)}, j)
	h.terminals.Done = tell(webhook.KindTaskDone)
	h.issuance.Told = h.webhooks.Emit
}

// formerWebhookSafe sealed the secrets of webhooks before they went under the safe for personal data.
const formerWebhookSafe = "webhooks"

// wireSecrets lets the secrets of webhooks go along when the safe is rotated.
func (h *installation) wireSecrets(ctx context.Context) error {
	h.secrets = webhook.Secrets{DB: h.db, Safe: h.enroll.Safe}
	former, err := h.keys.Ring(keystore.PurposePersonalData).Safe(ctx, formerWebhookSafe)
	switch {
	case err == nil:
		h.secrets.Former = former
	case !fault.Has(err, keystore.ErrKeyNotFound):
		return err
	}
	h.enroll.Resealers = append(h.enroll.Resealers, enroll.Resealer(h.secrets))
	return nil
}

// webhookConfig says where calls may go.
type webhookConfig struct {
	// Private lets calls go to addresses inside this network, and over plain http: the platform may stand beside the service.
	Private bool `json:"private,omitempty"`
}

// passTime does what falls due as time passes: acceptance by silence, requests and approvals that ran out, acts that an
// interruption left undone, renewals whose term is over, keys that no seal uses any more.
func (h *installation) passTime(ctx context.Context) error {
	_, err := h.enroll.Sweep(ctx)
	err = errors.Join(err, h.business.CarryOutAll(ctx))
	_, settled := h.business.SettleRenewals(ctx)
	return errors.Join(err, settled, h.business.RetireKeys(ctx), h.escrow.Recover(ctx), h.tendOrders(ctx), h.issuance.Sweep(ctx))
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
		// Anchors are kept in the memory of each process.
		if err := h.refreshAnchors(ctx); err != nil && ctx.Err() == nil {
			log.Error("reading the trust anchors", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// renewer renews the certificate of a central seal together with the seal that lists it.
type renewer struct{ h *installation }

var _ renewal.Renewer = renewer{}

var _ renewal.ElsewhereRenewer = renewer{}

func (r renewer) RenewElsewhere(ctx context.Context, e ca.Expiry) (made bool, byHand string, err error) {
	p, err := r.h.business.RenewElsewhere(ctx, e.CommonName, e.Serial)
	return p.Made, p.Waits, err
}

func (r renewer) Renew(ctx context.Context, e ca.Expiry) error {
	_, err := r.h.business.RenewCentral(ctx, e.Serial)
	return err
}
