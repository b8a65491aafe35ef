package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"yinxin/api"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
	"yinxin/sealer/issuance"
)

type issuanceCommand struct {
	List       issuanceListCommand       `cmd:"" help:"List cases, the newest first."`
	Show       issuanceShowCommand       `cmd:"" help:"Show a case."`
	Open       issuanceOpenCommand       `cmd:"" help:"Ask another archive for a file."`
	Cancel     issuanceCancelCommand     `cmd:"" help:"Take a request back before its answer."`
	Answer     issuanceAnswerCommand     `cmd:"" help:"Answer a request: found, not-found, not-open."`
	Pages      issuancePagesCommand      `cmd:"" help:"Put pages in: PDF, JPEG, PNG, TIFF."`
	Issue      issuanceIssueCommand      `cmd:"" help:"Compose, seal and issue the copy."`
	Fetch      issuanceFetchCommand      `cmd:"" help:"Fetch the issued copy."`
	Receive    issuanceReceiveCommand    `cmd:"" help:"Check the copy that came, and take it."`
	Deliver    issuanceDeliverCommand    `cmd:"" help:"Record that the copy was handed over."`
	Withdraw   issuanceWithdrawCommand   `cmd:"" help:"Withdraw an issued copy."`
	Register   issuanceRegisterCommand   `cmd:"" help:"Write the register of cases (.xlsx)."`
	Statistics issuanceStatisticsCommand `cmd:"" help:"Count a year."`
	Lookup     issuanceLookupCommand     `cmd:"" help:"Look an issued copy up by its code."`
}

// caseFlags name a case.
type caseFlags struct {
	enrollFlags
	Case string `arg:"" help:"Identifier of the case." placeholder:"CASE"`
}

// step does something with a case and prints what became of it.
func (f caseFlags) step(ctx context.Context, s streams, do func(c *counter) (issuance.Case, error)) error {
	return f.with(ctx, s, func(c *counter) error {
		done, err := do(c)
		if err != nil {
			return err
		}
		return c.printCase(done)
	})
}

func (c *counter) printCase(i issuance.Case) error {
	if c.json {
		return printJSON(c.streams, api.IssuanceOf(i))
	}
	late := ""
	if i.Overdue {
		late = "  超期 overdue"
	}
	_, err := fmt.Fprintf(c.out, "%s  %s  %s → %s  %s %s  期限 due %s%s\n", i.ID, i.Number, i.Holding, i.Receiving, i.State.Label(), i.State, civil.Minute(i.DueAt), late)
	if err == nil && i.Copy != nil && !i.Copy.IssuedAt.IsZero() {
		_, err = fmt.Fprintf(c.out, "出证 issued  %s  %s  %d 页 pages\n", i.Copy.Number, i.Copy.Day, i.Copy.Pages)
	}
	return err
}

type issuanceListCommand struct {
	enrollFlags
	Side    string `enum:",in,out" default:"" help:"in: what others ask; out: what was asked of others."`
	State   string `help:"Only cases in this state." placeholder:"STATE"`
	Overdue bool   `help:"Only what waits for an answer beyond its term."`
}

func (c issuanceListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		list, err := k.issuance.Cases(ctx, k.by, issuance.Filter{Side: c.Side, State: issuance.State(c.State), Overdue: c.Overdue, Limit: maxListed})
		if err != nil {
			return err
		}
		if k.json {
			all := make([]api.Issuance, 0, len(list))
			for _, i := range list {
				all = append(all, api.IssuanceOf(i))
			}
			return printJSON(s, all)
		}
		for _, i := range list {
			if err := k.printCase(i); err != nil {
				return err
			}
		}
		return nil
	})
}

type issuanceShowCommand struct{ caseFlags }

func (c issuanceShowCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, func(k *counter) (issuance.Case, error) { return k.issuance.Case(ctx, k.by, c.Case) })
}

