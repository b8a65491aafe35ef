package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"yinxin/internal/access"
)

// demoLogins are the names and passwords of the demo's people, in its folder.
const demoLogins = "logins"

// logins gives everybody who sits at a browser a password of their own.
func (d *demo) logins(ctx context.Context, h *installation) error {
	people, err := h.access.Actors(ctx, "", maxListed)
	if err != nil {
		return err
	}
	var lines strings.Builder
	var all sync.WaitGroup
	failed := make([]error, len(people))
	for i, a := range people {
		if a.Has(access.RolePlatform) {
			continue // a program
		}
		password := demoPassword()
		fmt.Fprintf(&lines, "%-14s %s  %s (%s)\n", a.ID, password, a.Name, roleWords(a.Roles))
		all.Go(func() { failed[i] = h.login.FoundingPassword(ctx, a.ID, password) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	return writeBytes(ctx, filepath.Join(d.making, demoLogins), 0o600, []byte(lines.String()))
}

func demoPassword() string { return strings.ToLower(rand.Text()[:16]) }

// keyLogins gives those who have a USB Key a password as well, which they have to change at their first login.
func (d *demo) keyLogins(ctx context.Context, h *installation, people officers, users []demoUSBKey) error {
	name := filepath.Join(d.making, demoLogins)
	list, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	lines := bytes.NewBuffer(list)
	for _, u := range users {
		password := demoPassword()
		if err := h.login.SetPassword(ctx, people.administrator, u.actor, password); err != nil {
			return err
		}
		fmt.Fprintf(lines, "%-14s %s  %s：USB Key 用印员，首次登录须改密码 (operator, changes the password at first)\n", u.actor, password, u.name)
	}
	return writeBytes(ctx, name, 0o600, lines.Bytes())
}

// showLogins says where to sign in, and as whom.
func (d *demo) showLogins() {
	fmt.Fprintf(d.s.out, "\n登录 sign in: http://%s/login  用户名和密码见 names and passwords in %s\n", d.listen, filepath.Join(d.dir, demoLogins))
}
