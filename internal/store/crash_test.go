package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"yinxin/internal/fault"
	"yinxin/internal/store"
	"yinxin/internal/store/storetest"
)

// crashVariable makes TestMain's process the one that is killed: it holds the address of the database.
const crashVariable = "YINXIN_TEST_CRASH_DATABASE"

func TestMain(m *testing.M) {
	if url := os.Getenv(crashVariable); url != "" {
		writeUntilKilled(url)
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes from several goroutines and says each number after Write has returned nil.
func writeUntilKilled(url string) {
	db, err := store.Open(context.Background(), url)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var all sync.WaitGroup
	for caller := range int64(8) {
		all.Go(func() {
			for id := caller; ; id += 8 {
				if err := db.Write(context.Background(), func(tx *store.Tx) error { return insert(tx, id, fmt.Sprint(id)) }); err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				fmt.Println(id)
			}
		})
	}
	all.Wait()
}

func TestWhatWasReportedSurvivesTheEndOfTheProcess(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		// This process has the same database open all the time, and writes to it too.
		db := prepared(t, storetest.Open(t, url))
		executable, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		writer := exec.Command(executable)
		writer.Env = append(os.Environ(), crashVariable+"="+url)
		output, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		var said []int64
		for lines.Scan() {
			id, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				t.Errorf("the writer says %q", lines.Text())
				break
			}
			if said = append(said, id); len(said)%50 == 0 {
				own := -id - 1
				if err := db.Write(context.Background(), func(tx *store.Tx) error { return insert(tx, own, fmt.Sprint(own)) }); err != nil {
					t.Error(err)
				}
				said = append(said, own)
			}
			if len(said) >= 200 {
				_ = writer.Process.Kill() // SIGKILL; what it still says before it is gone counts as well
			}
		}
		_ = writer.Wait()
		for _, id := range said {
			var name string
			err := db.Read().QueryRowContext(context.Background(), `SELECT name FROM thing WHERE id = $1`, id).Scan(&name)
			if err != nil || name != fmt.Sprint(id) {
				t.Fatalf("%d was reported as written: %q, %v", id, name, err)
			}
		}
	})
}

func TestFullDiskIsToldToAllAndPasses(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	db := prepared(t, storetest.Open(t, filepath.Join(dir, "yinxin.db")))
	ctx := context.Background()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 400<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mutex sync.Mutex
	kept := 0
	for i := range int64(20) {
		all.Go(func() {
			err := db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO thing (id, name, body) VALUES ($1, $2, $3)`, i, fmt.Sprint(i), make([]byte, 40<<10))
				return err
			})
			mutex.Lock()
			defer mutex.Unlock()
			if err == nil {
				kept++
			}
		})
	}
	all.Wait()
	err := db.Write(ctx, func(tx *store.Tx) error {
		return insert(tx, 1000, string(make([]byte, 900<<10)))
	})
	if fault.CodeOf(err) != "store.full" {
		t.Fatalf("the disk is full, but: %v", err)
	}
	if n := count(t, db.Read()); n != kept || kept == 20 {
		t.Fatalf("%d were told that they are kept, %d are there", kept, n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(ctx, func(tx *store.Tx) error { return insert(tx, 2000, "after") }); err != nil {
		t.Fatalf("with room again: %v (%s)", err, fault.CodeOf(err))
	}
}
