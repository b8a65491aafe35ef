package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"yinxin/api"
	"yinxin/ca/enroll"
	"yinxin/internal/fault"
)

// readList reads a JSON list of T from a file, strictly.
func readList[T any](name string) ([]T, error) {
	data, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var list []T
	if err := d.Decode(&list); err != nil {
		return nil, errFlag.With("%v", err).At(fault.File(name))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errFlag.Saying("末尾有多余的数据", "trailing data").At(fault.File(name))
	}
	return list, nil
}

type enrollAreasCommand struct {
	List enrollAreasListCommand `cmd:"" help:"List them."`
	Set  enrollAreasSetCommand  `cmd:"" help:"Record areas from a file: [{\"code\":\"227100\",\"name\":\"…\"}]."`
}

type enrollAreasListCommand struct{ enrollFlags }

func (c enrollAreasListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		areas, err := k.enroll.Areas(ctx)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, append([]enroll.Area{}, areas...))
		}
		for _, a := range areas {
			fmt.Fprintf(s.out, "%s  %s\n", a.Code, a.Name)
		}
		return nil
	})
}

type enrollAreasSetCommand struct {
	enrollFlags
	File string `arg:"" help:"JSON list of areas." placeholder:"FILE.json"`
}

func (c enrollAreasSetCommand) Run(ctx context.Context, s streams) error {
	areas, err := readList[enroll.Area](c.File)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.with(ctx, s, func(k *counter) error {
		if err := k.enroll.SetAreas(ctx, k.by, areas); err != nil {
			return err
		}
		if k.json {
			return printJSON(s, areas)
		}
		_, err := fmt.Fprintf(s.out, "已登记地区 areas recorded: %d\n", len(areas))
		return err
	})
}

type enrollUnitsCommand struct {
	List enrollUnitsListCommand `cmd:"" help:"List the units that the actor may see."`
	Set  enrollUnitsSetCommand  `cmd:"" help:"Record units from a file: [{\"id\":\"\",\"name\":\"…\",\"credit_code\":\"…\",\"area\":\"227100\",\"direct\":false,\"expected\":true}]."`
}

type enrollUnitsListCommand struct{ enrollFlags }

func (c enrollUnitsListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		units, err := k.enroll.Units(ctx, k.by)
		if err != nil {
			return err
		}
		return k.printUnits(units)
	})
}

type enrollUnitsSetCommand struct {
	enrollFlags
	File string `arg:"" help:"JSON list of units; one without an id is new and gets one." placeholder:"FILE.json"`
}

func (c enrollUnitsSetCommand) Run(ctx context.Context, s streams) error {
	given, err := readList[api.UnitInput](c.File)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	units := make([]enroll.Unit, len(given))
	for i, u := range given {
		units[i] = enroll.Unit{ID: u.ID, Name: u.Name, CreditCode: u.CreditCode, Area: u.Area, Direct: u.Direct, Expected: u.Expected}
	}
	return c.with(ctx, s, func(k *counter) error {
		units, err := k.enroll.SetUnits(ctx, k.by, units)
		if err != nil {
			return err
		}
		return k.printUnits(units)
	})
}

func (c *counter) printUnits(units []enroll.Unit) error {
	if c.json {
		return printJSON(c.streams, api.UnitsOf(units))
	}
	w := newTable(c.out)
	for _, u := range units {
		way := "市级汇总 by the city bureau"
		if u.Direct {
			way = "直接报送 directly"
		}
		w.row(u.ID, u.Area, u.Name, u.CreditCode, way)
	}
	return w.flush()
}

type enrollMembersCommand struct {
	List enrollMembersListCommand `cmd:"" help:"List them."`
	Set  enrollMembersSetCommand  `cmd:"" help:"Say, once, for which unit or area an actor stands."`
}

type enrollMembersListCommand struct {
	enrollFlags
	After string `help:"Go on after this actor." placeholder:"ACTOR"`
}

func (c enrollMembersListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		list, err := k.enroll.Members(ctx, k.by, c.After, enroll.MaxList)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, api.MembersOf(list))
		}
		w := newTable(s.out)
		for _, m := range list {
			w.row(m.Actor, m.Name, m.Organisation, m.Unit+m.Area)
		}
		return w.flush()
	})
}

type enrollMembersSetCommand struct {
	enrollFlags
	Actor string `arg:"" help:"An applicant, or somebody of a city bureau." placeholder:"ACTOR"`
	Unit  string `help:"The unit for which an applicant acts." placeholder:"UNIT" xor:"where"`
	Area  string `help:"The area of a city bureau." placeholder:"CODE" xor:"where"`
}

func (c enrollMembersSetCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		var err error
		switch {
		case c.Unit != "":
			err = k.enroll.AssignUnit(ctx, k.by, c.Actor, c.Unit)
		case c.Area != "":
			err = k.enroll.AssignArea(ctx, k.by, c.Actor, c.Area)
		default:
			err = errMissing.At(fault.Field("--unit"))
		}
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, map[string]string{"actor": c.Actor, "unit": c.Unit, "area": c.Area})
		}
		_, err = fmt.Fprintf(s.out, "%s → %s%s\n", c.Actor, c.Unit, c.Area)
		return err
	})
}

type enrollAgreementCommand struct {
	Publish enrollAgreementPublishCommand `cmd:"" help:"Put a version in force, in place of the one before."`
	Show    enrollAgreementShowCommand    `cmd:"" help:"Print a version."`
}

type enrollAgreementPublishCommand struct {
	enrollFlags
	Version string `arg:"" help:"Its name: 2026-01." placeholder:"VERSION"`
	File    string `arg:"" help:"Its text, UTF-8." placeholder:"FILE"`
}

func (c enrollAgreementPublishCommand) Run(ctx context.Context, s streams) error {
	text, err := readSmall(c.File)
	if err != nil {
		return inForm(s, c.JSON, err)
	}
	return c.with(ctx, s, func(k *counter) error {
		a, err := k.enroll.PublishAgreement(ctx, k.by, c.Version, string(text))
		if err != nil {
			return err
		}
		if k.json {
			return k.printAgreement(a)
		}
		_, err = fmt.Fprintf(s.out, "已发布 published: %s  SM3 %s\n", a.Version, a.Digest)
		return err
	})
}

type enrollAgreementShowCommand struct {
	enrollFlags
	Version string `arg:"" optional:"" help:"The version (default: the one in force)." placeholder:"VERSION"`
}

func (c enrollAgreementShowCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		a, err := k.enroll.Agreement(ctx, c.Version)
		if err != nil {
			return err
		}
		return k.printAgreement(a)
	})
}

func (c *counter) printAgreement(a enroll.Agreement) error {
	if c.json {
		return printJSON(c.streams, api.AgreementOf(a))
	}
	_, err := fmt.Fprintf(c.out, "%s  %s  SM3 %s\n\n%s\n", a.Version, moment(a.Published), a.Digest, a.Text)
	return err
}
