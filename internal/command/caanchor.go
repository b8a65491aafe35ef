package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"yinxin/ca"
	"yinxin/ca/chain"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
)

type importAnchorCommand struct {
	dataFlags
	File         string   `arg:"" optional:"" help:"Certificate, PEM or DER." placeholder:"FILE"`
	Name         string   `help:"How people call it (default: its common name)." placeholder:"NAME"`
	Purpose      []string `help:"What it is trusted for: signer, seal-maker, time-stamp; several with commas." placeholder:"PURPOSE"`
	Organisation []string `help:"Believe only certificates of this organisation below it; may be repeated." placeholder:"NAME" sep:"none"`
	Request      bool     `help:"Ask for it: another officer must approve (yinxin approvals)."`
	Approval     string   `help:"Import what was approved under this number." placeholder:"ID"`
	As           string   `help:"Officer who asks (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
	JSON         bool     `name:"json" help:"Print the result as JSON."`
}

// Help is printed by --help.
func (importAnchorCommand) Help() string {
	return "Without --request and --approval nothing changes: what the readers of certificates say of the file is shown. " +
		"Then: --request as one officer, yinxin approvals approve as another, --approval ID. A seal maker's certificate with --purpose seal-maker is a pinned one; connections (TLS) never use these anchors. " +
		"A certificate that strict readers refuse is read by a lenient one and marked so."
}

// anchorResult is what import-anchor --json prints, and an entry of ca anchors --json.
type anchorResult struct {
	ID            string             `json:"id,omitempty"`
	Request       string             `json:"request,omitempty"`
	Name          string             `json:"name"`
	Subject       string             `json:"subject"`
	SM3           string             `json:"sm3"`
	NotAfter      string             `json:"not_after"`
	Purposes      []ca.AnchorPurpose `json:"purposes"`
	Organisations []string           `json:"organisations,omitempty"`
	Lenient       bool               `json:"lenient"`
	Readings      []ca.Reading       `json:"readings"`
	Imported      string             `json:"imported,omitempty"`
	Removed       string             `json:"removed,omitempty"`
}

func (c importAnchorCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.run(ctx, s))
}

func (c importAnchorCommand) run(ctx context.Context, s streams) error {
	if c.Approval != "" {
		return c.redeem(ctx, s)
	}
	if c.File == "" {
		return errMissing.At(fault.Field("FILE"))
	}
	b, err := readSmall(c.File)
	if err != nil {
		return err
	}
	r := ca.AnchorRequest{Name: c.Name, Organisations: c.Organisation}
	for _, p := range c.Purpose {
		r.Purposes = append(r.Purposes, ca.AnchorPurpose(p))
	}
	certificate, readings, lenient, err := ca.ReadForeign(pemOrDER(b, "CERTIFICATE"))
	if err != nil {
		return at(err, c.File)
	}
	r.Certificate = certificate.Raw
	if r.Name == "" {
		r.Name = certificate.Subject.CommonName
	}
	result := anchorOf(ca.Anchor{Name: r.Name, Purposes: r.Purposes, Organisations: r.Organisations, Certificate: certificate, Lenient: lenient, Readings: readings})
	if !c.Request {
		if err := c.print(s, result); err != nil || c.JSON {
			return err
		}
		fmt.Fprintln(s.out, "未做任何更改；加 --request 申请导入。 Nothing was changed; --request asks for it.")
		return nil
	}
	h, actor, err := openAs(ctx, c.dataFlags, c.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	if result.Request, err = h.authority.AskAnchor(ctx, actor, r, ""); err != nil {
		return err
	}
	if err := h.settle(ctx); err != nil {
		return err
	}
	return c.print(s, result)
}

func (c importAnchorCommand) redeem(ctx context.Context, s streams) error {
	h, err := openInstallation(ctx, c.dataFlags, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	id, err := h.authority.ImportApproved(ctx, c.Approval)
	if err != nil {
		return err
	}
	if err := h.settle(ctx); err != nil {
		return err
	}
	list, err := h.authority.ImportedAnchors(ctx)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.ID == id {
			return c.print(s, anchorOf(a))
		}
	}
	return ca.ErrAnchorNotFound.New()
}

// settle gives what was just recorded its place in the ledger, where no service runs that would.
func (h *installation) settle(ctx context.Context) error {
	_, err := h.ledger.Sequence(ctx)
	return err
}

func anchorOf(a ca.Anchor) anchorResult {
	r := anchorResult{ID: a.ID, Name: a.Name, Subject: a.Certificate.Subject.String(), SM3: a.Certificate.FingerprintText(), NotAfter: moment(a.Certificate.NotAfter),
		Purposes: a.Purposes, Organisations: a.Organisations, Lenient: a.Lenient, Readings: a.Readings}
	if !a.Imported.IsZero() {
		r.Imported = moment(a.Imported)
	}
	if !a.Removed.IsZero() {
		r.Removed = moment(a.Removed)
	}
	return r
}

func (c importAnchorCommand) print(s streams, r anchorResult) error {
	if c.JSON {
		return printJSON(s, r)
	}
	printAnchor(s, r)
	if r.Request != "" {
		fmt.Fprintf(s.out, "申请 request: %s\n", r.Request)
	}
	return nil
}

func printAnchor(s streams, r anchorResult) {
	purposes := make([]string, len(r.Purposes))
	for i, p := range r.Purposes {
		purposes[i] = string(p)
	}
	head := r.Name
	if r.ID != "" {
		head = r.ID + "  " + head
	}
	if r.Removed != "" {
		head += "（已移除 removed " + r.Removed + "）"
	}
	fmt.Fprintf(s.out, "%s\n  %s\n  SM3 %s\n  用途 purposes: %s; 至 until %s\n", head, r.Subject, r.SM3, strings.Join(purposes, ", "), r.NotAfter)
	if len(r.Organisations) > 0 {
		fmt.Fprintf(s.out, "  仅限 only: %s\n", strings.Join(r.Organisations, ", "))
	}
	if r.Lenient {
		fmt.Fprintln(s.out, "  ⚠ 宽松读取：严格的解析器拒绝或有不合规之处 read leniently: a strict reader refused it, or it breaks rules")
	}
	for _, reading := range r.Readings {
		said := "可读 reads it"
		if !reading.OK {
			said = "拒绝 refuses it: " + reading.Said
		}
		if len(reading.Notes) > 0 {
			said += " (" + strings.Join(reading.Notes, "; ") + ")"
		}
		fmt.Fprintf(s.out, "  %s: %s\n", reading.Reader, said)
	}
}

type removeAnchorCommand struct {
	dataFlags
	ID     string `arg:"" help:"The anchor, as yinxin ca anchors names it." placeholder:"ANCHOR"`
	Reason string `help:"Why the trust ends; without it nothing changes." placeholder:"TEXT"`
	As     string `help:"Who does it (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

// Help is printed by --help.
func (removeAnchorCommand) Help() string {
	return "By a registrar or an administrator, at once: it only narrows what is believed. Revocation lists that the anchor vouched for go with it."
}

func (c removeAnchorCommand) Run(ctx context.Context, s streams) error {
	h, actor, err := openAs(ctx, c.dataFlags, c.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	list, err := h.authority.ImportedAnchors(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(a ca.Anchor) bool { return a.ID == c.ID && a.Removed.IsZero() })
	if at < 0 {
		return ca.ErrAnchorNotFound.With("%s", c.ID)
	}
	printAnchor(s, anchorOf(list[at]))
	if c.Reason == "" {
		fmt.Fprintln(s.out, "未做任何更改；加 --reason 写明理由后移除。 Nothing was changed; --reason says why and removes it.")
		return nil
	}
	if err := enroll.CheckReason(c.Reason); err != nil {
		return err
	}
	if err := h.authority.RemoveAnchor(ctx, actor, c.ID, c.Reason); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "已移除 removed")
	return h.settle(ctx)
}

type importCRLCommand struct {
	dataFlags
	File string `arg:"" help:"Revocation list of another authority, DER or PEM; in PEM beside it, certificates of CAs between an anchor and its signer." placeholder:"FILE"`
	As   string `help:"Who does it (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
}

// Help is printed by --help.
func (importCRLCommand) Help() string {
	return "By a registrar or an administrator. The list must be signed by an imported anchor, or by a CA below one; it takes the place of an older one."
}

func (c importCRLCommand) Run(ctx context.Context, s streams) error {
	b, err := readAtMost(c.File, ca.MaxForeignCRL, chain.ErrTooLarge.With("> %d MB", ca.MaxForeignCRL>>20))
	if err != nil {
		return err
	}
	h, actor, err := openAs(ctx, c.dataFlags, c.As, s.now)
	if err != nil {
		return err
	}
	defer h.close()
	list, err := h.authority.ImportCRL(ctx, actor, b)
	if err != nil {
		return at(err, c.File)
	}
	printForeignCRL(s, list)
	return h.settle(ctx)
}

func printForeignCRL(s streams, l ca.ForeignCRL) {
	fmt.Fprintf(s.out, "吊销列表 CRL %s  %s\n  编号 number %s; %d; %s – %s\n  SM3 %s\n", l.ID, l.Issuer, l.Number, l.Entries, moment(l.ThisUpdate), moment(l.NextUpdate), l.SM3)
}

type anchorsCommand struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	JSON     bool   `name:"json" help:"Print a list."`
}

func (c anchorsCommand) Run(ctx context.Context, s streams) error {
	h, err := openForReading(ctx, c.Data, c.Database, s.now)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	defer h.close()
	list, err := h.authority.ImportedAnchors(ctx)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	results := []anchorResult{}
	for _, a := range list {
		results = append(results, anchorOf(a))
	}
	if c.JSON {
		return printJSON(s, results)
	}
	if len(results) == 0 {
		fmt.Fprintln(s.out, "没有导入的信任锚。 No trust anchor was imported.")
	}
	for _, r := range results {
		printAnchor(s, r)
	}
	lists, err := h.authority.ForeignCRLs(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		printForeignCRL(s, l)
	}
	return nil
}
