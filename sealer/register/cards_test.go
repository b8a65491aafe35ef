package register_test

import (
	"testing"
	"time"

	"yinxin/internal/fault"
	"yinxin/sealer/register"
)

func TestCardsSayWhoWhenAndWhy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.make(h.order())
		h.now = h.now.Add(time.Hour)
		must(t, h.register.Suspend(ctx, h.approver, code, "印章遗失"))
		for _, f := range []register.CardFilter{{}, {State: register.Suspended}, {Text: code[:6]}, {Text: "档案馆"}} {
			list, err := h.register.Cards(ctx, h.requester, f)
			must(t, err)
			if len(list) != 1 || list[0].Code != code || list[0].State != register.Suspended || list[0].Reason != "印章遗失" || list[0].Actor != h.approver.ID || !list[0].Since.Equal(h.now) {
				t.Errorf("%+v: %+v", f, list)
			}
		}
		for _, f := range []register.CardFilter{{State: register.Active}, {Text: "%"}, {Text: "_"}, {After: code}, {State: "\x00\xff"}} {
			if list, err := h.register.Cards(ctx, h.requester, f); err != nil || len(list) != 0 {
				t.Errorf("%+v: %+v, %v", f, list, err)
			}
		}
		card, err := h.register.Card(ctx, h.approver, code)
		must(t, err)
		if n := len(card.History); n < 2 || card.History[n-1].Reason != "印章遗失" || len(card.Instances) != 1 || len(card.Instances[0].Picture) == 0 {
			t.Errorf("%+v", card)
		}
		if _, err := h.register.Card(ctx, h.approver, "1"); fault.CodeOf(err) != "seal.not-found" {
			t.Error(err)
		}
		if _, err := h.register.Cards(ctx, h.operator, register.CardFilter{}); err == nil {
			t.Error("an operator reads the cards of all seals")
		}
	})
}
