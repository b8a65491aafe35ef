// Package renewal sees to it that no certificate ends unnoticed: it lists what is due, has central seals renewed before
// their time, reminds the holders of USB Keys, and raises an alarm where a renewal fails or may not be made.
//
//	s, err := renewal.New(renewal.Config{DB: db, Authority: authority, Clock: clock, Log: log, Renewer: renewer, Mail: mailer})
//	j.Periodic(jobs.Periodic{Name: "renewal", Every: time.Hour, Timeout: renewal.RunTime, Do: s.Run})
//
// # What is due when
//
// A central seal (profile institution) is due when a term of acceptance that began now would end after its certificate:
// Policy.TermDays working days. Its renewal is a matter of the service, under the original approval, for at most five
// years (access.RenewalTerm). A Key holder's certificate (profile personal) is due in its last Policy.Reminders days: a
// person applies for the new one, and is told at each of these borders. Certificates for encryption go with the personal
// ones and are only listed. Certificates of the authority's own services (OCSP, time stamps, seal making, the issuing CA and
// the root) are due in their last Policy.ServiceDays; a ceremony renews them, so there is an alarm.
// Those that another authority made for a central seal (Config.Others) are due as early, since that takes its time: they are
// ordered there (Config.Elsewhere), and the attempt lasts until the certificate has come back. There is an alarm where a
// person has to carry files, or accept what came back, and where nothing came back by the time a central seal is due.
//
// # Promises
//
// A reminder for a certificate and a border is made at most once, and its mail is enqueued in the same transaction; when
// borders were passed while nothing ran, the nearest one counts. Every attempt at a renewal is recorded with its result,
// two are never made at once for one certificate, and after a failure the next comes later each time. An alarm is raised
// once for a certificate and a reason, logged, mailed to the administrators, and stays in Alarms until the certificate has
// a successor or was taken back.
//
// It makes no certificates and no seals: Renewer does. It keeps no addresses: Contacts knows them when a mail is composed.
package renewal
