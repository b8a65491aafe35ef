package command

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
	"yinxin/sealer/registration"
)

type enrollScanCommand struct {
	enrollFlags
	Files  []string `arg:"" name:"file" help:"Scans: PDF, JPEG, PNG or TIFF, of any number of pages." placeholder:"FILE"`
	Output string   `short:"o" help:"Folder into which pages that belong to no application are written, one file each." placeholder:"DIR"`
}

// Help is printed by --help.
func (enrollScanCommand) Help() string {
	return "The same scan again changes nothing. Exit status: 0 every page was put with its application, 3 pages are left over (put them there by hand: yinxin enroll attach), 1 failed."
}

// scanJSON is what became of a page.
type scanJSON struct {
	File       string               `json:"file"`
	Page       int                  `json:"page"`
	Outcome    registration.Outcome `json:"outcome"`
	Number     string               `json:"number,omitempty"`
	Attachment string               `json:"attachment,omitempty"`
	Precise    bool                 `json:"precise,omitempty"`
	DPI        float64              `json:"dpi,omitempty"`
	Code       string               `json:"code,omitempty"`
	Message    string               `json:"message,omitempty"`
	MessageEN  string               `json:"message_en,omitempty"`
	Extracted  string               `json:"extracted,omitempty"`
}

func (c enrollScanCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if c.Output != "" {
			if err := os.MkdirAll(c.Output, 0o700); err != nil {
				return err
			}
		}
		all := []scanJSON{}
		left := false
		for _, name := range c.Files {
			pages, err := c.scan(ctx, k, name)
			if err != nil {
				return at(err, name)
			}
			for _, p := range pages {
				left = left || p.Outcome != registration.Attached
				if !k.json {
					p.print(s)
				}
			}
			all = append(all, pages...)
		}
		if k.json {
			if err := printJSON(s, all); err != nil {
				return err
			}
		}
		if left {
			return exit{exitRefused}
		}
		return nil
	})
}

func (c enrollScanCommand) scan(ctx context.Context, k *counter, name string) ([]scanJSON, error) {
	data, err := readScan(name)
	if err != nil {
		return nil, err
	}
	pages, err := k.desk.Scan(ctx, k.by, filepath.Base(name), data)
	if err != nil {
		return nil, err
	}
	var list []scanJSON
	for _, p := range pages {
		v := scanJSON{File: name, Page: p.Page, Outcome: p.Outcome, Number: p.Number, Attachment: p.Attachment, Precise: p.Precise, DPI: p.DPI}
		if p.Problem != nil {
			f := explain(p.Problem)
			v.Code, v.Message, v.MessageEN = f.Code, f.Sentence("zh"), f.Sentence("en")
		}
		if c.Output != "" && p.Outcome != registration.Attached {
			// A page without a picture cannot be taken out; it is in the list with its reason.
			content, ending, err := k.desk.Extract(ctx, data, p.Page)
			if err == nil {
				stem := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
				v.Extracted = filepath.Join(c.Output, fmt.Sprintf("%s-%d.%s", stem, p.Page, ending))
				err = writeBytes(ctx, v.Extracted, 0o600, content)
			}
			if f, ok := fault.Of(err); err != nil && (!ok || f.Kind == fault.Internal) {
				return nil, err
			}
		}
		list = append(list, v)
	}
	return list, nil
}

func (v scanJSON) print(s streams) {
	mark := map[registration.Outcome]string{registration.Attached: "✔", registration.Unmatched: "?", registration.Refused: "✘"}[v.Outcome]
	fmt.Fprintf(s.out, "%s %s 第 %d 页 page %d  %s  %s %s %s\n", mark, v.File, v.Page, v.Page, v.Outcome, v.Number, v.Attachment, v.Extracted)
	if v.Code != "" {
		fmt.Fprintf(s.out, "    %s  %s\n    %s\n", v.Code, v.Message, v.MessageEN)
	}
	if v.Outcome == registration.Attached && !v.Precise {
		fmt.Fprintln(s.out, "    印模框的位置不确定，请人工核对。 The places of the boxes are not certain: somebody should look.")
	}
}

