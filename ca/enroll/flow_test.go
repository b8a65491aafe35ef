package enroll

import (
	"context"
	"math"
	"strings"
	"testing"

	"yinxin/ca/enroll/form"
	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/store"
)

func TestAnApplicationGoesFromDraftToClosed(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.issued()
		if a.State != StateIssued || a.ObjectUntil.IsZero() {
			t.Fatalf("%+v", a)
		}
		a = w.with(w.Accept(ctx, w.handler[unitDirect], a.Ref()))
		a = w.with(w.Close(ctx, w.registrar, a.Ref(), ""))
		if a.State != StateClosed {
			t.Errorf("state %s", a.State)
		}
		w.wantHistory(a, `
2026-03-05 10:00　用户handler-unit-direct（临江省档案局）新建申请。
2026-03-05 10:00　用户handler-unit-direct（临江省档案局）同意服务协议（版本 2026-01）。
2026-03-05 10:00　用户handler-unit-direct（临江省档案局）添加附件：申请表。
2026-03-05 10:00　用户handler-unit-direct（临江省档案局）添加附件：统一社会信用代码证。
2026-03-05 10:00　用户handler-unit-direct（临江省档案局）添加附件：经办人身份证。
2026-03-05 10:00　用户handler-unit-direct（临江省档案局）提交申请。
2026-03-05 10:00　用户registrar（临江省档案局）接收申请。
2026-03-05 10:00　用户registrar（临江省档案局）登记收到原件（2026-03-05，机要编号 机要2026-0017）。
2026-03-05 10:00　用户registrar（临江省档案局）核对原件，确认印模为印泥加盖。
2026-03-05 10:00　用户registrar（临江省档案局）审核通过，提交审批。
2026-03-05 10:00　用户approver（临江省档案局）批准申请。
2026-03-05 10:00　系统：全部批准事项已办结，等待接受。
2026-03-05 10:00　用户handler-unit-direct（临江省档案局）接受证书和印章。
2026-03-05 10:00　用户registrar（临江省档案局）办结申请。`)
		w.wantLedger(a)
	})
}

// wantHistory compares what people read.
func (w *world) wantHistory(a Application, want string) {
	w.t.Helper()
	lines, err := w.History(context.Background(), w.registrar, a.ID)
	w.must(err)
	var got strings.Builder
	for _, l := range lines {
		got.WriteString("\n" + l.Sentence())
	}
	if got.String() != want {
		w.t.Errorf("history:%s\nwant:%s", got.String(), want)
	}
}

// wantLedger demands one entry of the ledger for each line of the history, in the same order.
func (w *world) wantLedger(a Application) {
	w.t.Helper()
	ctx := context.Background()
	lines, err := w.History(ctx, w.registrar, a.ID)
	w.must(err)
	rows, err := w.db.Read().QueryContext(ctx, `SELECT kind, actor FROM ledger_event WHERE subject = $1 ORDER BY id`, a.ID)
	w.must(err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var kind, actor string
		w.must(rows.Scan(&kind, &actor))
		if n >= len(lines) || kind != "application."+string(lines[n].Step) || actor != lines[n].Actor {
			w.t.Errorf("entry %d is %s by %s", n, kind, actor)
		}
	}
	if n != len(lines) {
		w.t.Errorf("%d entries for %d lines", n, len(lines))
	}
}

func TestWhatComesBackSaysWhyAndStartsAgain(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.inked()
		for name, remarks := range map[string][]Remark{"none": nil, "no reason": {{"seal.name", " "}}, "a number": {{"seal.name", "应为 13800138000"}},
			"too many": make([]Remark, maxRemarks+1), "long": {{"x", strings.Repeat("长", maxReason+1)}}, "control": {{"x", "a\x1bb"}}} {
			if _, err := w.Return(ctx, w.registrar, a.Ref(), remarks); err == nil {
				t.Errorf("%s: returned", name)
			}
		}
		for field, want := range map[string]fault.Spec{"seal.nam": ErrRemark, "attachments.letter": ErrRemark, "13800138000": ErrPersonal} {
			if _, err := w.Return(ctx, w.registrar, a.Ref(), []Remark{{field, "有误"}}); !fault.Has(err, want) {
				t.Errorf("%s: %v", field, err)
			}
		}
		a = w.with(w.Return(ctx, w.registrar, a.Ref(), []Remark{{"seal.name", "与印模文字不一致"}, {"attachments.identity", "不清晰"}}))
		lines, err := w.History(ctx, w.handler[unitDirect], a.ID)
		w.must(err)
		if last := lines[len(lines)-1]; !strings.HasSuffix(last.Sentence(), "退回申请，理由：【印章名称】与印模文字不一致；【经办人身份证】不清晰。") || len(last.Remarks) != 2 {
			t.Errorf("%s", last.Sentence())
		}
		// An attachment leaves the paper as it is; another text on the form takes another paper.
		by := w.handler[unitDirect]
		a = w.with(w.AddAttachment(ctx, by, a.Ref(), Scan{Kind: AttachIdentity, Content: scanJPEG}))
		if a.Original == nil || a.InkBy != "" {
			t.Errorf("after an attachment: original %v, ink %q", a.Original, a.InkBy)
		}
		again := w.with(w.Receive(ctx, w.registrar, w.with(w.Submit(ctx, by, a.Ref())).Ref()))
		if again.State != StateOriginal {
			t.Errorf("received again: %s", again.State)
		}
		a = w.with(w.Return(ctx, w.registrar, again.Ref(), []Remark{{"purpose", "不完整"}}))
		f := a.Form
		f.Purpose = "出具档案证明、异地出证"
		a = w.with(w.Edit(ctx, by, a.Ref(), f))
		if a.Original != nil {
			t.Error("the paper of another text still counts")
		}
		a = w.with(w.Receive(ctx, w.registrar, w.with(w.Submit(ctx, by, a.Ref())).Ref()))
		if a.State != StateReceived {
			t.Errorf("received with another text: %s", a.State)
		}
	})
}

