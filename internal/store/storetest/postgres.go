package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// errAbsent says that this machine has no PostgreSQL.
var errAbsent = errors.New("PostgreSQL is not installed (Debian: apt-get install postgresql) and YINXIN_TEST_POSTGRES is not set")

// server is the PostgreSQL server of this test binary.
type server struct {
	address string
	own     bool // started here; else somebody else's, who wants it back as it was

	mutex sync.Mutex
	free  []string // addresses of databases that tests have left, to be emptied and used again
}

// cluster lives as long as the process: there is nothing that could end it earlier, because any later test may want a
// database.
var cluster = sync.OnceValues(startCluster)

// freshDatabase gives an empty database for the time of the test.
func freshDatabase(t testing.TB) string {
	t.Helper()
	server, err := cluster()
	if errors.Is(err, errAbsent) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if address, ok := server.take(); ok {
		// Emptying takes a tenth of the time of making a new one.
		administer(t, address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
			`DROP SCHEMA public CASCADE`, `CREATE SCHEMA public`)
		t.Cleanup(func() { server.give(address) })
		return address
	}
	suffix := make([]byte, 8)
	_, _ = rand.Read(suffix)
	name := "yinxin_test_" + hex.EncodeToString(suffix)
	address, err := withDatabase(server.address, name)
	if err != nil {
		t.Fatal(err)
	}
	administer(t, server.address, `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING 'UTF8'`)
	t.Cleanup(func() {
		if server.own {
			server.give(address)
			return
		}
		administer(t, server.address, `DROP DATABASE `+name+` WITH (FORCE)`)
	})
	return address
}

func (s *server) take() (string, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.free) == 0 {
		return "", false
	}
	address := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return address, true
}

func (s *server) give(address string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.free = append(s.free, address)
}

func administer(t testing.TB, address string, statements ...string) {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal("open the PostgreSQL server for the tests")
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// startCluster gives a server that answers.
func startCluster() (*server, error) {
	if address := os.Getenv("YINXIN_TEST_POSTGRES"); address != "" {
		return &server{address: address}, nil
	}
	binaries, err := findBinaries()
	if err != nil {
		return nil, err
	}
	// The name of a socket has at most 107 bytes, so a long TMPDIR cannot be used.
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp"
	}
	folder, err := os.MkdirTemp(parent, "yinxin-postgres-")
	if err != nil {
		return nil, err
	}
	address, err := startIn(folder, binaries)
	if err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	return &server{address: address, own: true}, awaitServer(address, filepath.Join(folder, "log"))
}

// startIn makes a cluster in the folder and starts its server there.
func startIn(folder, binaries string) (address string, err error) {
	owner, attributes, err := serverUser(folder)
	if err != nil {
		return "", err
	}
	data := filepath.Join(folder, "data")
	initialise := exec.Command(filepath.Join(binaries, "initdb"), "--pgdata", data, "--username", owner,
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	initialise.Dir, initialise.SysProcAttr = folder, attributes
	if output, err := initialise.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, output)
	}
	if err := launch(binaries, folder, data, attributes); err != nil {
		return "", err
	}
	local := url.URL{Scheme: "postgres", User: url.User(owner), Path: "/postgres",
		RawQuery: url.Values{"host": {folder}, "sslmode": {"disable"}}.Encode()}
	return local.String(), nil
}

// launch starts the server under a shell that waits for the end of its standard input, which is when this process has
// ended in whatever way, then stops the server and removes the folder.
func launch(binaries, folder, data string, attributes *syscall.SysProcAttr) error {
	const script = `"$1/postgres" -D "$2" -k "$3" -h '' -F -c full_page_writes=off -c max_connections=200 \
-c shared_buffers=32MB -c autovacuum=off </dev/null & server=$!
cat >/dev/null
kill -QUIT $server
wait $server
cd / && rm -rf "$3"`
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	keeper := exec.Command("/bin/sh", "-c", script, "sh", binaries, data, folder)
	keeper.Dir, keeper.Stdout, keeper.Stderr = folder, log, log
	with := *attributes
	with.Setpgid = true // Ctrl-C must reach the tests, not the one that cleans up after them
	keeper.SysProcAttr = &with
	input, err := keeper.StdinPipe()
	if err != nil {
		return err
	}
	if err := keeper.Start(); err != nil {
		return err
	}
	go holdOpen(input, keeper)
	return nil
}

// holdOpen keeps the pipe referenced for the life of the process: were it collected, it would be closed.
func holdOpen(input io.Closer, keeper *exec.Cmd) {
	_ = keeper.Wait()
	_ = input.Close()
}

// findBinaries gives the folder of the newest PostgreSQL that Debian installed.
func findBinaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errAbsent
	}
	version := func(path string) int {
		number, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return number
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// serverUser says as whom the server runs: PostgreSQL refuses root, so then it is Debian's user postgres, to whom the
// folder is given.
func serverUser(folder string) (name string, attributes *syscall.SysProcAttr, err error) {
	if os.Geteuid() != 0 {
		current, err := user.Current()
		if err != nil {
			return "", nil, err
		}
		return current.Username, &syscall.SysProcAttr{}, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return "", nil, err
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	if err := os.Chown(folder, uid, gid); err != nil {
		return "", nil, err
	}
	return account.Username, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

// awaitServer asks until the server answers. There is no event to wait for: it opens its socket when it is ready.
func awaitServer(server, log string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(log)
			return fmt.Errorf("PostgreSQL does not answer: %w: %s", err, strings.TrimSpace(string(said)))
		}
		time.Sleep(20 * time.Millisecond)
	}
}
