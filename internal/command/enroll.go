package command

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/business"
	"yinxin/internal/access"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

type enrollCommand struct {
	Areas     enrollAreasCommand     `cmd:"" help:"The areas of the province, one for each city bureau."`
	Units     enrollUnitsCommand     `cmd:"" help:"List and set the units that are expected to apply."`
	Members   enrollMembersCommand   `cmd:"" help:"Who acts for which unit or area."`
	People    enrollPeopleCommand    `cmd:"" help:"Actors and their roles."`
	Agreement enrollAgreementCommand `cmd:"" help:"The service agreement, by version."`

	FormTemplate    enrollFormTemplateCommand    `cmd:"" name:"form-template" help:"Print an empty FORM.json, with the choices explained on standard error."`
	New             enrollNewCommand             `cmd:"" help:"Begin an application from FORM.json; prints its number."`
	Edit            enrollEditCommand            `cmd:"" help:"Replace the fields of an application; what was confirmed, examined or approved before is void."`
	Show            enrollShowCommand            `cmd:"" help:"Show an application, personal data masked."`
	List            enrollListCommand            `cmd:"" help:"List applications."`
	History         enrollHistoryCommand         `cmd:"" help:"Tell what happened to an application."`
	Findings        enrollFindingsCommand        `cmd:"" help:"List what is wrong or doubtful. Exit status 3 when something stands in the way."`
	Confirm         enrollConfirmCommand         `cmd:"" help:"Let a doubtful point pass, with a reason."`
	AcceptAgreement enrollAcceptAgreementCommand `cmd:"" name:"accept-agreement" help:"Accept the service agreement for the unit."`

	Print          enrollPrintCommand          `cmd:"" help:"Draw the form as a PDF, to be printed, stamped and signed."`
	Scan           enrollScanCommand           `cmd:"" help:"Recognise scanned forms by their codes and put each with its application."`
	Attach         enrollAttachCommand         `cmd:"" help:"Put a scan with an application by hand."`
	Detach         enrollDetachCommand         `cmd:"" help:"Take a scan away from an application. Without --yes nothing is changed."`
	Attachments    enrollAttachmentsCommand    `cmd:"" help:"List the scans of an application."`
	OpenAttachment enrollOpenAttachmentCommand `cmd:"" name:"open-attachment" help:"Write a scan into a file; the look is recorded."`
	Unmask         enrollUnmaskCommand         `cmd:"" help:"Show identity and mobile numbers; the look is recorded."`
	Roster         enrollRosterCommand         `cmd:"" help:"The table of the users of a seal: check, import, template."`

	Submit   enrollSubmitCommand   `cmd:"" help:"Hand an application in."`
	Recall   enrollRecallCommand   `cmd:"" help:"Take it back to a draft."`
	Receive  enrollReceiveCommand  `cmd:"" help:"Receive it at the province."`
	Original enrollOriginalCommand `cmd:"" help:"Record that the stamped paper has arrived."`
	Ink      enrollInkCommand      `cmd:"" help:"Confirm wet ink on the original, with what is read there."`
	Imprint  enrollImprintCommand  `cmd:"" help:"Make the seal's template from the imprints on the scanned form."`
	Return   enrollReturnCommand   `cmd:"" help:"Send it back to the unit, with a reason for each field."`
	Examine  enrollExamineCommand  `cmd:"" help:"Find it in order, and ask the second person to approve it with everything that it takes."`
	Approve  enrollApproveCommand  `cmd:"" help:"Approve it as the second person, and carry out what needs no USB Key."`
	Reject   enrollRejectCommand   `cmd:"" help:"Refuse it for good. Without --yes: says what would be refused."`
	Withdraw enrollWithdrawCommand `cmd:"" help:"End it at the unit's wish. Without --yes: says what would be ended."`
	CarryOut enrollCarryOutCommand `cmd:"" name:"carry-out" help:"Go on with what an approved application takes and what needs no USB Key."`
	Abort    enrollAbortCommand    `cmd:"" help:"Give up what was approved and cannot be finished; what was issued is kept from being used. Without --yes nothing is changed."`
	IssueKey enrollIssueKeyCommand `cmd:"" name:"issue-key" help:"Make certificates and seals of one USB Key."`
	RenewKey enrollRenewKeyCommand `cmd:"" name:"renew-key" help:"Renew the certificates and seals of one USB Key."`
	Accept   enrollAcceptCommand   `cmd:"" help:"Record that the holder accepts what was issued; it is put into use."`
	Object   enrollObjectCommand   `cmd:"" help:"Record that the holder objects; what was issued is kept from being used."`
	Settle   enrollSettleCommand   `cmd:"" help:"Record that an objection was answered and the holder accepts."`
	Close    enrollCloseCommand    `cmd:"" help:"End an application that is done."`

	Batch       enrollBatchCommand       `cmd:"" help:"What a city bureau gathers and hands in."`
	Holders     enrollHoldersCommand     `cmd:"" help:"List the users of a unit's seals, masked."`
	Suspend     enrollSuspendCommand     `cmd:"" help:"Stop a user of seals at once; two people make it final or lift it later."`
	Suspensions enrollSuspensionsCommand `cmd:"" help:"Decide on suspensions."`
	Token       enrollTokenCommand       `cmd:"" help:"USB Keys and their SO PINs."`
}

