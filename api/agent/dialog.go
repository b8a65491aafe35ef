package agent

import (
	"context"
	"errors"
	"strings"

	"github.com/ncruces/zenity"
)

// Dialogs is a desk of native dialogs: those of Windows and macOS, elsewhere the program zenity or one like it.
type Dialogs struct {
	shows func(path string) error
	bar   zenity.ProgressDialog
}

var _ Desk = (*Dialogs)(nil)

// NewDialogs gives a desk of dialogs. shows opens a picture or a folder for the person. Error: agent.no-desk where there is no
// display, or no program for dialogs.
func NewDialogs(shows func(path string) error) (*Dialogs, error) {
	if !hasDisplay() || !zenity.IsAvailable() {
		return nil, ErrNoDesk.New()
	}
	return &Dialogs{shows: shows}, nil
}

const dialogTitle = "印信 签章助手 Yinxin"

// options are those of every dialog.
func options(ctx context.Context, more ...zenity.Option) []zenity.Option {
	return append([]zenity.Option{zenity.Context(ctx), zenity.Title(dialogTitle), zenity.Width(640)}, more...)
}

// answered turns what a dialog gives into yes and no.
func answered(err error) (bool, error) {
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, zenity.ErrCanceled):
		return false, nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false, err
	}
	return false, ErrNoDesk.Because(err)
}

var (
	okSignIn = zenity.OKLabel("同意登录 Sign in")
	okAgree  = zenity.OKLabel("同意盖章 Seal")
	okGoOn   = zenity.OKLabel("继续 Go on")
	okAgain  = zenity.OKLabel("再试 Try again")
	noCancel = zenity.CancelLabel("取消 Cancel")
	noLater  = zenity.CancelLabel("以后再说 Later")
	decline  = zenity.ExtraButton("拒绝 Decline")
)

// Agree implements Desk. A list is shown first, the question after it.
func (d *Dialogs) Agree(ctx context.Context, q Question) (Answer, error) {
	if path := q.toOpen(); path != "" {
		if err := d.shows(path); err != nil {
			return Later, ErrPictures.Because(err)
		}
	}
	if len(q.Items) > 1 {
		// Rows begin with a number: none of them can be taken for an option of the program that shows them.
		_, err := zenity.List("待盖章文件 Files to be sealed", q.rows(), options(ctx, okGoOn, noLater, zenity.Height(480))...)
		if yes, err := answered(err); !yes || err != nil {
			return Later, err
		}
	}
	return d.choose(ctx, q.text()+"\n"+q.ask(), okAgree)
}

// choose asks a question to which there are three answers.
func (d *Dialogs) choose(ctx context.Context, question string, agree zenity.Option) (Answer, error) {
	err := zenity.Question(question, options(ctx, agree, noLater, decline, zenity.DefaultCancel(), zenity.NoWrap())...)
	if errors.Is(err, zenity.ErrExtraButton) {
		return No, nil
	}
	if yes, err := answered(err); !yes || err != nil {
		return Later, err
	}
	return Yes, nil
}

// PIN implements Desk. The dialog for secrets has no text of its own: what it is for is said before.
func (d *Dialogs) PIN(ctx context.Context, q PINQuestion) ([]byte, error) {
	if q.Why != nil || q.Low || q.Final {
		yes, err := answered(zenity.Question(q.text(), options(ctx, okGoOn, noCancel, zenity.WarningIcon, zenity.DefaultCancel())...))
		if err != nil {
			return nil, err
		}
		if !yes {
			return nil, ErrDeclined.New()
		}
	}
	_, text, err := zenity.Password(zenity.Context(ctx), zenity.Title("PIN："+shown(q.Token)+" "+shown(q.What)))
	yes, err := answered(err)
	switch {
	case err != nil:
		return nil, err
	case !yes || text == "":
		return nil, ErrDeclined.New()
	}
	return []byte(text), nil
}

// Retry implements Desk.
func (d *Dialogs) Retry(ctx context.Context, err error) (bool, error) {
	return answered(zenity.Question(sentences(err), options(ctx, okAgain, noCancel, zenity.WarningIcon)...))
}

// Tell implements Desk. It waits until the person has seen it, or the context ends.
func (d *Dialogs) Tell(ctx context.Context, err error) {
	_ = zenity.Warning(sentences(err), options(ctx)...) // who does not want to see it closes it
}

// Progress implements Desk.
func (d *Dialogs) Progress(ctx context.Context, p Progress) {
	if p.Total < 2 && p.Err == nil {
		return
	}
	if d.bar == nil {
		bar, err := zenity.Progress(zenity.Context(ctx), zenity.Title(dialogTitle), zenity.MaxValue(p.Total), zenity.NoCancel())
		if err != nil {
			return
		}
		d.bar = bar
	}
	_ = d.bar.Text(strings.ReplaceAll(p.text(), "\n", " ")) // somebody may have closed it
	_ = d.bar.Value(p.Done)
	if p.Done == p.Total {
		_ = d.bar.Close()
		d.bar = nil
	}
}
