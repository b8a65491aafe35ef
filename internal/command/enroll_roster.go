package command

import (
	"context"
	"fmt"
	"io"
	"os"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/roster"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

type enrollRosterCommand struct {
	Check    enrollRosterCheckCommand    `cmd:"" help:"Check a workbook; nothing is stored."`
	Import   enrollRosterImportCommand   `cmd:"" help:"Check a workbook against an application and put it there."`
	Template enrollRosterTemplateCommand `cmd:"" help:"Write an empty workbook."`
	Show     enrollRosterShowCommand     `cmd:"" help:"List the people of an application's roster, masked."`
}

const rosterHelp = "Exit status: 0 nothing has to go back, 3 cells are wrong, or the workbook is of a kind that is not taken (.xls, macros, a password; a reason code is printed), 1 failed, also where the workbook cannot be read. " +
	"--returned writes the workbook for the unit: each wrong cell marked with a comment, and a sheet with all findings."

// maxWorkbook bounds what is read of a workbook, in bytes; package roster has a limit below it.
const maxWorkbook = 64 << 20

func readWorkbook(name string) ([]byte, error) {
	return readAtMost(name, maxWorkbook, roster.ErrTooLarge.New())
}

// rosterJSON is what roster check and import print.
type rosterJSON struct {
	Good        bool                `json:"good"`
	Rows        int                 `json:"rows"`
	Persons     int                 `json:"persons"` // without fault
	FilledOn    string              `json:"filled_on,omitempty"`
	Findings    []api.RosterFinding `json:"findings"`
	Returned    string              `json:"returned,omitempty"`
	Application *api.Application    `json:"application,omitempty"`
}

// tell says what is wrong with a roster, writes what goes back, and gives the status.
func tellRoster(ctx context.Context, s streams, asJSON bool, r *roster.Roster, returned string, a *enroll.Application) error {
	v := rosterJSON{Good: r.Good() && !r.Date.IsZero(), Rows: r.Rows, Persons: len(r.Persons), Findings: api.RosterFindingsOf(r.Findings)}
	if !r.Date.IsZero() {
		v.FilledOn = civil.Day(r.Date)
	}
	if returned != "" && !v.Good {
		if err := writeFile(ctx, returned, 0o600, r.Return); err != nil {
			return err
		}
		v.Returned = returned
	}
	if a != nil {
		shown := api.ApplicationOf(*a)
		v.Application = &shown
	}
	if asJSON {
		if err := printJSON(s, v); err != nil {
			return err
		}
	} else {
		v.print(s)
	}
	if !v.Good {
		return exit{exitRefused}
	}
	return nil
}

func (v rosterJSON) print(s streams) {
	for _, f := range v.Findings {
		mark := "✘"
		if f.Note {
			mark = "·"
		}
		fmt.Fprintf(s.out, "%s %s %s  %s：%s\n    %s (%s)\n", mark, f.Sheet, f.Cell, f.Label, f.Message, f.MessageEN, f.Code)
	}
	verdict := "✔ 无需退回 nothing goes back"
	if !v.Good {
		verdict = "✘ 须退回 goes back"
	}
	fmt.Fprintf(s.out, "%s: %d / %d 人 people\n", verdict, v.Persons, v.Rows)
	if v.Returned != "" {
		fmt.Fprintf(s.out, "%s\n", v.Returned)
	}
}

type enrollRosterCheckCommand struct {
	enrollFlags
	File        string `arg:"" help:"The workbook." placeholder:"FILE.xlsx"`
	Application string `help:"Compare with this application (needs --data)." placeholder:"NUMBER"`
	Returned    string `help:"Where the marked workbook goes, if anything is wrong." placeholder:"OUT.xlsx"`
}

// Help is printed by --help.
func (enrollRosterCheckCommand) Help() string { return rosterHelp }

func (c enrollRosterCheckCommand) Run(ctx context.Context, s streams) error {
	rules := roster.Rules{Today: s.now()}
	if c.Data == "" {
		if c.Application != "" {
			return inForm(s, c.JSON, errMissing.At(fault.Field("--data")))
		}
		return inForm(s, c.JSON, c.check(ctx, s, rules))
	}
	return c.with(ctx, s, func(k *counter) error {
		rules.DocumentTypes, rules.Regions = k.config.Registration.DocumentTypes, k.config.Registration.Regions
		if c.Application != "" {
			a, err := k.find(ctx, c.Application)
			if err != nil {
				return err
			}
			rules.Expect = roster.Expectation{Unit: a.Form.Unit.Name, CreditCode: a.Form.Unit.CreditCode, Seals: []string{a.Form.Seal.Name}}
		}
		return c.check(ctx, s, rules)
	})
}

func (c enrollRosterCheckCommand) check(ctx context.Context, s streams, rules roster.Rules) error {
	data, err := returnable(c.File, c.Returned)
	if err != nil {
		return err
	}
	r, err := roster.Read(data, rules)
	if err != nil {
		return at(err, c.File)
	}
	return tellRoster(ctx, s, c.JSON, r, c.Returned, nil)
}

// returnable reads a workbook, and refuses to put what goes back in its place.
func returnable(name, returned string) ([]byte, error) {
	if returned != "" {
		if sameFile(name, returned) {
			return nil, errSameFile.At(fault.File(returned))
		}
		if err := checkOutput(returned); err != nil {
			return nil, err
		}
	}
	return readWorkbook(name)
}

type enrollRosterImportCommand struct {
	actFlags
	File     string `arg:"" help:"The workbook." placeholder:"FILE.xlsx"`
	Returned string `help:"Where the marked workbook goes, if anything is wrong." placeholder:"OUT.xlsx"`
}

// Help is printed by --help.
func (enrollRosterImportCommand) Help() string { return rosterHelp }

func (c enrollRosterImportCommand) Run(ctx context.Context, s streams) error {
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		data, err := returnable(c.File, c.Returned)
		if err != nil {
			return err
		}
		done, r, err := k.enroll.ImportRoster(ctx, k.by, a.Ref(), data)
		switch {
		case err == nil:
			if err := tellRoster(ctx, s, c.JSON, r, "", &done); err != nil || k.json {
				return err
			}
			return k.told(done)
		case r != nil && fault.Has(err, enroll.ErrRoster) && !(r.Good() && !r.Date.IsZero()):
			return tellRoster(ctx, s, c.JSON, r, c.Returned, nil)
		}
		return at(err, c.File)
	})
}

