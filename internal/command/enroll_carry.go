package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"yinxin/api"
	"yinxin/ca"
	"yinxin/ca/csr"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/internal/fault"
	"yinxin/sealer/imprint"
	"yinxin/sealer/registration"
)

var errAmbiguous = fault.Spec{Kind: fault.Conflict, Code: "command.ambiguous-name",
	ZH: "该姓名对应多人，请改用编号。", EN: "More than one person has this name: use the identifier."}

type enrollImprintCommand struct {
	actFlags
	Code       string `help:"Code of the seal that the authority assigned (14 digits); one is made otherwise." placeholder:"CODE"`
	Reason     string `name:"accept-warning" help:"Why a template with a warning is good enough." placeholder:"REASON"`
	Output     string `short:"o" help:"Also write the template here: PNG, 600 dpi, transparent." placeholder:"PNG"`
	Sheet      string `help:"Also write the page to judge by, with the imprints as scanned: PDF." placeholder:"PDF"`
	Shape      string `help:"What an officer sees: round, ellipse, rectangle, frameless (default: as the form says or the scan shows)." enum:",round,ellipse,rectangle,frameless" default:"" placeholder:"SHAPE"`
	Polarity   string `help:"positive (阳文) or negative (阴文) (default: as the scan shows)." enum:",positive,negative" default:"" placeholder:"POLARITY"`
	Colour     string `help:"Colour of the ink: red, blue, green, purple." enum:"red,blue,green,purple" default:"red" placeholder:"COLOUR"`
	Attachment string `help:"The scan (default: the newest one with the code of the application)." placeholder:"ID"`
	Page       int    `help:"Its page, counted from 1." placeholder:"N"`
	Box        string `help:"both, first, second; page: a page on which the boxes cannot be found, or a picture of the imprints." enum:"both,first,second,page" default:"both" placeholder:"BOX"`
	DryRun     bool   `name:"dry-run" help:"Only look; nothing is kept."`
}

// Help is printed by --help.
func (enrollImprintCommand) Help() string {
	return "Exit status: 0 the template is kept (or would be), 3 it is not: the imprints must be stamped again, or a warning accepted (reasons are printed); 1 failed."
}

func (c enrollImprintCommand) Run(ctx context.Context, s streams) error {
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		for _, name := range []string{c.Output, c.Sheet} {
			if name == "" {
				continue
			}
			if err := checkOutput(name); err != nil {
				return err
			}
		}
		made, err := k.desk.MakeTemplate(ctx, k.by, a.Ref(), registration.Order{Attachment: c.Attachment, Page: c.Page, Box: registration.Box(c.Box),
			Shape: imprint.Shape(c.Shape), Polarity: imprint.Polarity(c.Polarity), Colour: imprint.Colour(c.Colour), Code: c.Code, Reason: c.Reason, Dry: c.DryRun})
		if err != nil {
			return err
		}
		if c.Output != "" {
			if err := writeBytes(ctx, c.Output, 0o644, made.Template); err != nil {
				return err
			}
		}
		if c.Sheet != "" { // it shows the scan
			if err := writeFile(ctx, c.Sheet, 0o600, func(w io.Writer) error { return k.desk.DrawSheet(a, made, w) }); err != nil {
				return err
			}
		}
		if err := c.tell(k, a, made); err != nil {
			return err
		}
		if !made.Stored && !(c.DryRun && made.Verdict == imprint.Usable) {
			return exit{exitRefused}
		}
		return nil
	})
}

func (c enrollImprintCommand) tell(k *counter, a enroll.Application, made registration.Made) error {
	if k.json {
		return printJSON(k.streams, map[string]any{"number": a.Number, "stored": made.Stored, "verdict": made.Verdict, "code": made.Code, "attachment": made.Attachment,
			"page": made.Page, "box": made.Box, "precise": made.Precise, "width_mm": made.Width, "height_mm": made.Height, "gates": made.Gates, "measures": made.Measures, "compared": made.Kinship()})
	}
	fmt.Fprintln(k.out, summaryOf(made.Result))
	for _, g := range made.Gates {
		fmt.Fprintf(k.out, "  %-11s %-11s %.3g %s  %s\n", g.Name, g.Verdict, g.Value, g.Unit, g.ZH)
	}
	if c := made.Compared; c != nil {
		fmt.Fprintf(k.out, "  与在用模板比较 compared with the template in use: %s  %s\n", c.Outcome, c.ZH)
	}
	if !made.Precise && made.Box != registration.WholePage {
		fmt.Fprintln(k.out, "  印模框的位置不确定，请人工核对。 The places of the boxes are not certain: somebody should look.")
	}
	switch {
	case made.Stored:
		fmt.Fprintf(k.out, "✔ 已保存为印章模板 kept as the template: %s\n", made.Code)
	case !made.Acceptable():
		fmt.Fprintln(k.out, "✘ 请重新盖印后再扫描；未保存。 The imprints must be stamped again; nothing was kept.")
	case made.Verdict == imprint.Warn:
		fmt.Fprintln(k.out, "✘ 未保存；接受上述提示须 --accept-warning 并说明理由。 Not kept: --accept-warning with a reason accepts it.")
	default:
		fmt.Fprintln(k.out, "未保存 nothing was kept (--dry-run)")
	}
	return nil
}

type enrollCarryOutCommand struct{ actFlags }

func (c enrollCarryOutCommand) Run(ctx context.Context, s streams) error {
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		if err := k.business.CarryOut(ctx, k.by, a.ID); err != nil {
			return err
		}
		return k.tookNow(ctx, a)
	})
}

