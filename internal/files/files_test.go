package files_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"yinxin/internal/fault"
	"yinxin/internal/files"
)

func openFolder(t *testing.T, dir string) *files.Folder {
	t.Helper()
	folder, err := files.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func put(t *testing.T, store files.Store, content []byte) string {
	t.Helper()
	w, err := store.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(content))); err != nil {
		t.Fatal(err)
	}
	name, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Fatalf("Abort after Commit: %v", err)
	}
	return name
}

func get(t *testing.T, store files.Store, name string) []byte {
	t.Helper()
	o, err := store.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	content, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// everything lists the regular files below dir.
func everything(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func listed(t *testing.T, store files.Store) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	err := store.List(context.Background(), func(name string, size int64) error {
		found[name] = size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWhatWasCommittedIsReadBackByAnotherHandle(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	folder := openFolder(t, dir)
	big := make([]byte, 3<<20)
	_, _ = rand.Read(big)
	want := map[string][]byte{}
	for _, content := range [][]byte{nil, []byte("印章"), big} {
		want[put(t, folder, content)] = content
	}
	other := openFolder(t, dir)
	found := listed(t, other)
	if len(found) != len(want) {
		t.Errorf("listed %v", found)
	}
	for name, content := range want {
		if !bytes.Equal(get(t, other, name), content) || found[name] != int64(len(content)) {
			t.Errorf("%s: listed with %d bytes, want %d", name, found[name], len(content))
		}
	}
}

func TestFilesAreForTheServiceAlone(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "files")
	name := put(t, openFolder(t, dir), []byte("x"))
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, name[:2]): 0o700, filepath.Join(dir, name[:2], name): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestUnfinishedObjectsAreNeverSeen(t *testing.T) {
	dir := t.TempDir()
	folder := openFolder(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	for _, c := range []struct {
		name string
		end  func(w files.Writer) error
		code string
	}{
		{"abort", files.Writer.Abort, ""},
		{"abort twice", func(w files.Writer) error { return errors.Join(w.Abort(), w.Abort()) }, ""},
		{"commit after abort", func(w files.Writer) error { _ = w.Abort(); _, err := w.Commit(); return err }, "files.ended"},
		{"write after abort", func(w files.Writer) error { _ = w.Abort(); _, err := w.Write([]byte("x")); return err }, "files.ended"},
		{"the caller goes away", func(w files.Writer) error { cancel(); _, err := w.Commit(); return err }, "internal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := folder.Create(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte("half")); err != nil {
				t.Fatal(err)
			}
			if found := listed(t, folder); len(found) != 0 {
				t.Errorf("seen while it is written: %v", found)
			}
			if err := c.end(w); (err != nil) != (c.code != "") || err != nil && fault.CodeOf(err) != c.code {
				t.Errorf("got %v", err)
			}
			if left := everything(t, dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestWriterWhoseCallerGoesAwayStops(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	w, err := openFolder(t, dir).Create(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Write([]byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if _, err := w.Commit(); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if left := everything(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWhereFilesNeedANameAnObjectIsWrittenUnderOne(t *testing.T) {
	dir := t.TempDir()
	folder := openFolder(t, dir).Named()
	kept := put(t, folder, []byte("kept"))
	if string(get(t, folder, kept)) != "kept" {
		t.Error("the object is not what was written")
	}
	w, err := folder.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if left := everything(t, dir); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

func TestAnObjectWithoutANameLeavesNothingAfterACrash(t *testing.T) {
	dir := t.TempDir()
	folder := openFolder(t, dir)
	if !folder.Unnamed() {
		t.Skip("this file system gives files a name at once")
	}
	w, err := folder.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if left := everything(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestObjectsOfOneTimeShareAShelfAndNoTwoAName(t *testing.T) {
	folder := openFolder(t, t.TempDir())
	shelves, all := map[string]int{}, map[string]bool{}
	for range 1500 {
		w, err := folder.Create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		name, err := w.Commit()
		if err != nil {
			t.Fatal(err)
		}
		shelves[name[:2]]++
		all[name] = true
	}
	if len(all) != 1500 || len(shelves) > 2 {
		t.Errorf("%d names on shelves %v", len(all), shelves)
	}
}

func TestLeftoversOfCrashesGoAfterADay(t *testing.T) {
	dir := t.TempDir()
	folder := openFolder(t, dir).Named()
	kept := put(t, folder, []byte("kept"))
	// Writers that never end, as after kill -9.
	for range 2 {
		w, err := folder.Create(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("half")); err != nil {
			t.Fatal(err)
		}
	}
	halves, err := filepath.Glob(filepath.Join(dir, "unfinished", "*"))
	if err != nil || len(halves) != 2 {
		t.Fatal(halves, err)
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(halves[0], yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, kept[:2], kept), yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	folder = openFolder(t, dir)
	if _, err := os.Stat(halves[0]); !os.IsNotExist(err) {
		t.Errorf("the old one is still there: %v", err)
	}
	if _, err := os.Stat(halves[1]); err != nil {
		t.Errorf("the young one, perhaps an upload of another process, is gone: %v", err)
	}
	if string(get(t, folder, kept)) != "kept" {
		t.Error("the object is gone")
	}
}

func TestNamesThatNoStoreGave(t *testing.T) {
	dir := t.TempDir()
	folder := openFolder(t, filepath.Join(dir, "files"))
	if err := os.WriteFile(filepath.Join(dir, "secret"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a", "../secret", "../../../../../etc/passwd", strings.Repeat("0", 26), strings.Repeat("0", 25) + "/", "..000000000000000000000000", strings.Repeat("é", 13), strings.Repeat("0", 1<<20)} {
		if _, err := folder.Open(context.Background(), name); fault.CodeOf(err) != "files.not-found" {
			t.Errorf("open %.40q: %v", name, err)
		}
		if err := folder.Remove(context.Background(), name); fault.CodeOf(err) != "files.not-found" {
			t.Errorf("remove %.40q: %v", name, err)
		}
	}
}

func TestRemovedObjectIsGoneButStaysReadableWhereItIsOpen(t *testing.T) {
	folder := openFolder(t, t.TempDir())
	name := put(t, folder, []byte("content"))
	o, err := folder.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if err := folder.Remove(context.Background(), name); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Open(context.Background(), name); fault.CodeOf(err) != "files.not-found" {
		t.Errorf("open: %v", err)
	}
	if content, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size())); err != nil || string(content) != "content" {
		t.Errorf("reading on: %q, %v", content, err)
	}
}

func TestListStopsWithTheErrorOfItsCaller(t *testing.T) {
	folder := openFolder(t, t.TempDir())
	put(t, folder, nil)
	put(t, folder, nil)
	enough := errors.New("enough")
	calls := 0
	if err := folder.List(context.Background(), func(string, int64) error { calls++; return enough }); err != enough || calls != 1 {
		t.Fatalf("%d calls, %v", calls, err)
	}
}

func TestManyWritersAtOnce(t *testing.T) {
	dir := t.TempDir()
	folder := openFolder(t, dir)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 4 {
				put(t, folder, []byte("x"))
			}
		})
	}
	all.Wait()
	if n := len(listed(t, folder)); n != 64 {
		t.Fatalf("%d objects", n)
	}
}

func TestFullDiskIsToldAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	folder := openFolder(t, dir)
	kept := put(t, folder, []byte("kept"))
	w, err := folder.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 1<<20)); fault.CodeOf(err) != "files.full" {
		t.Errorf("write: %v", err)
	}
	// Even a caller who did not look at the error of Write keeps no half object.
	if _, err := w.Commit(); fault.CodeOf(err) != "files.full" {
		t.Errorf("commit: %v", err)
	}
	if left := everything(t, dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if string(get(t, folder, kept)) != "kept" {
		t.Error("the other object is damaged")
	}
	put(t, folder, make([]byte, 100<<10))
}

func TestConcatenationReadsAsOneFile(t *testing.T) {
	folder := openFolder(t, t.TempDir())
	var parts []files.Object
	var want []byte
	for _, content := range []string{"", "original", "", "first update", "x", ""} {
		o, err := folder.Open(context.Background(), put(t, folder, []byte(content)))
		if err != nil {
			t.Fatal(err)
		}
		parts, want = append(parts, o), append(want, content...)
	}
	whole := files.Concat(parts...)
	if whole.Size() != int64(len(want)) {
		t.Fatalf("%d bytes", whole.Size())
	}
	if err := iotest.TestReader(io.NewSectionReader(whole, 0, whole.Size()), want); err != nil {
		t.Error(err)
	}
	for from := range len(want) + 2 {
		for length := range len(want) + 2 {
			buffer := make([]byte, length)
			n, err := whole.ReadAt(buffer, int64(from))
			inside := want[min(from, len(want)):min(from+length, len(want))]
			if !bytes.Equal(buffer[:n], inside) || (n < length) != (err == io.EOF) && !(length == 0 && from >= len(want)) {
				t.Fatalf("from %d, %d bytes: %q, %v", from, length, buffer[:n], err)
			}
		}
	}
	if _, err := whole.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("a negative offset is accepted")
	}
	if err := whole.Close(); err != nil {
		t.Error(err)
	}
	if _, err := parts[1].ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a part is still open: %v", err)
	}
	if empty := files.Concat(); empty.Size() != 0 {
		t.Error("nothing has a size")
	}
}

// shortened is an object that has lost bytes since it was opened.
type shortened struct{ files.Object }

func (s shortened) Size() int64 { return s.Object.Size() + 5 }

func TestConcatenationDoesNotHideAPartThatIsTooShort(t *testing.T) {
	folder := openFolder(t, t.TempDir())
	var parts []files.Object
	for range 2 {
		o, err := folder.Open(context.Background(), put(t, folder, []byte("12345")))
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, o)
	}
	whole := files.Concat(shortened{parts[0]}, parts[1])
	defer whole.Close()
	if _, err := whole.ReadAt(make([]byte, 12), 0); err != io.ErrUnexpectedEOF {
		t.Fatalf("got %v", err)
	}
}
