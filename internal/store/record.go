package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"
)

// NewID gives a random identifier of 130 bits, in lower case, behind a prefix that names its kind ("req_").
func NewID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

var literal = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// LikeText is a text as it stands in a pattern of LIKE … ESCAPE '\': its own % and _ mean themselves.
func LikeText(s string) string { return literal.Replace(s) }

// ExactlyOne turns a change that did not meet exactly one row into the error that says why.
func ExactlyOne(result sql.Result, otherwise error) error {
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return otherwise
	}
	return nil
}

// Each calls fn for every row of a query, with the Scan of the row.
func Each(ctx context.Context, q Querier, fn func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Column reads the rows of a query with one column, whose result it takes as it is, and closes them.
func Column[T any](rows *sql.Rows, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var value T
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return list, rows.Close()
}
