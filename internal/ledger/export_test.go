package ledger

import (
	"context"

	"yinxin/internal/store"
)

// In is the search on a database that tells a test what it was asked.
func (s Search) In(ctx context.Context, db store.Querier) ([]Entry, error) { return s.in(ctx, db) }
