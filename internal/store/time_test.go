package store_test

import (
	"testing"
	"time"

	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

func TestTheServerTellsItsTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		before := time.Now().Truncate(time.Millisecond)
		at, err := db.ServerTime(t.Context())
		if err != nil || at.Before(before) || at.After(time.Now()) { // both run on this machine
			t.Errorf("%v, not after %v, %v", at, before, err)
		}
	})
}
