package sealer_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"yinxin/ca"
	"yinxin/ca/cms"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/register"
	"yinxin/sealer/verify"
)

// usbKey gives the clerk an instance on a key of their own. The key lies in the test's keystore, where the service does
// not look for it.
func (h *house) usbKey() keystore.Key {
	h.t.Helper()
	key, err := h.keys.Generate(h.t.Context(), "usb", keystore.PurposeSealing)
	must(h.t, err)
	h.remake(register.UserKey, key)
	return key
}

// remake makes a new instance of the seal, which supersedes the one in the same hands.
func (h *house) remake(custody register.Custody, key keystore.Key) register.Instance {
	h.t.Helper()
	archive := fixtures.Archive("云山市")
	r := ca.Request{Profile: ca.ProfileInstitution, Public: key.Public(), Organisation: archive.Name, CreditCode: archive.CreditCode, SealCode: code}
	certificate, err := h.authority.Issue(h.t.Context(), h.agree(access.KindIssueCertificate, r.Subject()), r)
	must(h.t, err)
	o := register.Order{Code: code, Name: archive.Name, Organisation: archive.Name, CreditCode: archive.CreditCode, Type: 1, Width: 42, Height: 42,
		Template: h.template, Picture: picture(h.t), Custody: custody, Certificate: certificate.Raw}
	if o.Template == nil {
		o.Template = o.Picture
	}
	if custody == register.UserKey {
		o.Holder = h.clerk.ID
	} else {
		o.KeyName = key.Name()
	}
	in, err := h.register.Make(h.t.Context(), h.agree(access.KindMakeSeal, o.Subject()), o)
	must(h.t, err)
	return in
}

func (h *house) quota(n int) {
	h.t.Helper()
	must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), `UPDATE seal_grant SET quota = $1`, n)
		return err
	}))
}

func (h *house) used() int { return h.count(`SELECT SUM(used) FROM seal_grant`) }

func TestTheHolderOfAKeySealsWithIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		key := h.usbKey()
		job, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "key"))
		must(t, err)
		if string(job.Certificate) == string(h.certificate.Raw) {
			t.Fatal("the certificate is that of the central instance")
		}
		_, err = h.sealer.Complete(t.Context(), h.clerk, job.ID, h.sign(job)) // the service's own key is the wrong one
		wants(t, err, "sealing.bad-signature")
		value, err := key.SignDigest(t.Context(), job.Digest)
		must(t, err)
		done, err := h.sealer.Complete(t.Context(), h.clerk, job.ID, value)
		must(t, err)
		if v := h.verdict(h.bytes(done.Document)); v != verify.Valid {
			t.Error(v)
		}
		// Sealing in one step stays with the central key.
		central, err := h.sealer.Seal(t.Context(), h.clerk, order(h.upload(original(t)), ""))
		must(t, err)
		if v := h.verdict(h.bytes(central.Document)); v != verify.Valid {
			t.Error(v)
		}
	})
}

func TestTheLastUseOfAGrantIsCompleted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.quota(1)
		job, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "key"))
		must(t, err)
		_, err = h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "other"))
		wants(t, err, "seal.quota-exhausted")
		_, err = h.sealer.Complete(t.Context(), h.clerk, job.ID, h.sign(job))
		must(t, err)
		if h.used() != 1 {
			t.Errorf("%d uses", h.used())
		}
	})
}

