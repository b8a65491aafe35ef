package admin

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"yinxin/api/web"
	"yinxin/internal/access"
	"yinxin/internal/jobs"
)

var titleJobs = web.Text{ZH: "后台任务", EN: "Jobs"}

var jobStates = map[jobs.State]struct {
	word  web.Text
	class string
}{
	jobs.StateFailed: {web.Text{ZH: "失败（不再重试）", EN: "failed for good"}, "bad"}, jobs.StateRetrying: {web.Text{ZH: "失败，待重试", EN: "failed, to be retried"}, "doubt"},
	jobs.StateCancelled: {web.Text{ZH: "已取消", EN: "cancelled"}, "none"}, jobs.StateWaiting: {web.Text{ZH: "等待执行", EN: "waiting"}, "note"},
	jobs.StateRunning: {web.Text{ZH: "执行中", EN: "running"}, "note"}, jobs.StateDone: {web.Text{ZH: "已完成", EN: "done"}, "good"},
}

// troubled are the states that an administrator looks for; the order is that of the filter.
var (
	troubled  = []jobs.State{jobs.StateFailed, jobs.StateRetrying, jobs.StateCancelled}
	allStates = append(troubled[:3:3], jobs.StateWaiting, jobs.StateRunning, jobs.StateDone)
)

var jobKinds = map[string]web.Text{"mail.send": {ZH: "发送邮件", EN: "mail"}, "webhook.deliver": {ZH: "回调通知", EN: "call to a program"}, "sealings.batch": {ZH: "批量盖章", EN: "batch of sealings"}}

func jobKind(kind, language string) string {
	if word, ok := jobKinds[kind]; ok {
		return word.In(language)
	}
	return kind
}

// failureOf divides what is kept of an error into its code and its sentence.
func failureOf(r jobs.Record) (code, sentence string) {
	code, sentence, _ = strings.Cut(r.Failure, ": ")
	return code, sentence
}

// schedule is work that is done again and again.
type schedule struct {
	jobs.Schedule
	Text, Class string
}

// jobs lists what failed in the background, below the periodic work that is late.
func (p pages) jobs(q *web.Request) error {
	query := q.URL.Query()
	all, err := p.Jobs.Schedules(q.Context())
	if err != nil {
		return err
	}
	var periodic []schedule
	for _, s := range all {
		switch {
		case s.Running:
			periodic = append(periodic, schedule{s, q.T("执行中", "running"), "note"})
		case s.Late(q.Now()):
			periodic = append(periodic, schedule{s, q.T("逾期", "late"), "bad"})
		default:
			periodic = append(periodic, schedule{s, q.T("正常", "in time"), "good"})
		}
	}
	states := web.Filter{Name: "state", Label: web.Text{ZH: "状态（默认为未成功的）", EN: "State (else: what did not succeed)"}}
	for _, s := range allStates {
		states.Options = append(states.Options, web.Option{Value: string(s), Label: jobStates[s].word})
	}
	l := web.List{File: q.T("后台任务", "jobs"), Filters: []web.Filter{states, {Name: "kind", Label: web.Text{ZH: "类型（代码）", EN: "Kind (code)"}}},
		Empty: web.Text{ZH: "没有失败或待重试的任务。", EN: "No job failed, and none waits to be retried."},
		Columns: []web.Column{{Label: web.Text{ZH: "编号", EN: "Number"}}, {Label: web.Text{ZH: "类型", EN: "Kind"}}, {Label: web.Text{ZH: "对象", EN: "About"}}, {Label: web.Text{ZH: "状态", EN: "State"}},
			{Label: web.Text{ZH: "次数", EN: "Attempts"}, Number: true}, {Label: web.Text{ZH: "错误代码", EN: "Error"}}, {Label: web.Text{ZH: "提交", EN: "Asked"}}, {Label: web.Text{ZH: "下次 / 结束", EN: "Next / ended"}}}}
	return q.ShowList("jobs", web.Page{Title: titleJobs, Data: periodic}, l, func(after string, limit int) ([]web.Row, string, error) {
		f := jobs.Filter{States: troubled, Kind: strings.TrimSpace(query.Get("kind")), Limit: limit}
		if s := query.Get("state"); s != "" {
			f.States = []jobs.State{jobs.State(s)}
		}
		if after != "" {
			n, err := jobNumber(after)
			if err != nil {
				return nil, "", err
			}
			f.Before = n
		}
		found, err := p.Jobs.List(q.Context(), f)
		if err != nil {
			return nil, "", err
		}
		var rows []web.Row
		for _, r := range found {
			id := strconv.FormatInt(r.ID, 10)
			code, sentence := failureOf(r)
			when := r.Due
			if !r.Ended.IsZero() {
				when = r.Ended
			}
			s := jobStates[r.State]
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: id, Path: work + "/" + id}, {Text: jobKind(r.Kind, q.Language), Fine: r.Kind}, {Text: r.Key, Code: true}, {Text: s.word.In(q.Language), Class: s.class},
				{Text: strconv.Itoa(r.Attempt) + " / " + strconv.Itoa(r.Attempts)}, {Text: code, Fine: sentence}, {Text: web.Minute(r.Created)}, {Text: web.Minute(when)}}})
		}
		if len(found) < limit {
			return rows, "", nil
		}
		return rows, strconv.FormatInt(found[len(found)-1].ID, 10), nil
	})
}

