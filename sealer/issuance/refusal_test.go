package issuance_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/sealer/issuance"
	"yinxin/sealer/sealertest"
)

func TestACaseExistsOnlyForThoseWhoItIsBetween(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, s := t.Context(), h.service
		c := h.issued()
		acts := map[string]func(by access.Actor) error{
			"see":    func(by access.Actor) error { _, err := s.Case(ctx, by, c.ID); return err },
			"fetch":  func(by access.Actor) error { _, err := s.Document(ctx, by, c.ID); return err },
			"unmask": func(by access.Actor) error { _, err := s.Applicant(ctx, by, c.ID, "核对身份"); return err },
			"answer": func(by access.Actor) error {
				_, err := s.Answer(ctx, by, c.ID, issuance.Answer{Result: issuance.Missing, Reason: "无"})
				return err
			},
			"add": func(by access.Actor) error {
				_, err := s.AddPages(ctx, by, c.ID, "x.jpg", scanned(t, 100, 100))
				return err
			},
			"clear": func(by access.Actor) error { _, err := s.ClearPages(ctx, by, c.ID); return err },
			"issue": func(by access.Actor) error {
				_, err := s.Issue(ctx, by, c.ID, issuance.Order{Seal: sealertest.Code})
				return err
			},
			"discard": func(by access.Actor) error { _, err := s.Discard(ctx, by, c.ID); return err },
			"receive": func(by access.Actor) error {
				_, err := s.Receive(ctx, by, c.ID, bytes.NewReader([]byte("%PDF")), 4)
				return err
			},
			"deliver": func(by access.Actor) error {
				_, err := s.Deliver(ctx, by, c.ID, issuance.Delivery{Manner: issuance.AsFile, IdentityChecked: true})
				return err
			},
			"withdraw": func(by access.Actor) error { _, err := s.Withdraw(ctx, by, c.ID, "有误"); return err },
			"cancel":   func(by access.Actor) error { _, err := s.Cancel(ctx, by, c.ID); return err },
		}
		for name, act := range acts {
			for _, by := range []access.Actor{h.c, h.platform, h.other, h.auditor, h.Clerk, {ID: h.a.ID + "x"}} {
				if err := act(by); err == nil || (by.ID == h.a.ID+"x") != (code(err) == "access.actor-not-found") || by.ID != h.a.ID+"x" && code(err) != "issuance.not-found" {
					t.Errorf("%s by %s: %v", name, by.ID, err)
				}
			}
		}
		for name, by := range map[string]access.Actor{"answer": h.a, "add": h.a, "clear": h.a, "issue": h.a, "discard": h.a, "withdraw": h.a, "receive": h.b, "deliver": h.b, "cancel": h.b} {
			if err := acts[name](by); code(err) != "issuance.side" {
				t.Errorf("%s from the other side: %v", name, err)
			}
		}
		for _, by := range []access.Actor{h.c, h.other, h.platform, h.auditor} {
			list, err := s.Cases(ctx, by, issuance.Filter{})
			must(t, err)
			if len(list) != 0 {
				t.Errorf("%s lists %d cases", by.ID, len(list))
			}
		}
		// Whose role was taken away sees nothing any more, whatever their actor still says.
		must(t, h.Access.WithdrawRole(ctx, got(h.Access.CreateActor(ctx, access.Actor{ID: "administrator", Name: "x", Roles: []access.Role{access.RoleAdministrator}}))(t), h.a.ID, access.RoleOperator))
		_, err := s.Case(ctx, h.a, c.ID)
		wants(t, err, "issuance.not-found")
	})
}

func TestThePlatformDrivesItsCasesUnderItsOwnNumbers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, s := t.Context(), h.service
		r := request()
		r.Receiving, r.Number = archiveA, "JL2026-77"
		c, existed, err := s.Open(ctx, h.platform, r)
		must(t, err)
		again, existedThen, err := s.Open(ctx, h.platform, r)
		must(t, err)
		if existed || !existedThen || again.ID != c.ID {
			t.Fatal("the number opened another case")
		}
		other := r
		other.Applicant.Sought = "别的"
		_, _, err = s.Open(ctx, h.platform, other)
		wants(t, err, "issuance.key-reused")
		_, err = s.Case(ctx, h.other, c.ID)
		wants(t, err, "issuance.not-found")
		h.found(h.platform, c.ID)
		c, err = s.Issue(ctx, h.platform, c.ID, issuance.Order{Seal: sealertest.Code})
		must(t, err)
		d, err := s.Document(ctx, h.platform, c.ID)
		must(t, err)
		b := h.Bytes(d)
		c, err = s.Receive(ctx, h.platform, c.ID, bytes.NewReader(b), int64(len(b)))
		must(t, err)
		if c.State != issuance.Received || c.Number != "JL2026-77" {
			t.Fatalf("%+v", c)
		}
		// A clerk does not act for another archive.
		r = request()
		r.Receiving = archiveC
		_, _, err = s.Open(ctx, h.a, r)
		wants(t, err, "issuance.archive")
	})
}