func TestNothingIsApprovedThatIsNotInOrder(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		by := w.handler[unitDirect]
		// Without the agreement.
		a := w.with(w.Create(ctx, by, unitDirect, w.filled(unitDirect)))
		_, err := w.Submit(ctx, by, a.Ref())
		wantCode(t, err, ErrAgreement)
		_, err = w.AcceptAgreement(ctx, by, a.Ref(), "2025-01")
		wantCode(t, err, ErrAgreement)
		// With an agreement that is no longer in force.
		a = w.with(w.AcceptAgreement(ctx, by, a.Ref(), "2026-01"))
		_, err = w.PublishAgreement(ctx, w.admin, "2026-02", "另一协议")
		w.must(err)
		_, err = w.Submit(ctx, by, a.Ref())
		wantCode(t, err, ErrAgreement)
		a = w.with(w.AcceptAgreement(ctx, by, a.Ref(), "2026-02"))
		_, err = w.PublishAgreement(ctx, w.admin, "2026-01", "改过的协议")
		wantCode(t, err, ErrAgreementExists)
		// With an error in the form.
		f := a.Form
		f.Unit.CreditCode = f.Unit.CreditCode[:17] + "?"
		a = w.with(w.Edit(ctx, by, a.Ref(), f))
		_, err = w.Submit(ctx, by, a.Ref())
		wantCode(t, err, ErrFindings)
		f.Unit.CreditCode = w.units[unitDirect].CreditCode
		a = w.with(w.Submit(ctx, by, w.with(w.Edit(ctx, by, a.Ref(), f)).Ref()))
		a = w.with(w.Receive(ctx, w.registrar, a.Ref()))
		// Without the original, wet ink, the scans.
		_, err = w.Examine(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrState)
		_, err = w.ReceiveOriginal(ctx, w.registrar, a.Ref(), "2026-03-06", "机要1号")
		wantCode(t, err, ErrField)
		a = w.with(w.ReceiveOriginal(ctx, w.registrar, a.Ref(), "2026-03-05", "机要1号"))
		_, err = w.Examine(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrInk)
		_, err = w.Examine(ctx, w.registrar, w.ink(a).Ref())
		wantCode(t, err, ErrFindings)
		a = w.again(a)
		for kind, content := range map[AttachmentKind][]byte{AttachForm: scanPNG, AttachCredit: scanJPEG, AttachIdentity: scanOther} {
			a = w.with(w.AddAttachment(ctx, w.registrar, a.Ref(), Scan{Kind: kind, Content: content}))
		}
		_, err = w.Examine(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrInk) // of the version before
		a = w.with(w.Examine(ctx, w.registrar, w.ink(a).Ref()))
		// Something turns up between the examination and the approval.
		u := w.units[unitDirect]
		u.Name = "另一名称"
		_, err = w.SetUnits(ctx, w.registrar, []Unit{u})
		w.must(err)
		_, err = w.Approve(ctx, w.approver, a.Ref())
		wantCode(t, err, ErrFindings)
	})
}

