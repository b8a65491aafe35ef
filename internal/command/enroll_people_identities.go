package command

import (
	"context"
	"fmt"

	"yinxin/internal/access"
	"yinxin/internal/fault"
	"yinxin/internal/login"
	"yinxin/internal/login/oidc"
)

type enrollPeopleIdentitiesCommand struct {
	Add  enrollIdentitiesAddCommand  `cmd:"" help:"Link a person to their account at an identity provider."`
	List enrollIdentitiesListCommand `cmd:"" help:"List the accounts at identity providers by which a person signs in."`
	End  enrollIdentitiesEndCommand  `cmd:"" help:"End a link and the sessions opened by it. Without --yes nothing is changed."`
}

// linkJSON is a link as people identities --json prints it.
type linkJSON struct {
	ID      string `json:"id"`
	Actor   string `json:"actor"`
	Issuer  string `json:"issuer"`
	Claim   string `json:"claim"`
	Subject string `json:"subject"`
	Here    bool   `json:"here"` // made on the machine itself
	By      string `json:"by"`
	Created string `json:"created"`
}

func linkOf(actor string, l login.Link) linkJSON {
	return linkJSON{ID: l.ID, Actor: actor, Issuer: l.Issuer, Claim: l.Claim, Subject: l.Subject, Here: l.Here, By: l.By, Created: moment(l.Created)}
}

type enrollIdentitiesAddCommand struct {
	enrollFlags
	Actor    string `arg:"" help:"Who signs in by it." placeholder:"ACTOR"`
	Provider string `required:"" help:"Name of the provider in config.json (login.oidc)." placeholder:"NAME"`
	Subject  string `required:"" help:"Who they are there: the login page says it when they first try." placeholder:"TEXT"`
}

// Help is printed by --help.
func (enrollIdentitiesAddCommand) Help() string {
	return "An administrator's act. Registrars, approvers and auditors can be linked here only, not on the pages: whoever chooses the account by which they sign in could speak for two people."
}

func (c enrollIdentitiesAddCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		for _, setting := range k.config.Login.OIDC {
			if setting.Name != c.Provider {
				continue
			}
			l, err := k.login.Link(ctx, k.by, c.Actor, login.Outside{Issuer: setting.Issuer, Claim: setting.Names(), Subject: c.Subject})
			if err != nil {
				return err
			}
			if k.json {
				return printJSON(s, linkOf(c.Actor, l))
			}
			_, err = fmt.Fprintf(s.out, "已关联 linked: %s  %s  %s  %s\n", l.ID, c.Actor, l.Issuer, l.Subject)
			return err
		}
		return oidc.ErrUnknown.At(fault.Field("--provider"))
	})
}

type enrollIdentitiesListCommand struct {
	enrollFlags
	Actor string `arg:"" help:"Whose links." placeholder:"ACTOR"`
}

func (c enrollIdentitiesListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		list, err := k.login.Links(ctx, k.by, c.Actor)
		if err != nil {
			return err
		}
		all := []linkJSON{}
		for _, l := range list {
			all = append(all, linkOf(c.Actor, l))
		}
		if k.json {
			return printJSON(s, all)
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(s.out, "没有关联。 There is no link.")
			return err
		}
		w := newTable(s.out)
		for _, l := range all {
			where := "在网页上 on the pages"
			if l.Here {
				where = "在服务器上 on the server"
			}
			w.row(l.ID, l.Issuer, l.Claim, l.Subject, l.Created, l.By, where)
		}
		return w.flush()
	})
}

type enrollIdentitiesEndCommand struct {
	enrollFlags
	Actor string `arg:"" help:"Whose link it is." placeholder:"ACTOR"`
	Link  string `arg:"" help:"The link (lnk_…), as list prints it." placeholder:"LINK"`
	Yes   bool   `help:"Do it. Without it nothing is changed."`
}

func (c enrollIdentitiesEndCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if err := k.needs(access.RoleAdministrator); err != nil {
			return err
		}
		if !c.Yes {
			return nothingDone(s)
		}
		if err := k.login.Unlink(ctx, k.by, c.Actor, c.Link); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "已解除 ended: %s\n", c.Link)
		return err
	})
}
