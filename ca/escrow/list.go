package escrow

import (
	"context"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// InForce is a recovery key and its split as Status shows them.
type InForce struct {
	Generation int       `json:"generation"`
	Key        string    `json:"recoveryKey"` // fingerprint
	Split      string    `json:"split"`
	Threshold  int       `json:"threshold"`
	Officers   []string  `json:"officers"` // by number of their share
	Since      time.Time `json:"since"`
	// Set is what shares are checked against.
	Set keystore.ShareSet `json:"-"`
}

// Status is how the key centre stands.
type Status struct {
	// Current is nil before the key centre is established, Pending when nothing waits for Activate.
	Current *InForce `json:"current,omitempty"`
	Pending *InForce `json:"pending,omitempty"`
	// Keys counts keys by state.
	Keys map[string]int `json:"keys"`
	// Sessions are the identifiers of open sessions, whichever process holds them.
	Sessions []string `json:"sessions"`
}

// Status says how the key centre stands, on one state of the database.
func (c *Centre) Status(ctx context.Context) (Status, error) {
	st := Status{Keys: map[string]int{}, Sessions: []string{}}
	err := c.DB.Snapshot(ctx, func(q store.Querier) error {
		var err error
		if st.Current, err = division(ctx, q, "current"); err != nil {
			return err
		}
		if st.Pending, err = division(ctx, q, "pending"); err != nil {
			return err
		}
		if err := countKeys(ctx, q, st.Keys); err != nil {
			return err
		}
		open, err := store.Column[string](q.QueryContext(ctx, `SELECT id FROM escrow_session WHERE state = 'open' ORDER BY opened, id`))
		if len(open) > 0 {
			st.Sessions = open
		}
		return err
	})
	return st, err
}

func countKeys(ctx context.Context, q store.Querier, into map[string]int) error {
	rows, err := q.QueryContext(ctx, `SELECT state, COUNT(*) FROM escrow_key GROUP BY state`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return err
		}
		into[state] = n
	}
	return rows.Err()
}

func division(ctx context.Context, q store.Querier, state string) (*InForce, error) {
	s, err := readSplit(ctx, q, `s.state = $1`, state)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := &InForce{Generation: s.key.generation, Key: keystore.FingerprintOf(s.key.public).String(), Split: s.id, Threshold: s.set.Threshold, Set: s.set}
	var created string
	if err := q.QueryRowContext(ctx, `SELECT created FROM escrow_split WHERE id = $1`, s.id).Scan(&created); err != nil {
		return nil, err
	}
	if d.Since, err = store.ParseTime(created); err != nil {
		return nil, err
	}
	d.Officers, err = store.Column[string](q.QueryContext(ctx, `SELECT officer FROM escrow_share WHERE split = $1 ORDER BY number`, s.id))
	return d, err
}

// Entry is a key in a list: the holder's name is masked.
type Entry struct {
	ID           string    `json:"id"`
	Holder       string    `json:"holder"`
	Name         string    `json:"name"` // common name of the certificate, all but its first character masked
	Organisation string    `json:"organisation"`
	Serial       string    `json:"serial"`
	State        string    `json:"state"`
	Created      time.Time `json:"created"`
	NotAfter     time.Time `json:"notAfter,omitzero"`
}

// MaxList is the most that List gives at once.
const MaxList = 500

// List gives keys in the order in which they were made, after the one with the identifier after, or from the first.
func (c *Centre) List(ctx context.Context, after string, limit int) ([]Entry, error) {
	limit = max(1, min(limit, MaxList))
	from := ""
	if after != "" {
		k, err := readKey(ctx, c.DB.Read(), after)
		if err != nil {
			return nil, err
		}
		from = k.created
	}
	return c.entries(ctx, `created > $1 OR (created = $1 AND id > $2) ORDER BY created, id LIMIT $3`, from, after, limit)
}

// entries gives the keys for which a condition holds, as it orders and limits them.
func (c *Centre) entries(ctx context.Context, condition string, args ...any) ([]Entry, error) {
	rows, err := c.DB.Read().QueryContext(ctx, selectKey+` WHERE `+condition, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Entry
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		e, err := k.entry()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

func (k stored) entry() (Entry, error) {
	e := Entry{ID: k.id, Holder: k.holder, Serial: k.serial.String, State: k.state}
	var err error
	if e.Created, err = store.ParseTime(k.created); err != nil {
		return e, err
	}
	if k.certificate == nil {
		return e, nil
	}
	if e.NotAfter, err = store.ParseTime(k.notAfter.String); err != nil {
		return e, err
	}
	certificate, err := chain.ParseCertificate(k.certificate)
	if err != nil {
		return e, ErrDamaged.With("%s", k.id).Because(err)
	}
	e.Name, e.Organisation = maskName(certificate.Subject.CommonName), certificate.Subject.Organisation
	return e, nil
}

func maskName(name string) string {
	runes := []rune(name)
	if len(runes) == 0 {
		return ""
	}
	return string(runes[:1]) + strings.Repeat("*", max(1, len(runes)-1))
}

// Key gives one entry: escrow.not-found.
func (c *Centre) Key(ctx context.Context, id string) (Entry, error) {
	k, err := readKey(ctx, c.DB.Read(), id)
	if err != nil {
		return Entry{}, err
	}
	return k.entry()
}

// ByCertificate gives the identifier of the key of an encryption certificate, by its serial number in hexadecimal digits:
// escrow.not-found. A certificate that was renewed for the same key leads to it as well.
func (c *Centre) ByCertificate(ctx context.Context, serial string) (string, error) {
	k, err := scanKey(c.DB.Read().QueryRowContext(ctx, selectKey+` WHERE public_key =
		(SELECT public_key FROM ca_certificate WHERE serial = $1 AND profile = 'encryption' AND state = 'issued')`, strings.ToLower(serial)))
	return k.id, err
}

// last is the certificate of a key that ends last: its renewals are for the same key.
func (k stored) last(ctx context.Context, q store.Querier) (certificate []byte, notAfter time.Time, err error) {
	var end string
	err = q.QueryRowContext(ctx, `SELECT certificate, not_after FROM ca_certificate WHERE public_key = $1 AND profile = 'encryption' AND state = 'issued'
		ORDER BY not_after DESC, serial LIMIT 1`, k.public).Scan(&certificate, &end)
	if err != nil {
		return nil, time.Time{}, err
	}
	notAfter, err = store.ParseTime(end)
	return certificate, notAfter, err
}
