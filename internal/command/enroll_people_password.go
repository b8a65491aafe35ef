package command

import (
	"context"
	"fmt"
)

var askPassword = question{"新密码", "new password"}

type enrollPeoplePasswordCommand struct {
	enrollFlags
	Actor        string `arg:"" help:"Who signs in with it." placeholder:"ACTOR"`
	PasswordFile string `help:"File with the password in its first line; otherwise it is asked for, or read from standard input." placeholder:"FILE"`
}

// Help is printed by --help.
func (enrollPeoplePasswordCommand) Help() string {
	return "An administrator's act. 12 to 128 characters. It opens an account that wrong passwords closed, and ends the person's sessions."
}

func (c enrollPeoplePasswordCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		password, err := newPINs(s).askNew(ctx, c.PasswordFile, askPassword)
		if err != nil {
			return err
		}
		defer clear(password)
		if err := k.login.SetPassword(ctx, k.by, c.Actor, string(password)); err != nil {
			return err
		}
		if k.json {
			return printJSON(s, map[string]string{"actor": c.Actor})
		}
		_, err = fmt.Fprintf(s.out, "已设置 %s 的密码，首次登录时须修改。 The password of %s is set and is to be changed at the first login.\n", c.Actor, c.Actor)
		return err
	})
}
