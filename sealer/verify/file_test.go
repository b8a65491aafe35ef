package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAGoodSealIsValid(t *testing.T) {
	h := newHouse(t)
	r := newFile().seal(t, h).verify(t, h.options(t))
	want(t, r, Valid, "sealed by 云岭省档案馆")
	s := r.Signatures[0]
	if s.Kind != KindSeal || s.Field != "Seal7" || s.Seal != "云岭省档案馆档案证明专用章" || s.SealID != "53000000000001" ||
		s.Time != "2026-02-01T03:04:05Z" || s.TimeSource != TimeSourceSignature || s.Coverage != CoverageWhole || len(s.Picture) != 900 || s.Page != 1 {
		t.Errorf("signature: %+v", s)
	}
}

func TestTwoGoodSealsAreValid(t *testing.T) {
	h := newHouse(t)
	r := newFile().seal(t, h).seal(t, h).verify(t, h.options(t))
	want(t, r, Valid, "Another signature was added on page 1")
	if len(r.Signatures) != 2 || r.Signatures[0].Coverage != CoverageRevision || r.Signatures[1].Coverage != CoverageWhole {
		t.Errorf("signatures: %+v", r.Signatures)
	}
}

func TestAnAdditionCountsUnlessAValidSignatureCoversIt(t *testing.T) {
	h, stranger := newHouse(t), newHouse(t)
	r := newFile().seal(t, h).seal(t, stranger).verify(t, h.options(t))
	want(t, r, Undetermined, "")
	if v := r.Signatures[0].Verdict; v != ValidWithAdditions {
		t.Errorf("the first seal is %s although nobody trusted covers what came after", v)
	}
	r = newFile().seal(t, stranger).seal(t, h).verify(t, h.options(t))
	if v := r.Signatures[1].Verdict; r.Verdict != Undetermined || v != Valid {
		t.Errorf("file %s, second seal %s", r.Verdict, v)
	}
}

func TestChineseIsTheDefault(t *testing.T) {
	h := newHouse(t)
	o := h.options(t)
	o.Language = ""
	want(t, newFile().seal(t, h).verify(t, o), Valid, "验证通过：本文件由 云岭省档案馆 盖章出具，自盖章后未被改动。")
}

func TestTheReportIsTheJSONOfTheDesign(t *testing.T) {
	h := newHouse(t)
	text, err := json.Marshal(newFile().seal(t, h).seal(t, h).verify(t, h.options(t)))
	if err != nil {
		t.Fatal(err)
	}
	var report map[string]any
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"file", "verdict", "summary", "signatures"} {
		if _, ok := report[key]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
	signature := report["signatures"].([]any)[0].(map[string]any)
	for _, key := range []string{"field", "kind", "verdict", "signer", "seal", "time", "timeSource", "coverage", "changesAfter", "checks"} {
		if _, ok := signature[key]; !ok {
			t.Errorf("signatures.%s is missing", key)
		}
	}
	check := signature["checks"].([]any)[0].(map[string]any)
	for _, key := range []string{"name", "result", "detail"} {
		if _, ok := check[key]; !ok {
			t.Errorf("checks.%s is missing", key)
		}
	}
	empty, _ := json.Marshal(File(context.Background(), "", bytes.NewReader(nil), 0, Options{}))
	if !strings.Contains(string(empty), `"signatures":[]`) {
		t.Errorf("no list of signatures in %s", empty)
	}
}

// TestEveryByteCounts flips sampled bytes of a file that was sealed twice. No flip may leave it valid.
func TestEveryByteCounts(t *testing.T) {
	h := newHouse(t)
	f := newFile().seal(t, h).seal(t, h)
	o := h.options(t)
	want(t, f.verify(t, o), Valid, "")
	random := rand.New(rand.NewPCG(1, 2))
	step := 25
	if testing.Short() {
		step = 250
	}
	isHex := func(b byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", b) >= 0 }
	for i := 0; i < len(f.data); i += 1 + random.IntN(step) {
		old := f.data[i]
		flipped := old ^ (1 << random.IntN(8))
		if isHex(old) && isHex(flipped) && strings.EqualFold(string(old), string(flipped)) {
			continue
		}
		f.data[i] = flipped
		if r := f.verify(t, o); r.Verdict == Valid || r.Verdict == ValidWithAdditions {
			t.Fatalf("byte %d, %q made %q, is %s: …%q…", i, old, flipped, r.Verdict, f.data[max(0, i-20):min(len(f.data), i+20)])
		}
		f.data[i] = old
	}
}

func TestATruncatedFileIsNotValid(t *testing.T) {
	h := newHouse(t)
	f := newFile().seal(t, h)
	o := h.options(t)
	for n := 0; n < len(f.data); n += 97 {
		r := File(context.Background(), "", bytes.NewReader(f.data[:n]), int64(n), o)
		if r.Verdict == Valid || r.Verdict == ValidWithAdditions {
			t.Errorf("the first %d of %d bytes are %s", n, len(f.data), r.Verdict)
		}
	}
}

func TestBadInputIsAVerdict(t *testing.T) {
	h := newHouse(t)
	unsealed := newFile().data
	for _, c := range []struct {
		name    string
		data    []byte
		verdict Verdict
		code    string
	}{
		{"an empty file", nil, Unreadable, "pdf.not-a-pdf"},
		{"not a PDF", []byte("hello, this is a text and no document at all"), Unreadable, "pdf.not-a-pdf"},
		{"a PDF that is cut off", unsealed[:len(unsealed)-40], Unreadable, "pdf.truncated"},
		{"a PDF without a seal", unsealed, Unsealed, ""},
		{"ten megabytes of header", bytes.Repeat([]byte("%PDF-"), 2<<20), Unreadable, "pdf.truncated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := File(context.Background(), "", bytes.NewReader(c.data), int64(len(c.data)), h.options(t))
			want(t, r, c.verdict, "")
			if c.code != "" && (r.Error == nil || r.Error.Code != c.code) {
				t.Errorf("error %+v, want %s", r.Error, c.code)
			}
		})
	}
}

