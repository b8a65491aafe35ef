package sealer

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/sealer/pdf"
	"yinxin/sealer/register"
)

// JobLife is how long a prepared sealing waits for its signature.
const JobLife = 5 * time.Minute

// Job is a sealing that is planned to the last byte and waits for its signature (分散式用章, in two phases). Whoever
// holds the key signs e = SM3(Z ‖ ToSign); with that value any process of the service completes the job, and the bytes
// are the same whichever does. Only a time stamp, which is taken at completion, says when that was.
type Job struct {
	ID          string
	Document    string
	Seal        string
	Time        time.Time // the signing time in the signature
	Expires     time.Time
	Certificate []byte   // DER: whose key must sign
	ToSign      []byte   // the to-be-signed bytes
	Digest      [32]byte // e
	DataHash    string   // SM3 of the document over ByteRange, hex
	ByteRange   string
	Details     Details
	Instance    register.Instance // the seal that is used
}

// Prepare makes every check of Seal, plans the update and freezes it. The use is counted; it is given back when the job
// is discarded or its life ends without a signature. With a seal instance on the caller's own USB Key that one is used,
// else the central one. The order's idempotency key belongs to the job: a repetition gives sealing.in-progress while it
// waits. Errors are those of Seal.
func (s *Service) Prepare(ctx context.Context, by access.Actor, o Order) (Job, error) {
	return s.prepareJob(ctx, by, o, s.Register.AuthoriseSigner, nil)
}

// PrepareOwn is Prepare for a signature that only the actor's own USB Key can make: without a seal instance on one it is
// seal.no-key-instance. record is called in the transaction that records the intent, with the job: what it writes is on
// record if and only if the job is.
func (s *Service) PrepareOwn(ctx context.Context, by access.Actor, o Order, record func(ctx context.Context, tx *store.Tx, j Job) error) (Job, error) {
	return s.prepareJob(ctx, by, o, s.Register.AuthoriseHolder, record)
}

func (s *Service) prepareJob(ctx context.Context, by access.Actor, o Order, authorise func(context.Context, access.Actor, string) (register.Instance, error),
	record func(ctx context.Context, tx *store.Tx, j Job) error) (Job, error) {
	if err := by.CheckReal(); err != nil {
		return Job{}, err
	}
	o, err := o.Checked()
	if err != nil {
		return Job{}, err
	}
	if o.IdempotencyKey == "" {
		o.IdempotencyKey = store.NewID("once_")
	}
	if _, found, err := s.replay(ctx, by, o); err != nil {
		return Job{}, err
	} else if found {
		return Job{}, errCompleted.New()
	}
	in, err := authorise(ctx, by, o.Seal)
	if err != nil {
		return Job{}, err
	}
	d, err := s.Document(ctx, by, o.Document)
	if err != nil {
		return Job{}, err
	}
	w, err := s.begin(ctx, d, nil, o, in)
	if err != nil {
		return Job{}, err
	}
	defer w.close()
	frozen, err := w.plan.update.MarshalBinary()
	if err != nil {
		return Job{}, err
	}
	object, err := s.keep(ctx, frozen)
	if err != nil {
		return Job{}, err
	}
	i := intent{id: store.NewID("q_"), actor: by, order: o, instance: in, plan: w.plan, details: w.details, scan: w.scan}
	job := &frozenJob{object: object, order: o}
	if record != nil {
		job.record = func(ctx context.Context, tx *store.Tx) error { return record(ctx, tx, s.jobOf(i, i.until)) }
	}
	if err := s.recordIntent(ctx, &i, JobLife, job); err != nil {
		if _, err = s.lostRace(ctx, by, o, err); err == nil {
			err = errCompleted.New() // by whoever was faster with the same key
		}
		return Job{}, errors.Join(err, s.removeUnrecorded(ctx, jobRecorded, i.id, object))
	}
	return s.jobOf(i, i.until), nil
}

func (s *Service) jobOf(i intent, expires time.Time) Job {
	return Job{ID: i.id, Document: i.order.Document, Seal: i.order.Seal, Time: i.plan.time, Expires: expires, Certificate: i.instance.Certificate,
		ToSign: i.plan.laid.toSign(), Digest: i.plan.laid.digest(), DataHash: i.plan.DataHash(), ByteRange: i.plan.update.Property(), Details: i.details,
		Instance: i.instance}
}

// Job gives a waiting job of the actor again, byte for byte. Errors: sealing.no-job, sealing.completed,
// sealing.abandoned.
func (s *Service) Job(ctx context.Context, by access.Actor, id string) (Job, error) {
	j, err := s.thaw(ctx, by, id)
	if err != nil {
		return Job{}, err
	}
	defer j.work.close()
	return s.jobOf(j.intent, j.expires), nil
}

