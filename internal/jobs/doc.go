// Package jobs does work later, again and again, and once for all processes: queued jobs that exist exactly when the
// transaction that asked for them was committed, and periodic work that one process does for all. It stands on River
// (riverqueue.com), which keeps its tables in the database that internal/store opens.
//
// Call Migrate, then New; register what the rooms can do; then Run until the service ends:
//
//	j, err := jobs.New(jobs.Config{DB: db, Clock: time.Now, Log: log})
//	send := jobs.Register(j, jobs.Kind{Name: "mail.send"}, func(ctx context.Context, job jobs.Job, m message) error { … })
//	j.Periodic(jobs.Periodic{Name: "ca.crl", Every: 10 * time.Second, Patience: 30 * time.Second, Do: authority.PublishIfDue})
//	go j.Run(ctx)
//
//	err = db.Write(ctx, func(tx *store.Tx) error {
//		… // what the room does
//		_, err := send.Enqueue(ctx, tx, "reminder-17", message{Reminder: "17"})
//		return err
//	})
//
// A command that only lists, retries, cancels or enqueues does the same without Run.
//
// # Promises
//
//   - A job exists if and only if the transaction that enqueued it was committed: it is written through that store.Tx.
//   - A job runs at least once. A process that dies in the middle (kill -9) leaves a running job behind, which is
//     taken up again after twice its time limit (at least RescueAfter) plus half a minute. So a handler must be
//     repeatable; what must happen once is recorded by its room under a unique constraint.
//   - While a job with a key waits, runs or is to be retried, no other of its kind with that key comes in.
//   - A handler that fails, panics or takes too long ends its attempt and nothing else. The failure is recorded, logged
//     and shown by List; the next attempt comes after a growing pause, until the attempts are used up.
//   - Periodic work runs in one process at a time (a claim in the database; it ends with the time limit, so a dead
//     process holds it no longer). Of several processes one is River's leader and starts it; the leader's word ends
//     fifteen seconds after its last sign of life. Work with a Patience runs even if River stands still: any process
//     that sees it overdue does it.
//   - When the context of Run ends, no new job begins; running ones have Grace to finish, then their contexts end.
//
// Arguments of jobs are identifiers: the database, its backups and `yinxin jobs list --args` show them, so they never hold
// secrets or personal data. The same goes for the errors of handlers: of an error that is not a fault.Fault only the
// type is kept in the database; its text goes to the operator's log.
//
// # How River shares the database
//
// Enqueue hands River's own INSERT the caller's transaction (bridge.go), so River stays the owner of its tables' format.
// Everything else that River does (fetching, finishing, electing) goes through store.Write on SQLite, where it shares the
// commits of the rooms and their durability (door.go); on PostgreSQL it has four connections of its own, in READ COMMITTED,
// which is what River is written for.
//
// River measures time with the machine's clock and the database's; Config.Clock is for what this package itself records.
package jobs
