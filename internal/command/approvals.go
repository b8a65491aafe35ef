package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"yinxin/internal/access"
)

type approvalsCommand struct {
	List    approvalsListCommand    `cmd:"" help:"List the requests that wait for a decision."`
	Show    approvalsShowCommand    `cmd:"" help:"Show one request in full."`
	Approve approvalsApproveCommand `cmd:"" help:"Agree, as an officer who did not ask."`
	Reject  approvalsRejectCommand  `cmd:"" help:"Refuse."`
}

// approvalResult is what the commands print as JSON. Subject is the JSON that was asked for, or a string.
type approvalResult struct {
	ID        string           `json:"id"`
	Kind      access.Kind      `json:"kind"`
	State     string           `json:"state"`
	Requester string           `json:"requester"`
	Why       string           `json:"why,omitempty"`
	Created   string           `json:"created"`
	Decider   string           `json:"decider,omitempty"`
	Decided   string           `json:"decided,omitempty"`
	Reason    string           `json:"reason,omitempty"`
	Expires   string           `json:"expires"`
	SM3       string           `json:"sm3"`
	Subject   json.RawMessage  `json:"subject"`
	Parts     []approvalResult `json:"parts,omitempty"`
}

func approvalOf(p access.Pending) approvalResult {
	subject := json.RawMessage(p.Subject)
	if !json.Valid(p.Subject) {
		subject, _ = json.Marshal(string(bytes.ToValidUTF8(p.Subject, []byte("\uFFFD"))))
	}
	state := p.State
	if p.Voided {
		state = "voided"
	}
	r := approvalResult{ID: p.ID, Kind: p.Kind, State: state, Requester: p.Requester, Why: p.Why, Created: moment(p.Created), Expires: moment(p.Expires), SM3: p.Digest, Subject: subject}
	if p.Decider != "" {
		r.Decider, r.Decided, r.Reason = p.Decider, moment(p.Decided), p.Reason
	}
	return r
}

// moment is how the commands write a time; "-" where there is none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// maxListed is how many requests are listed at once.
const maxListed = 1000

type approvalsListCommand struct {
	dataFlags
	JSON bool `name:"json" help:"Print a list."`
}

func (c approvalsListCommand) Run(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	defer h.close()
	open, err := h.access.Open(ctx, maxListed)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	list := []approvalResult{}
	for _, p := range open {
		list = append(list, approvalOf(p))
	}
	if c.JSON {
		return printJSON(s, list)
	}
	if len(list) == 0 {
		fmt.Fprintln(s.out, "没有待审批的申请。 Nothing waits for a decision.")
	}
	for _, r := range list {
		printApproval(s, r, 400)
	}
	return nil
}

// printApproval shows a request; of a long subject the first limit bytes, 0 for all.
func printApproval(s streams, r approvalResult, limit int) {
	subject := string(r.Subject)
	if text := ""; json.Unmarshal(r.Subject, &text) == nil {
		subject = strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
	}
	if limit > 0 && len(subject) > limit {
		subject = string(bytes.ToValidUTF8([]byte(subject[:limit]), nil)) + " …"
	}
	fmt.Fprintf(s.out, "%s  %s  %s\n  申请人 by %s, %s; 截止 until %s\n", r.ID, r.Kind, r.State, r.Requester, r.Created, r.Expires)
	if r.Why != "" {
		fmt.Fprintf(s.out, "  理由 why: %s\n", r.Why)
	}
	if r.Decider != "" {
		fmt.Fprintf(s.out, "  审批人 decided by %s, %s %s\n", r.Decider, r.Decided, r.Reason)
	}
	fmt.Fprintf(s.out, "  SM3 %s\n  %s\n", r.SM3, subject)
	for _, part := range r.Parts {
		fmt.Fprintf(s.out, "  - %s  %s  %.400s\n", part.ID, part.Kind, part.Subject)
	}
}

type approvalsShowCommand struct {
	dataFlags
	ID   string `arg:"" help:"The request." placeholder:"ID"`
	JSON bool   `name:"json" help:"Print it as JSON."`
}

func (c approvalsShowCommand) Run(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	defer h.close()
	p, err := h.access.Pending(ctx, c.ID)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	r := approvalOf(p)
	parts, err := h.access.Parts(ctx, c.ID)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	for _, part := range parts {
		r.Parts = append(r.Parts, approvalOf(part))
	}
	if c.JSON {
		return printJSON(s, r)
	}
	printApproval(s, r, 0)
	return nil
}

type approvalsApproveCommand struct {
	dataFlags
	ID string `arg:"" help:"The request." placeholder:"ID"`
	As string `help:"Officer who decides (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

func (c approvalsApproveCommand) Run(ctx context.Context, s streams) error {
	return decide(ctx, s, c.dataFlags, c.As, func(h *installation, by access.Actor) error {
		if err := h.access.Approve(ctx, by, c.ID); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "已批准 approved: %s\n", c.ID)
		return nil
	})
}

type approvalsRejectCommand struct {
	dataFlags
	ID     string `arg:"" help:"The request." placeholder:"ID"`
	Reason string `required:"" help:"Why; no personal data." placeholder:"TEXT"`
	As     string `help:"Officer who decides (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

func (c approvalsRejectCommand) Run(ctx context.Context, s streams) error {
	return decide(ctx, s, c.dataFlags, c.As, func(h *installation, by access.Actor) error {
		if err := h.access.Reject(ctx, by, c.ID, c.Reason); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "已拒绝 rejected: %s\n", c.ID)
		return nil
	})
}

// decide opens an installation for an officer, has something decided and gives it its place in the ledger.
func decide(ctx context.Context, s streams, f dataFlags, as string, what func(h *installation, by access.Actor) error) error {
	h, actor, err := openAs(ctx, f, as, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	if err := what(h, actor); err != nil {
		return err
	}
	return h.settle(ctx)
}