// Complete puts the signature value (DER SEQUENCE{r, s}) into a waiting job of the actor, verifies and releases the
// document. A job that was completed before gives its stored result again. What Seal checks before it signs is checked
// once more: the grant, the seal and its certificate may have ended since. Errors: sealing.no-job, sealing.abandoned when
// its life is over, seal.superseded when the seal was remade, and those of Seal, all of which end the job;
// sealing.bad-signature for a value of another key or another job, and the end of ctx, which leave it waiting.
func (s *Service) Complete(ctx context.Context, by access.Actor, id string, value []byte) (Sealed, error) {
	if err := by.CheckReal(); err != nil {
		return Sealed{}, err
	}
	done, err := s.complete(ctx, by, id, value)
	if err == nil || ctx.Err() != nil || fault.Has(err, errBadSignature) {
		return done, err
	}
	// Somebody else may have completed the job meanwhile, with whose end this one collided.
	if q, again := s.job(ctx, by, id); again == nil && q.state == "released" {
		return s.result(ctx, by, id)
	}
	return Sealed{}, err
}

func (s *Service) complete(ctx context.Context, by access.Actor, id string, value []byte) (Sealed, error) {
	j, err := s.thaw(ctx, by, id)
	if err != nil {
		return Sealed{}, err
	}
	defer j.work.close()
	if err := s.signatureGood(j.intent, value); err != nil {
		return Sealed{}, err
	}
	err = s.Register.Confirm(ctx, by, j.intent.instance, j.intent.grant)
	if err == nil {
		_, err = s.certificateGood(ctx, j.intent.instance, s.Clock().UTC().Truncate(time.Second))
	}
	var done Sealed
	if err == nil {
		done, err = s.release(ctx, j.intent, j.work, value)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return Sealed{}, err // whoever went away comes back with the same signature
	default:
		_, open := s.close(context.WithoutCancel(ctx), id, j.intent.grant, by.ID, "failed", fault.CodeOf(err))
		if open != nil { // the job may still wait, and needs its update
			return Sealed{}, errors.Join(err, open)
		}
	}
	return done, errors.Join(err, s.melt(context.WithoutCancel(ctx), id, j.object))
}

// Discard gives a waiting job up: the use is given back and the idempotency key is free. Errors are those of Job.
func (s *Service) Discard(ctx context.Context, by access.Actor, id string) error {
	q, err := s.job(ctx, by, id)
	if err == nil {
		err = q.waiting(s.Clock())
	}
	if err != nil {
		return err
	}
	ended, err := s.close(ctx, id, q.grant, by.ID, "abandoned", "discarded")
	if err != nil {
		return err
	}
	if !ended { // somebody was faster
		if q, err = s.job(ctx, by, id); err != nil {
			return err
		}
		return q.waiting(s.Clock())
	}
	return s.melt(ctx, id, q.object)
}

// frozenJob is what is kept of a plan beside the intent.
type frozenJob struct {
	object string
	order  Order
	record func(ctx context.Context, tx *store.Tx) error // of somebody else, in the same transaction; nil: nothing
}

