/* softtoken.conf of the folder and `faults` of a slot: lines of name = value, # before a remark. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "token.h"

enum { MAX_CONFIGURATION = 16 * 1024 };

typedef bool (*setter)(void *to, const char *name, const char *value);

static char *trimmed(char *s) {
    while (*s == ' ' || *s == '\t') s++;
    char *end = s + strlen(s);
    while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) *--end = 0;
    return s;
}

/* A missing file is as an empty one; one that is there and cannot be read is a mistake. */
static bool read_lines(const char *path, setter set, void *to) {
    buffer b = {0};
    struct stat st;
    if (lstat(path, &st) != 0 && errno == ENOENT) return true;
    if (!file_read(path, MAX_CONFIGURATION, &b, NULL, NULL)) return false;
    put_octets(&b, "", 1);
    bool ok = !b.failed && strlen((char *) b.data) == b.size - 1;
    for (char *line = (char *) b.data, *next; ok && line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) *next++ = 0;
        char *remark = strchr(line, '#');
        if (remark != NULL) *remark = 0;
        line = trimmed(line);
        if (*line == 0) continue;
        char *equals = strchr(line, '=');
        if (equals == NULL) ok = false;
        else {
            *equals = 0;
            ok = set(to, trimmed(line), trimmed(equals + 1));
        }
    }
    buffer_free(&b);
    return ok;
}

static bool number(const char *text, uint32_t least, uint32_t most, uint32_t *to) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || v < least || v > most) return false;
    *to = (uint32_t) v;
    return true;
}

static bool set_configuration(void *to, const char *name, const char *value) {
    configuration *c = to;
    if (strcmp(name, "slots") == 0) return number(value, 1, MAX_SLOTS, &c->slots);
    if (strcmp(name, "sessions") == 0) return number(value, 1, MAX_SESSIONS, &c->sessions);
    if (strcmp(name, "tries") == 0) return number(value, 1, 15, &c->tries);
    if (strcmp(name, "vendor") == 0) return (c->vendor = vendor_named(value)) != NULL;
    return false;
}

bool config_read(const char *folder, configuration *c) {
    *c = (configuration){.slots = 4, .sessions = 64, .tries = 6, .vendor = vendor_named("sansec")};
    char path[PATH_SIZE];
    return file_path(path, folder, "softtoken.conf") && read_lines(path, set_configuration, c);
}

static bool set_faults(void *to, const char *name, const char *value) {
    faults *f = to;
    uint32_t v;
    if (!number(value, 0, 10000000, &v)) return false;
    if (strcmp(name, "delay_ms") == 0) f->delay_ms = v > 60000 ? 60000 : v;
    else if (strcmp(name, "remove_at_signature") == 0) f->remove_at_signature = v;
    else if (strcmp(name, "wrong_encoding") == 0) f->wrong_encoding = v != 0;
    else if (strcmp(name, "one_session") == 0) f->one_session = v != 0;
    else return false;
    return true;
}

/* Signatures are counted from when the file became what it is. A file with a mistake asks for nothing. */
void faults_read(slot *s, faults *f) {
    *f = (faults){0};
    char path[PATH_SIZE];
    uint64_t inode = 0, changed = 0;
    if (!file_path(path, s->folder, "faults") || !file_stamp(path, &inode, &changed)) return;
    if (!read_lines(path, set_faults, f)) *f = (faults){0};
    if (inode != s->faults_inode || changed != s->faults_changed) {
        s->faults_inode = inode;
        s->faults_changed = changed;
        s->signatures = 0;
    }
}
