package clerk

import (
	"context"
	"time"

	"yinxin/api/web"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/sealer/terminal"
	"yinxin/sealer/terminal/manifest"
)

// shownTask is a task with its items in words.
type shownTask struct {
	terminal.Task
	Word, Class string
	Items       []shownItem
	AtTerminal  bool // it is being worked on now
	Paired      int  // terminals of the clerk
	Seen        time.Time
	Finished    bool
	MayRetry    bool
}

type shownItem struct {
	terminal.Item
	Word, Class, Why string
}

var itemWords = map[manifest.ItemState]struct {
	word  web.Text
	class string
}{
	manifest.ItemQueued: {web.Text{ZH: "排队中", EN: "waiting"}, "none"}, manifest.ItemPrepared: {web.Text{ZH: "签名中", EN: "being signed"}, "note"},
	manifest.ItemSealed: {web.Text{ZH: "已完成", EN: "sealed"}, "good"}, manifest.ItemFailed: {web.Text{ZH: "失败", EN: "failed"}, "bad"},
	manifest.ItemDeclined: {web.Text{ZH: "已拒绝", EN: "declined"}, "doubt"},
}

func (p pages) shown(q *web.Request, t terminal.Task) shownTask {
	now := p.Clock()
	s := shownTask{Task: t, AtTerminal: t.ClaimedBy != "" && now.Before(t.ClaimedUntil)}
	switch {
	case t.State == "cancelled":
		s.Word, s.Class = q.T("已取消", "cancelled"), "none"
	case t.State == "expired" || now.After(t.Expires):
		s.Word, s.Class = q.T("已过期", "expired"), "none"
	case t.Open() == 0 && t.Counts[manifest.ItemSealed] == 0 && t.Counts[manifest.ItemFailed] > 0:
		s.Word, s.Class = q.T("失败", "failed"), "bad"
	case t.Open() == 0 && t.Counts[manifest.ItemSealed] == 0:
		s.Word, s.Class = q.T("已拒绝", "declined"), "doubt"
	case t.Open() == 0 && t.Counts[manifest.ItemFailed] > 0:
		s.Word, s.Class = q.T("部分失败", "some failed"), "doubt"
	case t.Open() == 0 && t.Counts[manifest.ItemDeclined] > 0:
		s.Word, s.Class = q.T("部分完成", "some sealed"), "doubt"
	case t.Open() == 0:
		s.Word, s.Class = q.T("已完成", "done"), "good"
	case s.AtTerminal:
		s.Word, s.Class = q.T("终端正在处理", "at the terminal"), "note"
	default:
		s.Word, s.Class = q.T("等待签章终端", "waits for the terminal"), "note"
	}
	s.Finished = t.Open() == 0 || t.State != "open"
	s.MayRetry = t.State == "open" && now.Before(t.Expires) && t.Counts[manifest.ItemFailed] > 0 // what a person declined stays declined
	for _, i := range t.Items {
		w := itemWords[i.State]
		item := shownItem{Item: i, Word: w.word.In(q.Language), Class: w.class}
		if i.Reason != "" {
			item.Why = p.why(i.Reason, q.Language)
		}
		s.Items = append(s.Items, item)
	}
	return s
}

func (p pages) tasks(q *web.Request) error {
	list := web.List{Empty: web.Text{ZH: "没有 UKey 盖章任务。", EN: "There is no task for a USB Key."}, File: q.T("UKey任务", "key-tasks"),
		Columns: []web.Column{{Label: web.Text{ZH: "提出时间", EN: "Asked"}}, {Label: web.Text{ZH: "任务", EN: "Task"}}, {Label: web.Text{ZH: "来自", EN: "From"}},
			{Label: web.Text{ZH: "状态", EN: "State"}}, {Label: web.Text{ZH: "已完成", EN: "Sealed"}, Number: true}, {Label: web.Text{ZH: "失败", EN: "Failed"}, Number: true},
			{Label: web.Text{ZH: "共", EN: "Of"}, Number: true}}}
	return q.ShowList("list", web.Page{Title: titleTasks, Styles: []string{"clerk.css"}}, list, func(after string, limit int) (rows []web.Row, next string, err error) {
		found, err := p.Terminals.Tasks(q.Context(), q.Actor, after, limit)
		for _, t := range found {
			s := p.shown(q, t)
			rows = append(rows, web.Row{Cells: []web.Cell{{Text: civil.Minute(t.Created)}, {Text: t.ID, Path: "/clerk/tasks/" + t.ID, Fine: t.Note}, {Text: t.Origin},
				{Text: s.Word, Class: s.Class}, {Text: web.Number(t.Counts[manifest.ItemSealed])}, {Text: web.Number(t.Counts[manifest.ItemFailed])}, {Text: web.Number(t.Total)}}})
		}
		if len(found) == min(limit, terminal.MaxTasks) {
			next = found[limit-1].ID
		}
		return rows, next, err
	})
}

func (p pages) one(q *web.Request) (shownTask, error) {
	t, err := p.Terminals.Task(q.Context(), q.Actor, q.PathValue("id"))
	if err != nil {
		return shownTask{}, err
	}
	s := p.shown(q, t)
	terminals, err := p.Terminals.Terminals(q.Context(), q.Actor)
	if err != nil {
		return s, err
	}
	for _, at := range terminals {
		if at.Ended.IsZero() && at.Clerk.ID == t.Clerk {
			s.Paired++
			if at.LastSeen.After(s.Seen) {
				s.Seen = at.LastSeen
			}
		}
	}
	return s, nil
}

func (p pages) task(q *web.Request) error {
	s, err := p.one(q)
	if err != nil {
		return err
	}
	return q.Show("task", web.Page{Title: web.Text{ZH: "UKey 盖章任务", EN: "Task for a USB Key"}, Trail: []web.Item{{Path: "/clerk/tasks", Label: titleTasks}},
		Data: s, Scripts: []string{"task.js"}, Styles: []string{"clerk.css"}})
}

func (p pages) cancelTask(q *web.Request) error {
	id := q.PathValue("id")
	if err := p.Terminals.Cancel(q.Context(), q.Actor, id); err != nil {
		return err
	}
	return q.Go("/clerk/tasks/"+id, "")
}

func (p pages) retryTask(q *web.Request) error {
	id := q.PathValue("id")
	t, err := p.Terminals.Task(q.Context(), q.Actor, id)
	if err != nil {
		return err
	}
	for _, code := range t.FailedSeals() {
		if err := p.Count(q.Context(), q.Actor, code); err != nil {
			return err
		}
	}
	if _, err := p.Terminals.Retry(q.Context(), q.Actor, id); err != nil {
		return err
	}
	return q.Go("/clerk/tasks/"+id, "")
}

// taskEvents sends the state of a task whenever it changes.
func (p pages) taskEvents(q *web.Request) error {
	return p.follow(q, "task", func() (any, bool, error) {
		s, err := p.one(q)
		return s, s.Finished, err
	})
}

// tiles say what waits for a clerk.
func (p pages) tiles(ctx context.Context, actor access.Actor) ([]web.Tile, error) {
	if !actor.Has(access.RoleOperator) {
		return nil, nil
	}
	open, err := p.Terminals.CountOpen(ctx, actor)
	if err != nil {
		return nil, err
	}
	return []web.Tile{{Label: web.Text{ZH: "待 UKey 盖章的任务", EN: "tasks for your USB Key"}, Path: "/clerk/tasks", Count: open, Urgent: true}}, nil
}
