package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"yinxin/internal/fault"
)

// sealOne seals the one file of a command.
type sealOne func(ctx context.Context, c sealCommand) (sealedResult, error)

// checkAll refuses what can be refused before anything is opened, and gives a command for each file.
func (c sealCommand) checkAll() ([]sealCommand, error) {
	if len(c.Files) < 2 {
		if len(c.Files) == 1 {
			c.Input = c.Files[0]
		}
		return []sealCommand{c}, c.checkFiles()
	}
	if c.Prepare || c.Complete != "" {
		return nil, errFlag.Saying("两步盖章一次只处理一个文件", "two phases are for one file").At(fault.Field("in.pdf"))
	}
	if c.Output == "" {
		return nil, errMissing.At(fault.Field("-o"))
	}
	if err := os.MkdirAll(c.Output, 0o755); err != nil {
		return nil, err
	}
	all := make([]sealCommand, 0, len(c.Files))
	named := map[string]bool{}
	for n, name := range c.Files {
		one := c
		one.Input, one.Output = name, filepath.Join(c.Output, filepath.Base(name))
		if named[one.Output] {
			return nil, errFlag.Saying("两个文件同名，结果会互相覆盖", "two files have one name, and so would their results").At(fault.Place{Field: "in.pdf", File: name})
		}
		named[one.Output] = true
		if c.Key != "" {
			one.Key = fmt.Sprintf("%s-%d", c.Key, n+1)
		}
		if err := one.checkFiles(); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// sealAll seals every file, each for itself: what is wrong with one does not keep the others. It ends with 1 when one failed, else
// with 3 when one was refused.
func (c sealCommand) sealAll(ctx context.Context, s streams, all []sealCommand, seal sealOne) error {
	if len(all) == 1 {
		start := time.Now()
		done, err := seal(ctx, all[0])
		if err != nil || c.Prepare {
			return err
		}
		return c.printSealed(s, done, start)
	}
	status, list := exitDone, []any{}
	for _, one := range all {
		start := time.Now()
		done, err := seal(ctx, one)
		switch {
		case err != nil && ctx.Err() != nil:
			return errors.Join(ctx.Err(), c.printAll(s, list))
		case err != nil && c.JSON:
			f := explain(at(err, one.Input))
			list = append(list, map[string]any{"input": one.Input, "error": faultJSON(f)})
			status = worse(status, statusOf(f))
		case err != nil:
			status = worse(status, fail(s, at(err, one.Input)))
		case c.JSON:
			done.Input = one.Input
			list = append(list, done)
		default:
			if err := c.printSealed(s, done, start); err != nil {
				return err
			}
		}
	}
	if err := c.printAll(s, list); err != nil || status == exitDone {
		return err
	}
	return exit{status}
}

// printAll prints what became of several files, for a program.
func (c sealCommand) printAll(s streams, list []any) error {
	if !c.JSON {
		return nil
	}
	return printJSON(s, list)
}

// worse is the status of two files: that one failed says more than that one was refused.
func worse(a, b int) int {
	if a == exitFailed || b == exitDone {
		return a
	}
	return b
}