func TestWhatEndedSincePreparationIsNotCompleted(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(h *house)
		want string
	}{
		"a revoked certificate": {func(h *house) {
			must(h.t, h.authority.SuspendAtOnce(h.t.Context(), h.registrar, h.certificate.Serial, "test"))
		}, "seal.certificate-revoked"},
		"a seal that was remade": {func(h *house) {
			key, err := h.keys.Generate(h.t.Context(), "second", keystore.PurposeSealing)
			must(h.t, err)
			h.remake(register.Central, key)
		}, "seal.superseded"},
		"a grant that was withdrawn": {func(h *house) {
			must(h.t, h.db.Write(h.t.Context(), func(tx *store.Tx) error {
				_, err := tx.ExecContext(h.t.Context(), `UPDATE seal_grant SET withdrawn = 1`)
				return err
			}))
		}, "seal.not-granted"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				job, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "key"))
				must(t, err)
				value := h.sign(job)
				c.end(h)
				_, err = h.sealer.Complete(t.Context(), h.clerk, job.ID, value)
				wants(t, err, c.want)
				if h.used() != 0 || h.stored() != 1 {
					t.Errorf("%d uses, %d objects", h.used(), h.stored())
				}
				_, err = h.sealer.Complete(t.Context(), h.clerk, job.ID, value)
				wants(t, err, "sealing.abandoned")
			})
		})
	}
}

func TestManyCompleteOneJobAndGetOneDocument(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 5 {
			job, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), ""))
			must(t, err)
			value := h.sign(job)
			released, objects, uses := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`), h.stored(), h.used()
			var all sync.WaitGroup
			documents := make([]string, 6)
			for i := range documents {
				node := h.anotherNode()
				all.Go(func() {
					done, err := node.Complete(t.Context(), h.clerk, job.ID, value)
					if err != nil {
						t.Error(err)
					}
					documents[i] = done.Document.ID
				})
			}
			all.Wait()
			for _, d := range documents {
				if d == "" || d != documents[0] {
					t.Fatalf("documents %v", documents)
				}
			}
			if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`) - released; n != 1 {
				t.Errorf("%d released", n)
			}
			if h.stored() != objects || h.used() != uses { // the update in the place of the frozen one
				t.Errorf("%d objects more, %d uses more", h.stored()-objects, h.used()-uses)
			}
		}
	})
}

func TestADiscardedJobIsGone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := order(h.upload(original(t)), "key")
		job, err := h.sealer.Prepare(t.Context(), h.clerk, o)
		must(t, err)
		wants(t, h.sealer.Discard(t.Context(), h.registrar, job.ID), "sealing.no-job")
		must(t, h.sealer.Discard(t.Context(), h.clerk, job.ID))
		wants(t, h.sealer.Discard(t.Context(), h.clerk, job.ID), "sealing.abandoned")
		if h.used() != 0 || h.stored() != 1 {
			t.Errorf("%d uses, %d objects", h.used(), h.stored())
		}
		again, err := h.sealer.Prepare(t.Context(), h.clerk, o) // the key is free
		must(t, err)
		_, err = h.sealer.Complete(t.Context(), h.clerk, again.ID, h.sign(again))
		must(t, err)
		wants(t, h.sealer.Discard(t.Context(), h.clerk, again.ID), "sealing.completed")
		_, err = h.sealer.Job(t.Context(), h.clerk, again.ID)
		wants(t, err, "sealing.completed")
		_, err = h.sealer.Prepare(t.Context(), h.clerk, o)
		wants(t, err, "sealing.completed")
		sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		if !sealed.Replayed || sealed.ID != again.ID {
			t.Errorf("%+v", sealed)
		}
	})
}

// Of a Seal and many Prepares with one key at most one goes through, and nobody is told that nothing went wrong without
// getting something.
func TestSealAndPrepareRaceForAKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 5 {
			o := order(h.upload(original(t)), "key "+time.Now().String())
			objects := h.stored()
			var all sync.WaitGroup
			var mu sync.Mutex
			jobs, sealed := 0, 0
			for i := range 8 {
				all.Go(func() {
					var err error
					var id string
					if i%2 == 0 {
						var s sealer.Sealed
						s, err = h.sealer.Seal(t.Context(), h.clerk, o)
						id = s.Document.ID
					} else {
						var j sealer.Job
						j, err = h.sealer.Prepare(t.Context(), h.clerk, o)
						id = j.ID
					}
					mu.Lock()
					defer mu.Unlock()
					switch code := fault.CodeOf(err); {
					case err == nil && id == "":
						t.Error("neither a result nor an error")
					case err == nil && i%2 == 0:
						sealed++
					case err == nil:
						jobs++
					case code != "sealing.in-progress" && code != "sealing.completed":
						t.Error(err)
					}
				})
			}
			all.Wait()
			if jobs > 1 || jobs == 1 && sealed > 0 || h.stored() != objects+1 {
				t.Errorf("%d jobs, %d sealed, %d objects more", jobs, sealed, h.stored()-objects)
			}
		}
	})
}

