package ca

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
)

// The root is offline. What it is to sign travels to it in a RootOrder, a file; what it signed, a revocation list, travels
// back and is taken in by ImportRootCRL. The offline machine needs no database.

// maxRootOrder bounds an order that is read, in bytes: a root certifies a handful of authorities.
const maxRootOrder = 1 << 20

// RootOrder is what the offline root is asked for: its next revocation list, and perhaps a certificate.
type RootOrder struct {
	Format  int         `json:"format"`
	Root    []byte      `json:"root"`     // its certificate, DER
	LastCRL []byte      `json:"last_crl"` // its newest list, DER
	Add     []RootEntry `json:"add"`      // what the newest list does not have
	Remove  []string    `json:"remove"`   // serial numbers whose hold was ended
	// Issuing, if set, also asks for a new certificate of an issuing CA: see OrderIssuing.
	Issuing *IssuingOrder `json:"issuing,omitempty"`
}

// RootEntry is a certificate of the root that is not good any more.
type RootEntry struct {
	Serial string    `json:"serial"` // hexadecimal
	Reason Reason    `json:"reason"`
	Since  time.Time `json:"since"`
}

// RootOrder says what the next list of the root must have, from the states that are recorded.
func (a *Authority) RootOrder(ctx context.Context) (RootOrder, error) {
	last, err := lastCRL(ctx, a.DB.Read(), rootID, 0)
	if err != nil {
		return RootOrder{}, err
	}
	o := RootOrder{Format: 1, Root: a.root.Raw, LastCRL: last.data}
	crl, err := chain.ParseCRL(last.data)
	if err != nil {
		return o, err
	}
	states, err := a.rootStates(ctx)
	if err != nil {
		return o, err
	}
	for _, e := range states {
		serial, err := ParseSerial(e.Serial)
		if err != nil {
			return o, errOwnCRL
		}
		if was, there := crl.Lookup(serial); there && was.Reason == int(e.Reason) {
			continue
		} else if there { // a hold that became final: the entry is replaced
			o.Remove = append(o.Remove, e.Serial)
		}
		o.Add = append(o.Add, e)
	}
	entries, err := entriesOf(last.data)
	if err != nil {
		return o, err
	}
	err = eachEntry(entries, func(serial *big.Int, _ []byte) error {
		text := SerialText(serial)
		if slices.ContainsFunc(states, func(e RootEntry) bool { return e.Serial == text }) {
			return nil
		}
		may, err := mayVanish(ctx, a.DB.Read(), serial, last.thisUpdate)
		if may {
			o.Remove = append(o.Remove, text)
		}
		return err
	})
	return o, err
}

