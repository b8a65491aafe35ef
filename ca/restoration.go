package ca

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"math/big"
	"slices"
	"strconv"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/ledger"
	"yinxin/internal/store"
)

// Restoration is what an authority must know of a restore of its database from a backup. It comes before Open.
//
// A restored database has forgotten the serial numbers and the numbers of revocation lists that were used after the
// backup. Serial numbers are random and from now on begin with another prefix, so that none comes again. The next lists
// count from a floor, the seconds of the present time: lists come less often than once a second, so no earlier one had
// such a number. What was revoked after the backup is known only from lists that were published since: see Known.
type Restoration struct {
	DB     *store.DB
	Ledger *ledger.Ledger
	Clock  func() time.Time
	Random io.Reader // nil: the operating system's
	Shards int       // as in Config
	By     string    // actor
	Made   time.Time // when the backup was made
	// Manifest is the SM3 of the backup's manifest in hexadecimal digits, and Size how many entries its ledger had.
	Manifest string
	Size     int64
	// Known are lists of the issuing CAs, in DER, that were published after the backup.
	Known [][]byte
}

// Restored is what came of a Restoration.
type Restored struct {
	OldPrefix, NewPrefix string // hexadecimal
	CRLFloor             int64
	// Lost are revoked certificates that are not on record any more; they stay on the lists. Hold are certificates on
	// record that were revoked or held after the backup: the caller puts them on hold at once (SuspendAtOnce), to be
	// confirmed by two people.
	Lost int
	Hold []*big.Int
}

// Mark records the restore, changes the prefix of serial numbers and sets the floor of list numbers, which
// are the same for all issuing CAs. Errors: ca.not-established, ca.known-crl for a list that is of none of them.
func (r Restoration) Mark(ctx context.Context) (Restored, error) {
	if r.Random == nil {
		r.Random = rand.Reader
	}
	if r.Shards <= 0 {
		r.Shards = DefaultShards
	}
	var out Restored
	authorities, err := loadAuthorities(ctx, r.DB.Read())
	if err != nil {
		return out, err
	}
	old := authorities[0].prefix
	next := make([]byte, prefixSize)
	for {
		if _, err := io.ReadFull(r.Random, next); err != nil {
			return out, err
		}
		next[0] = next[0]&0x3f | 0x40 // positive, and of full length
		if !bytes.Equal(next, old) {
			break
		}
	}
	known, number, err := r.known(authorities[1:])
	if err != nil {
		return out, err
	}
	now := r.Clock()
	err = r.DB.Write(ctx, func(tx *store.Tx) error {
		out = Restored{OldPrefix: hex.EncodeToString(old), NewPrefix: hex.EncodeToString(next)}
		var highest int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM ca_crl`).Scan(&highest); err != nil {
			return err
		}
		out.CRLFloor = max(now.Unix(), number+1, highest+1)
		if _, err := tx.ExecContext(ctx, `UPDATE ca_authority SET prefix = $1`, next); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO ca_restoration (id, happened, made, manifest, actor, old_prefix, new_prefix, crl_floor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			store.NewID("rst_"), store.Time(now), store.Time(r.Made), r.Manifest, r.By, old, next, out.CRLFloor)
		if err != nil {
			return err
		}
		for _, e := range known {
			if err := r.keep(ctx, tx, e, &out); err != nil {
				return err
			}
		}
		return record(ctx, r.Ledger, tx, now, KindRestored, r.By, "", map[string]string{"made": store.Time(r.Made), "manifest": r.Manifest,
			"size": strconv.FormatInt(r.Size, 10), "old_prefix": out.OldPrefix, "new_prefix": out.NewPrefix, "crl_floor": strconv.FormatInt(out.CRLFloor, 10),
			"lost": strconv.Itoa(out.Lost), "held": strconv.Itoa(len(out.Hold))})
	})
	return out, err
}

// KindRestored is the kind of the ledger's event of a restore: made, manifest, size, old_prefix, new_prefix, crl_floor,
// lost and held are its data.
const KindRestored = "installation.restored"

// knownEntry is an entry of a list that was published after the backup.
type knownEntry struct {
	issuer Issuer
	serial *big.Int
	chain.Revocation
}

// known reads the lists; of two that know a serial number the one with the higher list number counts.
func (r Restoration) known(issuers []authorityRow) (list []knownEntry, highest int64, err error) {
	latest := map[string]knownEntry{}
	numbers := map[string]int64{}
	for _, data := range r.Known {
		crl, err := chain.ParseCRL(data)
		if err != nil {
			return nil, 0, ErrKnownCRL.Because(err)
		}
		of := slices.IndexFunc(issuers, func(i authorityRow) bool { return crl.CheckIssuer(i.Certificate) == nil })
		if of < 0 {
			return nil, 0, ErrKnownCRL.New()
		}
		if crl.Number == nil || !crl.Number.IsInt64() {
			return nil, 0, ErrKnownCRL.New()
		}
		number := crl.Number.Int64()
		highest = max(highest, number)
		entries, err := entriesOf(data)
		if err != nil {
			return nil, 0, ErrKnownCRL.Because(err)
		}
		err = eachEntry(entries, func(serial *big.Int, _ []byte) error {
			text := SerialText(serial)
			if found, there := crl.Lookup(serial); there && text != "" && number >= numbers[text] {
				latest[text], numbers[text] = knownEntry{issuers[of].Issuer, new(big.Int).Set(serial), found}, number
			}
			return nil
		})
		if err != nil {
			return nil, 0, ErrKnownCRL.Because(err)
		}
	}
	for _, e := range latest {
		if e.Reason != chain.ReasonRemoveFromCRL {
			list = append(list, e)
		}
	}
	return list, highest, nil
}

// keep has an entry stay on the next lists.
func (r Restoration) keep(ctx context.Context, tx *store.Tx, e knownEntry, out *Restored) error {
	serial := SerialText(e.serial)
	var certificates, states int
	err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM ca_certificate WHERE serial = $1 AND state = 'issued'), (SELECT COUNT(*) FROM ca_status WHERE serial = $1)`, serial).
		Scan(&certificates, &states)
	switch {
	case err != nil:
		return err
	case states > 0:
		return nil
	case certificates > 0:
		out.Hold = append(out.Hold, e.serial)
		return nil
	}
	out.Lost++
	// Its end is not known, so it stays until the issuer's. Its shard is not known either: the complete list has it, and
	// the list that its number would be on today.
	_, err = tx.ExecContext(ctx, `INSERT INTO ca_status (serial, issuer, shard, state, reason, since, not_after) VALUES ($1, $2, $3, 'revoked', $4, $5, $6)`,
		serial, e.issuer.ID, int(new(big.Int).Mod(e.serial, big.NewInt(int64(r.Shards))).Int64())+1, e.Reason, store.Time(e.Time), store.Time(e.issuer.Certificate.NotAfter))
	return err
}

// nextNumber is one more than the last number of a list, or the floor that a restore has set.
func nextNumber(ctx context.Context, q store.Querier, last int64) (int64, error) {
	var floor int64
	err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(crl_floor), 0) FROM ca_restoration`).Scan(&floor)
	return max(last+1, floor), err
}