func (f *frozenJob) insert(ctx context.Context, tx *store.Tx, id string) error {
	order, err := json.Marshal(f.order)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO sealing_job (sealing_id, update_object, request) VALUES ($1, $2, $3)`, id, f.object, string(order))
	if err == nil && f.record != nil {
		err = f.record(ctx, tx)
	}
	return err
}

// thawed is a job made whole again.
type thawed struct {
	intent  intent
	work    *work
	object  string
	expires time.Time
}

// jobRow is a job as it is recorded.
type jobRow struct {
	id, key, instance, grant, state, signed, dataHash, lease, details, object, order string
}

// job reads a job of the actor, whatever its state. Error: sealing.no-job.
func (s *Service) job(ctx context.Context, by access.Actor, id string) (jobRow, error) {
	q := jobRow{id: id}
	var caller string
	err := s.DB.Read().QueryRowContext(ctx, `SELECT q.caller, q.idempotency_key, q.instance_id, q.grant_id, q.state, q.signing_time, q.data_hash,
			q.lease_until, q.details, j.update_object, j.request
		FROM sealing q JOIN sealing_job j ON j.sealing_id = q.id WHERE q.id = $1`, id).
		Scan(&caller, &q.key, &q.instance, &q.grant, &q.state, &q.signed, &q.dataHash, &q.lease, &q.details, &q.object, &q.order)
	if errors.Is(err, sql.ErrNoRows) || err == nil && caller != by.ID {
		return q, errNoJob.With("%.64q", id)
	}
	return q, err
}

// waiting says why a job does not wait for its signature any more. Errors: sealing.completed, sealing.abandoned.
func (q jobRow) waiting(now time.Time) error {
	switch {
	case q.state == "released":
		return errCompleted.New()
	case q.state != "intended" || q.lease <= store.Time(now):
		return errAbandoned.New()
	}
	return nil
}

// thaw reads a waiting job and rebuilds its plan from the frozen update, in whatever process this is.
func (s *Service) thaw(ctx context.Context, by access.Actor, id string) (*thawed, error) {
	q, err := s.job(ctx, by, id)
	if err == nil {
		err = q.waiting(s.Clock())
	}
	if err != nil {
		return nil, err
	}
	j := &thawed{object: q.object, intent: intent{id: id, actor: by, grant: q.grant}}
	if err := errors.Join(json.Unmarshal([]byte(q.order), &j.intent.order), json.Unmarshal([]byte(q.details), &j.intent.details)); err != nil {
		return nil, err
	}
	j.intent.order.IdempotencyKey = q.key
	if j.expires, err = store.ParseTime(q.lease); err != nil {
		return nil, err
	}
	at, err := store.ParseTime(q.signed)
	if err != nil {
		return nil, err
	}
	if j.intent.instance, err = s.Register.Instance(ctx, q.instance); err != nil {
		return nil, err
	}
	return j, s.rebuild(ctx, j, at, q.dataHash)
}

// rebuild makes the plan of a job anew; the same inputs give the same bytes.
func (s *Service) rebuild(ctx context.Context, j *thawed, at time.Time, dataHash string) (err error) {
	o := j.intent.order
	leaf, err := s.Chain.Certificate(j.intent.instance.Certificate)
	if err != nil {
		return err
	}
	above := between(s.Chain.Verify(ctx, leaf, at, chain.UsageSign).Path)
	w := &work{details: j.intent.details}
	w.prepared, err = s.prepared.get(preparedKey{j.intent.instance.ID, o.Profile, o.Outline}, func() (*Prepared, error) {
		return s.prepare(ctx, j.intent.instance, o, above)
	})
	if err != nil {
		return err
	}
	update, err := s.frozen(ctx, j.object)
	if err != nil {
		return err
	}
	stamps, err := s.stampsFor(o)
	if err != nil {
		return err
	}
	plan := &Plan{prepared: w.prepared, update: update, time: at, stamps: stamps}
	hash, err := hex.DecodeString(dataHash)
	if err != nil || len(hash) != len(plan.dataHash) {
		return errDamaged.With("%s", j.intent.id)
	}
	copy(plan.dataHash[:], hash)
	if plan.laid, err = w.prepared.carrier.lay(at, plan.dataHash, update.Property()); err != nil {
		return err
	}
	if w.document, err = s.Document(ctx, j.intent.actor, o.Document); err != nil {
		return err
	}
	if w.object, err = s.Open(ctx, w.document); err != nil {
		return err
	}
	w.plan, j.intent.plan, j.work = plan, plan, w
	return nil
}

// frozen reads the update of a job.
func (s *Service) frozen(ctx context.Context, name string) (*pdf.Update, error) {
	object, err := s.Files.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	data := make([]byte, object.Size())
	if _, err := object.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return pdf.RestoreUpdate(data)
}

// melt removes the frozen update of a job that has ended.
func (s *Service) melt(ctx context.Context, id, object string) error {
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sealing_job SET finished = 1 WHERE sealing_id = $1`, id)
		return err
	})
	if err != nil {
		return err
	}
	err = s.Files.Remove(ctx, object)
	if errors.Is(err, fs.ErrNotExist) { // two may melt the same job at once
		return nil
	}
	return err
}

// meltEnded removes what jobs left that ended without anybody completing them.
func (s *Service) meltEnded(ctx context.Context) error {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT j.sealing_id, j.update_object FROM sealing_job j
		JOIN sealing q ON q.id = j.sealing_id WHERE j.finished = 0 AND q.state <> 'intended'`)
	if err != nil {
		return err
	}
	var ended [][2]string
	for rows.Next() {
		var r [2]string
		if err := rows.Scan(&r[0], &r[1]); err != nil {
			return errors.Join(err, rows.Close())
		}
		ended = append(ended, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, r := range ended {
		if err := s.melt(ctx, r[0], r[1]); err != nil {
			return err
		}
	}
	return nil
}

// signatureGood says whether the value is the signature that the job waits for.
func (s *Service) signatureGood(i intent, value []byte) error {
	leaf, err := s.Chain.Certificate(i.instance.Certificate)
	if err != nil {
		return err
	}
	notes, err := s.Chain.CheckSM2Digest(leaf, i.plan.laid.digest(), value)
	if err != nil || len(notes) > 0 {
		return errBadSignature.Because(err)
	}
	return nil
}
