package command

import (
	"context"
	"fmt"
	"time"

	"yinxin/ca/chain"
	"yinxin/ca/trustlist"
	"yinxin/sealer"
	"yinxin/sealer/verify"
)

type trustCommand struct {
	Export trustExportCommand `cmd:"" help:"Write the signed trust list of this installation."`
}

// openTrustList reads a signed trust list from a file and checks it against what is trusted.
func openTrustList(ctx context.Context, name string, v *chain.Verifier, asOf, now time.Time) (*trustlist.Opened, error) {
	b, err := readAtMost(name, trustlist.MaxSize, trustlist.ErrTooLarge.With("> %d MB", trustlist.MaxSize>>20))
	if err != nil {
		return nil, err
	}
	l, err := trustlist.Open(ctx, b, trustlist.Check{Chain: v, At: asOf, Now: now})
	if err != nil {
		return nil, at(err, name)
	}
	return l, nil
}

// trustLists adds what --trust-list names to what the verification relies on, and says how old each list is.
func (c verifyCommand) trustLists(ctx context.Context, s streams, v *chain.Verifier, o *verify.Options) (*chain.Verifier, error) {
	if len(c.List) == 0 {
		return v, nil
	}
	var lists []*trustlist.Opened
	for _, name := range c.List {
		l, err := openTrustList(ctx, name, v, o.At, s.now())
		if err != nil {
			return nil, err
		}
		lists = append(lists, l)
		fmt.Fprintf(s.err, "信任列表 trust list %s: %s, %d, %s – %s\n", name, l.Issuer, l.Sequence, moment(l.Issued), moment(l.NextUpdate))
	}
	for _, l := range lists {
		v = l.Trust(v)
	}
	o.SealStatus = sealer.FirstStatus(o.SealStatus, sealer.ListedStatus(lists...))
	return v, nil
}
