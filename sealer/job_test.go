package sealer_test

import (
	"bytes"
	"testing"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/pdf"
	"yinxin/sealer/verify"
)

// sign does what a terminal does that holds the key.
func (h *house) sign(j sealer.Job) []byte {
	h.t.Helper()
	key, err := h.keys.Get(h.t.Context(), "seal")
	must(h.t, err)
	value, err := key.SignDigest(h.t.Context(), j.Digest)
	must(h.t, err)
	return value
}

// anotherNode is a second process over the same database and files.
func (h *house) anotherNode() *sealer.Service { return sealer.New(h.sealer.Config) }

func TestAnotherProcessCompletesWhatOnePrepared(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, p := range sealer.Profiles {
			o := order(h.upload(original(t)), "job-"+string(p))
			o.Profile, o.NoTimeStamp = p, true
			job, err := h.sealer.Prepare(t.Context(), h.clerk, o)
			must(t, err)
			node := h.anotherNode()
			again, err := node.Job(t.Context(), h.clerk, job.ID)
			must(t, err)
			if !bytes.Equal(again.ToSign, job.ToSign) || again.Digest != job.Digest || again.ByteRange != job.ByteRange {
				t.Fatalf("%s: another process would sign something else", p)
			}
			done, err := node.Complete(t.Context(), h.clerk, job.ID, h.sign(job))
			must(t, err)
			if v := h.verdict(h.bytes(done.Document)); v != verify.Valid {
				t.Errorf("%s: %s", p, v)
			}
			repeated, err := h.sealer.Complete(t.Context(), h.clerk, job.ID, h.sign(job))
			must(t, err)
			if !repeated.Replayed || repeated.Document.ID != done.Document.ID {
				t.Errorf("%s: completed twice: %+v", p, repeated)
			}
		}
		if n, want := h.stored(), 6; n != want { // three originals, three updates: nothing frozen is left
			t.Errorf("%d objects are stored, want %d", n, want)
		}
	})
}

func TestTheSameSignatureGivesTheSameBytesOnEveryNode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.upload(original(t))
		var files [][]byte
		var value []byte
		for i := range 2 {
			o := order(d, "")
			o.NoTimeStamp = true
			job, err := h.sealer.Prepare(t.Context(), h.clerk, o)
			must(t, err)
			if i == 0 {
				value = h.sign(job)
			}
			done, err := h.anotherNode().Complete(t.Context(), h.clerk, job.ID, value)
			must(t, err)
			files = append(files, h.bytes(done.Document))
		}
		if !bytes.Equal(files[0], files[1]) {
			t.Error("the same document, seal, time and signature gave different bytes")
		}
	})
}

func TestAJobIsRefusedToOthersAndAfterItsTime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		job, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "key"))
		must(t, err)
		value := h.sign(job)
		_, err = h.sealer.Complete(t.Context(), h.registrar, job.ID, value)
		wants(t, err, "sealing.no-job")
		_, err = h.sealer.Complete(t.Context(), h.clerk, "q_unknown", value)
		wants(t, err, "sealing.no-job")
		_, err = h.sealer.Complete(t.Context(), h.clerk, job.ID, []byte("not a signature"))
		wants(t, err, "sealing.bad-signature")
		other, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "other"))
		must(t, err)
		_, err = h.sealer.Complete(t.Context(), h.clerk, job.ID, h.sign(sealer.Job{Digest: [32]byte{1}}))
		wants(t, err, "sealing.bad-signature")
		must(t, h.sealer.Discard(t.Context(), h.clerk, other.ID))
		_, err = h.sealer.Complete(t.Context(), h.clerk, other.ID, h.sign(other))
		wants(t, err, "sealing.abandoned")
		h.now = h.now.Add(sealer.JobLife + time.Second)
		_, err = h.sealer.Complete(t.Context(), h.clerk, job.ID, value)
		wants(t, err, "sealing.abandoned")
		if n, err := h.sealer.Recover(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d recovered, %v", n, err)
		}
		if n := h.stored(); n != 2 {
			t.Errorf("%d objects are stored, want the two originals", n)
		}
		if n := h.count(`SELECT SUM(used) FROM seal_grant`); n != 0 {
			t.Errorf("%d uses are counted for nothing", n)
		}
	})
}

