package command

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"yinxin/internal/jobs"
)

type jobsCommand struct {
	List    jobsListCommand    `cmd:"" help:"List jobs that wait, run or failed, and how periodic work went."`
	Retry   jobsRetryCommand   `cmd:"" help:"Have a job that failed, or waits for its next attempt, run at once."`
	Cancel  jobsCancelCommand  `cmd:"" help:"End a job that has not ended."`
	Discard jobsDiscardCommand `cmd:"" help:"Take a job that failed for good, or was cancelled, out of the list."`
}

// jobsFlags open the queue of a data directory; no keys are needed.
type jobsFlags struct {
	Data     string `required:"" help:"Data directory." placeholder:"DIR"`
	Database string `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
}

// with runs fn on the queue.
func (f jobsFlags) with(ctx context.Context, s streams, fn func(j *jobs.Jobs) error) error {
	c, err := readConfig(f.Data)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, c.databaseURL(f.Data, f.Database))
	if err != nil {
		return err
	}
	defer db.Close()
	j, err := jobs.New(jobs.Config{DB: db, Clock: s.now, Log: slog.New(slog.NewTextHandler(s.err, nil))})
	if err != nil {
		return err
	}
	defer j.Close()
	return fn(j)
}

type jobsListCommand struct {
	jobsFlags
	State []string `help:"Only such jobs: waiting, running, retrying, done, failed, cancelled (default: all but done and cancelled)." enum:"waiting,running,retrying,done,failed,cancelled" placeholder:"STATE"`
	Kind  string   `help:"Only jobs of this kind." placeholder:"KIND"`
	Limit int      `help:"At most so many." default:"100"`
	Args  bool     `help:"Also show the arguments, which are identifiers."`
	JSON  bool     `name:"json" help:"Print as JSON: {\"jobs\":[…],\"periodic\":[…]}."`
}

// Help is printed by --help.
func (jobsListCommand) Help() string {
	return "Exit status: 0 all is well, 1 a job failed for good or periodic work is late, or the list could not be read. Ended jobs are kept for an hour, failed and cancelled ones for 30 days."
}

func (c jobsListCommand) Run(ctx context.Context, s streams) error {
	return inForm(s, c.JSON, c.with(ctx, s, func(j *jobs.Jobs) error {
		f := jobs.Filter{Kind: c.Kind, Limit: c.Limit, States: []jobs.State{jobs.StateWaiting, jobs.StateRunning, jobs.StateRetrying, jobs.StateFailed}}
		if len(c.State) > 0 {
			f.States = nil
			for _, state := range c.State {
				f.States = append(f.States, jobs.State(state))
			}
		}
		list, err := j.List(ctx, f)
		if err != nil {
			return err
		}
		schedules, err := j.Schedules(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			err = printJSON(s, c.document(list, schedules, s.now()))
		} else {
			err = c.print(s, list, schedules)
		}
		if err == nil && unwell(list, schedules, s.now()) {
			return exit{exitFailed}
		}
		return err
	}))
}

func unwell(list []jobs.Record, schedules []jobs.Schedule, now time.Time) bool {
	for _, r := range list {
		if r.State == jobs.StateFailed {
			return true
		}
	}
	for _, p := range schedules {
		if p.Late(now) {
			return true
		}
	}
	return false
}

// document is the list as JSON; periodic work is told in seconds.
func (c jobsListCommand) document(list []jobs.Record, schedules []jobs.Schedule, now time.Time) map[string]any {
	type schedule struct {
		jobs.Schedule
		Every float64 `json:"every_seconds"`
		Late  bool    `json:"late"`
	}
	periodic := make([]schedule, 0, len(schedules))
	for _, p := range schedules {
		periodic = append(periodic, schedule{p, p.Every.Seconds(), p.Late(now)})
	}
	work := make([]jobs.Record, 0, len(list))
	for _, r := range list {
		if !c.Args {
			r.Args = nil
		}
		work = append(work, r)
	}
	return map[string]any{"jobs": work, "periodic": periodic}
}

func (c jobsListCommand) print(s streams, list []jobs.Record, schedules []jobs.Schedule) error {
	if len(list)+len(schedules) == 0 {
		fmt.Fprintln(s.out, "没有任务；服务尚未运行。 There are no jobs: the service has not run yet.")
	}
	w := newTable(s.out)
	for _, p := range schedules {
		state := "正常 in time"
		switch {
		case p.Running:
			state = "执行中 running"
		case p.Late(s.now()):
			state = "逾期 late"
		}
		w.row(p.Name, state, fmt.Sprintf("每 every %s", p.Every), "上次成功 last success "+moment(p.Succeeded), p.Failure)
	}
	jobs := newTable(s.out)
	for _, r := range list {
		cells := []string{fmt.Sprint(r.ID), r.Kind, r.Key, string(r.State), fmt.Sprintf("%d/%d", r.Attempt, r.Attempts), moment(r.Due), r.Failure}
		if c.Args {
			cells = append(cells, compactJSON(r.Args))
		}
		jobs.row(cells...)
	}
	if err := w.flush(); err != nil {
		return err
	}
	return jobs.flush()
}

// compactJSON is on one line whatever stands in it.
func compactJSON(raw json.RawMessage) string {
	b, err := json.Marshal(raw)
	if err != nil {
		return ""
	}
	return string(b)
}

type jobsRetryCommand struct {
	jobsFlags
	Job int64 `arg:"" help:"Number of the job." placeholder:"ID"`
}

func (c jobsRetryCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(j *jobs.Jobs) error { return j.Retry(ctx, c.Job) })
}

type jobsCancelCommand struct {
	jobsFlags
	Job int64 `arg:"" help:"Number of the job." placeholder:"ID"`
}

func (c jobsCancelCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(j *jobs.Jobs) error { return j.Cancel(ctx, c.Job) })
}

type jobsDiscardCommand struct {
	jobsFlags
	Job int64 `arg:"" help:"Number of the job." placeholder:"ID"`
}

func (c jobsDiscardCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(j *jobs.Jobs) error { return j.Discard(ctx, c.Job) })
}