type enrollRosterTemplateCommand struct {
	enrollFlags
	Application string `help:"Offer its unit and seal for choice (needs --data)." placeholder:"NUMBER"`
	Output      string `short:"o" required:"" help:"Where the workbook goes." placeholder:"FILE.xlsx"`
}

func (c enrollRosterTemplateCommand) Run(ctx context.Context, s streams) error {
	write := func(blank roster.Blank) error {
		err := writeFile(ctx, c.Output, 0o644, func(w io.Writer) error { return roster.Template(w, blank) })
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(s, map[string]string{"output": c.Output})
		}
		info, err := os.Stat(c.Output)
		if err == nil {
			_, err = fmt.Fprintf(s.out, "%s (%d bytes)\n", c.Output, info.Size())
		}
		return err
	}
	if c.Application == "" {
		return inForm(s, c.JSON, write(roster.Blank{}))
	}
	return c.with(ctx, s, func(k *counter) error {
		a, err := k.find(ctx, c.Application)
		if err != nil {
			return err
		}
		return write(roster.Blank{Unit: a.Form.Unit.Name, Seals: []string{a.Form.Seal.Name}})
	})
}

type enrollRosterShowCommand struct{ numberFlags }

func (c enrollRosterShowCommand) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		list, err := k.enroll.Persons(ctx, k.by, a.ID)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, api.PersonsOf(list))
		}
		for _, p := range list {
			fmt.Fprintf(s.out, "第 %d 行 row %d  %s  %s  %s  %s  %s  %s\n", p.Row, p.Row, p.Name, p.Identity, p.Mobile, p.Post, p.Status, p.SealName)
		}
		return nil
	})
}
