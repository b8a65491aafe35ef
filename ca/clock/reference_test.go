package clock

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"yinxin/internal/fault"
)

// put writes an NTP time.
func put(b []byte, t time.Time) {
	seconds := t.Unix() - time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	binary.BigEndian.PutUint32(b, uint32(seconds))
	binary.BigEndian.PutUint32(b[4:], uint32(uint64(t.Nanosecond())<<32/uint64(time.Second)))
}

func sound(question []byte, at time.Time) []byte {
	p := make([]byte, ntpSize)
	p[0], p[1] = 4<<3|4, 2
	binary.BigEndian.PutUint32(p[4:], 1<<14) // root delay 0.25 s
	binary.BigEndian.PutUint32(p[8:], 1<<13) // root dispersion 0.125 s
	copy(p[24:], question[40:48])
	put(p[32:], at)
	put(p[40:], at.Add(time.Millisecond))
	return p
}

func TestAnNTPServerIsReadOverTheNetwork(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	defer server.Close()
	const ahead = 90 * time.Second
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			if n == ntpSize && b[0] == ntpClient {
				_, _ = server.WriteTo(sound(b[:n], time.Now().Add(ahead)), from)
			}
		}
	}()
	r := NTP(server.LocalAddr().String(), (&net.Dialer{}).DialContext)
	reading, err := r.Read(t.Context(), time.Now)
	if err != nil || (reading.Offset-ahead).Abs() > 200*time.Millisecond || reading.Uncertainty < 250*time.Millisecond || reading.Uncertainty > time.Second {
		t.Errorf("%+v, %v", reading, err)
	}
	// Two questions never have the same cookie.
	a, b := ntpQuestion([8]byte{1}), ntpQuestion([8]byte{2})
	if len(a) != ntpSize || string(a) == string(b) {
		t.Error("questions")
	}
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := NTP(silent.LocalAddr().String(), (&net.Dialer{}).DialContext).Read(ctx, time.Now); !fault.Has(err, ErrReference) {
		t.Errorf("a server that never answers: %v", err)
	}
}

func TestAnNTPAnswerMustAnswerTheQuestion(t *testing.T) {
	cookie := [8]byte{1, 2, 3}
	at := time.Date(2026, 3, 5, 8, 0, 0, 250_000_000, time.UTC)
	good := sound(ntpQuestion(cookie), at)
	a, err := parseNTP(good, cookie, at)
	if err != nil || !a.received.Equal(at) || a.transmitted.Sub(a.received).Round(time.Microsecond) != time.Millisecond || a.uncertainty != 250*time.Millisecond {
		t.Errorf("%+v, %v", a, err)
	}
	for name, spoil := range map[string]func(p []byte) []byte{
		"short":                  func(p []byte) []byte { return p[:ntpSize-1] },
		"empty":                  func(p []byte) []byte { return nil },
		"another's":              func(p []byte) []byte { p[24]++; return p },
		"a client's":             func(p []byte) []byte { p[0] = ntpClient; return p },
		"not synchronised":       func(p []byte) []byte { p[0] |= 0xc0; return p },
		"a refusal":              func(p []byte) []byte { p[1] = 0; return p },
		"stratum 16":             func(p []byte) []byte { p[1] = 16; return p },
		"no time":                func(p []byte) []byte { clear(p[40:48]); return p },
		"sent before it came in": func(p []byte) []byte { put(p[40:], at.Add(-time.Second)); return p },
	} {
		if _, err := parseNTP(spoil(append([]byte{}, good...)), cookie, at); !fault.Has(err, ErrReference) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The seconds of NTP run over on 7 February 2036.
func TestNTPErasFollowOneAnother(t *testing.T) {
	for _, at := range []time.Time{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC),
		time.Date(2036, 2, 7, 6, 28, 17, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)} {
		b := make([]byte, 8)
		put(b, at)
		for _, off := range []time.Duration{0, -10 * 365 * 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
			if got := ntpTime(b, at.Add(off)); !got.Equal(at) {
				t.Errorf("%v near %v is read as %v", at, at.Add(off), got)
			}
		}
	}
}

func FuzzNTP(f *testing.F) {
	f.Add(sound(ntpQuestion([8]byte{1}), begin))
	f.Fuzz(func(t *testing.T, packet []byte) {
		if a, err := parseNTP(packet, [8]byte{1}, begin); err == nil && a.uncertainty < 0 {
			t.Error(a)
		}
	})
}

func TestAWebServerIsAReferenceToTheSecond(t *testing.T) {
	var age, date string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if age != "" {
			w.Header().Set("Age", age)
		}
		if date != "" {
			w.Header().Set("Date", date)
		}
	}))
	defer server.Close()
	r := HTTP(server.URL, server.Client())
	reading, err := r.Read(t.Context(), time.Now)
	if err != nil || reading.Offset.Abs() > time.Second || reading.Uncertainty < 500*time.Millisecond {
		t.Errorf("%+v, %v", reading, err)
	}
	date = time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if reading, err = r.Read(t.Context(), time.Now); err != nil || (reading.Offset-time.Hour).Abs() > time.Second {
		t.Errorf("%+v, %v", reading, err)
	}
	age = "5"
	if _, err = r.Read(t.Context(), time.Now); !fault.Has(err, ErrReference) {
		t.Errorf("a cache: %v", err)
	}
	age, date = "", "yesterday"
	if _, err = r.Read(t.Context(), time.Now); !fault.Has(err, ErrReference) {
		t.Errorf("no date: %v", err)
	}
	if _, err = (Server{Called: "s", Time: func(context.Context) (time.Time, error) { return time.Time{}, errors.New("down") }}).Read(t.Context(), time.Now); !fault.Has(err, ErrReference) {
		t.Errorf("%v", err)
	}
}
