package enroll

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/store"
)

// Line is one thing that happened to an application.
type Line struct {
	At           time.Time
	Actor        string // empty: the service, as time passed
	Name         string
	Organisation string
	Step         Step
	From, To     State
	Version      int
	Reason       string
	Remarks      []Remark
	data         map[string]string
}

// History tells what happened to an application, the oldest first.
func (s *Service) History(ctx context.Context, by access.Actor, id string) ([]Line, error) {
	var list []Line
	err := s.show(ctx, by, id, func(q store.Querier, _ viewer, _ *record) error {
		remarks, err := readRemarks(ctx, q, id)
		if err != nil {
			return err
		}
		list, err = readHistory(ctx, q, id, remarks)
		return err
	})
	return list, err
}

func readHistory(ctx context.Context, q store.Querier, id string, remarks map[int][]Remark) ([]Line, error) {
	rows, err := q.QueryContext(ctx, `SELECT e.number, e.happened, COALESCE(e.actor, ''), COALESCE(p.name, ''), COALESCE(p.organisation, ''),
		e.step, e.from_state, e.to_state, e.version, e.reason, e.data
		FROM enroll_event e LEFT JOIN access_actor p ON p.id = e.actor WHERE e.application = $1 ORDER BY e.number`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []Line
	for rows.Next() {
		var l Line
		var number int
		var at, data string
		err := rows.Scan(&number, &at, &l.Actor, &l.Name, &l.Organisation, &l.Step, &l.From, &l.To, &l.Version, &l.Reason, &data)
		if err != nil {
			return nil, err
		}
		if l.At, err = store.ParseTime(at); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(data), &l.data); err != nil {
			return nil, err
		}
		l.Remarks = remarks[number]
		list = append(list, l)
	}
	return list, rows.Err()
}

func readRemarks(ctx context.Context, q store.Querier, id string) (map[int][]Remark, error) {
	rows, err := q.QueryContext(ctx, `SELECT event, field, reason FROM enroll_remark WHERE application = $1 ORDER BY event, number`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := map[int][]Remark{}
	for rows.Next() {
		var event int
		var r Remark
		if err := rows.Scan(&event, &r.Field, &r.Reason); err != nil {
			return nil, err
		}
		list[event] = append(list[event], r)
	}
	return list, rows.Err()
}

// did is what was done, in words that follow the name of who did it.
var did = map[Step]string{
	StepCreate: "新建申请", StepSubmit: "提交申请", StepRecall: "收回申请，改为草稿", StepGather: "将申请汇总到批次", StepRelease: "将申请移出批次",
	StepReceive: "接收申请", StepOriginal: "登记收到原件", StepInk: "核对原件，确认印模为印泥加盖", StepConfirm: "确认提示事项可以通过", StepReturn: "退回申请",
	StepExamine: "审核通过，提交审批", StepApprove: "批准申请", StepReject: "不予批准", StepIssue: "办结全部批准事项，等待接受", StepAccept: "接受证书和印章", StepAbort: "中止办理，未办的事项作废",
	StepObject: "提出异议", StepSettle: "异议解决，接受证书和印章", StepClose: "办结申请", StepWithdraw: "撤回申请", StepUnmask: "查看个人信息",
	StepPrint: "打印申请表", StepView: "查看附件",
}

// passed is what happened by itself.
var passed = map[Step]string{
	StepLapse: "审核或审批逾期，须重新审核", StepSilence: "期限届满无异议，视为接受证书和印章", StepExpire: "长期未办理，申请失效", StepIssue: "全部批准事项已办结，等待接受",
}

var edits = map[string]string{"form": "修改申请内容", "agreement": "同意服务协议", "attachment": "添加附件", "attachment-removed": "删除附件", "roster": "导入使用人信息汇总表"}

// Particular is a number that belongs to the step, by its name: "on" and "delivery" of the original, "finding", "kind" and
// "page" of a scan, "agreement", "persons", and "what" was edited.
func (l Line) Particular(name string) string { return l.data[name] }

// Sentence is the line as a person reads it: when, who, what, why.
func (l Line) Sentence() string {
	var b strings.Builder
	b.WriteString(civil.Minute(l.At))
	b.WriteString("　")
	what := did[l.Step]
	switch {
	case l.Actor == "":
		b.WriteString("系统：")
		what = passed[l.Step]
	case l.Organisation != "":
		b.WriteString(l.Name + "（" + l.Organisation + "）")
	default:
		b.WriteString(l.Name)
	}
	if l.Step == StepEdit {
		what = edits[l.data["what"]]
	}
	b.WriteString(what)
	b.WriteString(l.particulars())
	if l.Reason != "" {
		b.WriteString("，理由：" + l.Reason)
	}
	for i, r := range l.Remarks {
		if i == 0 {
			b.WriteString("，理由：")
		} else {
			b.WriteString("；")
		}
		if label := fieldLabel(r.Field); label != "" {
			b.WriteString("【" + label + "】")
		}
		b.WriteString(r.Reason)
	}
	b.WriteString("。")
	return b.String()
}

// particulars are the numbers that belong to a step.
func (l Line) particulars() string {
	d := l.data
	switch {
	case l.Step == StepOriginal:
		return "（" + d["on"] + "，机要编号 " + d["delivery"] + "）"
	case l.Step == StepConfirm:
		return "（" + findingLabel(d["finding"]) + "）"
	case l.Step == StepEdit && d["kind"] != "":
		return "：" + AttachmentKind(d["kind"]).Label()
	case l.Step == StepEdit && d["agreement"] != "":
		return "（版本 " + d["agreement"] + "）"
	case l.Step == StepEdit && d["persons"] != "":
		return "（" + d["persons"] + " 人，第 " + itoa(l.Version) + " 稿）"
	case l.Step == StepEdit:
		return "（第 " + itoa(l.Version) + " 稿）"
	case l.Step == StepView && d["page"] != "":
		return "：" + AttachmentKind(d["kind"]).Label() + "，第 " + d["page"] + " 页起"
	case l.Step == StepView && d["kind"] != "":
		return "：" + AttachmentKind(d["kind"]).Label()
	}
	return ""
}

// fieldLabel is the label of a field on the form, or the name of another part of an application.
func fieldLabel(field string) string {
	if label := form.LabelOf(field); label != "" {
		return label
	}
	if kind, ok := strings.CutPrefix(field, "attachments."); ok {
		return AttachmentKind(kind).Label()
	}
	if field == "roster" || strings.HasPrefix(field, "roster.") {
		return rosterLabel
	}
	return field
}

// knownField says whether a remark is about something that an application has; a slip of the hand would otherwise reach
// the unit as it is. The empty field is the application as a whole.
func knownField(field string) bool {
	return field == "" || fieldLabel(field) != "" && fieldLabel(field) != field
}

// findingLabel is the field of a finding's key, code@field.
func findingLabel(key string) string {
	_, field, _ := strings.Cut(key, "@")
	return fieldLabel(field)
}
