package agent

import (
	"context"
	"sync"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/release"
	"yinxin/sealer/terminal/manifest"
)

const (
	firstPause   = time.Second
	longestPause = time.Minute
	laterPause   = 10 * time.Minute // before a person who put a list off is asked again
)

// New gives the agent of a paired server. Errors: agent.not-paired, agent.config.
func New(a Agent, s Server) (*Agent, error) {
	link, err := a.Folder.client(s, a.Clock)
	if err != nil {
		return nil, err
	}
	a.service, a.link, a.agreed, a.wait, a.busy = link, link, map[string]*manifest.Manifest{}, sleep, &sync.Mutex{}
	return &a, nil
}

// job is something that waits for the person at the terminal.
type job struct {
	id string
	do func(ctx context.Context, id string) error
}

// waiting asks for what there is to do: logins first, which wait for minutes only.
func (a *Agent) waiting(ctx context.Context) ([]job, error) {
	tasks, err := a.service.tasks(ctx)
	if tasks.Agent != nil && a.advice == nil {
		a.advice = tasks.Agent
	}
	var list []job
	for _, l := range tasks.Logins {
		list = append(list, job{l.ID, a.signIn})
	}
	for _, t := range tasks.Tasks {
		list = append(list, job{t.ID, a.do})
	}
	return list, err
}

// Once does what waits now. It goes on with the next when one fails, and gives the first error.
func (a *Agent) Once(ctx context.Context) error {
	jobs, err := a.waiting(ctx)
	if err != nil {
		return err
	}
	var first error
	for _, j := range jobs {
		err := j.do(ctx, j.id)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !fault.Has(err, ErrDeclined) && !fault.Has(err, ErrLater) {
			a.tell(ctx, err)
		}
		if first == nil {
			first = err
		}
	}
	a.advise(ctx)
	return first
}

// Watch does what comes, until ctx ends. When the server cannot be reached it says so once, and waits longer each time.
func (a *Agent) Watch(ctx context.Context) error {
	if a.link != nil {
		a.link.waits = true
	}
	pause, away := firstPause, false
	rest := map[string]time.Time{} // tasks that failed, and until when they are left alone
	for {
		asked := a.Clock()
		jobs, err := a.waiting(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if !away || !fault.Has(err, ErrUnreachable) {
				a.tell(ctx, err)
			}
			away = true
			if a.wait(ctx, pause) != nil {
				return nil
			}
			pause = min(2*pause, longestPause)
			continue
		}
		away = false
		idle := true
		for _, j := range jobs {
			if a.Clock().Before(rest[j.id]) {
				continue
			}
			idle = false
			delete(rest, j.id)
			err := j.do(ctx, j.id)
			if ctx.Err() != nil {
				return nil
			}
			if err == nil {
				continue
			}
			rest[j.id] = a.Clock().Add(longestPause)
			switch {
			case fault.Has(err, ErrLater), fault.Has(err, ErrDeclined):
				rest[j.id] = a.Clock().Add(laterPause)
			case fault.CodeOf(err) != codeClaimed:
				a.tell(ctx, err)
			}
		}
		a.advise(ctx)
		if !idle || len(jobs) == 0 && a.Clock().Sub(asked) > firstPause { // there was work, or the server has waited
			pause = firstPause
			continue
		}
		if a.wait(ctx, pause) != nil {
			return nil
		}
		pause = min(2*pause, longestPause)
	}
}

// What the server answers when another terminal has a task, and when this one has it no more.
const (
	codeClaimed    = "terminal.claimed"
	codeNotClaimed = "terminal.not-claimed"
)

// tell waits for nobody: a dialog that nobody closes must not keep the agent from its work.
func (a *Agent) tell(ctx context.Context, err error) {
	ctx, cancel := context.WithTimeout(ctx, longestPause)
	defer cancel()
	a.busy.Lock()
	defer a.busy.Unlock()
	a.Desk.Tell(ctx, err)
}

// advise says, once in a run, that the server wants a newer agent: after what was waiting, which a dialog would hold up.
func (a *Agent) advise(ctx context.Context) {
	if a.advice == nil || a.advised {
		return
	}
	a.advised = true
	said := a.service.address() + ", " + release.Version()
	if release.IsVersion(a.advice.Minimum) {
		said += " < " + a.advice.Minimum
	}
	a.tell(ctx, ErrOutdated.With("%s", said))
}

// sleep waits for a time or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// All runs the agents of several servers side by side; one at a time uses desk and USB Key.
func All(ctx context.Context, agents []*Agent, run func(*Agent, context.Context) error) error {
	var work sync.WaitGroup
	errs := make([]error, len(agents))
	busy := &sync.Mutex{}
	for i, a := range agents {
		a.busy = busy
		work.Go(func() { errs[i] = run(a, ctx) })
	}
	work.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
