package verify

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/ca/cms"
	"yinxin/internal/fault"
	"yinxin/sealer/pdf"
)

func (h *house) releaseCheck(t testing.TB, original, update []byte, field string) ReleaseCheck {
	return ReleaseCheck{Original: bytes.NewReader(original), OriginalSize: int64(len(original)), State: stateOf(t, original),
		Update: update, Field: field, Chain: h.trust(t), At: now, Language: "en"}
}

func TestASealedFileIsReleased(t *testing.T) {
	h := newHouse(t)
	appearance := h.realSeal(t)
	original := smallOriginal()
	for _, name := range []string{"first seal", "second seal"} {
		update, field := h.planned(t, original, appearance)
		c := h.releaseCheck(t, original, update, field)
		s, err := Release(context.Background(), c)
		if err != nil || s.Verdict != Valid || s.Coverage != CoverageWhole {
			t.Fatalf("%s: %+v, %v", name, s, err)
		}
		c.State = nil
		if _, err := Release(context.Background(), c); err != nil {
			t.Errorf("%s, hashing everything: %v", name, err)
		}
		original = append(original, update...)
		want(t, File(context.Background(), "", bytes.NewReader(original), int64(len(original)), h.options(t)), Valid, "")
	}
}

// TestEveryProfileIsReleased seals in the profiles of CMS, with a time stamp, and stamps a document.
func TestEveryProfileIsReleased(t *testing.T) {
	h := newHouse(t)
	appearance := h.realSeal(t)
	good := newClock(t, h.issuing, now.Add(oneDay))
	original := smallOriginal()
	stamp := func(value []byte) []byte { return good.stamp(t, value, signed) }
	for name, contents := range map[string]func(covered []byte) []byte{
		"cms": func(covered []byte) []byte {
			return assembleMessage(t, cms.Template{Profile: cms.ProfileCMS, Certificate: h.institution.Certificate, Seal: h.seal}, h.institution,
				func(w *cms.Writer) *cms.Pending { return w.Prepare(sm3.Sum(covered), signed) }, stamp)
		},
		"cms-gm": func(covered []byte) []byte {
			return assembleMessage(t, cms.Template{Profile: cms.ProfileGM, Certificate: h.institution.Certificate, Seal: h.seal}, h.institution,
				func(w *cms.Writer) *cms.Pending { return w.Prepare(sm3.Sum(covered), signed) }, nil)
		},
		"time-stamp": func(covered []byte) []byte { return good.stamp(t, covered, signed) },
	} {
		request := h.request(appearance)
		request.ContentsSize = contentsRoom + len(h.seal)
		doc, err := pdf.Open(context.Background(), bytes.NewReader(original), int64(len(original)))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := doc.PlanSeal(context.Background(), request)
		if err != nil {
			t.Fatal(err)
		}
		covered := append(append(bytes.Clone(original), plan.Before()...), plan.After()...)
		update, err := plan.Fill(contents(covered))
		if err != nil {
			t.Fatal(err)
		}
		c := h.releaseCheck(t, original, update, plan.Field())
		if s, err := Release(context.Background(), c); err != nil || s.Verdict != Valid || s.Profile != name {
			t.Errorf("%s: %v", name, err)
		}
		wrong, err := plan.Fill(contents(append(covered, 1)))
		if err != nil {
			t.Fatal(err)
		}
		c = h.releaseCheck(t, original, wrong, plan.Field())
		if _, err := Release(context.Background(), c); !fault.Has(err, errRelease) {
			t.Errorf("%s over other bytes: %v", name, err)
		}
	}
}

