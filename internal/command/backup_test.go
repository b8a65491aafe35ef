package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"

	"yinxin/ca"
	"yinxin/fixtures"
	"yinxin/internal/access"
	"yinxin/internal/store/storetest"
)

// house is an installation under test: a data directory, its database and the file with its passphrase.
type house struct{ dir, database, passphrase string }

func (h house) flags() dataFlags {
	return dataFlags{Data: h.dir, Database: h.database, PassphraseFile: h.passphrase}
}

func (h house) open(t *testing.T) *installation {
	t.Helper()
	i, err := openInstallation(t.Context(), h.flags(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.close() })
	return i
}

// yinxin runs the command and gives its output.
func yinxin(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if status := run(context.Background(), args, streams{in: strings.NewReader(""), out: &out, err: &out, now: time.Now}); status != want {
		t.Errorf("yinxin %s: exit status %d\n%s", strings.Join(args, " "), status, out.String())
	}
	return out.String()
}

// issueOne has the two officers decide a certificate and issues it.
func issueOne(ctx context.Context, h *installation, n int) error {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	r := ca.Request{Profile: ca.ProfileTSA, Public: &key.PublicKey, Organisation: "临江省档案局", CommonName: fmt.Sprintf("时间戳 %d", n)}
	registrar, err := h.access.Actor(ctx, "registrar")
	if err != nil {
		return err
	}
	approver, err := h.access.Actor(ctx, "approver")
	if err != nil {
		return err
	}
	id, err := officers{registrar: registrar, approver: approver}.agree(ctx, h.access, access.KindIssueCertificate, r.Subject())
	if err != nil {
		return err
	}
	_, err = h.authority.Issue(ctx, id, r)
	return err
}

