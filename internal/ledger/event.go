package ledger

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"yinxin/internal/store"
)

// entryLimit bounds an entry in bytes: the ledger tells what happened, it does not store documents.
const entryLimit = 64 << 10

// Event is what happened. It must hold no secrets and no personal data: entries are never removed.
type Event struct {
	Time    time.Time         // kept to the microsecond, in UTC
	Kind    string            // what happened, "seal.signed"; required
	Actor   string            // identifier of who did it; empty for the service itself
	Subject string            // identifier of what it happened to
	Data    map[string]string // particulars: digests, numbers, reasons
}

// Entry is an event with its place in the ledger.
type Entry struct {
	Position int64 // from 0
	ID       string
	Event
	Leaf []byte // the bytes that the leaf hash covers
}

// encoded is the leaf: the field order is part of the format.
type encoded struct {
	ID      string            `json:"id"`
	Time    string            `json:"time"`
	Kind    string            `json:"kind"`
	Actor   string            `json:"actor,omitempty"`
	Subject string            `json:"subject,omitempty"`
	Data    map[string]string `json:"data,omitempty"`
}

// clean replaces what PostgreSQL refuses in a text, NUL and broken UTF-8: a business transaction must not fail because
// an odd file name went into its event.
func (e Event) clean() Event {
	clean := func(s string) string {
		return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	}
	e.Kind, e.Actor, e.Subject = clean(e.Kind), clean(e.Actor), clean(e.Subject)
	data := maps.Clone(e.Data)
	clear(data)
	for key, value := range e.Data {
		data[clean(key)] = clean(value)
	}
	e.Data = data
	return e
}

// encodeEntry makes the leaf of an event.
func encodeEntry(id string, e Event) ([]byte, error) {
	if e.Kind == "" {
		return nil, errEvent.Saying("没有种类", "no kind")
	}
	var leaf bytes.Buffer
	encoder := json.NewEncoder(&leaf)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(encoded{ID: id, Time: store.Time(e.Time), Kind: e.Kind, Actor: e.Actor, Subject: e.Subject, Data: e.Data})
	if err != nil {
		return nil, errEvent.Because(err)
	}
	entry := bytes.TrimSuffix(leaf.Bytes(), []byte("\n"))
	if len(entry) > entryLimit {
		return nil, errEvent.Sayingf("%d 字节，不得超过 %d", "%d bytes, at most %d", len(entry), entryLimit)
	}
	return entry, nil
}

// ParseEntry reads the leaf of an entry that came from elsewhere; whether it is in a ledger is for Proof.Verify to say.
func ParseEntry(position int64, leaf []byte) (Entry, error) {
	if len(leaf) > entryLimit {
		return Entry{}, errEvent.Sayingf("%d 字节，不得超过 %d", "%d bytes, at most %d", len(leaf), entryLimit)
	}
	e, err := decodeEntry(position, leaf)
	if err != nil {
		return Entry{}, errEvent.Because(err)
	}
	return e, nil
}

// decodeEntry reads a leaf.
func decodeEntry(position int64, leaf []byte) (Entry, error) {
	var e encoded
	if err := json.Unmarshal(leaf, &e); err != nil {
		return Entry{}, err
	}
	at, err := store.ParseTime(e.Time)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Position: position, ID: e.ID, Leaf: leaf,
		Event: Event{Time: at, Kind: e.Kind, Actor: e.Actor, Subject: e.Subject, Data: e.Data}}, nil
}
