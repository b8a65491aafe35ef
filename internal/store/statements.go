package store

import (
	"context"
	"database/sql"
	"sync"
)

// Bounds of the prepared statements that are kept: rooms have far fewer texts, and of one text several are needed only where it
// is asked again while its rows are read.
const (
	cachedStatements = 512
	idleOfOneText    = 4
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

// kept are the prepared statements of one connection, for one goroutine at a time. Who takes one has it alone until it is given
// back: a statement whose rows are still being read must not run again.
type kept struct {
	connection *sql.Conn
	idle       map[string][]*sql.Stmt
	count      int // of those that are idle
}

func newKept(connection *sql.Conn) *kept {
	return &kept{connection: connection, idle: make(map[string][]*sql.Stmt)}
}

func (k *kept) take(ctx context.Context, query string) (*sql.Stmt, error) {
	if idle := k.idle[query]; len(idle) > 0 {
		last := len(idle) - 1
		k.idle[query] = idle[:last]
		k.count--
		return idle[last], nil
	}
	return k.connection.PrepareContext(ctx, query)
}

func (k *kept) giveBack(query string, statement *sql.Stmt) {
	if len(k.idle[query]) >= idleOfOneText {
		_ = statement.Close()
		return
	}
	if k.count >= cachedStatements {
		k.close()
	}
	k.idle[query] = append(k.idle[query], statement)
	k.count++
}

// close ends those that are idle.
func (k *kept) close() {
	for _, idle := range k.idle {
		for _, statement := range idle {
			_ = statement.Close()
		}
	}
	clear(k.idle)
	k.count = 0
}
