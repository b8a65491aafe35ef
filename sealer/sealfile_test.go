package sealer_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

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
		if n, m := h.count(`SELECT COUNT(*) FROM document`), h.stored(); n != 2 || m != 2 {
			t.Errorf("%d documents, %d objects", n, m)
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
		if n, m := h.count(`SELECT COUNT(*) FROM document`), h.stored(); n != 2 || m != 2 {
			t.Errorf("%d documents, %d objects", n, m)
		}
	})
}
