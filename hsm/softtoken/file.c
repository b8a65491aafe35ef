/* Files are replaced whole and put on disk before a call returns; a folder is changed under its lock file. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "token.h"

bool file_path(char *out, const char *folder, const char *name) {
    int n = snprintf(out, PATH_SIZE, "%s/%s", folder, name);
    return n > 0 && n < PATH_SIZE;
}

int file_lock(const char *folder, bool exclusive) {
    char path[PATH_SIZE];
    if (!file_path(path, folder, "lock")) return -1;
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) return -1;
    while (flock(lock, exclusive ? LOCK_EX : LOCK_SH) != 0) {
        if (errno != EINTR) {
            close(lock);
            return -1;
        }
    }
    return lock;
}

void file_unlock(int lock) {
    if (lock >= 0) close(lock);
}

static void stamp(const struct stat *st, uint64_t *inode, uint64_t *changed) {
    if (inode != NULL) *inode = (uint64_t) st->st_ino;
    if (changed != NULL)
        *changed = (uint64_t) st->st_mtim.tv_sec * 1000000000u + (uint64_t) st->st_mtim.tv_nsec + (uint64_t) st->st_size;
}

bool file_stamp(const char *path, uint64_t *inode, uint64_t *changed) {
    struct stat st;
    if (stat(path, &st) != 0) return false;
    stamp(&st, inode, changed);
    return true;
}

bool file_read(const char *path, size_t most, buffer *b, uint64_t *inode, uint64_t *changed) {
    int f = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* of a pipe nothing is waited for */
    if (f < 0) return false;
    struct stat st;
    bool ok = fstat(f, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 && (size_t) st.st_size <= most;
    if (ok) stamp(&st, inode, changed);
    while (ok) {
        unsigned char part[16384];
        ssize_t n = read(f, part, sizeof part);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            ok = n == 0;
            break;
        }
        put_octets(b, part, (size_t) n);
        ok = !b->failed && b->size <= most;
    }
    close(f);
    if (!ok) buffer_free(b);
    return ok;
}

static bool sync_folder(const char *folder) {
    int d = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d < 0) return false;
    bool ok = fsync(d) == 0;
    close(d);
    return ok;
}

static bool write_all(int f, const unsigned char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(f, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        size -= (size_t) n;
    }
    return true;
}

bool file_replace(const char *folder, const char *name, const void *data, size_t size) {
    char path[PATH_SIZE], temporary[PATH_SIZE];
    if (!file_path(path, folder, name) || !file_path(temporary, folder, ".new-XXXXXX")) return false;
    int f = mkstemp(temporary); /* of mode 0600 */
    if (f < 0) return false;
    bool ok = write_all(f, data, size) && fsync(f) == 0;
    ok = close(f) == 0 && ok;
    ok = ok && rename(temporary, path) == 0;
    if (!ok) {
        unlink(temporary);
        return false;
    }
    return sync_folder(folder);
}

bool file_exists(const char *folder, const char *name) {
    char path[PATH_SIZE];
    return file_path(path, folder, name) && access(path, F_OK) == 0;
}

bool file_remove(const char *folder, const char *name) {
    char path[PATH_SIZE];
    return file_path(path, folder, name) && unlink(path) == 0 && sync_folder(folder);
}

bool folder_make(const char *path) { return mkdir(path, 0700) == 0 || errno == EEXIST; }