// brokenReader fails where a disk would.
type brokenReader struct {
	data []byte
	from int64
}

func (b brokenReader) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.from && off < b.from+100 {
		return 0, errors.New("the disk is broken")
	}
	return bytes.NewReader(b.data).ReadAt(p, off)
}

func TestAFileThatCannotBeReadIsNotJudged(t *testing.T) {
	h := newHouse(t)
	f := newFile()
	f.update("", map[int]string{20: stream("", strings.Repeat("x", 300_000))}).seal(t, h)
	r := File(context.Background(), "", brokenReader{f.data, 150_000}, int64(len(f.data)), h.options(t))
	want(t, r, Unreadable, "could not be read")
	if strings.Contains(r.Summary, "disk") {
		t.Error("the cause inside the machine is shown")
	}
}

func TestACancelledVerificationIsNotGood(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := newFile().seal(t, h)
	r := File(ctx, "", bytes.NewReader(f.data), int64(len(f.data)), h.options(t))
	want(t, r, Unreadable, "cancelled")
}

// TestSealsOfOthersAreRecognised puts seal signatures that another implementation made into /Contents.
func TestSealsOfOthersAreRecognised(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"SignedValueV4.dat", "SignedValueV5.dat"} {
		t.Run(name, func(t *testing.T) {
			der, err := os.ReadFile(filepath.Join("../../../shared/testdata/ses", name))
			if err != nil {
				t.Skip("not here: ", err)
			}
			if len(der) > contentsRoom {
				t.Skipf("%d bytes", len(der))
			}
			r := newFile().seal(t, h, func(p *parts) { p.contents = func([]byte) []byte { return der } }).verify(t, h.options(t))
			s := r.Signatures[0]
			if r.Verdict != Modified && r.Verdict != Invalid || s.Kind != KindSeal || s.Seal == "" {
				t.Errorf("%s: %+v", r.Verdict, s)
			}
			for _, c := range s.Checks {
				if (c.Name == CheckSignatureValue || c.Name == CheckSealValue) && c.Result != OK {
					t.Errorf("%s: %s %s", c.Name, c.Result, c.Detail)
				}
			}
		})
	}
}

func TestTooManySignaturesAreNotValid(t *testing.T) {
	h := newHouse(t)
	o := h.options(t)
	o.MaxSignatures = 1
	want(t, newFile().seal(t, h).seal(t, h).verify(t, o), Undetermined, "too many")
}

func TestTheWorstVerdictDecides(t *testing.T) {
	for _, c := range []struct {
		verdicts []Verdict
		worst    Verdict
		code     int
	}{
		{[]Verdict{Valid}, Valid, 0},
		{[]Verdict{Valid, ValidWithAdditions}, ValidWithAdditions, 0},
		{[]Verdict{ValidWithAdditions, Undetermined, Valid}, Undetermined, 2},
		{[]Verdict{Undetermined, Modified, Unsealed}, Modified, 1},
		{[]Verdict{Modified, Invalid, Undetermined}, Invalid, 1},
		{[]Verdict{Valid, Unsealed}, Unsealed, 3},
		{[]Verdict{Unsealed, Unreadable}, Unreadable, 4},
		{nil, Unreadable, 4},
	} {
		t.Run(fmt.Sprint(c.verdicts), func(t *testing.T) {
			reports := make([]*Report, len(c.verdicts))
			for i, v := range c.verdicts {
				reports[i] = &Report{Verdict: v}
			}
			if got := Worst(c.verdicts...); got != c.worst || ExitCode(reports...) != c.code {
				t.Errorf("worst %s, exit status %d", got, ExitCode(reports...))
			}
		})
	}
}
