package command

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/ca/enroll/form"
	"yinxin/internal/civil"
	"yinxin/internal/fault"
)

// blankForm is what people fill in: form.Application without what the service gives.
type blankForm struct {
	SealType      form.SealType   `json:"sealType"`
	SealTypeOther string          `json:"sealTypeOther"`
	Businesses    []form.Business `json:"businesses"`
	FormerName    string          `json:"formerName"`
	Scopes        []form.Scope    `json:"scopes"`
	Methods       []form.Method   `json:"methods"`
	Unit          form.Unit       `json:"unit"`
	Approver      string          `json:"approver"`
	Purpose       string          `json:"purpose"`
	Handler       form.Handler    `json:"handler"`
	AppliedOn     string          `json:"appliedOn"`
	Seal          form.Seal       `json:"seal"`
	Key           form.Key        `json:"key"`
	Personal      struct {
		HandlerIdentity   string `json:"handlerIdentity"`
		HandlerMobile     string `json:"handlerMobile"`
		KeyHolderIdentity string `json:"keyHolderIdentity"`
	} `json:"personal"`
}

type enrollFormTemplateCommand struct {
	enrollFlags
	Unit string `help:"Fill in name and credit code of this unit (needs --data)." placeholder:"UNIT"`
}

func (c enrollFormTemplateCommand) Run(ctx context.Context, s streams) error {
	blank := blankForm{Businesses: []form.Business{form.New}, Scopes: []form.Scope{}, Methods: []form.Method{}, AppliedOn: civil.Day(s.now())}
	if c.Unit != "" {
		err := c.with(ctx, s, func(k *counter) error {
			u, err := k.unit(ctx, c.Unit)
			blank.Unit.Name, blank.Unit.CreditCode, blank.Seal.Name = u.Name, u.CreditCode, u.Name
			return err
		})
		if err != nil {
			return err
		}
	}
	explainForm(s.err)
	return printJSON(s, blank)
}

// unit finds one of the units that the actor may see.
func (c *counter) unit(ctx context.Context, id string) (enroll.Unit, error) {
	units, err := c.enroll.Units(ctx, c.by)
	for _, u := range units {
		if u.ID == id {
			return u, nil
		}
	}
	if err == nil {
		err = enroll.ErrUnit.With("%s", id)
	}
	return enroll.Unit{}, err
}

type choice interface {
	~string
	Label() string
}

func explainChoice[T choice](w io.Writer, member string, list []T, note string) {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = string(v) + " " + v.Label()
	}
	fmt.Fprintf(w, "  %-11s %s%s: %s\n", member, form.LabelOf(member), note, strings.Join(words, "，"))
}

// explainForm says what may stand where.
func explainForm(w io.Writer) {
	fmt.Fprintln(w, "各项的选择 the choices:")
	explainChoice(w, "businesses", form.Businesses(), "（一项；机构变更与印模变更可合并 one; the two changes may share a form）")
	explainChoice(w, "sealType", form.SealTypes(), "（other 须填 sealTypeOther）")
	explainChoice(w, "scopes", form.Scopes(), "（可多选 one or both）")
	explainChoice(w, "methods", form.Methods(), "（可多选 one or both；distributed 须附使用人信息汇总表）")
	explainChoice(w, "unit.type", form.UnitTypes(), "（other 须填 unit.typeOther）")
	fmt.Fprintln(w, `  seal.size   {"diameter":42} 或 or {"width":40,"height":30}，毫米 mm；seal.code 为已有印章的 14 位编码 of an existing seal`)
	fmt.Fprintln(w, "  formerName  机构变更时填写；key 与 personal.keyHolderIdentity 在 Key 补办、解锁时填写 for businesses of a Key only")
}

// readForm reads a filled-in form.
func readForm(name string) (form.Application, error) {
	data, err := readSmall(name)
	if err != nil {
		return form.Application{}, err
	}
	a, err := form.Decode(data)
	return a, at(err, name)
}

type enrollNewCommand struct {
	enrollFlags
	Unit string `required:"" help:"The applying unit: its identifier, as units list prints it." placeholder:"UNIT"`
	Form string `arg:"" help:"The form; form-template prints an empty one." placeholder:"FORM.json"`
}

func (c enrollNewCommand) Run(ctx context.Context, s streams) error {
	filled, err := readForm(c.Form)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.with(ctx, s, func(k *counter) error {
		a, err := k.enroll.Create(ctx, k.by, c.Unit, filled)
		if err != nil {
			return err
		}
		if k.json {
			return k.told(a)
		}
		fmt.Fprintln(s.out, a.Number)
		return k.remind(ctx, a)
	})
}

// remind says on the side what is still wrong with a form.
func (c *counter) remind(ctx context.Context, a enroll.Application) error {
	list, err := c.enroll.Findings(ctx, c.by, a.ID)
	for _, f := range list {
		if f.Confirmed == nil {
			printFinding(c.streams.err, f)
		}
	}
	return err
}

type enrollEditCommand struct {
	actFlags
	Form string `arg:"" help:"The form; show --form prints the present one." placeholder:"FORM.json"`
}

func (c enrollEditCommand) Run(ctx context.Context, s streams) error {
	filled, err := readForm(c.Form)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.acting(ctx, s, func(k *counter, a enroll.Application) error {
		a, err := k.enroll.Edit(ctx, k.by, a.Ref(), filled)
		if err != nil {
			return err
		}
		if err := k.told(a); err != nil || k.json {
			return err
		}
		return k.remind(ctx, a)
	})
}