type enrollAttachCommand struct {
	actFlags
	File string `arg:"" help:"Scan: PDF, JPEG, PNG or TIFF." placeholder:"FILE"`
	Kind string `required:"" help:"What it is: form, credit-code, identity, other." enum:"form,credit-code,identity,other" placeholder:"KIND"`
	Page int    `help:"Only this page of it." placeholder:"N"`
}

func (c enrollAttachCommand) Run(ctx context.Context, s streams) error {
	data, err := readScan(c.File)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.act(ctx, s, func(k *counter, a enroll.Application) (enroll.Application, error) {
		done, err := k.desk.Attach(ctx, k.by, a.Ref(), enroll.AttachmentKind(c.Kind), filepath.Base(c.File), data, c.Page)
		if err != nil {
			err = at(err, c.File)
		}
		return done, err
	})
}

type enrollDetachCommand struct {
	actFlags
	ID  string `arg:"" help:"The attachment." placeholder:"ID"`
	Yes bool   `help:"Do it. Without it nothing is changed."`
}

func (c enrollDetachCommand) Run(ctx context.Context, s streams) error {
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		if !c.Yes {
			return nothingDone(s)
		}
		a, err := k.enroll.RemoveAttachment(ctx, k.by, a.Ref(), c.ID)
		if err != nil {
			return err
		}
		return k.told(a)
	})
}

type enrollAttachmentsCommand struct{ numberFlags }

func (c enrollAttachmentsCommand) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		if k.json {
			return printJSON(s, api.ApplicationOf(a).Attachments)
		}
		for _, at := range a.Attachments {
			fmt.Fprintf(s.out, "%s  %s %s  %s  %d bytes  %s  %s\n", at.ID, at.Kind.Label(), at.Kind, at.Media, at.Size, moment(at.Added), at.Matched)
		}
		return nil
	})
}

type enrollOpenAttachmentCommand struct {
	numberFlags
	ID     string `arg:"" help:"The attachment." placeholder:"ID"`
	Reason string `help:"Why an officer looks; history and ledger have it." placeholder:"TEXT"`
	Output string `short:"o" required:"" help:"Where the scan goes; it holds personal data." placeholder:"FILE"`
}

func (c enrollOpenAttachmentCommand) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		if err := checkOutput(c.Output); err != nil {
			return err
		}
		at, content, err := k.enroll.OpenAttachment(ctx, k.by, a.ID, c.ID, c.Reason)
		if err != nil {
			return err
		}
		defer clear(content)
		if err := writeBytes(ctx, c.Output, 0o600, content); err != nil {
			return err
		}
		if k.json {
			return printJSON(s, map[string]any{"attachment": api.AttachmentOf(at), "output": c.Output})
		}
		_, err = fmt.Fprintf(s.out, "%s  %s  %s (%d bytes)\n", at.ID, at.Kind.Label(), c.Output, at.Size)
		return err
	})
}

type enrollUnmaskCommand struct {
	numberFlags
	Reason string `required:"" help:"Why; history and ledger have it." placeholder:"TEXT"`
}

func (c enrollUnmaskCommand) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		u, err := k.enroll.Unmask(ctx, k.by, a.ID, c.Reason)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, api.PersonalOf(u))
		}
		fmt.Fprintf(s.out, "经办人 handler  %s  %s  %s\n", a.Form.Handler.Name, u.Personal.HandlerIdentity, u.Personal.HandlerMobile)
		if u.Personal.KeyHolderIdentity != "" {
			fmt.Fprintf(s.out, "USB Key  %s  %s\n", a.Form.Key.Holder, u.Personal.KeyHolderIdentity)
		}
		for _, p := range u.Persons {
			fmt.Fprintf(s.out, "第 %d 行 row %d  %s  %s  %s\n", p.Row, p.Row, p.Name, p.Identity, p.Mobile)
		}
		return nil
	})
}
