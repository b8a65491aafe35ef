package issuance_test

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer"
	"yinxin/sealer/issuance"
	"yinxin/sealer/sealertest"
)

func TestAChangedCopyIsNotTakenAndTheRefusalIsOnRecord(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.issued()
		b := h.file(c.ID)
		changed := bytes.Clone(b)
		changed[len(changed)/4] ^= 1
		other := h.issued()
		foreign := h.file(other.ID)
		plain := sealertest.Original(t)
		// Sealed by the same archive, valid, and not what was issued: no code is in it.
		once, err := h.Sealer.Seal(t.Context(), h.b, sealertest.Order(got(h.Sealer.Upload(t.Context(), h.b, "x.pdf", bytes.NewReader(plain)))(t), ""))
		must(t, err)
		for name, file := range map[string][]byte{"a bit flipped": changed, "the copy of another case": foreign, "not sealed": plain, "sealed without a code": h.Bytes(once.Document),
			"something added": append(bytes.Clone(b), "1 0 obj\n<<>>\nendobj\n"...), "cut off": b[:len(b)-100], "empty": nil} {
			if _, err := h.receive(c.ID, file); code(err) != "issuance.not-genuine" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if c, err = h.service.Case(t.Context(), h.a, c.ID); err != nil || c.State != issuance.Issued {
			t.Fatalf("%s %v", c.State, err)
		}
		if n := h.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'issuance.refused'`); n != 7 {
			t.Errorf("%d refusals are on record", n)
		}
		_, err = h.receive(c.ID, b)
		must(t, err)
	})
}

func TestAWithdrawnCopySaysSoAndShowsNoPages(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		c := h.issued()
		b := h.file(c.ID)
		typed := codeOn(t, b)
		_, err := h.service.Withdraw(ctx, h.b, c.ID, "  ")
		wants(t, err, "enroll.reason")
		c, err = h.service.Withdraw(ctx, h.b2, c.ID, "复制件缺页")
		must(t, err)
		if c.State != issuance.Withdrawn || c.Copy.Withdrawal != "复制件缺页" {
			t.Fatalf("%+v", c)
		}
		p, err := h.service.Lookup(ctx, typed)
		must(t, err)
		if p.WithdrawnAt.IsZero() {
			t.Error("the public is not told")
		}
		_, err = h.service.Pages(ctx, typed, p.Day)
		wants(t, err, "issuance.withdrawn")
		_, err = h.service.Document(ctx, h.a, c.ID)
		wants(t, err, "issuance.withdrawn")
		_, err = h.receive(c.ID, b)
		wants(t, err, "issuance.state")
		_, err = h.service.Withdraw(ctx, h.b, c.ID, "又一次")
		wants(t, err, "issuance.state")
	})
}

func TestCodesAndDatesCannotBeGuessed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		c := h.issued()
		typed := codeOn(t, h.file(c.ID))
		for _, spelling := range []string{strings.ToLower(typed), strings.ReplaceAll(typed, "-", ""), strings.ReplaceAll(typed, "-", " — "), " " + typed + "\n"} {
			if _, err := h.service.Lookup(ctx, spelling); err != nil {
				t.Errorf("%q: %v", spelling, err)
			}
		}
		unknown := got(issuance.NewCode(strings.NewReader("a sequence of octets")))(t)
		_, err := h.service.Lookup(ctx, unknown)
		wants(t, err, "issuance.no-copy")
		_, err = h.service.Pages(ctx, unknown, "2026-11-26")
		wants(t, err, "issuance.no-copy")
		if n := h.count(`SELECT COUNT(*) FROM issuance_copy WHERE number LIKE $1 OR CAST(code_hash AS TEXT) LIKE $1`, "%"+strings.ReplaceAll(typed, "-", "")+"%"); n != 0 {
			t.Error("the code is in the table")
		}
		for range 10 {
			_, err = h.service.Pages(ctx, typed, "2026-11-25")
			wants(t, err, "issuance.no-copy")
		}
		_, err = h.service.Pages(ctx, typed, "2026-11-26")
		wants(t, err, "issuance.guessing")
		h.now = h.now.AddDate(0, 0, 1)
		_, err = h.service.Pages(ctx, typed, "2026-11-26")
		must(t, err)
	})
}

func TestEveryWrongCharacterAndEverySwapInACodeIsNoticed(t *testing.T) {
	c := got(issuance.NewCode(strings.NewReader("nineteen octets here and more")))(t)
	if len(c) != 20 {
		t.Fatal(c)
	}
	const alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	for i := range c {
		for _, r := range alphabet {
			changed := c[:i] + string(r) + c[i+1:]
			if _, err := issuance.ParseCode(changed); (err == nil) != (changed == c) {
				t.Fatalf("%s for %s: %v", changed, c, err)
			}
		}
		for k := range i {
			swapped := []byte(c)
			swapped[i], swapped[k] = swapped[k], swapped[i]
			if _, err := issuance.ParseCode(string(swapped)); (err == nil) != (string(swapped) == c) {
				t.Fatalf("%s for %s: %v", swapped, c, err)
			}
		}
	}
	for _, s := range []string{"", "K", strings.Repeat("2", 21), strings.Repeat("é", 20), c + "\x00", "\xff" + c, strings.Repeat(" ", 1000)} {
		if _, err := issuance.ParseCode(s); code(err) != "issuance.code" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestAfterACrashBetweenSealAndRecordNothingIsIssuedTwice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.found(h.b, h.opened().ID)
		order := issuance.Order{Seal: sealertest.Code}
		// The process dies when the copy is sealed, before that is recorded.
		ctx, cancel := context.WithCancel(t.Context())
		dying := issuance.New(h.service.Config)
		dying.Verify.SealStatus = nil
		dying.Verify.Chain = nil // what it judges is undetermined: it goes no further
		_, err := dying.Issue(ctx, h.b, c.ID, order)
		wants(t, err, "issuance.not-genuine")
		cancel()
		if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 1 {
			t.Fatalf("%d sealed", n)
		}
		if c, err = h.service.Case(t.Context(), h.b, c.ID); err != nil || c.State != issuance.Composed {
			t.Fatalf("%s %v", c.State, err)
		}
		// A sealed copy that was not recorded is nobody's yet.
		if seen, err := h.service.Case(t.Context(), h.a, c.ID); err != nil || seen.Copy != nil {
			t.Errorf("A sees %+v %v", seen.Copy, err)
		}
		var composed string
		must(t, h.DB.Read().QueryRowContext(t.Context(), `SELECT composed FROM issuance_copy`).Scan(&composed))
		typed := codeOn(t, h.Bytes(got(h.Sealer.Document(t.Context(), h.b, composed))(t)))
		_, err = h.service.Lookup(t.Context(), typed)
		wants(t, err, "issuance.no-copy")
		// Others of the archive, and several at once, finish it.
		var all sync.WaitGroup
		for _, by := range []access.Actor{h.b2, h.b, h.b2, h.b} {
			all.Go(func() {
				if _, err := h.service.Issue(t.Context(), by, c.ID, order); err != nil {
					t.Errorf("%s: %v", by.ID, err)
				}
			})
		}
		all.Wait()
		c, err = h.service.Issue(t.Context(), h.b2, c.ID, order)
		must(t, err)
		if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 1 || c.State != issuance.Issued {
			t.Fatalf("%d sealed, %s", n, c.State)
		}
		if n := h.count(`SELECT COUNT(*) FROM ledger_event WHERE kind = 'issuance.issued'`); n != 1 {
			t.Errorf("issued %d times", n)
		}
		_, err = h.receive(c.ID, h.file(c.ID))
		must(t, err)
	})
}

func TestWhatSomebodyLeftUnsealedIsFinishedByAColleague(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.found(h.b, h.opened().ID)
		order := issuance.Order{Seal: sealertest.Code}
		ctx, cancel := context.WithCancel(t.Context())
		h.Sealer.Intended = func(string) { cancel() }
		if _, err := h.service.Issue(ctx, h.b, c.ID, order); err == nil {
			t.Fatal("issued although its caller went away")
		}
		h.Sealer.Intended = nil
		_, err := h.service.Issue(t.Context(), h.b2, c.ID, issuance.Order{Seal: "00000000000000"})
		wants(t, err, "issuance.state") // it was composed for another seal
		must(t, h.DB.Write(t.Context(), func(tx *store.Tx) error {
			_, err := h.Register.WithdrawGrants(t.Context(), tx, h.Registrar, h.b.ID, sealertest.Code, "调离")
			return err
		}))
		_, err = h.service.Issue(t.Context(), h.b2, c.ID, order)
		wants(t, err, "seal.not-granted")
		h.Allow(h.b2.ID, 0)
		c, err = h.service.Issue(t.Context(), h.b2, c.ID, order)
		must(t, err)
		if c.State != issuance.Issued || c.Copy.Number != "CZ-2026-000001" {
			t.Fatalf("%+v", c.Copy)
		}
		_, err = h.receive(c.ID, h.file(c.ID))
		must(t, err)
	})
}

func TestSeveralWhoIssueAtOnceIssueOneCopy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.found(h.b, h.opened().ID)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				_, err := h.service.Issue(t.Context(), h.b, c.ID, issuance.Order{Seal: sealertest.Code})
				if err != nil && code(err) != "sealing.in-progress" {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := h.count(`SELECT COUNT(*) FROM sealing WHERE state = 'released'`); n != 1 {
			t.Fatalf("%d sealed", n)
		}
	})
}

func TestOnlyASealOfTheHoldingArchiveIsPutOnACopy(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		// C holds the file, and its clerk was granted the seal of B.
		h.Allow(h.c.ID, 0)
		r := request()
		r.Holding = archiveC
		c, _, err := h.service.Open(ctx, h.a, r)
		must(t, err)
		h.found(h.c, c.ID)
		_, err = h.service.Issue(ctx, h.c, c.ID, issuance.Order{Seal: sealertest.Code})
		wants(t, err, "issuance.seal")
		_, err = h.service.Issue(ctx, h.c, c.ID, issuance.Order{Seal: "00000000000000"})
		wants(t, err, "seal.not-found")
		c = h.found(h.b, h.opened().ID)
		_, err = h.service.Issue(ctx, h.b2, c.ID, issuance.Order{Seal: sealertest.Code})
		wants(t, err, "seal.not-granted")
		_, err = h.service.Issue(ctx, h.b, c.ID, issuance.Order{Seal: sealertest.Code, ByKey: true})
		wants(t, err, "issuance.no-keys")
	})
}

// keyDesk stands for the terminal: its tasks are sealed when the test says so, by the sealer itself.
type keyDesk struct {
	h      *house
	orders map[string]sealer.Order
	done   map[string]string
}

func (d *keyDesk) Ask(_ context.Context, clerk access.Actor, o sealer.Order) (string, error) {
	d.orders[o.IdempotencyKey] = o
	return o.IdempotencyKey, nil
}

func (d *keyDesk) Sealed(_ context.Context, clerk access.Actor, task string) (string, error) {
	return d.done[task], nil
}

func TestACopyWaitsForTheKeyOfTheClerk(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		desk := &keyDesk{h, map[string]sealer.Order{}, map[string]string{}}
		h.service.Keys = desk
		c := h.found(h.b, h.opened().ID)
		order := issuance.Order{Seal: sealertest.Code, ByKey: true}
		for range 2 {
			_, err := h.service.Issue(ctx, h.b, c.ID, order)
			wants(t, err, "issuance.waits-for-key")
		}
		if len(desk.orders) != 1 {
			t.Fatalf("%d tasks", len(desk.orders))
		}
		for task, o := range desk.orders {
			sealed, err := h.Sealer.Seal(ctx, h.b, o)
			must(t, err)
			desk.done[task] = sealed.Document.ID
		}
		c, err := h.service.Issue(ctx, h.b, c.ID, order)
		must(t, err)
		_, err = h.receive(c.ID, h.file(c.ID))
		must(t, err)
	})
}

func TestAComposedCopyCanBeTakenApartBeforeItIsSealed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		c := h.found(h.b, h.opened().ID)
		must(t, h.Register.Suspend(ctx, h.Registrar, sealertest.Code, "test"))
		_, err := h.service.Issue(ctx, h.b, c.ID, issuance.Order{Seal: sealertest.Code})
		wants(t, err, "seal.suspended")
		if c, err = h.service.Case(ctx, h.b, c.ID); err != nil || c.State != issuance.Found {
			t.Fatalf("%s %v", c.State, err)
		}
		h.service.Keys = &keyDesk{h, map[string]sealer.Order{}, map[string]string{}}
		_, err = h.service.Issue(ctx, h.b, c.ID, issuance.Order{Seal: sealertest.Code, ByKey: true})
		wants(t, err, "issuance.waits-for-key")
		_, err = h.service.ClearPages(ctx, h.b, c.ID)
		wants(t, err, "issuance.state")
		c, err = h.service.Discard(ctx, h.b, c.ID)
		must(t, err)
		if c.State != issuance.Found || c.Copy != nil {
			t.Errorf("%+v", c)
		}
		c, err = h.service.ClearPages(ctx, h.b, c.ID)
		must(t, err)
		if len(c.Parts) != 0 {
			t.Errorf("%d parts", len(c.Parts))
		}
	})
}

func TestTheRegisterIsAWorkbookWithoutFormulas(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.issued()
		h.now = h.now.Add(time.Minute)
		r := request()
		r.Applicant.Purpose = "=HYPERLINK(1)"
		_, _, err := h.service.Open(ctx, h.a, r)
		must(t, err)
		var b bytes.Buffer
		must(t, h.service.Export(ctx, h.a, issuance.Filter{}, &b))
		book, err := excelize.OpenReader(&b)
		must(t, err)
		defer book.Close()
		rows, err := book.GetRows("异地出证登记簿")
		must(t, err)
		if len(rows) != 4 || rows[3][16] != "CZ-2026-000001" || rows[3][4] != "欧***" {
			t.Fatalf("%d rows: %q", len(rows), rows)
		}
		if f, err := book.GetCellFormula("异地出证登记簿", "G3"); err != nil || f != "" || rows[2][6] != "=HYPERLINK(1)" {
			t.Errorf("%q %q %v", rows[2][6], f, err)
		}
		b.Reset()
		for _, n := range []int{1, 2} { // as many rows, in whatever pieces they are read
			b.Reset()
			issuance.InPiecesOf(n, func() { must(t, h.service.Export(ctx, h.a, issuance.Filter{}, &b)) })
			pieces, err := excelize.OpenReader(&b)
			must(t, err)
			if again, err := pieces.GetRows("异地出证登记簿"); err != nil || !reflect.DeepEqual(again, rows) {
				t.Errorf("in pieces of %d: %q, %v", n, again, err)
			}
			must(t, pieces.Close())
		}
		b.Reset()
		must(t, h.service.Export(ctx, h.c, issuance.Filter{}, &b))
		other, err := excelize.OpenReader(&b)
		must(t, err)
		defer other.Close()
		if rows, err := other.GetRows("异地出证登记簿"); err != nil || len(rows) != 2 {
			t.Errorf("C exports %d rows: %v", len(rows), err)
		}
	})
}
