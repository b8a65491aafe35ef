package command

import (
	"context"
	"fmt"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/internal/civil"
)

type enrollBatchCommand struct {
	Open     enrollBatchOpenCommand     `cmd:"" help:"Begin a batch for an area."`
	Gather   enrollBatchGatherCommand   `cmd:"" help:"Put submitted applications into a batch."`
	Release  enrollBatchReleaseCommand  `cmd:"" help:"Take an application out of its batch."`
	HandIn   enrollBatchHandInCommand   `cmd:"" name:"hand-in" help:"Give a batch to the province."`
	Progress enrollBatchProgressCommand `cmd:"" help:"Say how far a batch has come, and who is missing."`
	List     enrollBatchListCommand     `cmd:"" help:"List batches."`
}

func (c *counter) printBatch(b enroll.Batch) error {
	if c.json {
		return printJSON(c.streams, api.BatchOf(b))
	}
	state := "汇总中 open"
	if !b.HandedIn.IsZero() {
		state = "已报送 handed in " + moment(b.HandedIn)
	}
	_, err := fmt.Fprintf(c.out, "%s  %s  %s  截止 until %s  %s\n", b.ID, b.Area, b.Title, civil.Minute(b.Deadline), state)
	return err
}

type enrollBatchOpenCommand struct {
	enrollFlags
	Area     string `required:"" help:"Code of the area." placeholder:"CODE"`
	Title    string `required:"" help:"What it is called." placeholder:"TEXT"`
	Deadline string `required:"" help:"Last day, YYYY-MM-DD." placeholder:"DATE"`
}

func (c enrollBatchOpenCommand) Run(ctx context.Context, s streams) error {
	deadline, err := day(c.Deadline, "--deadline", true)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.with(ctx, s, func(k *counter) error {
		b, err := k.enroll.OpenBatch(ctx, k.by, c.Area, c.Title, deadline)
		if err != nil {
			return err
		}
		return k.printBatch(b)
	})
}

type enrollBatchGatherCommand struct {
	enrollFlags
	Batch   string   `arg:"" help:"The batch." placeholder:"BATCH"`
	Numbers []string `arg:"" name:"number" help:"The applications." placeholder:"NUMBER"`
}

func (c enrollBatchGatherCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		done := []api.Application{}
		for _, number := range c.Numbers {
			a, err := k.find(ctx, number)
			if err != nil {
				return err
			}
			if a, err = k.enroll.Gather(ctx, k.by, a.Ref(), c.Batch); err != nil {
				return err
			}
			if done = append(done, api.ApplicationOf(a)); !k.json {
				if err := k.told(a); err != nil {
					return err
				}
			}
		}
		if k.json {
			return printJSON(s, done)
		}
		return nil
	})
}

type enrollBatchReleaseCommand struct{ actFlags }

func (c enrollBatchReleaseCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, (*enroll.Service).Release)
}

// batchFlags name a batch.
type batchFlags struct {
	enrollFlags
	Batch string `arg:"" help:"The batch." placeholder:"BATCH"`
}

type enrollBatchHandInCommand struct {
	batchFlags
	Yes bool `help:"Do it. Without it, it is said who is missing and nothing is changed."`
}

func (c enrollBatchHandInCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		p, err := k.enroll.Progress(ctx, k.by, c.Batch)
		if err != nil {
			return err
		}
		if !c.Yes {
			if err := k.printProgress(p); err != nil || k.json {
				return err
			}
			return nothingDone(s)
		}
		b, err := k.enroll.HandIn(ctx, k.by, p.Ref())
		if err != nil {
			return err
		}
		return k.printBatch(b)
	})
}

type enrollBatchProgressCommand struct {
	batchFlags
	Output string `short:"o" help:"Also write the list as a workbook." placeholder:"FILE.xlsx"`
}

func (c enrollBatchProgressCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		p, err := k.enroll.Progress(ctx, k.by, c.Batch)
		if err != nil {
			return err
		}
		if c.Output != "" {
			if err := writeFile(ctx, c.Output, 0o644, p.Export); err != nil {
				return err
			}
		}
		return k.printProgress(p)
	})
}

func (c *counter) printProgress(p enroll.Progress) error {
	if c.json {
		return printJSON(c.streams, api.ProgressOf(p))
	}
	if err := c.printBatch(p.Batch); err != nil {
		return err
	}
	if p.Late {
		fmt.Fprintln(c.out, "✘ 已过截止日期 late")
	}
	for _, u := range p.Units {
		mark := "✔"
		if u.Missing {
			mark = "✘"
		}
		fmt.Fprintf(c.out, "%s %s  %s\n", mark, u.Unit.Name, u.Label())
		c.printSummaries("    ", u.Applications)
	}
	fmt.Fprintf(c.out, "缺报 missing: %d\n", len(p.Missing()))
	return nil
}

type enrollBatchListCommand struct{ enrollFlags }

func (c enrollBatchListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		list, err := k.enroll.Batches(ctx, k.by)
		if err != nil {
			return err
		}
		if k.json {
			all := []api.Batch{}
			for _, b := range list {
				all = append(all, api.BatchOf(b))
			}
			return printJSON(s, all)
		}
		for _, b := range list {
			if err := k.printBatch(b); err != nil {
				return err
			}
		}
		return nil
	})
}
