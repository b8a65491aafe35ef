package store

import (
	"crypto/rand"
	"database/sql"
	"strings"
)

// NewID gives a random identifier of 130 bits, in lower case, behind a prefix that names its kind ("req_").
func NewID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

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