func TestATermOfFourWorkingDaysIsKeptOrShownAsOverdue(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, s := t.Context(), h.service
		late, inTime := h.opened(), h.opened()
		// Thursday; the weekend does not count: the end of Wednesday in China.
		if want := time.Date(2026, 12, 2, 16, 0, 0, 0, time.UTC); !late.DueAt.Equal(want) {
			t.Fatalf("due %v, want %v", late.DueAt, want)
		}
		h.now = late.DueAt.Add(-time.Microsecond)
		c, err := s.Answer(ctx, h.b, inTime.ID, issuance.Answer{Result: issuance.Missing, Reason: "馆藏中没有这一年的材料"})
		must(t, err)
		if c.Overdue || c.State != issuance.Declined {
			t.Errorf("%+v", c)
		}
		h.now = late.DueAt
		list, err := s.Cases(ctx, h.b, issuance.Filter{Side: "in", Overdue: true})
		must(t, err)
		if len(list) != 1 || list[0].ID != late.ID || !list[0].Overdue {
			t.Fatalf("overdue: %v", list)
		}
		if list, err = s.Cases(ctx, h.b, issuance.Filter{Side: "out"}); err != nil || len(list) != 0 {
			t.Errorf("B asked for nothing: %v %v", list, err)
		}
		h.now = h.now.AddDate(0, 1, 0)
		c, err = s.Answer(ctx, h.b, late.ID, issuance.Answer{Result: issuance.Closed, Reason: "涉及他人隐私，不予开放"})
		must(t, err)
		if !c.Overdue {
			t.Error("an answer that came late is shown as in time")
		}
		all, err := s.Statistics(ctx, h.auditor, 2026)
		must(t, err)
		if want := (issuance.Tally{Requested: 2, Missing: 1, Closed: 1, InTime: 1, Late: 1}); all.Total != want {
			t.Errorf("statistics %+v", all.Total)
		}
		if mine, err := s.Statistics(ctx, h.a, 2026); err != nil || len(mine.Archives) != 0 {
			t.Errorf("A was asked nothing: %+v %v", mine, err)
		}
		_, err = s.Statistics(ctx, h.platform, 2026)
		wants(t, err, "access.role")
	})
}

func TestAnAnswerIsHeldAgainstTheRulesOfArchivalNumbers(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		c := h.opened()
		for name, change := range map[string]func(r *issuance.Reference){
			"no fonds":             func(r *issuance.Reference) { r.Fonds = "" },
			"a fonds of markup":    func(r *issuance.Reference) { r.Fonds = "<b>" },
			"neither file or item": func(r *issuance.Reference) { r.File, r.Item = "", "" },
			"no pages":             func(r *issuance.Reference) { r.Pages = 0 },
			"too many pages":       func(r *issuance.Reference) { r.Pages = 501 },
			"another fonds":        func(r *issuance.Reference) { r.Number = "J022-WS·2009-0137-0012" },
			"another item":         func(r *issuance.Reference) { r.Number = "J021-WS·2009-0137-0013" },
			"without the file":     func(r *issuance.Reference) { r.Number = "J021-WS·2009-0012" },
			"control characters":   func(r *issuance.Reference) { r.Number = "J021-0137\n-0012" },
		} {
			r := reference
			change(&r)
			_, err := h.service.Answer(t.Context(), h.b, c.ID, issuance.Answer{Result: issuance.Held, Reference: r})
			if code(err) != "issuance.reference" {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := h.service.Answer(t.Context(), h.b, c.ID, issuance.Answer{Result: issuance.Missing})
		wants(t, err, "enroll.reason")
		_, err = h.service.Answer(t.Context(), h.b, c.ID, issuance.Answer{Result: issuance.Missing, Reason: "此人证件 " + identity + " 查无"})
		wants(t, err, "enroll.personal-data")
		byItem := issuance.Reference{Fonds: "J021", Item: "0012", Pages: 3, Number: "J021-WS·2009·Y-0012"}
		_, err = h.service.Answer(t.Context(), h.b, c.ID, issuance.Answer{Result: issuance.Held, Reference: byItem})
		must(t, err)
	})
}

