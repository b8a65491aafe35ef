// Package mail sends reminders by SMTP: plain text in UTF-8, one recipient each, through the queue of internal/jobs. It
// exists only in installations that configure it (Config); the others have the lists of `yinxin renewals list`.
//
// Call New, tell it with Source how the mails of a room are composed, and Enqueue in the room's transaction:
//
//	m, err := mail.New(mail.Options{Config: c, Password: password, DB: db, Jobs: j, Clock: clock})
//	m.Source("renewal", func(ctx context.Context, id string) (mail.Message, error) { … })
//	_, err = m.Enqueue(ctx, tx, "renewal", reminderID)
//
// The queue holds the name of the source and an identifier. The address and the text are put together when the mail is
// sent, so personal data stands in its room alone, and a mail whose reason has gone is not sent (ErrMoot).
//
// # Promises
//
//   - The connection is encrypted: STARTTLS that must succeed, or TLS from the first byte, version 1.2 or later, with the
//     server's certificate verified. Without TLS only a server on this machine is spoken to, and no password is sent.
//   - Nothing that is put into a mail becomes a header or a command: subjects and addresses with control characters are
//     refused, an address is one address of plain ASCII, texts are encoded in base64.
//   - A mail that was handed over is recorded and not sent again (source and identifier are unique). Only a crash between
//     the server's word and our record repeats it, with the same Message-ID, by which receivers know it again.
//   - A server that is away, slow, silent or endless costs at most Timeout and 1 MiB; the next try comes later. A recipient
//     that the server refuses for good (5xx) is not tried again.
//   - Neither the password nor addresses stand in errors, jobs or logs; of the server's words only the reply code is kept.
package mail
