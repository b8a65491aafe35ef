package command

import (
	"context"
	"fmt"
	"io"

	"yinxin/internal/fault"
	"yinxin/sealer/pdf/normalise"
)

type normaliseCommand struct {
	File   string `arg:"" help:"The PDF to write anew."`
	Output string `short:"o" required:"" help:"Where the new file goes." placeholder:"PDF"`
}

// Help is printed by --help.
func (normaliseCommand) Help() string {
	return "For a PDF that is too damaged to be sealed as it is. The result is a different file: it is not the original, and no signature covers what the original was. " +
		"Exit status: 0 written, 3 refused (encrypted or signed), 1 failed."
}

func (c normaliseCommand) Run(ctx context.Context, s streams) error {
	if sameFile(c.File, c.Output) {
		return errSameFile.At(fault.File(c.Output))
	}
	in, _, err := openInput(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	err = writeFile(ctx, c.Output, 0o644, func(w io.Writer) error { return normalise.Start(ctx, "", in, w) })
	if f, ok := fault.Of(err); ok && f.Place == (fault.Place{}) {
		err = f.At(fault.File(c.File))
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s\n%s\n", c.Output, normalisedNotice)
	return nil
}

// normalisedNotice is what a person must know about a file that was written anew.
const normalisedNotice = "这是重新生成的另一个文件，不是原件；原件未作改动。\nThis is a different file, written anew; it is not the original, which was left as it was."

// normaliseWorkerCommand is the process that does the work; see normalise.Start.
type normaliseWorkerCommand struct{}

func (normaliseWorkerCommand) Run(s streams) error {
	if status := normalise.Work(s.in, s.out, s.err); status != exitDone {
		return exit{status}
	}
	return nil
}
