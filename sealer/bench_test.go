package sealer_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"yinxin/fixtures"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// benchHouse is a house on a SQLite database in a file, as an installation has it.
func benchHouse(b testing.TB) *house {
	b.Helper()
	return newHouse(b, storetest.Open(b, filepath.Join(b.TempDir(), "yinxin.db")))
}

// smallDocument is a document of 60 kB.
func smallDocument(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	must(tb, fixtures.WriteBig(&out, 60<<10, 12, fixtures.BigTable))
	return out.Bytes()
}

// BenchmarkSeal seals a document of 60 kB as the service does it, with its database: checks, plan, intent, signature,
// time stamp, check before the release, release. In first the document was not sealed before, so that it is looked
// through; in again it was. The floor is what no implementation can leave out: two durable transactions, the update
// stored, two signatures made and verified, and the hashes.
func BenchmarkSeal(b *testing.B) {
	for _, kind := range []struct {
		name         string
		first, stamp bool
	}{{"first", true, true}, {"again", false, true}, {"again-unstamped", false, false}} {
		b.Run(kind.name, func(b *testing.B) {
			h := benchHouse(b)
			data := smallDocument(b)
			d := h.upload(data)
			_, err := h.sealer.Seal(b.Context(), h.clerk, order(d, "before"))
			must(b, err)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if kind.first {
					b.StopTimer()
					d = h.upload(data)
					b.StartTimer()
				}
				o := order(d, fmt.Sprint("key ", i))
				o.NoTimeStamp = !kind.stamp
				_, err := h.sealer.Seal(b.Context(), h.clerk, o)
				must(b, err)
			}
		})
	}
	b.Run("floor", func(b *testing.B) { sealFloor(b, benchHouse(b)) })
}

func sealFloor(b *testing.B, h *house) {
	d := h.upload(smallDocument(b))
	sealed, err := h.sealer.Seal(b.Context(), h.clerk, order(d, "one"))
	must(b, err)
	update := h.bytes(sealed.Document)[d.Size:]
	key, err := sm2.GenerateKey(rand.Reader)
	must(b, err)
	digest := sm3.Sum(update)
	for b.Loop() {
		for range 2 {
			must(b, h.db.Write(b.Context(), func(tx *store.Tx) error {
				_, err := tx.ExecContext(b.Context(), `UPDATE document SET name = name WHERE id = $1`, d.ID)
				return err
			}))
		}
		w, err := h.sealer.Files.Create(b.Context())
		must(b, err)
		_, err = w.Write(update)
		must(b, err)
		_, err = w.Commit()
		must(b, err)
		// What is signed, what is checked, and the whole.
		for range 3 {
			sm3.Sum(update)
		}
		for range 2 {
			value, err := sm2.SignASN1(rand.Reader, key, digest[:], nil)
			must(b, err)
			if !sm2.VerifyASN1(&key.PublicKey, digest[:], value) {
				b.Fatal("it does not verify")
			}
		}
	}
}