func (a *Authority) rootStates(ctx context.Context) ([]RootEntry, error) {
	rows, err := a.DB.Read().QueryContext(ctx, `SELECT serial, reason, since FROM ca_status WHERE issuer = 'root' ORDER BY serial`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []RootEntry
	for rows.Next() {
		var e RootEntry
		var since string
		if err := rows.Scan(&e.Serial, &e.Reason, &since); err != nil {
			return nil, err
		}
		if e.Since, err = store.ParseTime(since); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// ParseRootOrder reads an order and checks it against itself: the list is the root's. Error: ca.root-order.
func ParseRootOrder(data []byte) (RootOrder, *chain.Certificate, *chain.CRL, error) {
	var o RootOrder
	if len(data) > maxRootOrder {
		return o, nil, nil, ErrRootOrder.With("> %d B", maxRootOrder)
	}
	if err := json.Unmarshal(data, &o); err != nil || o.Format != 1 {
		return o, nil, nil, ErrRootOrder.Because(err)
	}
	root, err := chain.ParseCertificate(o.Root)
	if err != nil {
		return o, nil, nil, ErrRootOrder.At(fault.Field("root")).Because(err)
	}
	last, err := chain.ParseCRL(o.LastCRL)
	if err == nil {
		err = last.CheckIssuer(root)
	}
	if err != nil {
		return o, nil, nil, ErrRootOrder.At(fault.Field("last_crl")).Because(err)
	}
	for i, e := range o.Add {
		if n, err := ParseSerial(e.Serial); err != nil || SerialText(n) == "" || e.Since.IsZero() || !e.Reason.Final() && e.Reason != ReasonCertificateHold {
			return o, nil, nil, ErrRootOrder.At(fault.Field(fmt.Sprintf("add[%d]", i)))
		}
	}
	return o, root, last, nil
}

// SignRootCRL makes the list that was ordered, with the root's key, at a time. Its number is the seconds of that time,
// or one more than the last where that is higher, so that it also exceeds lists that a restored database has forgotten.
// Errors: ca.root-order, ca.key where the key is not the root's, ca.clock where the time is before the last list.
func SignRootCRL(ctx context.Context, key keystore.Key, data []byte, now time.Time) ([]byte, error) {
	o, root, last, err := ParseRootOrder(data)
	if err != nil {
		return nil, err
	}
	if !key.Public().Equal(root.PublicKey) {
		return nil, ErrKey.With("%s", KeyRoot)
	}
	now = now.UTC().Truncate(time.Second)
	if now.Before(last.ThisUpdate) {
		return nil, ErrClock.With("%s < %s", now.Format(time.RFC3339), last.ThisUpdate.Format(time.RFC3339))
	}
	if last.Number == nil || !last.Number.IsInt64() {
		return nil, ErrRootOrder.At(fault.Field("last_crl"))
	}
	l := list{issuer: root, number: max(last.Number.Int64()+1, now.Unix()), thisUpdate: now, nextUpdate: now.Add(RootCRLValidity)}
	if l.entries, err = keptEntries(o.LastCRL, o.Remove); err != nil {
		return nil, ErrRootOrder.At(fault.Field("last_crl")).Because(err)
	}
	for _, e := range o.Add {
		serial, err := ParseSerial(e.Serial)
		if err != nil {
			return nil, err
		}
		if l.entries, err = (entry{serial: serial, since: e.Since, reason: e.Reason}).appendTo(l.entries); err != nil {
			return nil, err
		}
	}
	signed, err := l.sign(ctx, key)
	if err != nil {
		return nil, err
	}
	crl, err := chain.ParseCRL(signed)
	if err != nil {
		return nil, ErrLint.Because(err)
	}
	return signed, crl.CheckIssuer(root)
}

// keptEntries are the entries of a list, without some, as they stand there.
func keptEntries(crl []byte, without []string) (kept []byte, err error) {
	entries, err := entriesOf(crl)
	if err != nil {
		return nil, err
	}
	err = eachEntry(entries, func(serial *big.Int, raw []byte) error {
		if !slices.Contains(without, SerialText(serial)) {
			kept = append(kept, raw...)
		}
		return nil
	})
	return kept, err
}

// ImportRootCRL takes in a list that the offline root signed. It must be the root's, newer than the last one, in force
// now, without an entry missing that must be there, and with every change that waits for it; by is who brought it.
// Errors: ca.root-crl, ca.crl-entry-vanished, ca.clock.
func (a *Authority) ImportRootCRL(ctx context.Context, by string, data []byte) error {
	crl, err := chain.ParseCRL(data)
	if err == nil {
		err = crl.CheckIssuer(a.root)
	}
	if err != nil {
		return ErrRootCRL.Because(err)
	}
	now := a.Clock()
	switch {
	case crl.Number == nil || !crl.Number.IsInt64():
		return ErrRootCRL.Saying("没有编号", "it has no number")
	case crl.ThisUpdate.After(now.Add(5 * time.Minute)):
		return ErrRootCRL.Saying("签发时间晚于现在", "it was made in the future")
	case !crl.NextUpdate.After(now):
		return ErrRootCRL.Saying("已过期", "it has expired")
	}
	a.publishing.Lock()
	defer a.publishing.Unlock()
	last, err := lastCRL(ctx, a.DB.Read(), rootID, 0)
	if err != nil && !fault.Has(err, ErrNoCRL) {
		return err
	}
	if crl.Number.Int64() <= last.number || crl.ThisUpdate.Before(last.thisUpdate) {
		return ErrRootCRL.Saying(fmt.Sprintf("编号 %s 不大于已发布的 %d，或更早", crl.Number, last.number),
			fmt.Sprintf("number %s is not above %d, or it is older", crl.Number, last.number))
	}
	waiting, err := waitingEvents(ctx, a.DB.Read(), rootID, 0)
	if err != nil {
		return err
	}
	states, err := a.rootStates(ctx)
	if err != nil {
		return err
	}
	for _, e := range states {
		serial, err := ParseSerial(e.Serial)
		if err != nil {
			return err
		}
		if _, there := crl.Lookup(serial); !there {
			return ErrRootCRL.Saying("缺少已撤销的证书 "+e.Serial, "a revoked certificate is missing: "+e.Serial)
		}
	}
	l := list{issuer: a.root, number: crl.Number.Int64(), thisUpdate: crl.ThisUpdate, nextUpdate: crl.NextUpdate}
	if err := compare(ctx, a.DB.Read(), last, crl); err != nil {
		return err
	}
	digest := sm3.Sum(data)
	return a.DB.Write(ctx, func(tx *store.Tx) error {
		if err := insertCRL(ctx, tx, publication{name: rootID, issuer: a.root}, edition{list: l, der: data, crl: crl, count: crl.Len()}, waiting); err != nil {
			return err
		}
		return a.record(ctx, tx, now, "crl.imported", by, rootID, map[string]string{
			"number": strconv.FormatInt(l.number, 10), "entries": strconv.Itoa(crl.Len()), "crl": hex.EncodeToString(digest[:])})
	})
}
