package bitset_test

import (
	"errors"
	"slices"
	"testing"

	"yinxin/internal/bitset"
)

func TestSet(t *testing.T) {
	const limit = 8_388_607
	var s bitset.Set
	if s.End() != 0 || s.Has(0) {
		t.Errorf("the empty set ends at %d", s.End())
	}
	for _, n := range []int{64, 0, 63, 1000, limit, 63, -1, limit + 1} {
		s.Add(n, limit)
	}
	numbers := func() (out []int) {
		if err := s.Each(func(n int) error { out = append(out, n); return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got, want := numbers(), []int{0, 63, 64, 1000, limit}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s.End() != limit+1 {
		t.Errorf("ends at %d", s.End())
	}
	for _, n := range []int{limit, 63, 1, -1, limit + 1, 1 << 40} {
		s.Remove(n)
		if s.Has(n) {
			t.Errorf("%d is still there", n)
		}
	}
	if got, want := numbers(), []int{0, 64, 1000}; !slices.Equal(got, want) || s.End() != 1001 {
		t.Errorf("%v, want %v; ends at %d", got, want, s.End())
	}
	stop, calls := errors.New("stop"), 0
	if err := s.Each(func(int) error { calls++; return stop }); err != stop || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
