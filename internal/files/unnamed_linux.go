package files

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// createUnnamed makes a file in a folder's file system that has no name (open(2), O_TMPFILE).
func createUnnamed(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_WRONLY|unix.O_TMPFILE|unix.O_CLOEXEC, fileMode)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// linkUnnamed gives it one, which must be free. Through /proc it takes no privilege (open(2), O_TMPFILE).
func linkUnnamed(file *os.File, name string) error {
	connection, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = connection.Control(func(fd uintptr) {
		failed = unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(int(fd)), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	})
	if err == nil && failed != nil {
		err = &os.LinkError{Op: "link", Old: file.Name(), New: name, Err: failed}
	}
	return err
}
