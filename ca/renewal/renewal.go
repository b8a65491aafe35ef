package renewal

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"time"

	"yinxin/ca"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables of this room up to date.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "renewal", migrations) }

// Authority is what is asked of the CA; *ca.Authority has it.
type Authority interface {
	Expiring(ctx context.Context, after, until time.Time) ([]ca.Expiry, error)
	Expiry(ctx context.Context, serial *big.Int) (ca.Expiry, error)
}

var _ Authority = (*ca.Authority)(nil)

// Renewer makes the new certificate of a central seal together with the seal instance that lists it. It may be called
// again after it failed. An error with the code access.expired says that the approval carries no renewals any more; with
// ca.renewed, that there was a successor, which was taken back: that is for people.
type Renewer interface {
	Renew(ctx context.Context, e ca.Expiry) error
}

// ElsewhereRenewer renews the certificate of a central seal that another authority made, step by step: it is called again
// until made is true. byHand is the order that waits for a person meanwhile, or empty. Its errors are those of Renewer.
type ElsewhereRenewer interface {
	RenewElsewhere(ctx context.Context, e ca.Expiry) (made bool, byHand string, err error)
}

// Mail takes in mails; *mail.Mailer has it. See Compose.
type Mail interface {
	Enqueue(ctx context.Context, tx *store.Tx, source, id string) error
}

// Contacts knows how to reach the holder of a certificate: one mail address, or "" when none is known.
type Contacts interface {
	Address(ctx context.Context, serial *big.Int) (string, error)
}

// Calendar counts working days: the end of a term of n working days that begins at t. *workday.Calendar has it.
type Calendar interface {
	After(t time.Time, n int) time.Time
}

// Policy says what is due when; zero fields mean the default. It is the section "renewals" of config.json.
type Policy struct {
	// TermDays is how many working days before its end a central seal is renewed: 20, the term of acceptance with room.
	TermDays int `json:"term_days,omitempty"`
	// Reminders are the days before the end of a Key holder's certificate at which its holder is told: 30, 14, 7, 1.
	Reminders []int `json:"reminder_days,omitempty"`
	// ServiceDays is how many days before the end of a certificate of the authority's own services there is an alarm, and
	// how many before the end of another authority's certificate for a seal its renewal is ordered there: 60.
	ServiceDays int `json:"service_days,omitempty"`
}

// mostDays bounds every number of a policy: a certificate lives for a year.
const mostDays = 180

// UnmarshalJSON reads the section and checks it. Error: renewal.policy.
func (p *Policy) UnmarshalJSON(b []byte) error {
	type plain Policy // without this method
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var read plain
	if err := dec.Decode(&read); err != nil {
		return ErrPolicy.With("%s", strings.TrimPrefix(err.Error(), "json: ")).At(fault.Field("renewals"))
	}
	for _, days := range append([]int{read.TermDays, read.ServiceDays}, read.Reminders...) {
		if days < 0 || days > mostDays {
			return ErrPolicy.With("0 to %d: %d", mostDays, days).At(fault.Field("renewals"))
		}
	}
	*p = Policy(read)
	return nil
}

// ErrPolicy says that a section "renewals" is not valid.
var ErrPolicy = fault.Spec{Kind: fault.Invalid, Code: "renewal.policy",
	ZH: "证书更新配置无效。", EN: "The policy for renewals is not valid."}

func (p Policy) withDefaults() Policy {
	if p.TermDays <= 0 {
		p.TermDays = 20
	}
	if p.ServiceDays <= 0 {
		p.ServiceDays = 60
	}
	if p.Reminders = slices.DeleteFunc(slices.Clone(p.Reminders), func(d int) bool { return d <= 0 }); len(p.Reminders) == 0 {
		p.Reminders = []int{30, 14, 7, 1}
	}
	slices.Sort(p.Reminders)
	return p
}

