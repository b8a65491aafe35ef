package command

import (
	"context"
	"fmt"
	"io"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
)

func printFinding(w io.Writer, f enroll.Finding) {
	mark := "✘"
	switch {
	case f.Confirmed != nil:
		mark = "✔"
	case f.Severity == form.Confirm:
		mark = "?"
	}
	fmt.Fprintf(w, "%s %s  %s：%s\n    %s\n", mark, f.Key(), f.Label, f.ZH, f.EN)
	if f.Confirmed != nil {
		fmt.Fprintf(w, "    %s %s: %s\n", moment(f.Confirmed.At), f.Confirmed.By, f.Confirmed.Reason)
	}
}

type enrollFindingsCommand struct{ numberFlags }

// Help is printed by --help.
func (enrollFindingsCommand) Help() string {
	return "✘ must be corrected, ? may be let pass by a registrar with a reason (yinxin enroll confirm NUMBER KEY --reason …), ✔ was let pass. Exit status: 0 nothing stands in the way, 3 something does, 1 failed."
}

func (c enrollFindingsCommand) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		list, err := k.enroll.Findings(ctx, k.by, a.ID)
		if err != nil {
			return err
		}
		open := 0
		for _, f := range list {
			if f.Severity == form.Error || f.Confirmed == nil {
				open++
			}
		}
		if k.json {
			if err := printJSON(s, api.FindingsOf(list)); err != nil {
				return err
			}
		} else {
			for _, f := range list {
				printFinding(s.out, f)
			}
			fmt.Fprintf(s.out, "%s: 待解决 open %d\n", a.Number, open)
		}
		if open > 0 {
			return exit{exitRefused}
		}
		return nil
	})
}

type enrollConfirmCommand struct {
	actFlags
	Finding string `arg:"" help:"Key of the finding, as findings prints it." placeholder:"KEY"`
	Reason  string `required:"" help:"Why it may pass; no personal data." placeholder:"TEXT"`
}

func (c enrollConfirmCommand) Run(ctx context.Context, s streams) error {
	return c.act(ctx, s, func(k *counter, a enroll.Application) (enroll.Application, error) {
		return k.enroll.Confirm(ctx, k.by, a.Ref(), c.Finding, c.Reason)
	})
}

type enrollAcceptAgreementCommand struct {
	actFlags
	Version string `arg:"" help:"The version that was read: the one in force." placeholder:"VERSION"`
}

func (c enrollAcceptAgreementCommand) Run(ctx context.Context, s streams) error {
	return c.act(ctx, s, func(k *counter, a enroll.Application) (enroll.Application, error) {
		return k.enroll.AcceptAgreement(ctx, k.by, a.Ref(), c.Version)
	})
}

type enrollHistoryCommand struct{ numberFlags }

func (c enrollHistoryCommand) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		list, err := k.enroll.History(ctx, k.by, a.ID)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, api.HistoryOf(list))
		}
		for _, l := range list {
			fmt.Fprintln(s.out, l.Sentence())
		}
		return nil
	})
}