type enrollPrintCommand struct {
	numberFlags
	Output string `short:"o" required:"" help:"Where the PDF goes; it holds personal data." placeholder:"PDF"`
	Reason string `help:"Why; needed from everybody but the unit, and recorded." placeholder:"TEXT"`
}

func (c enrollPrintCommand) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		err := writeFile(ctx, c.Output, 0o600, func(w io.Writer) error { return k.desk.Print(ctx, k.by, a.ID, c.Reason, w) })
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, map[string]string{"number": a.Number, "output": c.Output})
		}
		_, err = fmt.Fprintf(s.out, "%s  %s\n", a.Number, c.Output)
		return err
	})
}

type enrollShowCommand struct {
	numberFlags
	Form bool `help:"Only the form, as edit takes it. A masked field that comes back as it is keeps its value."`
}

func (c enrollShowCommand) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, func(k *counter, a enroll.Application) error {
		if c.Form {
			return printJSON(s, a.Form)
		}
		if k.json {
			return k.took(ctx, a)
		}
		k.printForm(a)
		if err := k.took(ctx, a); err != nil {
			return err
		}
		return k.printReturned(ctx, a)
	})
}

func labels[T choice](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = v.Label()
	}
	return strings.Join(words, "、")
}

func (c *counter) printForm(a enroll.Application) {
	f := a.Form
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(c.out, "%s%s  %s\n", label, padding(label, 20), text)
		}
	}
	line("申请单位 unit", f.Unit.Name+"  "+f.Unit.CreditCode)
	line("业务类型 business", labels(f.Businesses))
	line("印章 seal", f.Seal.Name+"  "+f.SealType.Label()+"  "+f.Seal.Size.String()+" mm  "+f.Seal.Code)
	line("变更前 formerly", f.FormerName)
	line("用章 use", labels(f.Scopes)+"；"+labels(f.Methods))
	line("经办人 handler", f.Handler.Name+"  "+f.Personal.HandlerIdentity+"  "+f.Personal.HandlerMobile)
	if f.Key.Holder != "" {
		line("USB Key", f.Key.Holder+"  "+f.Personal.KeyHolderIdentity+"  "+f.Key.Serial)
	}
	line("协议 agreement", f.Agreement.Version)
	if o := a.Original; o != nil {
		line("原件 original", o.On+"  "+o.Number)
	}
	if a.InkBy != "" {
		line("印泥确认 wet ink", a.InkBy)
	}
	line("批次 batch", a.Batch)
	for _, at := range a.Attachments {
		line("附件 scan", at.ID+"  "+at.Kind.Label())
	}
	if r := a.Roster; r != nil {
		line("使用人 users", fmt.Sprintf("%d 人 people, %s", r.Persons, r.FilledOn))
	}
	if !a.ObjectUntil.IsZero() {
		line("异议期限 term", moment(a.ObjectUntil))
	}
}

// printReturned says, of an application that lies with its unit again, why it does.
func (c *counter) printReturned(ctx context.Context, a enroll.Application) error {
	if a.State != enroll.StateReturned {
		return nil
	}
	list, err := c.enroll.History(ctx, c.by, a.ID)
	if err != nil {
		return err
	}
	for _, l := range slices.Backward(list) {
		if l.Step == enroll.StepReturn {
			_, err := fmt.Fprintln(c.out, l.Sentence())
			return err
		}
	}
	return nil
}

type enrollListCommand struct {
	enrollFlags
	State  []string `help:"Only in these states: draft, submitted, …" placeholder:"STATE"`
	Unit   string   `help:"Only of this unit." placeholder:"UNIT"`
	Area   string   `help:"Only of this area." placeholder:"CODE"`
	Batch  string   `help:"Only in this batch." placeholder:"ID"`
	Text   string   `help:"Stands in the number, the unit's or the seal's name." placeholder:"TEXT"`
	Before string   `help:"Go on behind the application with this identifier." placeholder:"ID"`
	Limit  int      `help:"At most so many, up to 200." default:"200" placeholder:"N"`
}

func (c enrollListCommand) Run(ctx context.Context, s streams) error {
	f := enroll.Filter{Unit: c.Unit, Area: c.Area, Batch: c.Batch, Text: c.Text, Before: c.Before, Limit: c.Limit}
	for _, state := range c.State {
		if enroll.State(state).Label() == "" {
			return inForm(s, c.JSON, errFlag.With("%q", state).At(fault.Field("--state")))
		}
		f.States = append(f.States, enroll.State(state))
	}
	if c.Limit < 1 || c.Limit > enroll.MaxList {
		return inForm(s, c.JSON, errFlag.At(fault.Field("--limit")))
	}
	return c.with(ctx, s, func(k *counter) error {
		list, err := k.enroll.List(ctx, k.by, f)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, api.SummariesOf(list))
		}
		if len(list) == 0 {
			fmt.Fprintln(s.out, "没有申请。 There is no application.")
		}
		k.printSummaries("", list)
		return nil
	})
}

func (c *counter) printSummaries(indent string, list []enroll.Summary) {
	for _, a := range list {
		fmt.Fprintf(c.out, "%s%s  %s %s  %s  %s  %s\n", indent, a.Number, a.State.Label(), a.State, labels(a.Businesses), a.UnitName, a.SealName)
	}
}
