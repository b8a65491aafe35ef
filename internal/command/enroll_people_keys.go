package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"yinxin/internal/access"
)

type enrollPeopleKeysCommand struct {
	Add  enrollKeysAddCommand  `cmd:"" help:"Make an API key; it is printed once."`
	List enrollKeysListCommand `cmd:"" help:"List the API keys of an actor, without their secrets."`
	End  enrollKeysEndCommand  `cmd:"" help:"End an API key at once. Without --yes nothing is changed."`
}

// keyJSON is an API key as people keys --json prints it. Secret stands there only where the key was made.
type keyJSON struct {
	ID      string `json:"id,omitempty"`
	Actor   string `json:"actor"`
	Label   string `json:"label"`
	Created string `json:"created,omitempty"`
	Expires string `json:"expires,omitempty"`
	Used    string `json:"used,omitempty"` // to the hour
	Ended   bool   `json:"ended"`

	Scopes   []string `json:"scopes,omitempty"`
	Seals    []string `json:"seals,omitempty"`
	Networks []string `json:"networks,omitempty"`

	Sandbox bool `json:"sandbox,omitempty"`

	Secret string `json:"secret,omitempty"`
}

type enrollKeysAddCommand struct {
	enrollFlags
	Actor       string   `arg:"" help:"Whose key it is; hand it to nobody else." placeholder:"ACTOR"`
	Label       string   `required:"" help:"What it is for." placeholder:"TEXT"`
	Scope       []string `help:"Only these parts of the API: sealing, terminals, issuances, webhooks, ledger, certificates, registration, service." placeholder:"NAME,..."`
	Seal        []string `help:"Only these seals." placeholder:"CODE,..."`
	Network     []string `help:"Only over listeners with these labels: government-network, internet." placeholder:"NAME,..."`
	Certificate string   `help:"SM3 of the DER of a client certificate, in hex: the key counts only over a connection with it (mTLS)." placeholder:"SM3"`
	Sandbox     bool     `help:"It seals for trial alone: every page and the reason of the signature say 测试."`
	Days        int      `help:"It ends after so many days; 0 is never." placeholder:"N"`
}

// Help is printed by --help.
func (enrollKeysAddCommand) Help() string {
	return "An administrator's act. Whoever has the key acts as this person or program: two officers must never hold each other's."
}

func (c enrollKeysAddCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if err := k.needs(access.RoleAdministrator); err != nil {
			return err
		}
		terms := access.KeyTerms{Label: c.Label, Only: access.Only{Scopes: c.Scope, Seals: c.Seal, Networks: c.Network, Sandbox: c.Sandbox}, Certificate: c.Certificate}
		if c.Days > 0 {
			terms.Expires = s.now().AddDate(0, 0, c.Days)
		}
		secret, err := k.access.IssueKey(ctx, k.by.ID, c.Actor, terms)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, keyJSON{Actor: c.Actor, Label: c.Label, Secret: secret, Scopes: c.Scope, Seals: c.Seal, Networks: c.Network, Sandbox: c.Sandbox, Expires: moment(terms.Expires)})
		}
		_, err = fmt.Fprintf(s.out, "%s 的 API 密钥（只显示一次） API key of %s, shown once:\n%s\n", c.Actor, c.Actor, secret)
		return err
	})
}

type enrollKeysListCommand struct {
	enrollFlags
	Actor string `arg:"" help:"Whose keys." placeholder:"ACTOR"`
}

func (c enrollKeysListCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if err := k.needs(access.RoleAdministrator, access.RoleAuditor); err != nil {
			return err
		}
		list, err := k.keysOf(ctx, c.Actor)
		if err != nil {
			return err
		}
		if k.json {
			all := []keyJSON{}
			for _, key := range list {
				all = append(all, keyJSON{ID: key.ID, Actor: key.Actor, Label: key.Label, Created: moment(key.Created), Expires: moment(key.Expires), Used: moment(key.Used),
					Ended: key.Revoked, Scopes: key.Scopes, Seals: key.Seals, Networks: key.Networks, Sandbox: key.Sandbox})
			}
			return printJSON(s, all)
		}
		if len(list) == 0 {
			fmt.Fprintln(s.out, "没有 API 密钥。 There is no API key.")
		}
		w := newTable(s.out)
		for _, key := range list {
			state := "有效 in force"
			label := key.Label
			if key.Sandbox {
				label += "（测试 sandbox）"
			}
			switch {
			case key.Revoked:
				state = "已停用 ended"
			case !key.Expires.IsZero() && !key.Expires.After(s.now()):
				state = "已到期 expired"
			}
			w.row(key.ID, label, moment(key.Created), state, "至 until "+moment(key.Expires), "最近 used "+moment(key.Used), strings.Join(slices.Concat(key.Scopes, key.Seals, key.Networks), ","))
		}
		return w.flush()
	})
}

// keysOf are the keys of an actor who is there.
func (c *counter) keysOf(ctx context.Context, actor string) ([]access.APIKey, error) {
	if _, err := c.access.Actor(ctx, actor); err != nil {
		return nil, err
	}
	return c.access.Keys(ctx, actor)
}

type enrollKeysEndCommand struct {
	enrollFlags
	Actor string `arg:"" help:"Whose key it is." placeholder:"ACTOR"`
	Key   string `arg:"" help:"The key's identifier, as list prints it: what stands between yx_ and the second underscore." placeholder:"KEY"`
	Yes   bool   `help:"Do it. Without it nothing is changed."`
}

func (c enrollKeysEndCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if err := k.needs(access.RoleAdministrator); err != nil {
			return err
		}
		list, err := k.keysOf(ctx, c.Actor)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list, func(key access.APIKey) bool { return key.ID == c.Key }) {
			return access.ErrKeyNotFound.New()
		}
		if !c.Yes {
			return nothingDone(s)
		}
		if err := k.access.RevokeKey(ctx, k.by.ID, c.Key); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "已停用 ended: %s\n", c.Key)
		return err
	})
}
