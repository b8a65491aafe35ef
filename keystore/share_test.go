package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yinxin/internal/fault"
)

func split(t *testing.T, threshold, count int) (*Secret, ShareSet, []Share) {
	t.Helper()
	secret, set, shares, err := Split(threshold, count, Fingerprint{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	return secret, set, shares
}

func keyOf(t *testing.T, s *Secret) string {
	t.Helper()
	key, err := s.Key("test", 32)
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}

// subsets calls fn with every choice of shares.
func subsets(shares []Share, fn func(chosen []Share)) {
	for bits := range 1 << len(shares) {
		var chosen []Share
		for i, s := range shares {
			if bits>>i&1 == 1 {
				chosen = append(chosen, s)
			}
		}
		fn(chosen)
	}
}

func TestAnyThresholdOfSharesGivesTheSecretAndFewerNothing(t *testing.T) {
	for _, c := range []struct{ threshold, count int }{{2, 2}, {2, 3}, {3, 5}, {5, 5}} {
		secret, set, shares := split(t, c.threshold, c.count)
		want := keyOf(t, secret)
		subsets(shares, func(chosen []Share) {
			got, err := set.Combine(chosen...)
			if len(chosen) < c.threshold {
				wantCode(t, err, ErrShareTooFew)
				return
			}
			if err != nil || keyOf(t, got) != want {
				t.Errorf("%d of %d with %d shares: %v", c.threshold, c.count, len(chosen), err)
			}
		})
	}
}

func TestNumbersOfASplitThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range [][2]int{{0, 0}, {1, 1}, {1, 3}, {3, 2}, {2, 17}, {-1, 3}, {17, 17}} {
		_, _, _, err := Split(c[0], c[1], Fingerprint{})
		wantCode(t, err, ErrShareNumbers)
	}
}

func TestAShareComesBackFromItsText(t *testing.T) {
	_, _, shares := split(t, 3, 5)
	for _, share := range shares {
		text := share.Text()
		spellings := map[string]string{
			"as written":  text,
			"lower case":  strings.ToLower(text),
			"look-alikes": strings.ReplaceAll(strings.NewReplacer("0", "o", "1", "l").Replace(codeLines(text)), "l:", "1:"),
			"no blanks":   strings.ReplaceAll(codeLines(text), " ", ""),
			"full width":  strings.ReplaceAll(strings.ReplaceAll(codeLines(text), ":", "："), " ", "\u3000"),
			"windows":     "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"),
		}
		for name, spelling := range spellings {
			got, err := ParseShare([]byte(spelling))
			if err != nil || got != share {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// codeLines are the four lines of the code.
func codeLines(text string) string {
	_, code, _ := strings.Cut(text, "\n\n")
	return code
}

func TestATypingErrorIsFoundInItsLine(t *testing.T) {
	_, _, shares := split(t, 2, 3)
	lines := strings.Split(strings.TrimSpace(codeLines(shares[0].Text())), "\n")
	missed := 0
	for n := range lines {
		for i := 3; i < len(lines[n]); i++ {
			if lines[n][i] == ' ' {
				continue
			}
			wrong := append([]string(nil), lines...)
			replacement := "7"
			if lines[n][i] == '7' {
				replacement = "8"
			}
			wrong[n] = lines[n][:i] + replacement + lines[n][i+1:]
			_, err := ParseShare([]byte(strings.Join(wrong, "\n")))
			wantCode(t, err, ErrShare)
			f, _ := fault.Of(err)
			if !strings.Contains(f.Detail(), fmt.Sprintf("line %d", n+1)) {
				missed++ // one in a thousand passes the line's check and is found by the check of the whole
			}
		}
	}
	if missed > 3 {
		t.Errorf("%d typing errors were not placed", missed)
	}
	cases := map[string][]string{
		"a line is missing":       lines[:3],
		"two lines swapped":       {"1:" + lines[1][2:], "2:" + lines[0][2:], lines[2], lines[3]},
		"a line twice":            {lines[0], lines[1], lines[2], lines[3], lines[3]},
		"a line cut short":        {lines[0][:20], lines[1], lines[2], lines[3]},
		"a line of another share": {lines[0], lines[1], strings.Split(strings.TrimSpace(codeLines(shares[1].Text())), "\n")[2], lines[3]},
		"nothing":                 nil,
		"enormous":                {strings.Repeat("x", maxShareText+1)},
	}
	for name, text := range cases {
		if _, err := ParseShare([]byte(strings.Join(text, "\n"))); !fault.Has(err, ErrShare) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestForeignWrongAndRepeatedSharesAreNamed(t *testing.T) {
	_, set, shares := split(t, 2, 3)
	_, _, others := split(t, 2, 3)
	_, err := set.Combine(shares[0], others[1])
	wantCode(t, err, ErrShareForeign)
	_, err = set.Combine(shares[0], shares[0])
	wantCode(t, err, ErrShareTwice)
	// Somebody with the program makes a share that passes every checksum.
	forged := shares[1]
	forged.value[3] ^= 1
	if forged, err = ParseShare([]byte(forged.Text())); err != nil {
		t.Fatal(err)
	}
	_, err = set.Combine(shares[0], forged)
	wantCode(t, err, ErrShareWrong)
	if f, _ := fault.Of(err); f.Detail() != "2" {
		t.Errorf("the error speaks of share %s", f.Detail())
	}
	renumbered := shares[1]
	renumbered.index = 3
	_, err = set.Combine(shares[0], renumbered)
	wantCode(t, err, ErrShareWrong)
}

// splitStore puts a keystore under shares and gives them.
func splitStore(t *testing.T, s *Store, threshold, count int, about Fingerprint) (shares []Share) {
	t.Helper()
	if err := s.Split(threshold, count, about, func(made []Share) error { shares = made; return nil }); err != nil {
		t.Fatal(err)
	}
	return shares
}

func TestSharesThatReachNobodyChangeNothing(t *testing.T) {
	s, dir := newTestStore(t)
	failure := errors.New("the printer is out of paper")
	if err := s.Split(2, 3, Fingerprint{}, func([]Share) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("%v", err)
	}
	if _, err := Open(dir, testOptions); err != nil {
		t.Error(err)
	}
}

func TestAKeystoreUnderSharesOpensWithThemOnly(t *testing.T) {
	s, dir := newTestStore(t)
	key := generate(t, s.Ring(PurposeRoot), "root", PurposeRoot)
	_, err := OpenWithShares(dir, nil)
	wantCode(t, err, ErrNoShares)
	shares := splitStore(t, s, 2, 3, FingerprintOf(key.Public()))
	_, err = Open(dir, testOptions)
	wantCode(t, err, ErrSharesNeeded)
	_, err = OpenWithShares(dir, nil, shares[0])
	wantCode(t, err, ErrShareTooFew)
	again, err := OpenWithShares(dir, nil, shares[2], shares[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Ring(PurposeRoot).Get(context.Background(), "root"); err != nil {
		t.Fatal(err)
	}
	set, ok, err := Shares(dir)
	if err != nil || !ok || set.Threshold != 2 || set.ID() != shares[0].Set() || !bytes.Equal(set.About, shares[0].about[:]) {
		t.Errorf("the public part is %+v, %v, %v", set, ok, err)
	}
	// New shares end the old ones, a passphrase ends the shares.
	next := splitStore(t, again, 3, 4, FingerprintOf(key.Public()))
	_, err = OpenWithShares(dir, nil, shares...)
	wantCode(t, err, ErrShareForeign)
	if again, err = OpenWithShares(dir, nil, next[:3]...); err != nil {
		t.Fatal(err)
	}
	if err := again.ChangePassphrase(testOptions); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, testOptions); err != nil {
		t.Error(err)
	}
}

func TestTheNumbersOfASharedKeystoreCannotBeChanged(t *testing.T) {
	s, dir := newTestStore(t)
	shares := splitStore(t, s, 3, 3, Fingerprint{})
	path := filepath.Join(dir, masterName)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenWithShares(dir, nil, shares...); !fault.Has(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

func TestSharesAndSecretsDoNotPrint(t *testing.T) {
	secret, _, shares := split(t, 2, 2)
	raw, err := secret.scalar.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "share", shares[0], "secret", secret)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "share", shares[0], "secret", secret)
	printed := fmt.Sprintf("%v %+v %#v %s %v %+v %#v", shares[0], shares[0], shares[0], shares[0], secret, secret, secret) + log.String()
	for name, octets := range map[string][]byte{"value": shares[0].value[:], "secret": raw} {
		for _, form := range []string{fmt.Sprintf("%x", octets[:8]), fmt.Sprint(octets[:4]), fmt.Sprintf("%#v", octets[:3])[7:]} {
			if strings.Contains(printed, strings.Trim(form, "[]{}")) {
				t.Errorf("the %s shows as %s", name, form)
			}
		}
	}
}

func FuzzParseShare(f *testing.F) {
	_, _, shares, err := Split(2, 3, Fingerprint{9})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(shares[0].Text()))
	f.Add([]byte("1: 0\n2: 0\n3:\n4: x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseShare(text)
		if err != nil {
			return
		}
		if again, err := ParseShare([]byte(s.Text())); err != nil || again != s {
			t.Errorf("%v: %v", s, err)
		}
	})
}
