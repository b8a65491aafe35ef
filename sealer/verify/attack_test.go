package verify

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm3"

	"yinxin/fixtures"
)

// sealSigner signs the attacks' victims with the seal of a house.
func sealSigner(t testing.TB, h *house) fixtures.Signer {
	return fixtures.Signer{Profile: "seal", Filter: "GM.PKILite", SubFilter: "GM.sm2seal", Room: contentsRoom,
		Certificates: [][]byte{h.institution.Certificate.Raw, h.issuing.Certificate.Raw},
		Sign: func(before, after []byte, byteRange string) ([]byte, error) {
			digest := sm3.New()
			digest.Write(before)
			digest.Write(after)
			return h.signature(t, [32]byte(digest.Sum(nil)), signed, byteRange), nil
		}}
}

// judged verifies bytes as a file.
func judged(data []byte, o Options) *Report {
	return File(context.Background(), "test.pdf", bytes.NewReader(data), int64(len(data)), o)
}

// TestAttacksAreNeverCalledValid goes through the attacks of the literature on PDF signatures, each on a file that is
// valid before.
func TestAttacksAreNeverCalledValid(t *testing.T) {
	h := newHouse(t)
	signer := sealSigner(t, h)
	sealed, err := fixtures.SealedVictim(signer)
	if err != nil {
		t.Fatal(err)
	}
	want(t, judged(sealed, h.options(t)), Valid, "")
	for _, a := range fixtures.Attacks() {
		if !a.For(signer) {
			continue
		}
		t.Run(string(a.Group)+": "+a.Name, func(t *testing.T) {
			data, err := a.Forge(signer)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(data, sealed) {
				t.Fatal("the attack changes nothing")
			}
			r := judged(data, h.options(t))
			if r.Verdict == Valid || r.Verdict == ValidWithAdditions {
				t.Errorf("a forged file is called %s", r.Verdict)
			}
			want(t, r, Verdict(a.Verdict), a.Reason)
		})
	}
}

// notYet are the honest additions that this version does not let through, with what it says of them.
var notYet = map[string]Verdict{
	"long-term data": Modified,
	"certified without changes, and long-term data":                Modified,
	"the date of modification and the producer in the information": Modified,
	"the XMP metadata saved again":                                 Modified,
	"certified for form filling, and a field filled in":            Modified,
	"certified for annotations, and a note in the margin":          Modified,
}

// TestHonestAdditionsAreNotCalledForged goes through what may come after a seal.
func TestHonestAdditionsAreNotCalledForged(t *testing.T) {
	h := newHouse(t)
	signer := sealSigner(t, h)
	for _, a := range fixtures.Additions() {
		if !a.For(signer) {
			continue
		}
		t.Run(strings.ReplaceAll(a.Name, "/", " "), func(t *testing.T) {
			data, err := a.Make(signer)
			if err != nil {
				t.Fatal(err)
			}
			r := judged(data, h.options(t))
			if v, pending := notYet[a.Name]; pending {
				if r.Verdict != v {
					t.Errorf("the verdict is now %s, wanted is %s: take it off the list", r.Verdict, a.Verdict)
				}
				t.Skipf("%s, wanted is %s", r.Verdict, a.Verdict)
			}
			want(t, r, Verdict(a.Verdict), a.Reason)
		})
	}
}

// forgedPage is a page content with another grade.
var forgedPage = stream("", "BT /F1 24 Tf 100 700 Td (Grade: 99) Tj ET")

// replaceLast changes the last occurrence of a text to another of the same length, as someone does who edits bytes.
func (f *file) replaceLast(t testing.TB, old, by string) *file {
	t.Helper()
	i := bytes.LastIndex(f.data, []byte(old))
	if i < 0 || len(old) != len(by) {
		t.Fatalf("cannot replace %q by %q", old, by)
	}
	copy(f.data[i:], by)
	return f
}

func docMDP(level int) string {
	return fmt.Sprintf("/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /V /1.2 /P %d >> >>]", level)
}
