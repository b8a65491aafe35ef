package renewal

import (
	"context"
	"math/big"
	"slices"
	"time"

	"yinxin/ca"
	"yinxin/internal/store"
)

// Attempt is one attempt at a renewal.
type Attempt struct {
	Number  int       `json:"number"` // from 1
	Started time.Time `json:"started"`
	Outcome string    `json:"outcome"`           // renewed, failed, or empty while it is made
	Ended   time.Time `json:"ended,omitzero"`    // zero while it is made
	Next    time.Time `json:"next,omitzero"`     // of a failed one: when it is tried again at the earliest
	Failure string    `json:"failure,omitempty"` // code and sentence
}

// The outcomes.
const (
	outcomeRenewed = "renewed"
	outcomeFailed  = "failed"
)

// Reason is why there is an alarm.
type Reason string

// The reasons.
const (
	ReasonFailed       Reason = "failed"        // the renewal of a central seal failed
	ReasonApprovalOver Reason = "approval-over" // the five years of the original approval are over: a new application is needed
	ReasonCeremony     Reason = "ceremony"      // a certificate of the authority's own services ends: a ceremony is needed
	ReasonElsewhere    Reason = "elsewhere"     // the certificate of another authority ends and nothing came back: a new application is needed
	ReasonCarry        Reason = "carry"         // its renewal waits for a person: a file to be carried, a certificate to be accepted
)

// Alarm is something that a person must see to.
type Alarm struct {
	ID      string    `json:"id"`
	Serial  *big.Int  `json:"-"`
	Reason  Reason    `json:"reason"`
	Failure string    `json:"failure,omitempty"`
	Raised  time.Time `json:"raised"`
}

// annotate adds what is on record about each certificate of a list.
func (s *Service) annotate(ctx context.Context, list []Due) error {
	places := make(map[string]*Due, len(list))
	for i := range list {
		places[serialText(list[i].Serial)] = &list[i]
	}
	if len(places) == 0 {
		return nil
	}
	if err := s.addReminders(ctx, places); err != nil {
		return err
	}
	if err := s.addAttempts(ctx, places); err != nil {
		return err
	}
	alarms, err := s.alarms(ctx)
	if err != nil {
		return err
	}
	for _, a := range alarms {
		if d := places[serialText(a.Serial)]; d != nil {
			d.Alarms = append(d.Alarms, a)
		}
	}
	return nil
}

// recent bounds what is read back: nothing is due for longer than two years.
func (s *Service) recent() string { return store.Time(s.Clock().AddDate(-2, 0, 0)) }

func (s *Service) addReminders(ctx context.Context, places map[string]*Due) error {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT serial, days FROM renewal_reminder WHERE made > $1 ORDER BY days DESC`, s.recent())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var serial string
		var days int
		if err := rows.Scan(&serial, &days); err != nil {
			return err
		}
		if d := places[serial]; d != nil {
			d.Reminders = append(d.Reminders, days)
		}
	}
	return rows.Err()
}

func (s *Service) addAttempts(ctx context.Context, places map[string]*Due) error {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT serial, number, started, outcome, ended, next, failure FROM renewal_attempt
		WHERE started > $1 ORDER BY number`, s.recent())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var serial, started, ended, next string
		var a Attempt
		if err := rows.Scan(&serial, &a.Number, &started, &a.Outcome, &ended, &next, &a.Failure); err != nil {
			return err
		}
		d := places[serial]
		if d == nil {
			continue
		}
		if err := parseTimes(times{started, &a.Started}, times{ended, &a.Ended}, times{next, &a.Next}); err != nil {
			return err
		}
		d.Attempt = &a
	}
	return rows.Err()
}

type times struct {
	text string
	to   *time.Time
}

func parseTimes(list ...times) (err error) {
	for _, t := range list {
		if t.text == "" {
			continue
		}
		if *t.to, err = store.ParseTime(t.text); err != nil {
			return err
		}
	}
	return nil
}

// Alarms lists the alarms about certificates that still have no successor, the oldest first.
func (s *Service) Alarms(ctx context.Context) ([]Alarm, error) {
	list, err := s.alarms(ctx)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	now := s.Clock()
	expiring, err := s.Authority.Expiring(ctx, now.Add(-shown), now.AddDate(2, 0, 0))
	if err != nil {
		return nil, err
	}
	open := make(map[string]bool, len(expiring))
	for _, e := range expiring {
		open[serialText(e.Serial)] = true
	}
	return slices.DeleteFunc(list, func(a Alarm) bool { return !open[serialText(a.Serial)] }), nil
}

func (s *Service) alarms(ctx context.Context) ([]Alarm, error) {
	rows, err := s.DB.Read().QueryContext(ctx, `SELECT id, serial, reason, failure, raised FROM renewal_alarm WHERE raised > $1 ORDER BY raised, id`, s.recent())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Alarm
	for rows.Next() {
		var a Alarm
		var serial, raised string
		if err := rows.Scan(&a.ID, &serial, (*string)(&a.Reason), &a.Failure, &raised); err != nil {
			return nil, err
		}
		if a.Serial, err = ca.ParseSerial(serial); err != nil {
			return nil, err
		}
		if err := parseTimes(times{raised, &a.Raised}); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}