func TestADoubtTakesAnOfficersReasonForThisVersion(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		u := w.units[unitDirect]
		u.Name = "临江省档案馆（旧名）"
		_, err := w.SetUnits(ctx, w.registrar, []Unit{u})
		w.must(err)
		a := w.inked()
		_, err = w.Examine(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrFindings)
		const key = "enroll.unit-name@unit.name"
		for _, wrong := range []string{"enroll.attachment-missing@attachments.form", "enroll.unit-name", ""} {
			_, err = w.Confirm(ctx, w.registrar, a.Ref(), wrong, "已核实")
			wantCode(t, err, ErrNoFinding)
		}
		_, err = w.Confirm(ctx, w.registrar, a.Ref(), key, "")
		wantCode(t, err, ErrReason)
		_, err = w.Confirm(ctx, w.approver, a.Ref(), key, "已核实")
		wantCode(t, err, ErrDenied)
		a = w.with(w.Confirm(ctx, w.registrar, a.Ref(), key, "机构更名文件已核实"))
		a = w.with(w.Examine(ctx, w.registrar, a.Ref()))
		var kept string
		w.must(w.db.Read().QueryRowContext(ctx, `SELECT findings FROM enroll_examination WHERE id = $1`, a.Examination).Scan(&kept))
		if !strings.Contains(kept, "机构更名文件已核实") {
			t.Errorf("kept with the examination: %s", kept)
		}
		// Another version takes the reason anew.
		a = w.ink(w.with(w.AddAttachment(ctx, w.registrar, a.Ref(), Scan{Kind: AttachOther, Content: scanJPEG})))
		if a.State != StateOriginal {
			t.Errorf("after an edit: %s", a.State)
		}
		_, err = w.Examine(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrFindings)
	})
}

func TestAnEditVoidsWhatWasApprovedAndNothingIsEditedUnderWay(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.approved()
		plan := a.Examination
		f := a.Form
		f.Purpose = "另一用途"
		b := w.with(w.Edit(ctx, w.second, a.Ref(), f))
		if b.State != StateOriginal || b.Examination != "" || !b.Approved.IsZero() || b.InkBy != "" {
			t.Errorf("after an edit: %+v", b)
		}
		parts, err := w.Access.Parts(ctx, plan)
		w.must(err)
		redeem := func(part access.Pending) error {
			return w.db.Write(ctx, func(tx *store.Tx) error {
				_, err := w.Access.Redeem(ctx, tx, part.ID, part.Kind, part.Subject)
				return err
			})
		}
		wantCode(t, redeem(parts[0]), access.ErrVoided)
		wantCode(t, w.carryOut(a), access.ErrVoided)
		// Once more, and now the first act is carried out.
		b = w.with(w.Approve(ctx, w.approver, w.with(w.Examine(ctx, w.registrar, w.ink(b).Ref())).Ref()))
		parts, err = w.Access.Parts(ctx, b.Examination)
		w.must(err)
		w.must(redeem(parts[0]))
		_, err = w.Edit(ctx, w.registrar, b.Ref(), f)
		wantCode(t, err, ErrUnderWay)
		_, err = w.Withdraw(ctx, w.registrar, b.Ref(), "不再申请")
		wantCode(t, err, ErrUnderWay)
		if now := w.again(b); now.State != StateApproved {
			t.Errorf("now %s", now.State)
		}
	})
}

func TestTheApproverIsNeitherTheExaminerNorTheEditor(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.with(w.Examine(ctx, w.both, w.inked().Ref()))
		_, err := w.Approve(ctx, w.both, a.Ref())
		wantCode(t, err, access.ErrSamePerson)
		_, err = w.Reject(ctx, w.both, a.Ref(), "不予批准")
		wantCode(t, err, access.ErrSamePerson)
		_, err = w.Approve(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrDenied)
		w.with(w.Approve(ctx, w.approver, a.Ref()))

		b := w.inked()
		f := b.Form
		f.Purpose = "经办人以外的人改过"
		b = w.ink(w.with(w.Edit(ctx, w.both, b.Ref(), f)))
		b = w.with(w.Confirm(ctx, w.registrar, b.Ref(), "enroll.duplicate@seal.name", "两枚印章"))
		b = w.with(w.Examine(ctx, w.registrar, b.Ref()))
		_, err = w.Approve(ctx, w.both, b.Ref())
		wantCode(t, err, access.ErrSamePerson)
		b = w.with(w.Reject(ctx, w.approver, b.Ref(), "材料不实"))
		if b.State != StateRejected {
			t.Errorf("rejected: %s", b.State)
		}
	})
}