// enrollFlags are the flags of every command of registration that opens a data directory.
type enrollFlags struct {
	dataFlags
	As   string `help:"Actor who does it (default: the operator recorded in the data directory)." placeholder:"ACTOR"`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// counter is registration, opened for an actor.
type counter struct {
	*installation
	streams
	by   access.Actor
	json bool
}

// with opens registration, has something done there and gives it its place in the ledger.
func (f enrollFlags) with(ctx context.Context, s streams, do func(c *counter) error) error {
	h, by, err := openAs(ctx, f.dataFlags, f.As, s.now)
	if err != nil {
		return inForm(s, f.JSON, err)
	}
	defer h.close()
	err = do(&counter{installation: h, streams: s, by: by, json: f.JSON})
	// A refusal may follow something that was recorded.
	if settled := h.settle(ctx); err == nil {
		err = settled
	}
	return inForm(s, f.JSON, err)
}

// clock is the present time; installation and streams both have it.
func (c *counter) clock() time.Time { return c.installation.now() }

// numberFlags name an application.
type numberFlags struct {
	enrollFlags
	Number string `arg:"" help:"Number of the application, as on its form." placeholder:"NUMBER"`
}

// about opens registration and finds the application.
func (f numberFlags) about(ctx context.Context, s streams, do func(c *counter, a enroll.Application) error) error {
	return f.with(ctx, s, func(c *counter) error {
		a, err := c.find(ctx, f.Number)
		if err != nil {
			return err
		}
		return do(c, a)
	})
}

// find finds an application by its number, or its identifier.
func (c *counter) find(ctx context.Context, number string) (enroll.Application, error) {
	if strings.HasPrefix(number, "app_") {
		return c.enroll.Application(ctx, c.by, number)
	}
	return c.enroll.ByNumber(ctx, c.by, strings.ToUpper(strings.TrimSpace(number)))
}

// actFlags name an application on which somebody acts.
type actFlags struct {
	numberFlags
	Revision int64 `help:"Only if nothing has changed since this revision, which show prints." placeholder:"N"`
}

// act finds the application and says what became of it.
func (f actFlags) act(ctx context.Context, s streams, do func(c *counter, a enroll.Application) (enroll.Application, error)) error {
	return f.acting(ctx, s, func(c *counter, a enroll.Application) error {
		a, err := do(c, a)
		if err != nil {
			return err
		}
		return c.told(a)
	})
}

// acting finds the application as somebody saw it.
func (f actFlags) acting(ctx context.Context, s streams, do func(c *counter, a enroll.Application) error) error {
	return f.about(ctx, s, func(c *counter, a enroll.Application) error {
		if f.Revision != 0 {
			a.Revision = f.Revision
		}
		return do(c, a)
	})
}

// told says where an application stands.
func (c *counter) told(a enroll.Application) error {
	if c.json {
		return printJSON(c.streams, api.ApplicationOf(a))
	}
	_, err := fmt.Fprintf(c.out, "%s  %s %s  第 %d 稿 version %d，修订 revision %d\n", a.Number, a.State.Label(), a.State, a.Version, a.Version, a.Revision)
	return err
}

// took says where an application stands and what it takes.
func (c *counter) took(ctx context.Context, a enroll.Application) error {
	acts, err := c.business.Acts(ctx, a.ID)
	if err != nil {
		return err
	}
	if c.json {
		return printJSON(c.streams, struct {
			api.Application
			Acts []api.Act `json:"acts"`
		}{api.ApplicationOf(a), api.ActsOf(acts)})
	}
	if err := c.told(a); err != nil {
		return err
	}
	c.printActs(acts)
	return nil
}

var actWords = map[string]string{"certificate": "签发证书 certificate", "seal": "制作印章 seal", "grant": "授权用章 grant", "role": "授予角色 role",
	"revoke": "撤销证书 revoke", "resume": "恢复证书 resume", "cancel": "注销印章 cancel", "unlock": "解锁 Key unlock"}

func (c *counter) printActs(acts []business.Act) {
	for _, a := range acts {
		mark := "…"
		if a.Done {
			mark = "✔"
		}
		words := []string{actWords[a.Kind]}
		for _, w := range []string{string(a.Profile), a.Name, a.Object, a.Actor} {
			if w != "" {
				words = append(words, w)
			}
		}
		if a.Done && a.Result != "" {
			words = append(words, "→ "+a.Result)
		}
		if !a.Done && a.Phase == "accept" {
			words = append(words, "（接受后 upon acceptance）")
		}
		fmt.Fprintf(c.out, "  %s %2d  %s\n", mark, a.Number, strings.Join(words, "  "))
	}
}

// day is YYYY-MM-DD in China; the end of that day, or its beginning.
func day(text, flag string, end bool) (time.Time, error) {
	t, err := civil.ParseDay(text)
	if err != nil {
		return t, errFlag.With("%q", text).At(fault.Field(flag))
	}
	if end {
		t = t.AddDate(0, 0, 1).Add(-time.Second)
	}
	return t, nil
}