// TestABackupIsConsistentWhileTheServiceWorks: sealing and issuing go on while the copy is made; what it restores passes
// every check, in the other engine, too.
func TestABackupIsConsistentWhileTheServiceWorks(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		dir := t.TempDir()
		demo := house{dir: filepath.Join(t.TempDir(), "demo")}
		if err := copyProvince(demo.dir); err != nil {
			t.Fatal(err)
		}
		demo.passphrase = filepath.Join(demo.dir, passphraseName)
		first := filepath.Join(dir, "first.tar")
		yinxin(t, 0, "backup", first, "--data", demo.dir)
		// The house works on the engine under test.
		live := house{filepath.Join(dir, "live"), url, demo.passphrase}
		yinxin(t, 0, "restore", first, "--data", live.dir, "--database", url, "--as", "registrar", "--passphrase-file", live.passphrase)
		pdf, err := fixtures.PDF(fixtures.ShapeTable, fixtures.PDFOptions{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		in := filepath.Join(dir, "in.pdf")
		if err := os.WriteFile(in, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		h := live.open(t)
		working, stop := context.WithCancel(t.Context())
		defer stop()
		var work sync.WaitGroup
		var issued, sealed atomic.Int64
		begun := make(chan struct{})
		var once sync.Once
		work.Go(func() { h.ledger.Run(working) })
		work.Go(func() {
			for working.Err() == nil {
				if err := issueOne(context.Background(), h, int(issued.Add(1))); err != nil {
					t.Errorf("issuing: %v", err)
					return
				}
			}
		})
		work.Go(func() {
			for working.Err() == nil {
				n := sealed.Add(1)
				yinxin(t, 0, "seal", "--data", live.dir, "--database", url, "--passphrase-file", live.passphrase, "--as", "clerk", "--seal", "29010000000017", in,
					"-o", filepath.Join(dir, fmt.Sprintf("sealed-%d.pdf", n)))
				once.Do(func() { close(begun) })
			}
		})
		<-begun
		second := filepath.Join(dir, "second.tar")
		before := sealed.Load() - 1 // all but the one that is being made
		yinxin(t, 0, "backup", second, "--data", live.dir, "--database", url, "--passphrase-file", live.passphrase)
		stop()
		work.Wait()
		t.Logf("%d certificates and %d seals, %d of them before the backup", issued.Load(), sealed.Load(), before)

		again := house{filepath.Join(dir, "again"), "", live.passphrase}
		yinxin(t, 0, "restore", second, "--data", again.dir, "--database", databaseName, "--as", "registrar", "--passphrase-file", live.passphrase)
		yinxin(t, 0, "audit", "verify", "--data", again.dir)
		for n := int64(1); n <= before; n++ {
			yinxin(t, 0, "verify", filepath.Join(dir, fmt.Sprintf("sealed-%d.pdf", n)), "--data", again.dir)
		}
		r := again.open(t)
		objectsAreThere(t, r)
		if err := issueOne(t.Context(), r, 1_000_000); err != nil {
			t.Fatal(err)
		}
		collisions(t, h, r)
	})
}

// objectsAreThere opens every object that the database names.
func objectsAreThere(t *testing.T, h *installation) {
	t.Helper()
	rows, err := h.db.Read().QueryContext(t.Context(), `SELECT object, size FROM document_part`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	count := 0
	for rows.Next() {
		var name string
		var size int64
		if err := rows.Scan(&name, &size); err != nil {
			t.Fatal(err)
		}
		o, err := h.files.Open(t.Context(), name)
		if err != nil {
			t.Errorf("object %s: %v", name, err)
			continue
		}
		if o.Size() != size {
			t.Errorf("object %s has %d bytes, not %d", name, o.Size(), size)
		}
		o.Close()
		count++
	}
	if err := rows.Err(); err != nil || count == 0 {
		t.Errorf("%d objects, %v", count, err)
	}
}

// collisions compares the numbers that the old house went on to give with those of the restored one.
func collisions(t *testing.T, old, restored *installation) {
	t.Helper()
	serials := func(h *installation) map[string]string {
		list, err := h.authority.Certificates(t.Context(), ca.Filter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, r := range list {
			if r.Certificate != nil {
				sum := r.Certificate.Fingerprint()
				all[r.Serial.Text(16)] = string(sum[:])
			}
		}
		return all
	}
	a, b := serials(old), serials(restored)
	for serial, certificate := range b {
		if other, both := a[serial]; both && other != certificate {
			t.Errorf("serial number %s stands for two certificates", serial)
		}
	}
	x, err := old.authority.Lists(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	y, err := restored.authority.Lists(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		if x[i].Issuer == string(ca.ProfileIssuing) && y[i].Number <= x[i].Number {
			t.Errorf("the restored house publishes number %d, the old one was at %d", y[i].Number, x[i].Number)
		}
	}
}

// TestAnInterruptedBackupOrRestoreLeavesNothing cancels both at every stage that shows itself.
func TestAnInterruptedBackupOrRestoreLeavesNothing(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		dir := t.TempDir()
		demo := filepath.Join(t.TempDir(), "demo")
		if err := copyProvince(demo); err != nil {
			t.Fatal(err)
		}
		passphrase := filepath.Join(demo, passphraseName)
		good := filepath.Join(dir, "good.tar")
		yinxin(t, 0, "backup", good, "--data", demo)
		for _, delay := range []time.Duration{0, 20 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 1200 * time.Millisecond} {
			for name, args := range map[string][]string{
				"backup":  {"backup", filepath.Join(dir, "made"), "--data", demo},
				"restore": {"restore", good, "--data", filepath.Join(dir, "made"), "--database", url, "--as", "registrar", "--passphrase-file", passphrase},
			} {
				ctx, stop := context.WithTimeoutCause(t.Context(), delay, context.Canceled)
				var out bytes.Buffer
				status := run(ctx, args, streams{in: strings.NewReader(""), out: &out, err: &out, now: time.Now})
				stop()
				if status == 0 {
					if name == "restore" {
						t.Logf("%s was done in %v", name, delay)
						return
					}
					os.RemoveAll(filepath.Join(dir, "made"))
					continue
				}
				left, err := os.ReadDir(dir)
				if err != nil {
					t.Fatal(err)
				}
				for _, entry := range left {
					if entry.Name() != "good.tar" && !strings.HasPrefix(entry.Name(), "yinxin.db") {
						t.Errorf("%s after %v left %s\n%s", name, delay, entry.Name(), out.String())
					}
				}
			}
		}
		// One that fails when the database is already filled.
		out := yinxin(t, 1, "restore", good, "--data", filepath.Join(dir, "made"), "--database", url, "--as", "nobody", "--passphrase-file", passphrase)
		if !strings.Contains(out, "access.actor-not-found") {
			t.Error(out)
		}
		// After all that the database is still free for a restore.
		yinxin(t, 0, "restore", good, "--data", filepath.Join(dir, "made"), "--database", url, "--as", "registrar", "--passphrase-file", passphrase)
	})
}