// readRequest reads a PKCS#10, as a USB Key or its program gives it.
func readRequest(name string) ([]byte, error) {
	return readAtMost(name, csr.MaxRequest, csr.ErrTooLarge.New())
}

type enrollIssueKeyCommand struct {
	actFlags
	User    string `required:"" help:"Whose USB Key it is: the actor, or the name on the roster." placeholder:"ACTOR|NAME"`
	CSR     string `name:"csr" required:"" help:"The request that the USB Key signed: PKCS#10, DER or PEM." placeholder:"FILE"`
	Output  string `short:"o" required:"" help:"Where the answer goes (GM/T 0092): both certificates and the enveloped encryption key." placeholder:"FILE"`
	Seals   string `help:"Folder, made if it is not there, for the seals of the Key: CODE.esl each, for yinxin token import-seal." placeholder:"DIR"`
	Confirm bool   `help:"The Key has the answer: it is not handed out again." `
}

// Help is printed by --help.
func (enrollIssueKeyCommand) Help() string {
	return "With a request of the same key again it goes on where it was interrupted, and hands the answer out again."
}

func (c enrollIssueKeyCommand) Run(ctx context.Context, s streams) error {
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		request, err := readRequest(c.CSR)
		if err != nil {
			return err
		}
		if err := checkOutput(c.Output); err != nil {
			return err
		}
		acts, err := k.business.Acts(ctx, a.ID)
		if err != nil {
			return err
		}
		actor, err := userOf(acts, c.User)
		if err != nil {
			return err
		}
		key, err := k.business.IssueKey(ctx, k.by, a.ID, actor, request)
		if err != nil {
			return err
		}
		if err := writeBytes(ctx, c.Output, 0o600, key.Answer); err != nil {
			return err
		}
		if c.Seals != "" {
			if err := k.writeSeals(ctx, c.Seals, key.Seals); err != nil {
				return err
			}
		}
		if c.Confirm {
			if err := k.escrow.Confirm(ctx, k.by, key.Escrow); err != nil {
				return err
			}
		}
		if k.json {
			return printJSON(s, map[string]any{"number": a.Number, "actor": actor, "signing": ca.SerialText(key.Signing.Serial), "encryption": ca.SerialText(key.Encryption.Serial),
				"seals": key.Seals, "escrow": key.Escrow, "answer": c.Output})
		}
		fmt.Fprintf(s.out, "签名证书 signing  %s\n加密证书 encryption  %s\n托管密钥 in escrow  %s\n", ca.SerialText(key.Signing.Serial), ca.SerialText(key.Encryption.Serial), key.Escrow)
		for _, seal := range key.Seals {
			fmt.Fprintf(s.out, "印章 seal  %s\n", seal)
		}
		fmt.Fprintln(s.out, c.Output)
		return k.tookNow(ctx, a)
	})
}

// writeSeals writes instances of seals into a folder, each under its code.
func (c *counter) writeSeals(ctx context.Context, dir string, instances []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, id := range instances {
		in, err := c.register.Instance(ctx, id)
		if err != nil {
			return err
		}
		if err := writeBytes(ctx, filepath.Join(dir, in.SealCode+sealSuffix), 0o644, in.Seal); err != nil {
			return err
		}
	}
	return nil
}

// sealSuffix ends the name of a file with a seal (SESeal, DER).
const sealSuffix = ".esl"

// userOf finds whom a USB Key of the application is for: an actor, or a name that one of them has.
func userOf(acts []business.Act, user string) (string, error) {
	var found []string
	for _, a := range acts {
		if a.Kind != "certificate" || a.Actor == "" {
			continue
		}
		if a.Actor == user {
			return user, nil
		}
		if a.Name == user && !slices.Contains(found, a.Actor) {
			found = append(found, a.Actor)
		}
	}
	switch len(found) {
	case 0:
		return "", business.ErrNoKey.With("%s", user)
	case 1:
		return found[0], nil
	}
	return "", errAmbiguous.With("%s", user).At(fault.Field("--user"))
}

type enrollRenewKeyCommand struct {
	enrollFlags
	Serial string `arg:"" help:"Serial number of the signing certificate on the Key, hexadecimal." placeholder:"SERIAL"`
	CSR    string `name:"csr" required:"" help:"A request by its present key, or a new one: PKCS#10, DER or PEM." placeholder:"FILE"`
	Output string `short:"o" help:"Where the new certificates go, PEM, the signing certificate first." placeholder:"FILE"`
}

func (c enrollRenewKeyCommand) Run(ctx context.Context, s streams) error {
	serial, err := parseSerial(c.Serial)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.with(ctx, s, func(k *counter) error {
		request, err := readRequest(c.CSR)
		if err != nil {
			return err
		}
		if c.Output != "" {
			if err := checkOutput(c.Output); err != nil {
				return err
			}
		}
		r, err := k.business.RenewKey(ctx, k.by, serial, request)
		if err != nil {
			return err
		}
		if c.Output != "" {
			var all []byte
			for _, renewed := range r.Certificates {
				record, err := k.authority.Certificate(ctx, renewed.Successor)
				if err != nil {
					return err
				}
				all = append(all, certificatePEM(record.Certificate.Raw)...)
			}
			if err := writeBytes(ctx, c.Output, 0o644, all); err != nil {
				return err
			}
		}
		if k.json {
			return printJSON(s, api.RenewalOf(r))
		}
		printRenewal(s, r)
		return nil
	})
}
