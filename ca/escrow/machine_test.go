package escrow_test

import (
	"context"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"pgregory.net/rapid"

	"yinxin/ca/envelope"
	"yinxin/ca/escrow"
	"yinxin/internal/access"
)

// machine knows what a session ought to be and compares after every step.
type machine struct {
	w         *world
	people    []person
	id        string // of the session
	open      bool
	round     int
	expires   time.Time
	held      map[int]bool // shares that were accepted in this round
	refused   int
	recipient *sm2.PrivateKey
	target    person
	before    int // recoveries on record when it began
	recovered int
}

// No order of steps gives a key to anybody without an approval, a live session and enough right shares of their officers.
func TestNoOrderOfStepsGivesAKeyWithoutEnoughOfficers(t *testing.T) {
	w := sqliteWorld(t).established()
	people := []person{w.issue("王五"), w.issue("赵六")}
	rapid.Check(t, func(r *rapid.T) {
		m := &machine{w: w, people: people, before: w.count(`SELECT COUNT(*) FROM escrow_session WHERE state = 'done'`)}
		r.Repeat(map[string]func(*rapid.T){
			"start":   m.start,
			"present": m.present,
			"wait":    m.wait,
			"resume":  m.resume,
			"restart": func(*rapid.T) { w.Centre = w.open(); m.held = nil },
			"finish":  m.finish,
			"":        m.check,
		})
	})
}

// live says whether the process holds the session.
func (m *machine) live() bool { return m.open && m.held != nil && m.w.time().Before(m.expires) }

func (m *machine) start(r *rapid.T) {
	if m.open {
		r.Skip("one at a time")
	}
	m.target = rapid.SampledFrom(m.people).Draw(r, "person")
	var o escrow.Recovery
	o, m.recipient = m.w.recovery(m.target)
	id, err := m.w.access.Request(context.Background(), m.w.registrar, o.Kind(), o.Subject())
	must(r, err)
	approved := rapid.Bool().Draw(r, "approved")
	if approved {
		must(r, m.w.access.Approve(context.Background(), m.w.approver, id))
	}
	s, err := m.w.Start(context.Background(), m.w.registrar, id, o)
	if (err == nil) != approved {
		r.Fatalf("approved %v, error %v", approved, err)
	}
	if err == nil {
		m.id, m.open, m.round, m.expires, m.refused, m.held = s.ID, true, 1, s.Expires, 0, map[int]bool{}
	}
}

func (m *machine) present(r *rapid.T) {
	if m.id == "" {
		r.Skip("no session yet")
	}
	i := rapid.IntRange(0, 2).Draw(r, "share")
	officer := rapid.SampledFrom([]string{officers[i], officers[i], officers[i], "zheng"}).Draw(r, "officer")
	was := m.live()
	_, err := m.w.Present(context.Background(), access.Actor{ID: officer}, m.id, m.w.shares[i].Share)
	right := officer == officers[i]
	if (err == nil) != (was && right && !m.held[i]) {
		r.Fatalf("live %v, officer %s, held %v: %v", was, officer, m.held, err)
	}
	switch {
	case err == nil:
		m.held[i] = true
	case was && !right:
		if m.refused++; m.refused == 5 {
			m.open = false
		}
	case !was:
		m.held = nil
	}
}

func (m *machine) wait(r *rapid.T) {
	m.w.pass(time.Duration(rapid.IntRange(1, 20).Draw(r, "minutes")) * time.Minute)
}

func (m *machine) resume(r *rapid.T) {
	if m.id == "" {
		r.Skip("no session yet")
	}
	s, err := m.w.Resume(context.Background(), m.w.registrar, m.id)
	if (err == nil) != (m.open && m.round < 3) {
		r.Fatalf("open %v, round %d: %v", m.open, m.round, err)
	}
	if err != nil {
		m.open = false
		return
	}
	m.round++
	m.expires, m.held = s.Expires, map[int]bool{}
}

func (m *machine) finish(r *rapid.T) {
	if m.id == "" {
		r.Skip("no session yet")
	}
	enough := m.live() && len(m.held) >= 2
	out, err := m.w.Finish(context.Background(), m.w.registrar, m.id)
	if (err == nil) != enough {
		r.Fatalf("live %v, held %v: %v", m.live(), m.held, err)
	}
	if err != nil {
		if !m.live() {
			m.held = nil
		}
		return
	}
	k, err := envelope.Parse(out.Envelope)
	must(r, err)
	key, err := k.Open(m.recipient)
	must(r, err)
	if !key.PublicKey.Equal(m.target.encryption.PublicKey) {
		r.Fatal("another key came out")
	}
	m.open, m.held = false, nil
	m.recovered++
}

// check compares the record with what happened.
func (m *machine) check(r *rapid.T) {
	if n := m.w.count(`SELECT COUNT(*) FROM escrow_session WHERE state = 'done'`); n != m.before+m.recovered {
		r.Fatalf("%d recoveries on record, %d happened", n, m.recovered)
	}
	if n := m.w.count(`SELECT COUNT(*) FROM escrow_session s JOIN access_approval a ON a.id = s.approval WHERE a.used = 1 AND a.requester <> a.approver`); n != m.w.count(`SELECT COUNT(*) FROM escrow_session`) {
		r.Fatal("a session without two people")
	}
	if n := m.w.count(`SELECT COUNT(*) FROM escrow_session WHERE id = $1 AND state = 'open'`, m.id); (n == 1) != m.open {
		r.Fatalf("the session is open: %v, want %v", n == 1, m.open)
	}
}
