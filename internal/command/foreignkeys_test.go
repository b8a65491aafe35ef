package command

import (
	"path/filepath"
	"testing"
)

// TestRowsUnderAnApprovalAreFoundByAnIndex: when an approval is used its row changes, and the database then looks in every
// table that points to approvals for rows that point to it. Without an index it reads those tables whole.
func TestRowsUnderAnApprovalAreFoundByAnIndex(t *testing.T) {
	ctx := t.Context()
	db, err := openDatabase(ctx, filepath.Join(t.TempDir(), "yinxin.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Read().QueryContext(ctx, `SELECT m.name, k."from" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) k
		WHERE m.type = 'table' AND k."table" = 'access_approval' AND k.seq = 0 AND NOT EXISTS (
			SELECT 1 FROM pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i ON i.seqno = 0
			WHERE l.partial = 0 AND i.name = k."from") ORDER BY m.name, k."from"`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s (%s) has no index", table, column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
