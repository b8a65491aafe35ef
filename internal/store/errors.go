package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"yinxin/internal/fault"
)

var (
	errURL = fault.Spec{Kind: fault.Invalid, Code: "store.url",
		ZH: "数据库地址无法识别。", EN: "The address of the database is not understood."}
	errNotFound = fault.Spec{Kind: fault.NotFound, Code: "store.not-found",
		ZH: "数据库文件不存在。", EN: "The database file does not exist."}
	errOpen = fault.Spec{Kind: fault.Unavailable, Code: "store.open",
		ZH: "无法打开数据库。", EN: "The database cannot be opened."}
	errDamaged = fault.Spec{Kind: fault.Internal, Code: "store.damaged",
		ZH: "数据库文件已损坏，或者不是数据库文件。", EN: "The database file is damaged or is not a database."}
	errEncoding = fault.Spec{Kind: fault.Invalid, Code: "store.encoding",
		ZH: "PostgreSQL 数据库的编码必须是 UTF8。", EN: "The encoding of the PostgreSQL database must be UTF8."}
	errMigration = fault.Spec{Kind: fault.Internal, Code: "store.migration",
		ZH: "数据库结构升级失败。", EN: "The structure of the database could not be brought up to date."}
	errBusy = fault.Spec{Kind: fault.Unavailable, Code: "store.busy",
		ZH: "数据库正忙，请稍后再试。", EN: "The database is busy; try again."}
	errFull = fault.Spec{Kind: fault.Unavailable, Code: "store.full",
		ZH: "数据库所在的磁盘已满。", EN: "The disk of the database is full."}
	errUnavailable = fault.Spec{Kind: fault.Unavailable, Code: "store.unavailable",
		ZH: "数据库暂时不可用。", EN: "The database is not available."}
	errReadOnly = fault.Spec{Kind: fault.Refused, Code: "store.read-only",
		ZH: "数据库以只读方式打开，不能写入。", EN: "The database was opened for reading only."}
	errClosed = fault.Spec{Kind: fault.Unavailable, Code: "store.closed",
		ZH: "数据库已关闭。", EN: "The database is closed."}
	errCopy = fault.Spec{Kind: fault.Invalid, Code: "store.copy",
		ZH: "数据库副本与表结构不符，或自相矛盾。", EN: "The copy of the database does not fit its tables, or contradicts itself."}
	errEnded = fault.Spec{Kind: fault.Internal, Code: "store.transaction-ended",
		ZH: "事务已经结束。", EN: "The transaction has ended."}
)

// IsUnique reports whether err is the violation of a UNIQUE constraint or primary key, on either engine.
func IsUnique(err error) bool {
	return hasCode(err, "23505", sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)
}

// IsCheck reports whether err is the violation of a CHECK constraint, on either engine.
func IsCheck(err error) bool {
	return hasCode(err, "23514", sqlite3.SQLITE_CONSTRAINT_CHECK)
}

// IsForeignKey reports whether err is the violation of a foreign key, on either engine.
func IsForeignKey(err error) bool {
	return hasCode(err, "23503", sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY)
}

// IsBadText reports whether err is that of a text with NUL or broken UTF-8, which PostgreSQL refuses. SQLite finds and keeps such
// texts like others.
func IsBadText(err error) bool { return hasCode(err, "22021") }

func hasCode(err error, postgres string, extended ...int) bool {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code == postgres
	}
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return false
	}
	for _, code := range extended {
		if s.Code() == code {
			return true
		}
	}
	return false
}

// isRepeatable reports whether PostgreSQL asks for the transaction to be run again: serialization failure, deadlock.
func isRepeatable(err error) bool { return hasCode(err, "40001") || hasCode(err, "40P01") }

// fail gives a failure of the engine itself its code. Cancellation stays what it is.
func fail(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if named := name(err); named != err {
		return named
	}
	return errUnavailable.Because(err)
}

// name gives those errors of a statement a code that have nothing to do with the statement, and leaves the others.
func name(err error) error {
	var s *sqlite.Error
	if errors.As(err, &s) {
		switch s.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return errFull.Because(err)
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return errBusy.Because(err)
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
			return errDamaged.Because(err)
		}
	}
	if hasCode(err, "53100") {
		return errFull.Because(err)
	}
	return err
}
