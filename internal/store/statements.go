package store

import (
	"context"
	"database/sql"
	"sync"
)

// statements is a pool of connections that prepares each text once for each of them. SQLite parses and plans a query
// about as long as it runs the small ones of this service. PostgreSQL's driver does this by itself.
type statements struct {
	*sql.DB
	mutex    sync.RWMutex
	prepared map[string]*sql.Stmt
}

var _ Querier = (*statements)(nil)

// statement gives the prepared text; nil when it cannot be had, or when there are too many already.
func (s *statements) statement(ctx context.Context, query string) *sql.Stmt {
	s.mutex.RLock()
	found, full := s.prepared[query], len(s.prepared) >= cachedStatements
	s.mutex.RUnlock()
	if found != nil || full {
		return found
	}
	made, err := s.DB.PrepareContext(ctx, query)
	if err != nil {
		return nil // the query itself will say why
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if found := s.prepared[query]; found != nil {
		_ = made.Close()
		return found
	}
	if s.prepared == nil {
		s.prepared = make(map[string]*sql.Stmt)
	}
	s.prepared[query] = made
	return made
}

func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if prepared := s.statement(ctx, query); prepared != nil {
		return prepared.QueryContext(ctx, args...)
	}
	return s.DB.QueryContext(ctx, query, args...)
}

func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if prepared := s.statement(ctx, query); prepared != nil {
		return prepared.QueryRowContext(ctx, args...)
	}
	return s.DB.QueryRowContext(ctx, query, args...)
}
