package files

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"yinxin/internal/durable"
)

const (
	folderMode = 0o700
	fileMode   = 0o600
	// unfinished is the subfolder of objects that are being written; it is on the same file system as the rest.
	unfinished = "unfinished"
	// leftoverAge is how old an unfinished object must be before it counts as left by a crash: another process may be
	// taking in a slow upload right now.
	leftoverAge = 24 * time.Hour
	nameLength  = 26
)

// names spells names: lower case for file systems that ignore case, no characters that look alike.
var names = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Folder is a Store in a folder of the file system: "<first two characters>/<name>", files 0600, folders 0700. Several
// processes may have it open. The file system must have atomic rename and honest fsync, as local ones have.
type Folder struct {
	root    string
	shelves sync.Map // subfolders whose entry this process has made durable
	unnamed bool     // objects are written without a name, and what crashes leave is nothing

	choosing sync.Mutex
	chosen   int     // objects that got a name
	shelf    [2]byte // how names begin now, in their first ten bits
}

var _ Store = (*Folder)(nil)

// OpenFolder opens the folder, made when absent, and removes what crashes left there more than a day ago.
func OpenFolder(dir string) (*Folder, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fail(err)
	}
	f := &Folder{root: root}
	if err := os.MkdirAll(root, folderMode); err != nil {
		return nil, fail(err)
	}
	if err := f.makeFolder(filepath.Join(root, unfinished)); err != nil {
		return nil, fail(err)
	}
	if err := durable.SyncFolder(filepath.Dir(root)); err != nil {
		return nil, fail(err)
	}
	f.unnamed = canLeaveUnnamed(filepath.Join(root, unfinished))
	return f, fail(f.removeLeftovers())
}

// canLeaveUnnamed tries whether files can be written without a name here and get one afterwards. Beside saving leftovers
// it saves the lock of one folder that all writers would share.
func canLeaveUnnamed(dir string) bool {
	file, err := createUnnamed(dir)
	if err != nil {
		return false
	}
	defer file.Close()
	name := filepath.Join(dir, "."+strings.ToLower(rand.Text()))
	if linkUnnamed(file, name) != nil {
		return false
	}
	return os.Remove(name) == nil
}

// makeFolder makes a folder below one that exists and makes its entry durable. A folder that is already there may have
// been made a moment ago by another process that has yet to do so.
func (f *Folder) makeFolder(path string) error {
	if _, known := f.shelves.Load(path); known {
		return nil
	}
	if err := os.Mkdir(path, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := durable.SyncFolder(filepath.Dir(path)); err != nil {
		return err
	}
	f.shelves.Store(path, true)
	return nil
}

func (f *Folder) removeLeftovers() error {
	entries, err := os.ReadDir(filepath.Join(f.root, unfinished))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // finished meanwhile by another process
		}
		if err != nil {
			return err
		}
		// The age is measured against the clock that also set the time of the file.
		if time.Since(info.ModTime()) < leftoverAge {
			continue
		}
		if err := os.Remove(filepath.Join(f.root, unfinished, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Create begins an object.
func (f *Folder) Create(ctx context.Context) (Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name := f.newName()
	if f.unnamed {
		shelf := filepath.Join(f.root, name[:2])
		if err := f.makeFolder(shelf); err != nil {
			return nil, fail(err)
		}
		file, err := createUnnamed(shelf)
		if err != nil {
			return nil, fail(err)
		}
		return &writer{ctx: ctx, folder: f, name: name, file: file}, nil
	}
	path := filepath.Join(f.root, unfinished, name)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, fail(err)
	}
	return &writer{ctx: ctx, folder: f, name: name, path: path, file: file}, nil
}

// sameShelf is how many objects in a row go to the same shelf.
const sameShelf = 1024

// newName gives an object its name at random, but for its beginning: those who write at the same time share a shelf, so
// that one synchronisation of it serves them all and their files lie together on the disk. Spread over all shelves every
// object costs a file system with a journal about twice as much.
func (f *Folder) newName() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails, says crypto/rand
	f.choosing.Lock()
	if f.chosen%sameShelf == 0 {
		_, _ = rand.Read(f.shelf[:])
	}
	f.chosen++
	shelf := f.shelf
	f.choosing.Unlock()
	random[0], random[1] = shelf[0], shelf[1]&0xc0|random[1]&0x3f // two characters are ten bits
	return names.EncodeToString(random)
}

// Open opens an object.
func (f *Folder) Open(ctx context.Context, name string) (Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fail(err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, fail(err)
	}
	return &object{File: file, size: info.Size()}, nil
}

// Remove removes an object.
func (f *Folder) Remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := f.path(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return fail(err)
	}
	return fail(durable.SyncFolder(filepath.Dir(path)))
}

// List calls fn with every object.
func (f *Folder) List(ctx context.Context, fn func(name string, size int64) error) error {
	shelves, err := os.ReadDir(f.root)
	if err != nil {
		return fail(err)
	}
	for _, shelf := range shelves {
		if !shelf.IsDir() || shelf.Name() == unfinished {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(f.root, shelf.Name()))
		if err != nil {
			return fail(err)
		}
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !isName(entry.Name()) || !strings.HasPrefix(entry.Name(), shelf.Name()) {
				continue
			}
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed meanwhile
			}
			if err != nil {
				return fail(err)
			}
			if err := fn(entry.Name(), info.Size()); err != nil {
				return err
			}
		}
	}
	return nil
}

// path is where an object lies. A name that this store cannot have given, such as one with "..", is not found.
func (f *Folder) path(name string) (string, error) {
	if !isName(name) {
		return "", ErrNotFound.New()
	}
	return filepath.Join(f.root, name[:2], name), nil
}

func isName(name string) bool {
	decoded, err := names.DecodeString(name)
	return err == nil && len(name) == nameLength && len(decoded) == 16
}

// object is an open file.
type object struct {
	*os.File
	size int64
}

var _ Object = (*object)(nil)

func (o *object) Size() int64 { return o.size }