func TestWhatIsWrongIsNotReleased(t *testing.T) {
	h := newHouse(t)
	appearance := h.realSeal(t)
	original := smallOriginal()
	update, field := h.planned(t, original, appearance)
	replaced := func(old, by string) []byte {
		if !bytes.Contains(update, []byte(old)) {
			t.Fatalf("%q is not in the update", old)
		}
		return bytes.Replace(update, []byte(old), []byte(by), 1)
	}
	for _, c := range []struct {
		name   string
		change func(c *ReleaseCheck)
		spec   fault.Spec
		detail string
	}{
		{"another original", func(c *ReleaseCheck) {
			other := bytes.Replace(original, []byte("Helvetica"), []byte("Helveticb"), 1)
			c.Original, c.State = bytes.NewReader(other), stateOf(t, other)
		}, errRelease, "does not match the digest"},
		{"the state of a shorter original", func(c *ReleaseCheck) { c.State = stateOf(t, original[:100]) }, errState, ""},
		{"a state that is none", func(c *ReleaseCheck) { c.State = []byte("no state") }, errState, ""},
		{"another byte in the update", func(c *ReleaseCheck) { c.Update = replaced("/F 132", "/F 133") }, errRelease, "does not match the digest"},
		{"another signature", func(c *ReleaseCheck) { c.Update = replaced("<3082", "<3083") }, errRelease, ""},
		{"a byte behind the update", func(c *ReleaseCheck) { c.Update = append(bytes.Clone(update), '\n') }, errRelease, "does not cover the whole file"},
		{"a field that is not there", func(c *ReleaseCheck) { c.Field = "Seal99" }, errRelease, "Seal99"},
		{"no anchor", func(c *ReleaseCheck) { c.Chain = nil }, errRelease, "not among the trusted ones"},
		{"a suspended seal", func(c *ReleaseCheck) { c.SealStatus = standing(SealSuspended, nil) }, errRelease, "suspended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			check := h.releaseCheck(t, original, update, field)
			c.change(&check)
			_, err := Release(context.Background(), check)
			if !fault.Has(err, c.spec) || !strings.Contains(err.Error(), c.detail) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("an update that breaks an earlier seal", func(t *testing.T) {
		h := newHouse(t)
		f := newFile().seal(t, h, func(p *parts) { p.signature = docMDP(1) })
		first := len(f.data)
		f.seal(t, h)
		check := h.releaseCheck(t, f.data[:first], f.data[first:], "Seal10")
		s, err := Release(context.Background(), check)
		if !fault.Has(err, errRelease) || !strings.Contains(err.Error(), "certified") || s.Verdict != Modified {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("an original that cannot be read", func(t *testing.T) {
		check := h.releaseCheck(t, original, update, field)
		check.Original = brokenReader{original, int64(len(original) - 200)}
		_, err := Release(context.Background(), check)
		if f, ok := fault.Of(err); !ok || f.Kind != fault.Internal && f.Kind != fault.Unavailable {
			t.Errorf("error %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Release(ctx, h.releaseCheck(t, original, update, field)); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// FuzzFile: no input makes the verifier panic, and none that differs in more than the case of Contents is valid.
func FuzzFile(f *testing.F) {
	h := newHouse(f)
	plain := newFile()
	f.Add(plain.data)
	f.Add(plain.seal(f, h).data)
	f.Add([]byte("%PDF-1.4\nstartxref\n0\n%%EOF"))
	known := bytes.ToLower(plain.data)
	other := *h
	other.profile = cms.ProfileCMS
	stamped := newFile().seal(f, &other).seal(f, h, newClock(f, h.issuing, late).document(f, signed.Add(time.Hour)))
	f.Add(stamped.data)
	f.Add(stamped.clone().replaceLast(f, "startxref", "startxxxx").data)
	// Parts of a signed message are not signed: what is compared is the rest of the file.
	contents := regexp.MustCompile("/Contents <[0-9a-fA-F]*>")
	rest := func(data []byte) string { return string(contents.ReplaceAll(data, nil)) }
	o := h.options(f)
	o.SecondOpinion = true
	f.Fuzz(func(t *testing.T, data []byte) {
		r := File(context.Background(), "", bytes.NewReader(data), int64(len(data)), o)
		if r.Verdict == Valid && !bytes.Equal(bytes.ToLower(data), known) && rest(data) != rest(stamped.data) {
			t.Errorf("%d bytes are valid", len(data))
		}
		if r.Signatures == nil || r.Verdict == "" || r.Summary == "" {
			t.Errorf("an incomplete report: %+v", r)
		}
	})
}
