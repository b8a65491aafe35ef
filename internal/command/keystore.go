package command

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yinxin/ca/enroll"
	"yinxin/keystore"
)

type keystoreCommand struct {
	List   keystoreListCommand   `cmd:"" help:"List the keys and where each is: in the keystore, or on a token."`
	Rotate keystoreRotateCommand `cmd:"" help:"Change the key under which personal data is sealed, and seal everything anew. Without --yes nothing is changed."`
}

type keystoreRotateCommand struct {
	enrollFlags
	End bool `help:"Destroy the older versions of the key, a day after everything was sealed anew."`
	Yes bool `help:"Do it. Without it, it is only said what would be done."`
}

// Help is printed by --help.
func (keystoreRotateCommand) Help() string {
	return "First --yes: a new version of the key; identity and mobile numbers, SO PINs, scans and the evidence of seal templates are sealed anew under it, while the service runs. After an interruption the same call goes on. " +
		"A day later --end --yes: what was sealed under the older versions can then be opened by nobody, except in backups that were made before. An administrator does both. " +
		"Exit status: 0 done, or nothing was to be changed; 1 failed or interrupted; 3 --end was refused: something is still to be sealed anew, or the day is not over."
}

// resealStep is how many pieces are sealed anew between two words about progress.
const resealStep = 200

// rotationJSON is what keystore rotate --json prints.
type rotationJSON struct {
	Safe    string    `json:"safe"`
	Version int       `json:"version"`
	Older   []int     `json:"older_versions"`
	Records int       `json:"records"`
	Stale   int       `json:"under_older_versions"`
	Begun   time.Time `json:"begun,omitzero"`
	Anew    int       `json:"sealed_anew"`
	Sealed  time.Time `json:"all_sealed_since,omitzero"`
	EndFrom time.Time `json:"end_from,omitzero"`
	Changed bool      `json:"changed"`
}

func (c keystoreRotateCommand) Run(ctx context.Context, s streams) error {
	return c.with(ctx, s, func(k *counter) error {
		if c.Yes {
			if err := c.rotate(ctx, k); err != nil {
				return err
			}
		}
		r, err := k.enroll.Rotation(ctx)
		if err != nil {
			return err
		}
		if k.json {
			return printJSON(s, rotationJSON{Safe: enroll.SafeName, Version: r.Version, Older: append([]int{}, r.Older...), Records: r.All, Stale: r.Stale, Begun: r.Begun,
				Anew: r.Pieces, Sealed: r.Sealed, EndFrom: r.EndFrom(), Changed: c.Yes})
		}
		c.print(s, r)
		if !c.Yes {
			return nothingDone(s)
		}
		return nil
	})
}

// rotate does one of the two steps.
func (c keystoreRotateCommand) rotate(ctx context.Context, k *counter) error {
	ring := k.keys.Ring(keystore.PurposePersonalData)
	if c.End {
		return k.enroll.EndRotation(ctx, k.by, ring)
	}
	if err := k.enroll.Rotate(ctx, k.by, ring); err != nil {
		return err
	}
	r, err := k.enroll.Rotation(ctx)
	if err != nil {
		return err
	}
	for done := 0; ; {
		n, err := k.enroll.Reseal(ctx, resealStep)
		if err != nil || n == 0 {
			return err
		}
		done += n
		fmt.Fprintf(k.err, "%d / %d\n", done, max(done, r.Stale))
	}
}

func (c keystoreRotateCommand) print(s streams, r enroll.Rotation) {
	fmt.Fprintf(s.out, "个人信息的加密密钥：第 %d 版；加密记录 %d 条 key of personal data: version %d; %d records are sealed\n", r.Version, r.All, r.Version, r.All)
	if len(r.Older) > 0 {
		older := make([]string, len(r.Older))
		for i, v := range r.Older {
			older[i] = fmt.Sprint(v)
		}
		list := strings.Join(older, ", ")
		fmt.Fprintf(s.out, "  旧版本 older versions: %s；其下尚有 %d 条 %d records are still sealed under them\n", list, r.Stale, r.Stale)
	}
	switch {
	case r.Open() && r.EndFrom().IsZero():
		fmt.Fprintf(s.out, "  轮换未完成，已重新加密 %d 条；加 --yes 继续 the rotation is under way, %d records were sealed anew; --yes goes on\n", r.Pieces, r.Pieces)
	case r.Open():
		fmt.Fprintf(s.out, "  已全部重新加密；%s 起可用 --end --yes 销毁旧版本 everything is sealed anew; from then on --end --yes destroys the older versions\n", moment(r.EndFrom()))
	case c.End && c.Yes:
		fmt.Fprintln(s.out, "✔ 旧版本已销毁 the older versions are destroyed")
	case !c.End:
		fmt.Fprintf(s.out, "  轮换将重新加密 %d 条 a rotation would seal %d records anew\n", r.All, r.All)
	}
}