func TestAJobOfASuspendedSealIsNotCompleted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		job, err := h.sealer.Prepare(t.Context(), h.clerk, order(h.upload(original(t)), "key"))
		must(t, err)
		must(t, h.register.Suspend(t.Context(), h.approver, code, "lost"))
		_, err = h.sealer.Complete(t.Context(), h.clerk, job.ID, h.sign(job))
		wants(t, err, "seal.suspended")
	})
}

func TestEveryProfileIsStampedAndLastsLong(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, p := range sealer.Profiles {
			o := order(h.upload(original(t)), "")
			o.Profile, o.LongTerm = p, true
			sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
			must(t, err)
			b := h.bytes(sealed.Document)
			if v := h.verdict(b); v != verify.Valid {
				t.Fatalf("%s: %s", p, v)
			}
			signed := h.now
			// Two years on every certificate of the seal has expired; what the file carries still proves it.
			h.now = h.now.AddDate(2, 0, 0)
			r := verify.File(t.Context(), "old.pdf", bytes.NewReader(b), int64(len(b)), verify.Options{Chain: h.offline(), At: h.now, Language: "en"})
			if r.Verdict != verify.Valid {
				t.Errorf("%s: two years later: %s: %s", p, r.Verdict, r.Summary)
			}
			h.now = signed.AddDate(0, 3, 0)
			extended, err := h.sealer.Extend(t.Context(), h.clerk, sealed.Document.ID)
			must(t, err)
			renewed := h.bytes(extended)
			if !bytes.HasPrefix(renewed, b) || h.verdict(renewed) != verify.Valid {
				t.Errorf("%s: renewed: %s", p, h.verdict(renewed))
			}
			// The clock stays: no stamp is earlier than one before.
		}
	})
}

func TestWithoutATimeStampTheTimeIsNotProved(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := order(h.upload(original(t)), "")
		o.NoTimeStamp = true
		sealed, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		b := h.bytes(sealed.Document)
		h.now = h.now.AddDate(2, 0, 0)
		if v := h.verdict(b); v != verify.Undetermined {
			t.Errorf("two years later: %s", v)
		}
	})
}

func TestOrdersSayWhatIsWrongWithThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		d := h.upload(original(t))
		for name, change := range map[string]func(*sealer.Order){
			"profile": func(o *sealer.Order) { o.Profile = "pades" },
			"places":  func(o *sealer.Order) { o.Places = nil },
			"lines":   func(o *sealer.Order) { o.Lines = []string{""} },
			"keyword": func(o *sealer.Order) { o.Places = []sealer.Place{{Keyword: &sealer.Keyword{}}} },
			"long_term": func(o *sealer.Order) {
				o.LongTerm, o.NoTimeStamp = true, true
			},
		} {
			o := order(d, "")
			change(&o)
			_, err := h.sealer.Seal(t.Context(), h.clerk, o)
			wants(t, err, "sealing.order")
			if f, _ := fault.Of(err); f.Place.Field != name {
				t.Errorf("%s: the place is %q", name, f.Place.Field)
			}
		}
		o := order(d, "")
		o.Places = []sealer.Place{{Keyword: &sealer.Keyword{Text: "盖章"}}}
		_, err := h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "sealing.no-viewer")
		o = order(d, "")
		o.Lines = []string{"2026年"}
		_, err = h.sealer.Seal(t.Context(), h.clerk, o)
		wants(t, err, "sealing.no-font")
	})
}

func TestAReplayTellsWhereTheSealStands(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := order(h.upload(original(t)), "key")
		first, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		again, err := h.sealer.Seal(t.Context(), h.clerk, o)
		must(t, err)
		if len(first.Details.Marks) != 1 || len(again.Details.Marks) != 1 || first.Details.Marks[0] != again.Details.Marks[0] ||
			first.Details.Marks[0].Kind != pdf.MarkSeal {
			t.Errorf("%+v, then %+v", first.Details, again.Details)
		}
	})
}

// offline trusts the root and knows nothing but what the file carries.
func (h *house) offline() *chain.Verifier {
	return &chain.Verifier{Anchors: chain.NewAnchors(h.authority.Root())}
}