func TestHostileFilesAreRefusedAndLeaveTheCaseAsItWas(t *testing.T) {
	alone(t, func(t *testing.T, h *house) {
		c := h.opened()
		_, err := h.service.Answer(t.Context(), h.b, c.ID, issuance.Answer{Result: issuance.Held, Reference: reference})
		must(t, err)
		locked := got(fixtures.PDF(fixtures.ShapeEncryptedAES256, fixtures.PDFOptions{Seed: 1}))(t)
		signed := got(fixtures.PDF(fixtures.ShapeSignedForeign, fixtures.PDFOptions{Seed: 1}))(t)
		jpeg := scanned(t, 200, 300)
		bomb := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x02\x00\x00\x00"), make([]byte, 64)...)
		for _, f := range []struct {
			name string
			data []byte
			want string
		}{
			{"a.pdf", locked, "normalise.encrypted"}, {"a.pdf", signed, "normalise.signed"}, {"a.pdf", []byte("%PDF-1.7\nnothing"), "normalise.unreadable"},
			{"a.jpg", jpeg[:len(jpeg)/2], ""}, {"a.png", jpeg, "attachment.not-what-it-says"}, {"a.exe", []byte("MZ\x90\x00"), "attachment.unknown-format"}, {"a.png", bomb, ""}, {"a.jpg", nil, "attachment.unknown-format"},
		} {
			_, err := h.service.AddPages(t.Context(), h.b, c.ID, f.name, f.data)
			if err == nil || code(err) == "internal" || f.want != "" && code(err) != f.want {
				t.Errorf("%s (%d bytes): %v, want %s", f.name, len(f.data), err, f.want)
			}
		}
		c, err = h.service.Case(t.Context(), h.b, c.ID)
		must(t, err)
		if len(c.Parts) != 0 {
			t.Errorf("%d parts", len(c.Parts))
		}
		_, err = h.service.AddPages(t.Context(), h.b, c.ID, "a.jpg", jpeg)
		must(t, err)
		_, err = h.service.Issue(t.Context(), h.b, c.ID, issuance.Order{Seal: sealertest.Code})
		wants(t, err, "issuance.pages")
	})
}

func TestNothingPersonalStandsInLedgerOrTables(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		c := h.issued()
		_, err := h.receive(c.ID, h.file(c.ID))
		must(t, err)
		a, err := h.service.Applicant(ctx, h.a, c.ID, "交付前核对身份证件")
		must(t, err)
		if a.Name != fullName || a.Identity != identity {
			t.Fatal("the applicant is not whole")
		}
		entries, err := store.Column[[]byte](h.DB.Read().QueryContext(ctx, `SELECT entry FROM ledger_event`))
		must(t, err)
		ledger := bytes.Join(entries, nil)
		if !bytes.Contains(ledger, []byte("issuance.unmasked")) || !bytes.Contains(ledger, []byte("issuance.received")) {
			t.Error("steps are missing from the ledger")
		}
		for _, secret := range []string{fullName, identity, request().Applicant.Sought, request().Applicant.Purpose} {
			if bytes.Contains(ledger, []byte(secret)) {
				t.Errorf("%q is in the ledger", secret)
			}
			if n := h.count(`SELECT COUNT(*) FROM issuance_case WHERE number LIKE $1 OR reason LIKE $1 OR key LIKE $1`, "%"+secret+"%"); n != 0 {
				t.Errorf("%q is in the table", secret)
			}
		}
		if s := a.String(); strings.Contains(s, identity) || strings.Contains(s, fullName) {
			t.Error("it prints itself whole")
		}
		head := []byte("other")
		if n, err := h.service.Stale(ctx, h.DB.Read(), head); err != nil || n != 2 {
			t.Errorf("%d stale pieces: %v", n, err)
		}
		if n, err := h.service.Reseal(ctx, head, 10); err != nil || n != 2 {
			t.Errorf("%d sealed anew: %v", n, err)
		}
		_, err = h.service.Case(ctx, h.a, c.ID)
		must(t, err)
	})
}
