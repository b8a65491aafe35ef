package keystore

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

func newTestSafe(t *testing.T) (*Safe, *Ring, string) {
	t.Helper()
	s, dir := newTestStore(t)
	ring := s.Ring(PurposePersonalData)
	safe, err := ring.CreateSafe(context.Background(), "people", PurposePersonalData)
	if err != nil {
		t.Fatal(err)
	}
	return safe, ring, dir
}

func TestASafeOpensWhatItSealedOnlyInItsContext(t *testing.T) {
	safe, _, dir := newTestSafe(t)
	plain := []byte("22010219900307123X")
	sealed, err := safe.Seal(plain, "person", "1", "identity")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plain) {
		t.Error("the number stands in the clear")
	}
	s, err := Open(dir, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Ring(PurposePersonalData).Safe(context.Background(), "people")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(sealed, "person", "1", "identity"); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%q, %v", got, err)
	}
	for name, context := range map[string][]string{"another row": {"person", "2", "identity"}, "parts moved": {"person", "1identity", ""}, "none": nil} {
		_, err := again.Open(sealed, context...)
		wantCode(t, err, ErrSafeSealed)
		if err == nil {
			t.Error(name)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := again.Open(bad, "person", "1", "identity"); err == nil {
			t.Errorf("byte %d changed, and it opened", i)
		}
		if _, err := again.Open(sealed[:i], "person", "1", "identity"); err == nil {
			t.Errorf("cut after %d bytes, and it opened", i)
		}
	}
}

func TestARotatedSafeOpensTheOldUntilItIsEnded(t *testing.T) {
	ctx := context.Background()
	safe, ring, dir := newTestSafe(t)
	old, _ := safe.Seal([]byte("x"), "c")
	oldIndex, _ := safe.Index("identity", "x")
	// Another process rotates: this one seals under the new version at once.
	other, err := Open(dir, testOptions)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Ring(PurposePersonalData).RotateSafe(ctx, "people"); err != nil {
		t.Fatal(err)
	}
	fresh, _ := safe.Seal([]byte("x"), "c")
	head, err := safe.Head()
	if err != nil || !bytes.HasPrefix(fresh, head) || bytes.HasPrefix(old, head) || bytes.HasPrefix(oldIndex, head[1:]) {
		t.Errorf("head %x, %v", head, err)
	}
	indexes, err := safe.Indexes("identity", "x")
	if err != nil || len(indexes) != 2 || !bytes.Equal(indexes[1], oldIndex) || bytes.Equal(indexes[0][4:], oldIndex[4:]) {
		t.Errorf("%x, %v", indexes, err)
	}
	if _, err := safe.Open(old, "c"); err != nil {
		t.Error(err)
	}
	if err := ring.EndSafeVersions(ctx, "people"); err != nil {
		t.Fatal(err)
	}
	_, err = safe.Open(old, "c")
	wantCode(t, err, ErrSafeEnded)
	if _, err := safe.Open(fresh, "c"); err != nil {
		t.Error(err)
	}
	if indexes, _ := safe.Indexes("identity", "x"); len(indexes) != 1 {
		t.Errorf("%d indexes", len(indexes))
	}
}

func TestIndexesTellLabelsAndValuesApart(t *testing.T) {
	safe, _, _ := newTestSafe(t)
	index := func(label, value string) string {
		i, err := safe.Index(label, value)
		if err != nil {
			t.Fatal(err)
		}
		return string(i)
	}
	first := index("a", "b")
	if again := index("a", "b"); again != first || index("a", "b") == index("a", "c") || index("a", "bc") == index("ab", "c") {
		t.Error("indexes are not as values are")
	}
}

func TestASafeIsWithinReachOfItsPurposeOnly(t *testing.T) {
	ctx := context.Background()
	safe, ring, dir := newTestSafe(t)
	_, err := safe.store.Ring(PurposeSealing).Safe(ctx, "people")
	wantCode(t, err, ErrKeyNotFound)
	_, err = safe.store.Ring(PurposeSealing).CreateSafe(ctx, "more", PurposePersonalData)
	wantCode(t, err, ErrPurpose)
	_, err = safe.store.Ring(PurposeSealing).CreateSafe(ctx, "more", PurposeSealing)
	wantCode(t, err, ErrPurpose)
	_, err = ring.CreateSafe(ctx, "people", PurposePersonalData)
	wantCode(t, err, ErrKeyExists)
	_, err = ring.Generate(ctx, "key", PurposePersonalData)
	wantCode(t, err, ErrPurpose)
	path := filepath.Join(dir, safesFolder, "people.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		bad := bytes.Clone(text)
		bad[i] ^= 1
		if _, err := safe.store.parseSafe("people", bad); err == nil {
			t.Errorf("byte %d of the file changed unnoticed", i)
		}
	}
}