// Config is what New needs. Without a Renewer central seals are only listed, with an alarm; without Mail nobody is told
// but the log and the lists; without Contacts and a known address there is no mail; without a Calendar every Monday to
// Friday is worked.
type Config struct {
	DB        *store.DB
	Authority Authority
	// Others adds the certificates of other authorities; nil: there are none.
	Others Others
	// Elsewhere renews those; nil: there is an alarm instead.
	Elsewhere ElsewhereRenewer
	Clock     func() time.Time
	Log       *slog.Logger
	Renewer   Renewer
	Mail      Mail
	Contacts  Contacts
	Calendar  Calendar
	Policy    Policy
	// Administrators are the addresses to which alarms go.
	Administrators []string
}

// Service is the room's door.
type Service struct{ Config }

// New gives a Service over tables that Migrate has made.
func New(c Config) *Service {
	c.Policy = c.Policy.withDefaults()
	if c.Calendar == nil {
		c.Calendar = weekdays{}
	}
	if c.Others != nil {
		c.Authority = joint{c.Authority, c.Others}
	}
	return &Service{c}
}

// weekdays is a calendar without public holidays.
type weekdays struct{}

func (weekdays) After(t time.Time, n int) time.Time {
	for n > 0 {
		t = t.AddDate(0, 0, 1)
		if t.Weekday() != time.Saturday && t.Weekday() != time.Sunday {
			n--
		}
	}
	return t
}

// Holder is what sort of holder a certificate has.
type Holder string

// The holders.
const (
	Central    Holder = "central"    // a seal that the service keeps
	Key        Holder = "key"        // a person with a USB Key
	Encryption Holder = "encryption" // the second certificate of such a person
	Own        Holder = "service"    // the authority itself and its services
	Elsewhere  Holder = "elsewhere"  // a seal that the service keeps, with a certificate of another authority
)

func holderOf(p ca.Profile) Holder {
	switch p {
	case ca.ProfileInstitution:
		return Central
	case ca.ProfilePersonal:
		return Key
	case ca.ProfileEncryption:
		return Encryption
	case profileElsewhere:
		return Elsewhere
	}
	return Own
}

const day = 24 * time.Hour

// Due is a certificate whose time is coming.
type Due struct {
	ca.Expiry
	Holder    Holder
	Days      int      // whole days to its end; 0 on the last one, negative afterwards
	Reminders []int    // borders for which reminders were made, the earliest first: 30, 14 …
	Attempt   *Attempt // the last one at its renewal
	Alarms    []Alarm
}

// shown is how long an ended certificate without a successor stays in the lists.
const shown = 30 * day

// Due lists what is due at a time by the policy, and what ended in the last 30 days without a successor, the earliest end
// first.
func (s *Service) Due(ctx context.Context, at time.Time) ([]Due, error) {
	list, err := s.Within(ctx, at, s.furthest(at))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(d Due) bool { return !s.isDue(d, at) }), nil
}

// furthest bounds, in days, what can be due.
func (s *Service) furthest(at time.Time) int {
	term := int(s.Calendar.After(at, s.Policy.TermDays).Sub(at)/day) + 2
	return max(term, s.Policy.ServiceDays, s.Policy.Reminders[len(s.Policy.Reminders)-1])
}

func (s *Service) isDue(d Due, at time.Time) bool {
	left := d.NotAfter.Sub(at)
	switch d.Holder {
	case Central:
		return s.Calendar.After(at, s.Policy.TermDays).After(d.NotAfter)
	case Own, Elsewhere:
		return left <= time.Duration(s.Policy.ServiceDays)*day
	}
	return left <= time.Duration(s.Policy.Reminders[len(s.Policy.Reminders)-1])*day
}

// Within lists the certificates without a successor that end within so many days, or ended in the last 30, the earliest
// first.
func (s *Service) Within(ctx context.Context, at time.Time, days int) ([]Due, error) {
	expiring, err := s.Authority.Expiring(ctx, at.Add(-shown), at.Add(time.Duration(days)*day))
	if err != nil {
		return nil, err
	}
	list := make([]Due, 0, len(expiring))
	for _, e := range expiring {
		list = append(list, Due{Expiry: e, Holder: holderOf(e.Profile), Days: daysLeft(e.NotAfter.Sub(at))})
	}
	return list, s.annotate(ctx, list)
}

// daysLeft counts whole days, downwards also below zero.
func daysLeft(left time.Duration) int {
	n := int(left / day)
	if left < 0 && left%day != 0 {
		n--
	}
	return n
}
