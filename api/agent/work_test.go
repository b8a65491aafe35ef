//go:build cgo && !windows

package agent

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/internal/fault"
)

func TestAListIsShownAndSealedUnderOnePIN(t *testing.T) {
	w := newWorld(t)
	o := w.office(6)
	var pictures []string
	desk := &clerk{onAgree: func(q Question) {
		found, _ := filepath.Glob(filepath.Join(q.Folder, "*.png"))
		pictures = found
		if info, err := os.Stat(q.Folder); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info, err)
		}
	}}
	a := w.agent(o, desk)
	w.must(a.Once(t.Context()))
	o.check()
	if len(desk.asked) != 1 || len(desk.askedPIN) != 1 || len(desk.progress) != 6 || len(pictures) != 12 {
		t.Errorf("asked %d times, for %d PINs, told %d, %d pictures", len(desk.asked), len(desk.askedPIN), len(desk.progress), len(pictures))
	}
	q := desk.asked[0]
	if len(q.Items) != 6 || q.Items[0].Title != "i000.pdf" || q.Items[0].Pages != 2 || q.Items[0].Seal != w.instance.SealName || q.Origin != "档案查询系统" ||
		!strings.Contains(q.Items[0].Certificate, hexSM3(w.instance.Certificate)) || !strings.Contains(q.Items[0].Certificate, "until 2027-11-23") || q.Items[0].SM3 != hexSM3(o.files["i000"]) || !strings.Contains(q.Items[0].Marks, "page 1（20, 20）42×42 mm") {
		t.Errorf("%+v", q)
	}
	if left, _ := filepath.Glob(filepath.Join(a.Folder.path, pagesName, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if o.holder != "" {
		t.Error("the claim is kept")
	}
}

func TestWhatIsDeclinedIsNotSigned(t *testing.T) {
	w := newWorld(t)
	o := w.office(2)
	desk := &clerk{answer: No}
	wants(t, w.agent(o, desk).Once(t.Context()), "agent.declined")
	o.check("i000", "i001")
	if len(desk.askedPIN) != 0 || o.declined["i000"] != "agent.declined" || o.declined["i001"] != "agent.declined" {
		t.Errorf("%v", o.declined)
	}
	o = w.office(2)
	wants(t, w.agent(o, &clerk{later: true}).Once(t.Context()), "agent.later")
	o.check("i000", "i001")
	if len(o.declined) > 0 || o.holder != "" {
		t.Errorf("put off, and yet declined %v, held by %q", o.declined, o.holder)
	}
}

func TestARefusedItemLeavesTheOthersAlone(t *testing.T) {
	w := newWorld(t)
	o := w.office(4)
	o.onPrepare = func(id string, s *sealing) error {
		switch id {
		case "i001":
			s.append([]byte("\n% more\n"))
		case "i002":
			return errOffice.New()
		}
		return nil
	}
	desk := &clerk{}
	wants(t, w.agent(o, desk).Once(t.Context()), "agent.not-all")
	o.check("i001", "i002")
	if o.declined["i001"] != "agent.document" || o.declined["i002"] != "" {
		t.Errorf("%v", o.declined)
	}
	var codes []string
	for _, p := range desk.progress {
		if p.Err != nil {
			codes = append(codes, p.Title+" "+fault.CodeOf(p.Err))
		}
	}
	slices.Sort(codes)
	if !slices.Equal(codes, []string{"i001.pdf agent.document", "i002.pdf office.refused"}) || len(desk.asked[0].Items) != 2 {
		t.Errorf("%v", codes)
	}
}

// TestAManifestThatExpiredIsPreparedAnew: the person thinks for ten minutes, and is not asked again.
func TestAManifestThatExpiredIsPreparedAnew(t *testing.T) {
	w := newWorld(t)
	o := w.office(3)
	desk := &clerk{onPIN: func(PINQuestion) { w.now.move(10 * time.Minute) }}
	w.must(w.agent(o, desk).Once(t.Context()))
	o.check()
	if len(desk.asked) != 1 || o.jobs != 6 {
		t.Errorf("asked %d times, %d prepared", len(desk.asked), o.jobs)
	}
	t.Run("but not when it is something else", func(t *testing.T) {
		for name, other := range map[string]func() *sealing{
			"another document": func() *sealing { return w.prepared(original(t, 9), "seal") },
			"another place":    func() *sealing { return w.prepared(o.files["i000"], "seal", elsewhere) },
			"another name": func() *sealing {
				s := w.prepared(o.files["i000"], "seal")
				s.m.Document.Name = "another.pdf"
				return s
			},
		} {
			o := w.office(1)
			first := true
			o.onPrepare = func(_ string, s *sealing) error {
				if !first {
					title := s.m.Document.Name
					if *s = *other(); name != "another name" {
						s.m.Document.Name = title
					}
				}
				first = false
				return nil
			}
			desk := &clerk{onPIN: func(PINQuestion) { w.now.move(10 * time.Minute) }}
			wants(t, w.agent(o, desk).Once(t.Context()), "agent.not-all")
			o.check("i000")
			if fault.CodeOf(desk.progress[0].Err) != "agent.changed" {
				t.Errorf("%s: %v", name, desk.progress[0].Err)
			}
		}
	})
}

func TestTheNetworkIsLostForAMoment(t *testing.T) {
	w := newWorld(t)
	o := w.office(3)
	desk := &clerk{onPIN: func(PINQuestion) { o.Lock(); o.lost = 3; o.Unlock() }}
	w.must(w.agent(o, desk).Once(t.Context()))
	o.check()
}

// TestALostNetworkLeavesNothingHalfDone: what was sealed stays so, the rest goes on when the network is back, without a question.
func TestALostNetworkLeavesNothingHalfDone(t *testing.T) {
	w := newWorld(t)
	o := w.office(4)
	o.onComplete = func(id string) error {
		if id == "i001" {
			o.lost = 1 << 20
			return ErrUnreachable.Because(errors.New("test"))
		}
		return nil
	}
	desk := &clerk{}
	a := w.agent(o, desk)
	wants(t, a.Once(t.Context()), "agent.unreachable")
	if o.sealed["i001"] != nil {
		t.Error("sealed")
	}
	o.lost, o.onComplete = 0, nil
	w.must(a.Once(t.Context()))
	o.check()
	if len(desk.asked) != 1 || len(desk.askedPIN) != 2 {
		t.Errorf("asked %d times, %d PINs", len(desk.asked), len(desk.askedPIN))
	}
	t.Run("a second answer that was lost on the way is no second sealing", func(t *testing.T) {
		o := w.office(1)
		o.onComplete = func(string) error { return nil }
		lost := &answerLost{office: o}
		a := w.agent(lost, &clerk{})
		err := a.Once(t.Context())
		if o.sealed["i000"] == nil || err == nil {
			t.Fatalf("%v", err)
		}
		w.must(a.Once(t.Context()))
		if o.jobs != 1 {
			t.Errorf("prepared %d times", o.jobs)
		}
	})
}

func TestTheKeyIsPulledOut(t *testing.T) {
	w := newWorld(t)
	t.Run("and put in again", func(t *testing.T) {
		o := w.office(3)
		w.tokens.Fault(t, 0, "remove_at_signature = 3") // the first is the self-test
		desk := &clerk{retry: func(error) bool { w.tokens.Fault(t, 0); w.tokens.Insert(t, 0); return true }}
		w.must(w.agent(o, desk).Once(t.Context()))
		o.check()
		if len(desk.askedPIN) != 2 || len(desk.asked) != 1 || !slices.Equal(desk.told, []string{"hsm.removed"}) {
			t.Errorf("%d PINs, told %v", len(desk.askedPIN), desk.told)
		}
	})
	t.Run("and the clerk goes home", func(t *testing.T) {
		o := w.office(3)
		w.tokens.Fault(t, 0, "remove_at_signature = 3")
		defer w.tokens.Fault(t, 0)
		defer w.tokens.Insert(t, 0)
		desk := &clerk{}
		wants(t, w.agent(o, desk).Once(t.Context()), "agent.declined")
		if o.sealed["i000"] == nil || o.sealed["i002"] != nil || len(o.declined) > 0 {
			t.Errorf("%d sealed, declined %v", len(o.sealed), o.declined)
		}
		if !slices.Equal(desk.told, []string{"hsm.removed"}) {
			t.Errorf("told %v", desk.told)
		}
	})
}

func TestTheWrongKeyIsInserted(t *testing.T) {
	w := newWorld(t)
	o := w.office(1)
	w.instance = w.make(&w.otherKey().PublicKey) // the seal is on another key now
	desk := &clerk{}
	wants(t, w.agent(o, desk).Once(t.Context()), "agent.declined")
	o.check("i000")
	if !slices.Equal(desk.told, []string{"agent.wrong-key"}) {
		t.Errorf("told %v", desk.told)
	}
}

func TestALockedPINIsNotTried(t *testing.T) {
	w := newWorld(t)
	o := w.office(1)
	desk := &clerk{pins: slices.Repeat([]string{"000000"}, 20)}
	wants(t, w.agent(o, desk).Once(t.Context()), "hsm.pin-locked")
	tries := len(desk.askedPIN)
	last := desk.askedPIN[tries-1]
	if !last.Final || fault.CodeOf(last.Why) != "hsm.pin-wrong" {
		t.Errorf("after %d tries %+v", tries, last)
	}
	desk = &clerk{}
	wants(t, w.agent(o, desk).Once(t.Context()), "hsm.pin-locked")
	if len(desk.askedPIN) != 0 {
		t.Error("asked for a PIN that the token does not look at")
	}
	o.check("i000")
}

func TestAnExpiredCertificateAndAClockThatIsOff(t *testing.T) {
	w := newWorld(t)
	o := w.office(1)
	o.onPrepare = func(_ string, s *sealing) error { s.m.Issued = s.m.Issued.Add(time.Hour); return nil }
	wants(t, w.agent(o, &clerk{}).Once(t.Context()), "terminal.clock")
	o.check("i000")
	o.onPrepare = nil
	desk := &clerk{onPIN: func(PINQuestion) { w.now.move(3 * 366 * 24 * time.Hour) }}
	wants(t, w.agent(o, desk).Once(t.Context()), "agent.certificate-expired")
	o.check("i000")
	desk = &clerk{}
	wants(t, w.agent(o, desk).Once(t.Context()), "agent.not-all")
	if len(desk.asked) != 0 || codeOf(desk.progress[0].Err) != "agent.seal-expired" {
		t.Errorf("%+v", desk.progress)
	}
}

// TestTwoTerminalsDoNotSealTwice: one of them has the task.
func TestTwoTerminalsDoNotSealTwice(t *testing.T) {
	w := newWorld(t)
	o := w.office(2)
	o.holder = "two"
	wants(t, w.agent(o, &clerk{}).Once(t.Context()), codeClaimed)
	o.check("i000", "i001")
}
