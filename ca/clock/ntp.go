package clock

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"io"
	"net"
	"time"
)

// The packet of NTP version 4 (RFC 5905 7.3), of which a client needs little (RFC 4330):
//
//	leap 2 bits, version 3, mode 3 | stratum 8 | poll 8 | precision 8 | root delay 32 | root dispersion 32 | reference 32 |
//	reference time 64 | origin time 64 | receive time 64 | transmit time 64
const (
	ntpSize     = 48
	ntpClient   = 4<<3 | 3 // version 4, mode client
	ntpServer   = 4        // mode
	ntpUnsynced = 3        // leap
	maxStratum  = 15
)

// ntpAnswer is what a server said.
type ntpAnswer struct {
	received, transmitted time.Time
	// uncertainty is how far the server may be off itself.
	uncertainty time.Duration
}

// ntpQuestion writes a request that tells nothing of us: the transmit time is random and only binds the answer.
func ntpQuestion(cookie [8]byte) []byte {
	packet := make([]byte, ntpSize)
	packet[0] = ntpClient
	copy(packet[40:], cookie[:])
	return packet
}

// parseNTP reads the answer to a question. near says in which era of 136 years it was given. Errors: ErrReference with
// the field.
func parseNTP(packet []byte, cookie [8]byte, near time.Time) (ntpAnswer, error) {
	var a ntpAnswer
	if len(packet) < ntpSize {
		return a, ErrReference.With("%d bytes", len(packet))
	}
	switch {
	case subtle.ConstantTimeCompare(packet[24:32], cookie[:]) != 1:
		return a, ErrReference.Saying("origin 时间不符", "origin time")
	case packet[0]&7 != ntpServer:
		return a, ErrReference.With("mode")
	case packet[0]>>6 == ntpUnsynced:
		return a, ErrReference.Saying("未同步", "not synchronised")
	case packet[1] == 0 || packet[1] > maxStratum: // 0 is a refusal
		return a, ErrReference.With("stratum %d", packet[1])
	case binary.BigEndian.Uint64(packet[32:]) == 0 || binary.BigEndian.Uint64(packet[40:]) == 0:
		return a, ErrReference.Saying("没有时间", "no time")
	}
	a.received, a.transmitted = ntpTime(packet[32:], near), ntpTime(packet[40:], near)
	if a.transmitted.Before(a.received) {
		return a, ErrReference.Saying("transmit 时间不符", "transmit time")
	}
	short := func(b []byte) time.Duration { // 16 bits of seconds, 16 of a fraction
		return time.Duration(uint64(binary.BigEndian.Uint32(b)) * uint64(time.Second) >> 16)
	}
	a.uncertainty = short(packet[4:])/2 + short(packet[8:])
	return a, nil
}

// ntpTime reads 32 bits of seconds since 1900 and 32 of a fraction, in the era that is nearest.
func ntpTime(b []byte, near time.Time) time.Time {
	const era = 1 << 32
	epoch := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	seconds := epoch + int64(binary.BigEndian.Uint32(b))
	seconds += (near.Unix() - seconds + era/2) / era * era
	nanoseconds := uint64(binary.BigEndian.Uint32(b[4:])) * uint64(time.Second) >> 32
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

// NTP is a server of the Network Time Protocol at an address "host:123". dial is net.Dialer.DialContext or like it.
func NTP(address string, dial func(ctx context.Context, network, address string) (net.Conn, error)) Reference {
	return ntp{address, dial, rand.Reader}
}

type ntp struct {
	address string
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	random  io.Reader
}

func (n ntp) Name() string { return "ntp://" + n.address }

// Read asks once. The offset is the mean of those of both ways (RFC 5905 8).
func (n ntp) Read(ctx context.Context, now func() time.Time) (Reading, error) {
	fail := func(err error) (Reading, error) {
		return Reading{}, ErrReference.With("%s", n.Name()).Because(err)
	}
	var cookie [8]byte
	if _, err := io.ReadFull(n.random, cookie[:]); err != nil {
		return fail(err)
	}
	connection, err := n.dial(ctx, "udp", n.address)
	if err != nil {
		return fail(err)
	}
	defer connection.Close()
	// Whoever ends the context ends the waiting.
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer stop()
	sent := now()
	if _, err := connection.Write(ntpQuestion(cookie)); err != nil {
		return fail(err)
	}
	packet := make([]byte, 512)
	size, err := connection.Read(packet)
	received := now()
	if err != nil {
		return fail(err)
	}
	a, err := parseNTP(packet[:size], cookie, received)
	if err != nil {
		return fail(err)
	}
	// The two clocks are not equally fine, so this may be a little below zero.
	way := (received.Sub(sent) - a.transmitted.Sub(a.received)).Abs()
	there, back := a.received.Sub(sent.Round(0)), a.transmitted.Sub(received.Round(0))
	return Reading{Offset: there/2 + back/2, Uncertainty: way/2 + a.uncertainty}, nil
}