// jobNumber reads the number of a job: jobs.not-found for what is none.
func jobNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, jobs.ErrNotFound.With("%.40q", text)
	}
	return n, nil
}

type jobPage struct {
	jobs.Record
	Word, Text, Class           string
	Code, Sentence, Arguments   string
	MayRetry, MayCancel, MayEnd bool
}

func (p pages) job(q *web.Request) error { return p.showJob(q, nil) }

// named is the job that a route names.
func (p pages) named(q *web.Request) (jobs.Record, error) {
	n, err := jobNumber(q.PathValue("id"))
	if err != nil {
		return jobs.Record{}, err
	}
	return p.Jobs.Get(q.Context(), n)
}

func (p pages) showJob(q *web.Request, problem error) error {
	r, err := p.named(q)
	if err != nil {
		return err
	}
	v := jobPage{Record: r, Word: jobKind(r.Kind, q.Language), Text: jobStates[r.State].word.In(q.Language), Class: jobStates[r.State].class,
		MayRetry: r.State == jobs.StateFailed || r.State == jobs.StateRetrying, MayCancel: r.Ended.IsZero(), MayEnd: r.State == jobs.StateFailed || r.State == jobs.StateCancelled}
	v.Code, v.Sentence = failureOf(r)
	if b, err := json.Marshal(r.Args); err == nil && len(r.Args) > 0 {
		v.Arguments = string(b)
	}
	return q.Show("job", web.Page{Title: web.Text{ZH: "任务 " + q.PathValue("id"), EN: "Job " + q.PathValue("id")}, Trail: []web.Item{{Path: work, Label: titleJobs}}, Data: v, Problem: problem})
}

// changeJob does one of the steps with a job.
func (p pages) changeJob(notice string, change func(ctx context.Context, by access.Actor, id int64) error) web.Handler {
	return func(q *web.Request) error {
		n, err := jobNumber(q.PathValue("id"))
		if err != nil {
			return err
		}
		if err := change(q.Context(), q.Actor, n); err != nil {
			return p.showJob(q, err)
		}
		return q.Go(work, notice)
	}
}

// tiles tell an administrator of work that failed for good.
func (p pages) tiles(ctx context.Context, actor access.Actor) ([]web.Tile, error) {
	if !actor.Has(access.RoleAdministrator) {
		return nil, nil
	}
	failed, err := p.Jobs.CountFailed(ctx)
	if err != nil || failed == 0 {
		return nil, err
	}
	return []web.Tile{{Label: web.Text{ZH: "失败的后台任务", EN: "Failed jobs"}, Path: work + "?state=failed", Count: failed, Urgent: true}}, nil
}