type issuanceOpenCommand struct {
	enrollFlags
	Holding   string `required:"" help:"Archive that holds the file." placeholder:"NAME"`
	Receiving string `help:"Archive in which the applicant stands (default: the actor's)." placeholder:"NAME"`
	Number    string `help:"Own case number; the same one with the same request gives the same case." placeholder:"NUMBER"`
	Applicant string `required:"" help:"File with name, identity, purpose and sought as JSON; - is standard input. Numbers of people do not belong into a command line." placeholder:"FILE"`
}

func (c issuanceOpenCommand) Run(ctx context.Context, s streams) error {
	applicant, err := readApplicant(s, c.Applicant)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.with(ctx, s, func(k *counter) error {
		opened, _, err := k.issuance.Open(ctx, k.by, issuance.Request{Receiving: c.Receiving, Holding: c.Holding, Number: c.Number, Applicant: applicant})
		if err != nil {
			return err
		}
		return k.printCase(opened)
	})
}

// readApplicant reads who asks. An error does not repeat anything of it.
func readApplicant(s streams, name string) (a issuance.Applicant, err error) {
	in := s.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return a, err
		}
		defer f.Close()
		in = f
	}
	d := json.NewDecoder(io.LimitReader(in, 64<<10))
	d.DisallowUnknownFields()
	if d.Decode(&a) != nil {
		return a, errApplicant.At(fault.File(name))
	}
	return a, nil
}

type issuanceCancelCommand struct{ caseFlags }

func (c issuanceCancelCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, func(k *counter) (issuance.Case, error) { return k.issuance.Cancel(ctx, k.by, c.Case) })
}

type issuanceAnswerCommand struct {
	caseFlags
	Result string `arg:"" enum:"found,not-found,not-open" help:"found, not-found, not-open." placeholder:"RESULT"`
	Reason string `help:"Why not." placeholder:"TEXT"`
	Fonds  string `help:"全宗号." placeholder:"NUMBER"`
	File   string `help:"案卷号." placeholder:"NUMBER"`
	Item   string `help:"件号." placeholder:"NUMBER"`
	Pages  int    `help:"页数 of the copy." placeholder:"N"`
	Number string `help:"档号." placeholder:"NUMBER"`
}

func (c issuanceAnswerCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, func(k *counter) (issuance.Case, error) {
		return k.issuance.Answer(ctx, k.by, c.Case, issuance.Answer{Result: issuance.Result(c.Result), Reason: c.Reason,
			Reference: issuance.Reference{Fonds: c.Fonds, File: c.File, Item: c.Item, Pages: c.Pages, Number: c.Number}})
	})
}

type issuancePagesCommand struct {
	caseFlags
	Files []string `arg:"" optional:"" name:"file" help:"Files, in their order." placeholder:"FILE"`
	Clear bool     `help:"Take out what is in before."`
}

func (c issuancePagesCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, func(k *counter) (done issuance.Case, err error) {
		if c.Clear {
			if done, err = k.issuance.ClearPages(ctx, k.by, c.Case); err != nil {
				return done, err
			}
		}
		for _, name := range c.Files {
			data, err := readPages(name)
			if err == nil {
				done, err = k.issuance.AddPages(ctx, k.by, c.Case, filepath.Base(name), data)
			}
			if f, ok := fault.Of(err); ok && f.Place == (fault.Place{}) {
				err = f.At(fault.File(name))
			}
			if err != nil {
				return done, err
			}
		}
		return k.issuance.Case(ctx, k.by, c.Case)
	})
}

// readPages reads a file; one byte more than may be is enough for the refusal.
func readPages(name string) ([]byte, error) {
	f, _, err := openInput(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, issuance.MaxPart+1))
}

type issuanceIssueCommand struct {
	caseFlags
	Seal string `required:"" help:"Code of a seal of the archive that holds the file." placeholder:"CODE"`
	Key  bool   `help:"With the actor's USB Key: a task waits at the terminal; give the command again when it is sealed there."`
}

func (c issuanceIssueCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, func(k *counter) (issuance.Case, error) {
		return k.issuance.Issue(ctx, k.by, c.Case, issuance.Order{Seal: c.Seal, ByKey: c.Key})
	})
}

type issuanceFetchCommand struct {
	caseFlags
	Output string `short:"o" required:"" help:"File to write." placeholder:"FILE"`
}

