package sealer_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"yinxin/fixtures"
	"yinxin/internal/fault"
	"yinxin/sealer"
	"yinxin/sealer/verify"
)

func TestADocumentIsReceivedAndSealedInOneGo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := original(t)
		done, err := h.sealer.SealFile(t.Context(), h.clerk, "复制件.pdf", bytes.NewReader(b), order(sealer.Document{}, "key"))
		must(t, err)
		sealed := h.bytes(done.Document)
		if v := h.verdict(sealed); v != verify.Valid || !bytes.HasPrefix(sealed, b) {
			t.Fatal(v)
		}
		again, err := h.sealer.SealFile(t.Context(), h.clerk, "copy.pdf", bytes.NewReader(b), order(sealer.Document{}, "key"))
		must(t, err)
		if !again.Replayed || again.Document.ID != done.Document.ID {
			t.Errorf("%+v", again)
		}
		_, err = h.sealer.SealFile(t.Context(), h.clerk, "copy.pdf", bytes.NewReader(append(b, '\n')), order(sealer.Document{}, "key"))
		wants(t, err, "sealing.key-reused")
		if n, m := h.count(`SELECT COUNT(*) FROM document`), h.stored(); n != 2 || m != 1 {
			t.Errorf("%d documents, %d objects", n, m)
		}
		first := h.count(`SELECT COUNT(*) FROM document_part WHERE whole = 0`)
		var id string
		must(t, h.db.Read().QueryRowContext(t.Context(), `SELECT document_id FROM document_part WHERE whole = 0`).Scan(&id))
		d, err := h.sealer.Document(t.Context(), h.clerk, id)
		must(t, err)
		if first != 1 || !bytes.Equal(h.bytes(d), b) {
			t.Error("the original is not at hand as it came")
		}
		elsewhere := order(done.Document, "")
		elsewhere.Places[0].Y = 120
		twice, err := h.sealer.Seal(t.Context(), h.clerk, elsewhere)
		must(t, err)
		if v := h.verdict(h.bytes(twice.Document)); v != verify.Valid || !bytes.HasPrefix(h.bytes(twice.Document), sealed) {
			t.Error("sealed again: ", v)
		}
		if n := h.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'document.received'`); n != 1 {
			t.Errorf("%d received", n)
		}
	})
}

func TestOfAFileThatIsRefusedNothingIsKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		failing := order(sealer.Document{}, "")
		failing.Places[0].Page = 9
		for name, refused := range map[string]func() (sealer.Sealed, error){
			"no PDF": func() (sealer.Sealed, error) {
				return h.sealer.SealFile(t.Context(), h.clerk, "a", strings.NewReader("no PDF"), order(sealer.Document{}, ""))
			},
			"breaks off": func() (sealer.Sealed, error) {
				return h.sealer.SealFile(t.Context(), h.clerk, "a", iotest.ErrReader(errors.New("gone")), order(sealer.Document{}, ""))
			},
			"no such page": func() (sealer.Sealed, error) {
				return h.sealer.SealFile(t.Context(), h.clerk, "a", bytes.NewReader(original(t)), failing)
			},
			"not granted": func() (sealer.Sealed, error) {
				return h.sealer.SealFile(t.Context(), h.registrar, "a", iotest.ErrReader(errors.New("must not be read")), order(sealer.Document{}, ""))
			},
		} {
			if _, err := refused(); err == nil || name == "not granted" && fault.CodeOf(err) != "seal.not-granted" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n, m := h.count(`SELECT COUNT(*) FROM document`), h.stored(); n != 0 || m != 0 {
			t.Errorf("%d documents, %d objects", n, m)
		}
	})
}

func TestARepetitionOfAFileIsAnsweredWhenTheGrantIsUsedUp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.quota(1)
		b := original(t)
		var all sync.WaitGroup
		var lock sync.Mutex
		results := map[string]int{}
		for range 8 {
			all.Go(func() {
				done, err := h.sealer.SealFile(t.Context(), h.clerk, "a.pdf", bytes.NewReader(b), order(sealer.Document{}, "key"))
				lock.Lock()
				defer lock.Unlock()
				if err != nil {
					results[fault.CodeOf(err)]++
				} else {
					results[done.Document.ID]++
				}
			})
		}
		all.Wait()
		delete(results, "sealing.in-progress")
		if len(results) != 1 {
			t.Errorf("%v", results)
		}
		done, err := h.sealer.SealFile(t.Context(), h.clerk, "a.pdf", bytes.NewReader(b), order(sealer.Document{}, "key"))
		must(t, err)
		if !done.Replayed {
			t.Error("sealed again")
		}
		if n, m := h.count(`SELECT COUNT(*) FROM document`), h.stored(); n != 2 || m != 1 {
			t.Errorf("%d documents, %d objects", n, m)
		}
	})
}

func TestALargerFileIsStoredAsItArrives(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.sealer.Config
		c.MaxSize = 3 << 20
		h.sealer = sealer.New(c)
		var big bytes.Buffer
		must(t, fixtures.WriteBig(&big, 2<<20, 12, fixtures.BigTable))
		done, err := h.sealer.SealFile(t.Context(), h.clerk, "a.pdf", bytes.NewReader(big.Bytes()), order(sealer.Document{}, "key"))
		must(t, err)
		if _, at := done.Content(); at || h.stored() != 2 || h.verdict(h.bytes(done.Document)) != verify.Valid {
			t.Errorf("%d objects", h.stored())
		}
		again, err := h.sealer.SealFile(t.Context(), h.clerk, "a.pdf", bytes.NewReader(big.Bytes()), order(sealer.Document{}, "key"))
		must(t, err)
		if !again.Replayed || h.stored() != 2 {
			t.Errorf("%d objects", h.stored())
		}
		failing := order(sealer.Document{}, "")
		failing.Places[0].Page = 9
		_, err = h.sealer.SealFile(t.Context(), h.clerk, "a.pdf", bytes.NewReader(big.Bytes()), failing)
		if err == nil || h.stored() != 2 {
			t.Errorf("%v; %d objects", err, h.stored())
		}
		_, err = h.sealer.SealFile(t.Context(), h.clerk, "a.pdf", bytes.NewReader(make([]byte, 3<<20+1)), order(sealer.Document{}, ""))
		wants(t, err, "document.too-large")
	})
}

func TestADocumentWhoseSealingFailedIsNotAtHand(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, cancel := context.WithCancel(t.Context())
		c := h.sealer.Config
		c.Intended = func(string) { cancel() }
		s := sealer.New(c)
		if _, err := s.SealFile(ctx, h.clerk, "a.pdf", bytes.NewReader(original(t)), order(sealer.Document{}, "key")); err == nil {
			t.Fatal("sealed")
		}
		var id string
		must(t, h.db.Read().QueryRowContext(t.Context(), `SELECT id FROM document`).Scan(&id))
		d, err := h.sealer.Document(t.Context(), h.clerk, id)
		must(t, err)
		_, err = h.sealer.Open(t.Context(), d)
		wants(t, err, "document.damaged")
		if h.stored() != 0 {
			t.Errorf("%d objects", h.stored())
		}
		_, err = h.sealer.SealFile(t.Context(), h.clerk, "a.pdf", bytes.NewReader(original(t)), order(sealer.Document{}, "key"))
		must(t, err)
	})
}
