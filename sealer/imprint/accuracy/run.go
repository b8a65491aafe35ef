package accuracy

import (
	"context"
	"sync"

	"yinxin/fixtures"
)

// Run measures cases on so many workers and gives the scores in the order of the cases. progress is called after each
// one, never twice at a time.
func Run(ctx context.Context, cases []Case, workers int, progress func(done int, s Score)) ([]Score, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	scores := make([]Score, len(cases))
	var (
		mutex sync.Mutex
		next  int
		done  int
		first error
		all   sync.WaitGroup
	)
	for range workers {
		all.Go(func() {
			w := fixtures.NewWorkshop() // plates are seldom shared between forms: each worker keeps its own
			for {
				mutex.Lock()
				i := next
				next++
				mutex.Unlock()
				if i >= len(cases) || ctx.Err() != nil {
					return
				}
				score, err := Measure(ctx, w, cases[i])
				mutex.Lock()
				scores[i] = score
				done++
				if err != nil && first == nil {
					first = err
					stop()
				} else if progress != nil {
					progress(done, score)
				}
				mutex.Unlock()
			}
		})
	}
	all.Wait()
	if first != nil {
		return nil, first
	}
	return scores, ctx.Err()
}
