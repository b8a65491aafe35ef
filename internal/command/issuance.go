package command

import (
	"cmp"
	"context"
	"strings"

	"yinxin/api/web/copies"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/workday"
	"yinxin/internal/access"
	"yinxin/keystore"
	"yinxin/sealer"
	"yinxin/sealer/issuance"
	"yinxin/sealer/issuance/compose"
	"yinxin/sealer/terminal"
	"yinxin/sealer/verify"
)

// issuanceConfig is the part of a configuration for remote issuing. Its working days are those of registration.
type issuanceConfig struct {
	// TermDays is how many working days an archive has for its answer; 0 leaves it to the service.
	TermDays int `json:"term_days,omitempty"`
	// Address is the beginning of the address in the QR code of an issued copy, to which the code is added; empty: the page for
	// copies below base_url.
	Address string `json:"address,omitempty"`
	// Watermark is laid over the pages of copies; {archive} and {purpose} are filled in. Empty leaves it to the service.
	Watermark   string `json:"watermark,omitempty"`
	NoWatermark bool   `json:"no_watermark,omitempty"`
}

// wireIssuance puts remote issuing over what there is; registration takes what it seals along when the safe is rotated.
func (h *installation) wireIssuance(safe *keystore.Safe, calendar *workday.Calendar, font string) {
	c := h.config.Issuance
	h.issuance = issuance.New(issuance.Config{DB: h.db, Ledger: h.ledger, Access: h.access, Register: h.register, Sealer: h.sealer, Safe: safe,
		Verify: verify.Options{Chain: h.sealer.Chain, SealStatus: sealer.SealStatus(h.register)}, Keys: keyTasks{h.terminals}, Clock: h.now, Calendar: calendar, TermDays: c.TermDays,
		Address: cmp.Or(c.Address, strings.TrimSuffix(h.config.BaseURL, "/")+copies.Path+"#"), Font: font, Watermark: c.Watermark, NoWatermark: c.NoWatermark})
	h.enroll.Resealers = append(h.enroll.Resealers, enroll.Resealer(h.issuance))
}

// keyTasks has copies sealed with the USB Key of a clerk: each is a task of one document on the clerk's terminal.
type keyTasks struct{ terminals *terminal.Service }

var _ issuance.KeySealing = keyTasks{}

// Ask implements issuance.KeySealing.
func (k keyTasks) Ask(ctx context.Context, clerk access.Actor, o sealer.Order) (string, error) {
	t, _, err := k.terminals.Create(ctx, clerk, terminal.NewTask{Note: o.Reason, Orders: []sealer.Order{o}, IdempotencyKey: o.IdempotencyKey})
	return t.ID, err
}

// Sealed implements issuance.KeySealing.
func (k keyTasks) Sealed(ctx context.Context, clerk access.Actor, task string) (string, error) {
	t, err := k.terminals.Task(ctx, clerk, task)
	if err != nil || len(t.Items) != 1 {
		return "", err
	}
	if t.Items[0].Result == "" && (t.State != "open" || t.Open() == 0) {
		return "", issuance.ErrTaskEnded.With("%s", cmp.Or(t.Items[0].Reason, t.State))
	}
	return t.Items[0].Result, nil
}

// composeWorkerCommand is the process that puts copies together; see package compose.
type composeWorkerCommand struct{}

func (composeWorkerCommand) Run(s streams) error {
	if status := compose.Work(s.in, s.out, s.err); status != exitDone {
		return exit{status}
	}
	return nil
}
