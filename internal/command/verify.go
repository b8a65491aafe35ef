package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"yinxin/ca/chain"
	"yinxin/internal/fault"
	"yinxin/internal/fetch"
	"yinxin/sealer"
	"yinxin/sealer/verify"
)

type verifyCommand struct {
	Files    []string `arg:"" name:"file" help:"PDFs to verify."`
	Data     string   `help:"Data directory whose CA and seals are trusted." placeholder:"DIR"`
	Database string   `help:"Database of the data directory, if not the recorded one." placeholder:"URL" env:"YINXIN_DATABASE"`
	Trust    []string `help:"Trust anchors and CRLs: files or folders (PEM or DER)." placeholder:"FILE|DIR" sep:"none"`
	List     []string `name:"trust-list" help:"Signed trust list of an installation whose root is trusted; may be repeated." placeholder:"FILE" sep:"none"`
	At       string   `help:"Judge as of this time (RFC 3339) instead of now." placeholder:"TIME"`
	Online   bool     `help:"Ask the OCSP responders and fetch the revocation lists that certificates name."`
	Private  bool     `name:"online-private" help:"With --online: also ask addresses inside this machine and private networks."`
	Second   bool     `name:"second-opinion" help:"Have every SM2 value checked again by a second, independent implementation."`
	Report   string   `help:"Write the report of one file: .html, .pdf or .json." placeholder:"FILE"`
	Font     string   `help:"TrueType font with Chinese characters for a PDF report (default: the one of this system)." placeholder:"FILE" env:"YINXIN_FONT"`
	Extract  string   `name:"extract-as-sealed" help:"Write the document as it was when this signature was made, to -o: a number in the order of the report, or a field name." placeholder:"N"`
	Output   string   `short:"o" help:"Where --extract-as-sealed writes." placeholder:"FILE"`
	JSON     bool     `name:"json" help:"Print a list with one object per file."`
	Language string   `name:"lang" help:"Language of sentences: zh or en." enum:"zh,en" default:"zh"`
}

// Help is printed by --help.
func (verifyCommand) Help() string {
	return "Exit status: 0 valid or valid-with-additions, 1 modified or invalid, 2 undetermined, 3 unsealed, 4 unreadable or not judged, 64 a wrong call; several files: the worst. " +
		"Without --data or --trust no anchor is known, so a good file is undetermined."
}

func (c verifyCommand) Run(ctx context.Context, s streams) error {
	err := c.run(ctx, s)
	var said exit
	if err == nil || errors.As(err, &said) || c.Extract != "" {
		return err
	}
	// 1 says modified or invalid: what kept the command from judging must not look like a judgement.
	fail(s, err)
	if strings.HasPrefix(explain(err).Code, "command.") && explain(err).Kind == fault.Invalid {
		return exit{exitUsage}
	}
	return exit{verify.Unreadable.ExitCode()}
}

func (c verifyCommand) run(ctx context.Context, s streams) error {
	if c.Extract != "" || c.Output != "" {
		return c.extract(ctx, s)
	}
	if err := c.checkReport(); err != nil {
		return err
	}
	o, done, err := c.options(ctx, s)
	if err != nil {
		return err
	}
	defer done()
	var reports []*verify.Report
	for _, name := range c.Files {
		reports = append(reports, verifyFile(ctx, name, o))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if c.Report != "" {
		if err := c.writeReport(ctx, reports[0]); err != nil {
			return err
		}
	}
	if c.JSON {
		if err := printJSON(s, reports); err != nil {
			return err
		}
	} else {
		for i, r := range reports {
			if i > 0 {
				fmt.Fprintln(s.out)
			}
			printReport(s, r, c.Language)
		}
		if c.Report != "" {
			fmt.Fprintf(s.out, "\n报告 report: %s\n", c.Report)
		}
	}
	if status := verify.ExitCode(reports...); status != 0 {
		return exit{status}
	}
	return nil
}

func (c verifyCommand) options(ctx context.Context, s streams) (verify.Options, func(), error) {
	o := verify.Options{At: s.now(), Language: c.Language, SecondOpinion: c.Second}
	done := func() {}
	if c.At != "" {
		at, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			return o, done, errFlag.Saying("应如 2026-11-26T09:00:00+08:00", "written as 2026-11-26T09:00:00+08:00").At(fault.Field("--at")).Because(err)
		}
		o.At = at
	}
	var err error
	v := &chain.Verifier{}
	if c.Data != "" {
		h, err := openForReading(ctx, c.Data, c.Database, s.now)
		if err != nil {
			return o, done, err
		}
		done = func() { h.close() }
		if v, err = h.chain(ctx); err != nil {
			done()
			return o, func() {}, err
		}
		o.SealStatus = sealer.SealStatus(h.register)
	}
	if len(c.Trust) > 0 {
		anchors, crls, err := chain.LoadTrust(c.Trust...)
		if err != nil {
			done()
			return o, func() {}, err
		}
		v = withTrust(v, anchors, crls)
	}
	if v, err = c.trustLists(ctx, s, v, &o); err != nil {
		done()
		return o, func() {}, err
	}
	if c.Online {
		o.TimeLimit = 5 * time.Minute
		online := verify.NewOnline(fetch.New(fetch.Options{Private: c.Private}).Fetch, s.now())
		v = &chain.Verifier{Anchors: v.Trust(), Revocation: chain.Merge(v.Revocation, online)}
	}
	if c.Data != "" || len(c.Trust) > 0 {
		o.Chain = v
	}
	return o, done, nil
}

func verifyFile(ctx context.Context, name string, o verify.Options) *verify.Report {
	f, size, err := openInput(name)
	if err != nil {
		f := explain(err)
		problem := &verify.Problem{Code: f.Code, Detail: f.Sentence(o.Language)}
		return &verify.Report{File: name, Verdict: verify.Unreadable, Summary: problem.Detail, Signatures: []verify.Signature{}, Error: problem}
	}
	defer f.Close()
	return verify.File(ctx, name, f, size, o)
}

// withTrust adds what --trust named to what the data directory trusts.
func withTrust(v *chain.Verifier, anchors *chain.Anchors, crls []*chain.CRL) *chain.Verifier {
	added := chain.NewCRLSource(crls...)
	if v.Revocation != nil {
		added = chain.Merge(v.Revocation, added)
	}
	return &chain.Verifier{Anchors: v.Trust().And(anchors), Revocation: added}
}
