// Package command is the yinxin command: flags, configuration and wiring, one file per command. It holds no domain
// logic: rooms do the work, and this package prints what they answer.
//
// Exit statuses are part of the interface: 0 done; 1 failed; 2, 3, 4 as each command's help says; 64 a wrong call.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit statuses that several commands share.
const (
	exitDone    = 0
	exitFailed  = 1
	exitRefused = 3
	exitUsage   = 64
)

// streams are the standard streams and the clock, so that tests can give their own.
type streams struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
}

// exit ends a command with a status other than failed; its error, if any, was printed already.
type exit struct{ status int }

func (e exit) Error() string { return fmt.Sprintf("exit status %d", e.status) }

type commands struct {
	Demo      demoCommand      `cmd:"" help:"Build a made-up province: CA, two archives, seals; seal, verify and tamper with a PDF; then serve."`
	Init      initCommand      `cmd:"" help:"Create a data directory: CA hierarchy, keystore, first administrator."`
	Serve     serveCommand     `cmd:"" help:"Run the service."`
	Imprint   imprintCommand   `cmd:"" help:"Turn the scan of a stamped form into a seal template."`
	Seal      sealCommand      `cmd:"" help:"Seal a PDF."`
	Preview   previewCommand   `cmd:"" help:"Show where a seal would stand, without sealing."`
	Extend    extendCommand    `cmd:"" help:"Make a sealed PDF verifiable for long: certificates, their states, a document time stamp."`
	Verify    verifyCommand    `cmd:"" help:"Verify the seals and signatures of PDFs."`
	Normalise normaliseCommand `cmd:"" help:"Write a damaged PDF anew: the result is a different file."`
	Agent     agentCommand     `cmd:"" help:"At a clerk's terminal: seal with a USB Key what a server prepared, or local files."`
	CA        caCommand        `cmd:"" name:"ca" help:"The certificate authority: ceremony, status, publishing, certificates, trust anchors."`
	Trust     trustCommand     `cmd:"" help:"The trust list: CA certificates, revocation lists and seals, signed, for verifying offline."`
	Enroll    enrollCommand    `cmd:"" help:"Registration: applications, from the paper form to certificates and seals, and their users."`
	Escrow    escrowCommand    `cmd:"" help:"The key centre: recovery key, encryption keys in escrow, recovery of a key."`
	Keystore  keystoreCommand  `cmd:"" help:"The keys of the service: where they are; change the key of personal data."`
	Token     tokenCommand     `cmd:"" help:"USB Keys and HSMs through PKCS#11: list, initialise, PINs, unlock, keys, certificates, seals."`
	Terminal  terminalCommand  `cmd:"" help:"Sealing with USB Keys: clerks' terminals, and tasks for them."`
	Approvals approvalsCommand `cmd:"" help:"What waits for the decision of a second person."`
	Backup    backupCommand    `cmd:"" help:"Copy everything, consistently, while the service runs."`
	Restore   restoreCommand   `cmd:"" help:"Make a data directory from a backup."`
	Audit     auditCommand     `cmd:"" help:"Check the ledger."`
	Issuance  issuanceCommand  `cmd:"" help:"Issue copies of files for people who stand in another archive."`
	Jobs      jobsCommand      `cmd:"" help:"List, retry and cancel background jobs."`
	Renewals  renewalsCommand  `cmd:"" help:"List certificates whose end is near."`
	Bench     benchCommand     `cmd:"" help:"Measure, each figure beside its floor in the same run."`

	NormaliseWorker normaliseWorkerCommand `cmd:"" hidden:"" help:"Write a PDF anew for another process of this program."`
	ComposeWorker   composeWorkerCommand   `cmd:"" hidden:"" help:"Put a PDF together for another process of this program."`
	ViewWorker      viewWorkerCommand      `cmd:"" hidden:"" help:"Show pages for another process of this program."`
}

// Main runs the command and gives its exit status.
func Main(args []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, args, streams{in: in, out: out, err: errs, now: time.Now})
}

func run(ctx context.Context, args []string, s streams) (status int) {
	var c commands
	asked := -1 // kong ends the process for --help: keep the status instead
	parser, err := kong.New(&c, kong.Name("yinxin"), kong.Description("印信: electronic seals for archives."),
		kong.UsageOnError(), kong.WithHyphenPrefixedParameters(true), kong.Writers(s.out, s.err), kong.Exit(func(code int) { asked = code; panic(kongExit{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		return fail(s, err)
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(kongExit); !ok {
				panic(r)
			}
			status = asked
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		// An empty value is how a flag that may be left out is declared; it is none of the words to choose from.
		said := strings.Replace(err.Error(), `must be one of "",`, "must be one of ", 1)
		fmt.Fprintf(s.err, "yinxin: %s\n命令用法有误，请看 yinxin --help。\nSee yinxin --help.\n", said)
		return exitUsage
	}
	k.BindTo(ctx, (*context.Context)(nil))
	k.Bind(s)
	if err := k.Run(); err != nil {
		var e exit
		if errors.As(err, &e) {
			return e.status
		}
		return fail(s, err)
	}
	return exitDone
}

type kongExit struct{}
