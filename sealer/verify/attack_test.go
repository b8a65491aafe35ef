package verify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"yinxin/ca/cms"
	"yinxin/fixtures"
)

// judged verifies bytes as a file.
func judged(data []byte, o Options) *Report {
	return File(context.Background(), "test.pdf", bytes.NewReader(data), int64(len(data)), o)
}

// profile is a way of sealing with what a verifier needs to call it valid.
type profile struct {
	signer  fixtures.Signer
	options Options
}

// profiles are all ways of sealing that can be tried here.
func profiles(t testing.TB) []profile {
	h := newHouse(t)
	all := []profile{{sealSigner(t, h), h.options(t)}, {messageSigner(t, h, cms.ProfileGM), h.options(t)}, {messageSigner(t, h, cms.ProfileCMS), h.options(t)}}
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Log("openssl is not installed: no RSA signatures")
		return all
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, key)
	present := time.Now().Add(time.Minute) // openssl writes the time of its clock
	return append(all, profile{o.attackSigner(t, key), Options{Chain: o.trust(t, present), At: present, Language: "en"}})
}

// TestAttacksAreNeverCalledValid goes through the attacks of the literature on PDF signatures, in every profile, each
// on a file that is valid before.
func TestAttacksAreNeverCalledValid(t *testing.T) {
	tables := newTables()
	for _, p := range profiles(t) {
		t.Run(p.signer.Profile, func(t *testing.T) {
			sealed, err := fixtures.SealedVictim(p.signer)
			if err != nil {
				t.Fatal(err)
			}
			want(t, judged(sealed, p.options), Valid, "")
			for _, a := range fixtures.Attacks() {
				if !a.For(p.signer) {
					continue
				}
				t.Run(string(a.Group)+": "+a.Name, func(t *testing.T) {
					data, err := a.Forge(p.signer)
					if err != nil {
						t.Fatal(err)
					}
					if bytes.Equal(data, sealed) {
						t.Fatal("the attack changes nothing")
					}
					r := judged(data, p.options)
					tables.note(string(a.Group), a.Name, p.signer.Profile, r.Verdict, a.Accepts(string(r.Verdict)))
					if p.signer.Profile == "rsa" {
						tables.second(t, string(a.Group), a.Name, data)
					}
					if r.Verdict == Valid || r.Verdict == ValidWithAdditions {
						t.Errorf("a forged file is called %s", r.Verdict)
					}
					expected := Verdict(a.Verdict)
					if a.Accepts(string(r.Verdict)) {
						expected = r.Verdict
					}
					want(t, r, expected, a.Reason)
				})
			}
		})
	}
	tables.write(t, "attack", "attacks.md")
}

// TestHonestAdditionsAreNotCalledForged goes through what may come after a seal.
func TestHonestAdditionsAreNotCalledForged(t *testing.T) {
	tables := newTables()
	for _, p := range profiles(t) {
		t.Run(p.signer.Profile, func(t *testing.T) {
			for _, a := range fixtures.Additions() {
				if !a.For(p.signer) {
					continue
				}
				t.Run(a.Name, func(t *testing.T) {
					data, err := a.Make(p.signer)
					if err != nil {
						t.Fatal(err)
					}
					r := judged(data, p.options)
					tables.note("", a.Name, p.signer.Profile, r.Verdict, string(r.Verdict) == a.Verdict)
					want(t, r, Verdict(a.Verdict), a.Reason)
				})
			}
		})
	}
	tables.write(t, "later change", "additions.md")
}

// tables gathers verdicts for docs/pdf.md.
type tables struct {
	profiles []string
	rows     []fixtures.TableRow
}

func newTables() *tables { return &tables{} }

func (s *tables) note(group, name, profile string, v Verdict, right bool) {
	if !slices.Contains(s.profiles, profile) {
		s.profiles = append(s.profiles, profile)
	}
	i := slices.IndexFunc(s.rows, func(r fixtures.TableRow) bool { return r.Group == group && r.Name == name })
	if i < 0 {
		i = len(s.rows)
		s.rows = append(s.rows, fixtures.TableRow{Group: group, Name: name, Cells: map[string]fixtures.TableCell{}})
	}
	s.rows[i].Cells[profile] = fixtures.TableCell{Verdict: string(v), Right: right}
}

// second adds what pdfsig says, where a table is written and it is installed. It has no word for a change: it says of
// each signature whether its bytes are intact, and whether they are the whole file.
func (s *tables) second(t *testing.T, group, name string, data []byte) {
	t.Helper()
	if _, err := exec.LookPath("pdfsig"); err != nil || os.Getenv("YINXIN_TABLES") == "" {
		return
	}
	path := filepath.Join(t.TempDir(), "attack.pdf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	said, _ := exec.Command("pdfsig", "-nocert", path).CombinedOutput()
	all, valid := bytes.Count(said, []byte("Signature Validation:")), bytes.Count(said, []byte("Signature is Valid"))
	verdict := Verdict("invalid")
	switch {
	case all == 0:
		verdict = Unsealed
	case valid == all && bytes.Contains(said, []byte("Not total document signed")):
		verdict = "valid, not the whole"
	case valid == all:
		verdict = Valid
	}
	s.note(group, name, "pdfsig (rsa)", verdict, valid < all || all == 0)
}

// write puts the table into the folder that YINXIN_TABLES names, if it does: see docs/pdf.md.
func (s *tables) write(t *testing.T, title, name string) {
	t.Helper()
	folder := os.Getenv("YINXIN_TABLES")
	if folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name), []byte(fixtures.VerdictTable(title, s.profiles, s.rows)), 0o644); err != nil {
		t.Fatal(err)
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
