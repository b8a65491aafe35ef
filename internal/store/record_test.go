package store_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"testing"

	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestAnIdentifierIsNewEachTime(t *testing.T) {
	first, second := store.NewID("req_"), store.NewID("req_")
	if form := regexp.MustCompile(`^req_[a-z2-7]{26}$`); first == second || !form.MatchString(first) || !form.MatchString(second) {
		t.Errorf("identifiers %s and %s", first, second)
	}
}

func TestExactlyOneRowIsChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, other := context.Background(), errors.New("not one row")
		prepared(t, db)
		err := db.Write(ctx, func(tx *store.Tx) error {
			return errors.Join(insert(tx, 1, "圆章"), insert(tx, 2, "椭圆章"))
		})
		if err != nil {
			t.Fatal(err)
		}
		for where, want := range map[string]error{"id = 1": nil, "id = 7": other, "id < 7": other} {
			err := db.Write(ctx, func(tx *store.Tx) error {
				result, err := tx.ExecContext(ctx, `UPDATE thing SET size = size + 1 WHERE `+where)
				if err != nil {
					return err
				}
				return store.ExactlyOne(result, other)
			})
			if err != want {
				t.Errorf("a change where %s: %v, want %v", where, err, want)
			}
		}
	})
}

func TestAColumnIsReadWholeAndClosed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		prepared(t, db)
		err := db.Write(ctx, func(tx *store.Tx) error {
			if list, err := store.Column[string](tx.QueryContext(ctx, `SELECT name FROM thing`)); err != nil || len(list) != 0 {
				t.Errorf("of no rows: %q, %v", list, err)
			}
			if err := errors.Join(insert(tx, 1, "圆章"), insert(tx, 2, "椭圆章")); err != nil {
				return err
			}
			names, err := store.Column[string](tx.QueryContext(ctx, `SELECT name FROM thing ORDER BY id`))
			if err != nil || !slices.Equal(names, []string{"圆章", "椭圆章"}) {
				t.Errorf("names %q, %v", names, err)
			}
			// The one connection of the transaction is free for the next statement: the rows were closed.
			return insert(tx, 3, "骑缝章")
		})
		if err != nil {
			t.Fatal(err)
		}
		if ids, err := store.Column[int64](db.Read().QueryContext(ctx, `SELECT id FROM thing ORDER BY id`)); err != nil || !slices.Equal(ids, []int64{1, 2, 3}) {
			t.Errorf("ids %d, %v", ids, err)
		}
		if _, err := store.Column[int64](db.Read().QueryContext(ctx, `SELECT name FROM thing`)); err == nil {
			t.Error("names were read as numbers")
		}
		if _, err := store.Column[string](db.Read().QueryContext(ctx, `SELECT name FROM nothing`)); err == nil {
			t.Error("a table that is not there was read")
		}
	})
}