func TestAJobIsGivenAgainAsItWas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		job, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "key"))
		must(t, err)
		h.now = h.now.Add(time.Minute + time.Millisecond)
		again, err := h.anotherNode().Job(t.Context(), h.clerk, job.ID)
		must(t, err)
		if !again.Expires.Equal(job.Expires) || !again.Time.Equal(job.Time) || again.DataHash != job.DataHash ||
			len(again.Details.Marks) != 1 || again.Details.Marks[0] != job.Details.Marks[0] {
			t.Errorf("%+v, then %+v", job, again)
		}
	})
}

// stamps is a source of time stamps that does as it is told.
type stamps func(ctx context.Context) ([]byte, error)

func (s stamps) Stamp(ctx context.Context, _ cms.Hash, _ []byte) ([]byte, error) { return s(ctx) }

func TestSomebodyWhoGoesAwayCompletesLater(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		job, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "key"))
		must(t, err)
		value := h.sign(job)
		ctx, cancel := context.WithCancel(t.Context())
		authority := h.sealer.TimeStamps
		h.sealer.TimeStamps = stamps(func(ctx context.Context) ([]byte, error) {
			cancel()
			return nil, ctx.Err()
		})
		if _, err = h.sealer.Complete(ctx, h.clerk, job.ID, value); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		h.sealer.TimeStamps = authority
		done, err := h.sealer.Complete(t.Context(), h.clerk, job.ID, value)
		must(t, err)
		if v := h.verdict(h.bytes(done.Document)); v != verify.Valid || h.used() != 1 || h.stored() != 2 {
			t.Errorf("%s, %d uses, %d objects", v, h.used(), h.stored())
		}
	})
}

// What goes wrong after the intent is on record leaves a failed intent and nothing else.
func TestWithoutAStampNothingIsReleased(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.upload(original(t))
		const noToken = "a token that is no token"
		for name, source := range map[string]stamps{
			"an authority that fails":    func(context.Context) ([]byte, error) { return nil, errors.New("no answer") },
			"a token that has no room":   func(context.Context) ([]byte, error) { return make([]byte, 9000), nil },
			noToken:                      func(context.Context) ([]byte, error) { return []byte{0x30, 3, 2, 1, 1}, nil },
			"a token with nothing there": func(context.Context) ([]byte, error) { return nil, nil },
		} {
			h.sealer.TimeStamps = source
			for _, p := range sealer.Profiles {
				o := order(d, "")
				o.Profile = p
				failed := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'failed'`)
				_, err := h.sealer.Seal(t.Context(), h.clerk, o)
				want := "sealing.no-time-stamp"
				if name == noToken { // the authority is believed, the verifier is not
					want = "sealing.not-verified"
				}
				if got := fault.CodeOf(err); got != want {
					t.Errorf("%s, %s: %v", name, p, err)
				}
				if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'failed'`) - failed; n != 1 || h.used() != 0 || h.stored() != 1 {
					t.Errorf("%s, %s: %d failed, %d uses, %d objects", name, p, n, h.used(), h.stored())
				}
			}
		}
		h.sealer.TimeStamps, h.sealer.Evidence = h.authority, nil
		o := order(d, "")
		o.LongTerm = true
		intents := h.count(`SELECT COUNT(*) FROM sealing`)
		_, err := h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "sealing.no-evidence")
		if h.count(`SELECT COUNT(*) FROM sealing`) != intents {
			t.Error("it was found out too late")
		}
	})
}
