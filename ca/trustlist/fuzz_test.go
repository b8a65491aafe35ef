package trustlist

import (
	"testing"
	"time"
)

func sample() List {
	at := time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC) // after the week of the lists in tests
	return List{Authorities: [][]byte{{0x30, 0}}, CRLs: [][]byte{{0x30, 0}}, Issued: at, NextUpdate: at.AddDate(0, 0, 7), Issuer: "CN=根", Sequence: 7,
		Seals: []Seal{{Code: "29010000000017", Name: "云山市档案馆<印>", Organisation: "云山市档案馆",
			Instances: []Instance{{Certificate: "207cf410532f92a47dee245ce9b11ff71f578ebd763eb3bbea44ebd043d018fb", Seal: "207cf410532f92a47dee245ce9b11ff71f578ebd763eb3bbea44ebd043d018fb"}},
			States:    []State{{Since: at.Add(-time.Hour), State: "active"}, {Since: at.Add(-time.Minute + 5*time.Microsecond), State: "suspended"}}}}}
}

// FuzzOpen feeds both readers: of signed lists, and of their content, where what is read is written as it was.
func FuzzOpen(f *testing.F) {
	plain, err := Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Add(signedBy(f, newScene(f), sample()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Open(t.Context(), data, Check{}); err == nil {
			t.Fatal("a list that nobody trusts was opened")
		}
		l, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Encode(l)
		if err != nil || string(again) != string(data) {
			t.Fatalf("read %q, wrote %q: %v", data, again, err)
		}
	})
}
