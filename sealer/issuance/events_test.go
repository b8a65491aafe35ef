package issuance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"yinxin/internal/access"
	"yinxin/internal/store"
	"yinxin/internal/webhook"
	"yinxin/sealer/issuance"
)

// told is what was told to whom.
type told struct {
	owner, kind, id string
	data            map[string]string
}

func (h *house) listen() *[]told {
	list := &[]told{}
	h.service.Told = func(_ context.Context, _ *store.Tx, owner, kind, id string, data map[string]string) error {
		*list = append(*list, told{owner, kind, id, data})
		return nil
	}
	return list
}

func TestProgramsOfBothSidesAreToldOfACase(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		heard := h.listen()
		c := h.issued()
		_, err := h.receive(c.ID, []byte("%PDF-1.7"))
		wants(t, err, "issuance.not-genuine")
		_, err = h.receive(c.ID, h.file(c.ID))
		must(t, err)
		_, err = h.service.Deliver(t.Context(), h.a, c.ID, issuance.Delivery{Manner: issuance.AsFile, IdentityChecked: true})
		must(t, err)
		_, err = h.service.Withdraw(t.Context(), h.b, c.ID, "欧阳明月的复制件有误")
		must(t, err)
		var kinds []string
		for _, e := range *heard {
			if e.owner == h.a.ID {
				kinds = append(kinds, strings.TrimPrefix(e.kind, "issuance.")+" "+e.data["state"])
			}
			if e.id != c.ID || e.data["number"] != c.Number || e.data["holding"] != archiveB || strings.Contains(fmt.Sprint(e.data), "欧阳") {
				t.Errorf("%+v", e)
			}
		}
		want := []string{"requested requested", "answered found", "issued issued", "refused issued", "received received", "delivered delivered", "withdrawn withdrawn"}
		if !slices.Equal(kinds, want) {
			t.Errorf("told of %q", kinds)
		}
	})
}

func TestWhoIsToldIsWhoMaySeeTheCase(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		for name, open := range map[string]func() (issuance.Case, bool, error){
			"clerk": func() (issuance.Case, bool, error) { return h.service.Open(ctx, h.a, request()) },
			"platform": func() (issuance.Case, bool, error) {
				r := request()
				r.Receiving, r.Number = archiveA, "P-1"
				return h.service.Open(ctx, h.platform, r)
			},
		} {
			heard := h.listen()
			c, _, err := open()
			must(t, err)
			for _, a := range []access.Actor{h.a, h.b, h.b2, h.c, h.platform, h.other, h.auditor} {
				_, err := h.service.Case(ctx, a, c.ID)
				if n := len(slices.Collect(func(yield func(told) bool) {
					for _, e := range *heard {
						if e.owner == a.ID && !yield(e) {
							return
						}
					}
				})); (n == 1) != (err == nil) || n > 1 {
					t.Errorf("%s: %s was told %d times; sees it: %v", name, a.ID, n, err)
				}
			}
		}
	})
}

func TestAnOverdueCaseIsToldOfOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c, answered := h.opened(), h.opened()
		_, err := h.service.Answer(t.Context(), h.b, answered.ID, issuance.Answer{Result: issuance.Missing, Reason: "本馆未藏"})
		must(t, err)
		heard := h.listen()
		h.now = c.DueAt.Add(-time.Second)
		must(t, h.service.Sweep(t.Context()))
		if len(*heard) != 0 {
			t.Fatalf("too early: %+v", *heard)
		}
		h.now = c.DueAt
		for range 2 {
			must(t, h.service.Sweep(t.Context()))
		}
		owners := []string{}
		for _, e := range *heard {
			owners = append(owners, e.owner)
			if e.kind != issuance.EventOverdue || e.id != c.ID || e.data["state"] != "requested" {
				t.Errorf("%+v", e)
			}
		}
		if !slices.Equal(owners, []string{h.a.ID, h.b.ID, h.b2.ID}) {
			t.Errorf("told to %q", owners)
		}
		// One transaction takes a hundred; the others follow.
		for range 101 {
			h.opened()
		}
		*heard = nil
		h.now = h.now.Add(30 * 24 * time.Hour)
		must(t, h.service.Sweep(t.Context()))
		if len(*heard) != 3*101 {
			t.Errorf("told %d times", len(*heard))
		}
	})
}

func TestEveryEventCanBeAskedFor(t *testing.T) {
	for _, e := range issuance.Events {
		if !slices.Contains(webhook.Kinds, e) {
			t.Errorf("%s is no kind of a webhook", e)
		}
	}
}