func TestAnEffectHappensWithItsStepOrNotAtAll(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.issued()
		var seen []string
		fail := true
		w.Effects = map[Step]Effect{StepAccept: func(_ context.Context, _ *store.Tx, by access.Actor, d Dossier) error {
			if fail {
				return errTest
			}
			seen = append(seen, by.ID+" "+d.Number+" "+d.Form.Personal.HandlerIdentity)
			return nil
		}}
		if _, err := w.Accept(ctx, w.handler[unitDirect], a.Ref()); err != errTest {
			t.Fatalf("accepted: %v", err)
		}
		if now := w.again(a); now.State != StateIssued || now.Revision != a.Revision {
			t.Errorf("now %s", now.State)
		}
		fail = false
		w.with(w.Accept(ctx, w.handler[unitDirect], a.Ref()))
		if len(seen) != 1 || seen[0] != "handler-unit-direct "+a.Number+" "+handlerPerson.IdentityNumber {
			t.Errorf("%v", seen)
		}
	})
}

func TestAPlanThatFailsOrIsEmptyLeavesTheApplication(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		a := w.inked()
		w.planner.err = errTest
		if _, err := w.Examine(ctx, w.registrar, a.Ref()); err != errTest {
			t.Errorf("%v", err)
		}
		w.planner.err, w.planner.nothing = nil, true
		_, err := w.Examine(ctx, w.registrar, a.Ref())
		wantCode(t, err, ErrPlan)
		if now := w.again(a); now.State != StateOriginal || now.Revision != a.Revision {
			t.Errorf("now %s", now.State)
		}
	})
}

func TestFormsThatCannotBeStoredAreRefused(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		for name, change := range map[string]func(*form.Application){
			"an endless name":                   func(f *form.Application) { f.Unit.Name = strings.Repeat("长", 10_000) },
			"a hidden mark":                     func(f *form.Application) { f.Seal.Name = "档案\u202e馆" },
			"a number of a person in the clear": func(f *form.Application) { f.Purpose = "为 " + userPerson.IdentityNumber + " 出证" },
			"a mobile in an address":            func(f *form.Application) { f.Handler.Address = "兰台街1号 " + userPerson.Mobile },
			"a mobile as the unit's telephone":  func(f *form.Application) { f.Unit.Phone = "+86 " + userPerson.Mobile },
			"a mobile as the mailbox":           func(f *form.Application) { f.Handler.Email = userPerson.Mobile + "@archive.example" },
			"a size of no end":                  func(f *form.Application) { f.Seal.Size.Diameter = math.Inf(1) },
		} {
			f := w.filled(unitDirect)
			change(&f)
			if _, err := w.Create(ctx, w.handler[unitDirect], unitDirect, f); err == nil {
				t.Errorf("%s was stored", name)
			} else if f, ok := fault.Of(err); !ok || f.Kind == fault.Internal {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestWhatCannotBeFinishedIsAbortedAndNeverAccepted(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		by := w.handler[unitDirect]
		a := w.draft(unitDirect)
		a = w.with(w.AttachRoster(ctx, by, a.Ref(), "2026-03-05", []Person{w.person(unitDirect, 4, userPerson, StatusActive)}))
		a = w.with(w.Receive(ctx, w.registrar, w.with(w.Submit(ctx, by, a.Ref())).Ref()))
		a = w.ink(w.with(w.ReceiveOriginal(ctx, w.registrar, a.Ref(), "2026-03-05", "机要1号")))
		a = w.with(w.Approve(ctx, w.approver, w.with(w.Examine(ctx, w.registrar, a.Ref())).Ref()))
		_, err := w.Abort(ctx, w.registrar, a.Ref(), "介质损坏")
		wantCode(t, err, ErrNothingDone)
		parts, err := w.Access.Parts(ctx, a.Examination)
		w.must(err)
		redeem := func(part access.Pending) error {
			return w.db.Write(ctx, func(tx *store.Tx) error {
				_, err := w.Access.Redeem(ctx, tx, part.ID, part.Kind, part.Subject)
				return err
			})
		}
		w.must(redeem(parts[0]))
		wantCode(t, w.db.Write(ctx, func(tx *store.Tx) error { return w.MarkIssued(ctx, tx, a.ID, 0) }), ErrUnfinished)
		_, err = w.Abort(ctx, by, a.Ref(), "介质损坏")
		wantCode(t, err, ErrDenied)
		kept := false
		w.Effects = map[Step]Effect{StepObject: func(context.Context, *store.Tx, access.Actor, Dossier) error { kept = true; return nil }}
		a = w.with(w.Abort(ctx, w.registrar, a.Ref(), "介质损坏"))
		if a.State != StateObjected || !kept {
			t.Errorf("%s, kept from use: %t", a.State, kept)
		}
		wantCode(t, redeem(parts[1]), access.ErrVoided)
		_, err = w.Settle(ctx, by, a.Ref(), "可以接受")
		wantCode(t, err, ErrUnfinished)
		a = w.with(w.Close(ctx, w.registrar, a.Ref(), "另行申请"))
		if a.State != StateClosed {
			t.Errorf("now %s", a.State)
		}
	})
}
