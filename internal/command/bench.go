package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yinxin/internal/fault"
)

type benchCommand struct {
	JSON   bool          `name:"json" help:"Print a list of {name, value, unit, floor, ratio}."`
	Only   []string      `help:"Only these figures." placeholder:"NAME"`
	Budget time.Duration `help:"Time for each figure." default:"3s" placeholder:"DURATION"`
}

// Help is printed by --help.
func (benchCommand) Help() string {
	return "Each figure stands beside its floor, measured in turn in the same run: the work that no implementation can leave out. " +
		"ratio is the median of the pairwise ratios; value and floor are medians. " +
		"The figures of tokens need the soft token, " + softTokenName + " beside the program or where " + softTokenModuleVariable + " says, and are left out without it; " +
		"token-busy is 16 callers at 8 sessions of a token that needs 10 ms: how busy the sessions are is floor divided by value."
}

// figure is something that is measured, and what it cannot be faster than.
type figure struct {
	name string
	// run does the work once; floor does only what the formats make unavoidable.
	run, floor func() error
	// value and least, in place of run and floor, give the microseconds themselves.
	value, least func() (float64, error)
	// prepare makes what both need before anything is timed, and release lets go of it; nil where that was done.
	prepare func() error
	release func()
}

// measured is a figure with its numbers.
type measured struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Floor float64 `json:"floor"`
	Ratio float64 `json:"ratio"`
}

func (c benchCommand) Run(ctx context.Context, s streams) error {
	for _, name := range c.Only {
		if all := slices.Concat(installationFigures, []string{pagesFigure}, imprintFigures(), tokenFigureNames); !slices.Contains(all, name) {
			return errFlag.At(fault.Field("--only")).Saying("可选："+strings.Join(all, "、"), "one of "+strings.Join(all, ", "))
		}
	}
	dir, err := os.MkdirTemp("", "yinxin-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	list, done, err := c.figures(ctx, dir, s)
	if err != nil {
		return err
	}
	defer done()
	results := []measured{}
	for _, f := range list {
		m, err := f.measure(ctx, c.Budget)
		if err != nil {
			return err
		}
		results = append(results, m)
		if !c.JSON {
			fmt.Fprintf(s.out, "%-26s %10.1f %s   floor %10.1f   ratio %.2f\n", m.Name, m.Value, m.Unit, m.Floor, m.Ratio)
		}
	}
	if c.JSON {
		return printJSON(s, results)
	}
	return nil
}

// asked reports whether a figure was asked for.
func (c benchCommand) asked(name string) bool {
	return len(c.Only) == 0 || slices.Contains(c.Only, name)
}

// figures prepares those that were asked for; an installation is built only where one of them needs it, and one with filled
// pages only for those.
func (c benchCommand) figures(ctx context.Context, dir string, s streams) (list []figure, done func(), err error) {
	done = func() {}
	if slices.ContainsFunc(installationFigures, c.asked) {
		if list, done, err = figures(ctx, dir, s, c.asked); err != nil {
			return nil, nil, err
		}
	}
	if c.asked(pagesFigure) {
		v, end, err := newVisits(ctx, filepath.Join(dir, "province"), s)
		if err != nil {
			done()
			return nil, nil, err
		}
		list = append(list, figure{name: pagesFigure, value: v.value, least: v.least})
		before := done
		done = func() { end(); before() }
	}
	list = append(list, imprints(ctx, c.asked)...)
	if slices.ContainsFunc(tokenFigureNames, c.asked) {
		more, end, err := benchTokens(ctx, filepath.Join(dir, "tokens"), s)
		switch {
		case fault.Has(err, errNoSoftToken) && len(c.Only) == 0:
			fmt.Fprintln(s.err, explain(err).Sentence("zh"), explain(err).Sentence("en"))
		case err != nil:
			done()
			return nil, nil, err
		default:
			list = append(list, more...)
			before := done
			done = func() { end(); before() }
		}
	}
	return slices.DeleteFunc(list, func(f figure) bool { return !c.asked(f.name) }), done, nil
}

// measure times work and floor in turn, so that a machine whose speed drifts slows both, until the budget is used.
func (f figure) measure(ctx context.Context, budget time.Duration) (measured, error) {
	if f.prepare != nil {
		if err := f.prepare(); err != nil {
			return measured{}, err
		}
		defer f.release()
	}
	value, least := f.value, f.least
	if value == nil {
		value, least = func() (float64, error) { return timed(f.run) }, func() (float64, error) { return timed(f.floor) }
	}
	var values, floors, ratios []float64
	for begin := time.Now(); time.Since(begin) < budget || len(ratios) < 5; {
		if err := ctx.Err(); err != nil {
			return measured{}, err
		}
		v, err := value()
		if errors.Is(err, errEnough) && len(ratios) > 0 {
			break
		}
		if err != nil {
			return measured{}, err
		}
		l, err := least()
		if err != nil {
			return measured{}, err
		}
		values, floors, ratios = append(values, v/f.pieces()), append(floors, l/f.pieces()), append(ratios, v/l)
	}
	return measured{Name: f.name, Value: median(values), Unit: "µs", Floor: median(floors), Ratio: median(ratios)}, nil
}

func timed(do func() error) (microseconds float64, err error) {
	start := time.Now()
	err = do()
	return float64(time.Since(start).Nanoseconds()) / 1000, err
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
