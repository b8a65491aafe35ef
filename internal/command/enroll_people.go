package command

import (
	"context"
	"fmt"
	"strings"

	"yinxin/internal/access"
)

type enrollPeopleCommand struct {
	List         enrollPeopleListCommand       `cmd:"" help:"List actors with their roles."`
	Add          enrollPeopleAddCommand        `cmd:"" help:"Record an actor, who may do nothing yet."`
	GrantRole    enrollPeopleGrantCommand      `cmd:"" name:"grant-role" help:"Give a role: ask for it, have another officer approve it, then redeem the approval."`
	WithdrawRole enrollPeopleWithdrawCommand   `cmd:"" name:"withdraw-role" help:"Take a role away. Without --yes nothing is changed."`
	Keys         enrollPeopleKeysCommand       `cmd:"" help:"API keys: with one, a person or program acts through the service."`
	Password     enrollPeoplePasswordCommand   `cmd:"" help:"Set the password with which a person signs in to the pages; they change it when they first do."`
	Identities   enrollPeopleIdentitiesCommand `cmd:"" help:"Accounts at identity providers (OIDC) by which a person signs in to the pages."`
	Retire       enrollPeopleRetireCommand     `cmd:"" help:"End an actor for good. Without --yes nothing is changed."`
}

// actorJSON is an actor as people --json prints it.
type actorJSON struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	Organisation string        `json:"organisation"`
	Roles        []access.Role `json:"roles"`
}

func actorOf(a access.Actor) actorJSON {
	return actorJSON{a.ID, a.Name, a.Organisation, append([]access.Role{}, a.Roles...)}
}

func roleWords(roles []access.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, ",")
}

// needs refuses an actor who holds none of the roles.
func (c *counter) needs(roles ...access.Role) error {
	for _, r := range roles {
		if c.by.Has(r) {
			return nil
		}
	}
	return access.ErrRole.With("%s", roleWords(roles))
}

type enrollPeopleListCommand struct {
	enrollFlags
	After string `help:"Go on after this actor." placeholder:"ACTOR"`
}

func (c enrollPeopleListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if err := k.needs(access.RoleAdministrator, access.RoleRegistrar, access.RoleApprover, access.RoleAuditor); err != nil {
			return err
		}
		list, err := k.access.Actors(ctx, c.After, maxListed)
		if err != nil {
			return err
		}
		all := []actorJSON{}
		for _, a := range list {
			all = append(all, actorOf(a))
		}
		if k.json {
			return printJSON(s, all)
		}
		w := newTable(s.out)
		for _, a := range all {
			w.row(a.ID, a.Name, a.Organisation, roleWords(a.Roles))
		}
		return w.flush()
	})
}

type enrollPeopleAddCommand struct {
	enrollFlags
	ID           string `arg:"" help:"How the actor is called in commands: lower-case letters, digits, hyphen, underscore, dot." placeholder:"ID"`
	Name         string `required:"" help:"Name of the person or program." placeholder:"NAME"`
	Organisation string `help:"Where they belong." placeholder:"NAME"`
}

func (c enrollPeopleAddCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if err := k.needs(access.RoleAdministrator, access.RoleRegistrar); err != nil {
			return err
		}
		a, err := k.access.CreateActor(ctx, access.Actor{ID: c.ID, Name: c.Name, Organisation: c.Organisation})
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, actorOf(a))
		}
		_, err = fmt.Fprintf(s.out, "已登记 recorded: %s  %s\n", a.ID, a.Name)
		return err
	})
}

type enrollPeopleGrantCommand struct {
	enrollFlags
	Actor    string `arg:"" help:"Who gets the role." placeholder:"ACTOR"`
	Role     string `arg:"" help:"registrar, approver, operator, platform, auditor, administrator, applicant, city, requester." enum:"registrar,approver,operator,platform,auditor,administrator,applicant,city,requester" placeholder:"ROLE"`
	Request  bool   `help:"Ask for it: another officer must approve (yinxin approvals)." xor:"way"`
	Approval string `help:"Give the role, now that this request (req_…) is approved." placeholder:"ID" xor:"way"`
}

// Help is printed by --help.
func (enrollPeopleGrantCommand) Help() string {
	return "Without --request and --approval nothing is changed. --request as a registrar, yinxin approvals approve as another officer, then --approval ID."
}

func (c enrollPeopleGrantCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		role := access.Role(c.Role)
		a, err := k.access.Actor(ctx, c.Actor)
		if err != nil {
			return err
		}
		result := map[string]string{"actor": a.ID, "role": c.Role}
		switch {
		case c.Request:
			id, err := k.access.Request(ctx, k.by, access.KindGrantRole, access.GrantSubject(a.ID, role))
			if err != nil {
				return err
			}
			if result["request"] = id; k.json {
				return printJSON(s, result)
			}
			fmt.Fprintf(s.out, "已申请，须由另一人批准 requested; another person must approve it, then the role is given:\n  yinxin approvals approve %s\n  yinxin enroll people grant-role %s %s --approval %s\n", id, a.ID, role, id)
		case c.Approval != "":
			if err := k.access.GrantRole(ctx, c.Approval, a.ID, role); err != nil {
				return err
			}
			if k.json {
				return printJSON(s, result)
			}
			fmt.Fprintf(s.out, "已授予 granted: %s  %s\n", a.ID, role)
		default:
			fmt.Fprintf(s.out, "%s  %s  %s → %s\n未做任何更改；加 --request 提出申请。 Nothing was changed; --request asks for it.\n", a.ID, a.Name, roleWords(a.Roles), role)
		}
		return nil
	})
}

type enrollPeopleWithdrawCommand struct {
	enrollFlags
	Actor string `arg:"" help:"Who loses the role." placeholder:"ACTOR"`
	Role  string `arg:"" help:"The role." placeholder:"ROLE"`
	Yes   bool   `help:"Do it. Without it nothing is changed."`
}

func (c enrollPeopleWithdrawCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		return k.narrow(ctx, c.Actor, c.Yes, "撤销角色 withdraw "+c.Role, func() error {
			return k.access.WithdrawRole(ctx, k.by, c.Actor, access.Role(c.Role))
		})
	})
}

type enrollPeopleRetireCommand struct {
	enrollFlags
	Actor string `arg:"" help:"Who is to be ended." placeholder:"ACTOR"`
	Yes   bool   `help:"Do it. Without it nothing is changed."`
}

func (c enrollPeopleRetireCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		return k.narrow(ctx, c.Actor, c.Yes, "停用 retire", func() error { return k.access.RetireActor(ctx, k.by, c.Actor) })
	})
}

// narrow takes something away from an actor, if it is said twice.
func (c *counter) narrow(ctx context.Context, actor string, yes bool, what string, do func() error) error {
	a, err := c.access.Actor(ctx, actor)
	if err != nil {
		return err
	}
	if !yes {
		fmt.Fprintf(c.out, "%s: %s  %s  %s\n", what, a.ID, a.Name, roleWords(a.Roles))
		return nothingDone(c.streams)
	}
	if err := do(); err != nil {
		return err
	}
	if c.json {
		return printJSON(c.streams, map[string]any{"actor": a.ID, "done": true})
	}
	_, err = fmt.Fprintf(c.out, "✔ %s: %s  %s\n", what, a.ID, a.Name)
	return err
}
