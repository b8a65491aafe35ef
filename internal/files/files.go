// Package files keeps blobs: uploaded documents, sealed updates, scans.
//
// Open a Folder, write with Create … Commit, read with Open. Names are random and given by the store; what an object
// is, and which digest it has, is for the database to know.
//
// A Commit that returned is on the disk, file and folder entry both: it survives kill -9 and a power cut. An object is
// never changed after its Commit, and never visible before it. Aborted and crashed writes leave nothing that List or
// Open would show; what they left in the folder is removed when it is next opened and a day has passed.
//
// It does not encrypt, deduplicate, or check digests: the caller hashes while it writes and while it reads.
package files

import (
	"context"
	"io"
)

// Store is where objects lie: a folder today, an object store later. It is safe for concurrent use.
type Store interface {
	// Create begins an object. The Writer must end with Commit or Abort.
	Create(ctx context.Context) (Writer, error)
	// Open opens an object for reading; the caller closes it. Errors: files.not-found, files.unavailable.
	Open(ctx context.Context, name string) (Object, error)
	// Remove removes an object; what is open already can still be read. Errors: files.not-found.
	Remove(ctx context.Context, name string) error
	// List calls fn with every object's name and size in bytes, in no particular order, until fn returns an error,
	// which comes back unchanged.
	List(ctx context.Context, fn func(name string, size int64) error) error
}

// Writer is an object being written, by one goroutine.
type Writer interface {
	// Write appends. Errors: files.full, files.unavailable, and the context's when it has ended.
	io.Writer
	// Commit makes the object durable and visible and gives its name. When it fails the object does not exist.
	Commit() (name string, err error)
	// Abort gives up; after Commit or Abort it does nothing.
	Abort() error
}

// Object is an object open for reading. ReadAt may be called by several goroutines at once.
type Object interface {
	io.ReaderAt
	// Size is the length in bytes.
	Size() int64
	io.Closer
}