func (c issuanceFetchCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		d, err := k.issuance.Document(ctx, k.by, c.Case)
		if err != nil {
			return err
		}
		return writeFile(ctx, c.Output, 0o600, func(w io.Writer) error { return k.sealer.Copy(ctx, w, d) })
	})
}

type issuanceReceiveCommand struct {
	caseFlags
	File string `arg:"" help:"The copy that came." placeholder:"FILE"`
}

func (c issuanceReceiveCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, func(k *counter) (issuance.Case, error) {
		f, size, err := openInput(c.File)
		if err != nil {
			return issuance.Case{}, err
		}
		defer f.Close()
		return k.issuance.Receive(ctx, k.by, c.Case, f, size)
	})
}

type issuanceDeliverCommand struct {
	caseFlags
	Manner          string `required:"" enum:"printed,file" help:"printed, file." placeholder:"MANNER"`
	IdentityChecked bool   `name:"identity-checked" help:"The identity document of whoever took it was looked at."`
}

func (c issuanceDeliverCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, func(k *counter) (issuance.Case, error) {
		return k.issuance.Deliver(ctx, k.by, c.Case, issuance.Delivery{Manner: issuance.Manner(c.Manner), IdentityChecked: c.IdentityChecked})
	})
}

type issuanceWithdrawCommand struct {
	caseFlags
	Reason string `required:"" help:"Why. It cannot be undone." placeholder:"TEXT"`
}

func (c issuanceWithdrawCommand) Run(ctx context.Context, s streams) error {
	return c.step(ctx, s, func(k *counter) (issuance.Case, error) { return k.issuance.Withdraw(ctx, k.by, c.Case, c.Reason) })
}

type issuanceRegisterCommand struct {
	enrollFlags
	Side   string `enum:",in,out" default:"" help:"in: what others ask; out: what was asked of others."`
	From   string `help:"First day on which cases were opened, YYYY-MM-DD." placeholder:"DATE"`
	Until  string `help:"Last day, YYYY-MM-DD." placeholder:"DATE"`
	Output string `short:"o" required:"" help:"Workbook to write." placeholder:"FILE"`
}

func (c issuanceRegisterCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		return writeFile(ctx, c.Output, 0o600, func(w io.Writer) error {
			return k.issuance.Export(ctx, k.by, issuance.Filter{Side: c.Side, From: c.From, Until: c.Until}, w)
		})
	})
}

type issuanceStatisticsCommand struct {
	enrollFlags
	Year int `help:"Year (default: this one)." placeholder:"YEAR"`
}

func (c issuanceStatisticsCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if c.Year == 0 {
			c.Year = k.clock().In(civil.China).Year()
		}
		st, err := k.issuance.Statistics(ctx, k.by, c.Year)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, api.IssuanceStatisticsOf(st))
		}
		for _, t := range append(st.Archives, st.Total) {
			name := t.Archive
			if name == "" {
				name = "合计 total"
			}
			if _, err := fmt.Fprintf(s.out, "%s  受理 asked %d  查到 found %d  未查到 not found %d  不予开放 not open %d  待答复 open %d  按期 in time %d  超期 overdue %d  出证 issued %d  撤回 withdrawn %d\n",
				name, t.Requested, t.Found, t.Missing, t.Closed, t.Open, t.InTime, t.Late, t.Issued, t.Withdrawn); err != nil {
				return err
			}
		}
		return nil
	})
}

type issuanceLookupCommand struct {
	enrollFlags
	Code string `arg:"" help:"Verification code." placeholder:"CODE"`
}

func (c issuanceLookupCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		p, err := k.issuance.Lookup(ctx, c.Code)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, api.IssuedRecordOf(p))
		}
		state := "有效记录 on record"
		if !p.WithdrawnAt.IsZero() {
			state = "已撤回 withdrawn " + p.WithdrawnAt.UTC().Format(time.RFC3339)
		}
		_, err = fmt.Fprintf(s.out, "%s  %s  %s  %s  %s\n", p.Number, p.Holding, p.Reference.Number, p.Day, state)
		return err
	})
}
