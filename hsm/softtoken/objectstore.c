/*
 * Objects on disk: one file each in `objects`, called by the object's random name in hexadecimal digits.
 *
 *   magic 8 · flags 4 (1: private)
 *   private: the attributes under the token's key (nonce, ciphertext, tag)
 *   public:  SHA-256 of the attributes 32 · the attributes · a tag over them under the token's key
 *   attributes: count 4, then type 8 · size 4 · octets for each
 *
 * Public objects are read without a PIN, so what stands for them then is the digest alone; once somebody has logged in the
 * tag must fit, or the object is not there. Name, token and flags are bound in as additional data: a file that was
 * copied to another name or another token does not open.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "token.h"

static const char magic[8] = "YXOBJ1\0";
enum { IS_PRIVATE = 1, HEADER = 12 };

static CK_OBJECT_HANDLE last;

bool object_visible(const slot *s, const object *o) { return !o->is_private || s->logged_in == CKU_USER; }

object *object_find(slot *s, CK_OBJECT_HANDLE h) {
    for (object *o = s->objects; o != NULL; o = o->next)
        if (o->handle == h && object_visible(s, o)) return o;
    return NULL;
}

static void file_name(const object *o, char name[2 * ID_SIZE + 1]) {
    for (size_t i = 0; i < ID_SIZE; i++) snprintf(name + 2 * i, 3, "%02x", o->id[i]);
}

static bool file_id(const char *name, unsigned char id[ID_SIZE]) {
    if (strlen(name) != 2 * ID_SIZE || strspn(name, "0123456789abcdef") != 2 * ID_SIZE) return false;
    for (size_t i = 0; i < ID_SIZE; i++) {
        char two[3] = {name[2 * i], name[2 * i + 1], 0};
        id[i] = (unsigned char) strtoul(two, NULL, 16);
    }
    return true;
}

static void encode(const object *o, buffer *b) {
    put_u32(b, (uint32_t) o->count);
    for (size_t i = 0; i < o->count; i++) {
        put_u64(b, o->attributes[i].type);
        put_u32(b, (uint32_t) o->attributes[i].size);
        put_octets(b, o->attributes[i].value, o->attributes[i].size);
    }
}

static bool decode(object *o, const unsigned char *data, size_t size) {
    reader r = {data, size, false};
    uint32_t n = take_u32(&r);
    if (n > MAX_ATTRIBUTES) return false;
    for (uint32_t i = 0; i < n; i++) {
        CK_ATTRIBUTE_TYPE type = take_u64(&r);
        uint32_t length = take_u32(&r);
        const unsigned char *value = take_octets(&r, length);
        if (r.failed || object_attribute(o, type) != NULL || !object_set(o, type, value, length)) return false;
    }
    return !r.failed && r.left == 0 && object_check(o) == CKR_OK && object_bool(o, CKA_PRIVATE, false) == o->is_private;
}

/* bound is what an object's file must not be separated from. */
static size_t bound(const slot *s, const object *o, unsigned char aad[4 + 2 * ID_SIZE], const token_state *t) {
    (void) s;
    memset(aad, 0, 4);
    aad[0] = o->is_private ? IS_PRIVATE : 0;
    memcpy(aad + 4, o->id, ID_SIZE);
    memcpy(aad + 4 + ID_SIZE, t->id, ID_SIZE);
    return 4 + 2 * ID_SIZE;
}

/* tagged is the additional data of a public object: what it is bound to, and its content. */
static void tagged(const unsigned char *aad, size_t aad_size, const unsigned char *content, size_t size, buffer *b) {
    put_octets(b, aad, aad_size);
    put_octets(b, content, size);
}

static CK_RV may_store(const slot *s, const object *o, const char *path, bool anew) {
    token_state t;
    uint64_t inode, changed;
    if (!token_load(s, &t) || !t.initialised) return CKR_DEVICE_ERROR;
    if (!slot_is_of(s, &t)) return CKR_USER_NOT_LOGGED_IN;
    if (!anew) return CKR_OK;
    return file_stamp(path, &inode, &changed) && inode == o->inode && changed == o->changed ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

CK_RV object_store(slot *s, object *o, bool anew) {
    token_state t;
    unsigned char aad[4 + 2 * ID_SIZE], digest[DIGEST_SIZE];
    char name[2 * ID_SIZE + 1], folder[PATH_SIZE], path[PATH_SIZE];
    buffer content = {0}, file = {0}, whole = {0};
    file_name(o, name);
    bool ok = token_load(s, &t) && t.initialised && file_path(folder, s->folder, "objects") && file_path(path, folder, name);
    size_t n = bound(s, o, aad, &t);
    encode(o, &content);
    put_octets(&file, magic, sizeof magic);
    put_u32(&file, o->is_private ? IS_PRIVATE : 0);
    if (o->is_private) ok = ok && seal_octets(s->master, aad, n, content.data, content.size, &file);
    else {
        ok = ok && EVP_Digest(content.data, content.size, digest, NULL, EVP_sha256(), NULL) == 1;
        put_octets(&file, digest, sizeof digest);
        put_octets(&file, content.data, content.size);
        tagged(aad, n, content.data, content.size, &whole);
        ok = ok && seal_octets(s->master, whole.data, whole.size, NULL, 0, &file);
    }
    ok = ok && !content.failed && !file.failed && !whole.failed && file.size <= MAX_OBJECT;
    int lock = ok ? file_lock(s->folder, true) : -1;
    CK_RV rv = lock >= 0 ? may_store(s, o, path, anew) : CKR_DEVICE_ERROR;
    if (rv == CKR_OK && !(file_replace(folder, name, file.data, file.size) && file_stamp(path, &o->inode, &o->changed))) rv = CKR_DEVICE_ERROR;
    if (rv != CKR_OK) o->inode = o->changed = 0; /* it is read again before it is used */
    file_unlock(lock);
    buffer_free(&content);
    buffer_free(&file);
    buffer_free(&whole);
    return rv;
}

static bool open_public(slot *s, object *o, const token_state *t, const unsigned char *data, size_t size) {
    unsigned char aad[4 + 2 * ID_SIZE], digest[DIGEST_SIZE];
    if (size < DIGEST_SIZE + 28) return false;
    const unsigned char *content = data + DIGEST_SIZE;
    size_t inside = size - DIGEST_SIZE - 28;
    if (EVP_Digest(content, inside, digest, NULL, EVP_sha256(), NULL) != 1 || CRYPTO_memcmp(digest, data, DIGEST_SIZE) != 0) return false;
    bool ok = true;
    if (s->logged_in != NOBODY) {
        buffer whole = {0}, none = {0};
        tagged(aad, bound(s, o, aad, t), content, inside, &whole);
        ok = !whole.failed && open_octets(s->master, whole.data, whole.size, content + inside, 28, &none);
        buffer_free(&whole);
        buffer_free(&none);
    }
    return ok && decode(o, content, inside);
}

static bool open_private(slot *s, object *o, const token_state *t, const unsigned char *data, size_t size) {
    unsigned char aad[4 + 2 * ID_SIZE];
    buffer content = {0};
    bool ok = open_octets(s->master, aad, bound(s, o, aad, t), data, size, &content) && decode(o, content.data, content.size);
    buffer_free(&content);
    return ok;
}

/* read_object gives an object of a file, or nothing: of a private one without its user, and of a damaged one. */
static object *read_object(slot *s, const token_state *t, const char *folder, const char *name) {
    char path[PATH_SIZE];
    buffer b = {0};
    object *o = object_new();
    bool ok = o != NULL && file_id(name, o->id) && file_path(path, folder, name) && file_read(path, MAX_OBJECT, &b, &o->inode, &o->changed) &&
              b.size > HEADER && memcmp(b.data, magic, sizeof magic) == 0;
    if (ok) {
        reader r = {b.data + sizeof magic, 4, false};
        uint32_t flags = take_u32(&r);
        o->is_private = flags == IS_PRIVATE;
        if (flags > IS_PRIVATE || (o->is_private && s->logged_in != CKU_USER)) ok = false;
        else ok = (o->is_private ? open_private : open_public)(s, o, t, b.data + HEADER, b.size - HEADER);
    }
    buffer_free(&b);
    if (ok) return o;
    object_free(o);
    return NULL;
}

static void link_object(slot *s, object *o) {
    object **at = &s->objects;
    while (*at != NULL) at = &(*at)->next;
    *at = o;
    o->next = NULL;
    s->object_count++;
}

static void unlink_object(slot *s, object *o) {
    for (object **at = &s->objects; *at != NULL; at = &(*at)->next) {
        if (*at != o) continue;
        *at = o->next;
        s->object_count--;
        object_free(o);
        return;
    }
}

static object *known(slot *s, const unsigned char id[ID_SIZE]) {
    for (object *o = s->objects; o != NULL; o = o->next)
        if (o->session == 0 && memcmp(o->id, id, ID_SIZE) == 0) return o;
    return NULL;
}

/* objects_erase removes every file: a token that is made anew has nothing of the old one. */
bool objects_erase(slot *s) {
    char folder[PATH_SIZE];
    DIR *d = file_path(folder, s->folder, "objects") ? opendir(folder) : NULL;
    if (d == NULL) return false;
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) ok = file_remove(folder, e->d_name);
    closedir(d);
    objects_forget(s, false);
    return ok;
}

/* objects_doubt has every object read again: what was taken on its digest alone must now carry the token's tag. */
void objects_doubt(slot *s) {
    for (object *o = s->objects; o != NULL; o = o->next)
        if (o->session == 0) o->inode = o->changed = 0;
}

/* objects_refresh makes the table what the folder is: another process may have added, changed and removed. */
void objects_refresh(slot *s) {
    char folder[PATH_SIZE], path[PATH_SIZE];
    token_state t;
    int lock = file_lock(s->folder, false);
    if (lock < 0) return;
    bool loaded = token_load(s, &t);
    if (loaded && !slot_is_of(s, &t)) slot_logout(s);
    DIR *d = loaded && t.initialised && file_path(folder, s->folder, "objects") ? opendir(folder) : NULL;
    if (d == NULL) {
        file_unlock(lock);
        return;
    }
    for (object *o = s->objects, *next; o != NULL; o = next) {
        char name[2 * ID_SIZE + 1];
        uint64_t inode, changed;
        next = o->next;
        if (o->session != 0) continue;
        file_name(o, name);
        if (!file_path(path, folder, name) || !file_stamp(path, &inode, &changed)) unlink_object(s, o);
        else if (inode != o->inode || changed != o->changed) {
            object *fresh = read_object(s, &t, folder, name);
            if (fresh != NULL) {
                fresh->handle = o->handle;
                link_object(s, fresh);
            }
            unlink_object(s, o);
        }
    }
    size_t seen = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL && seen < 4 * MAX_OBJECTS;) {
        unsigned char id[ID_SIZE];
        seen++;
        if (!file_id(e->d_name, id) || known(s, id) != NULL || s->object_count >= MAX_OBJECTS) continue;
        object *o = read_object(s, &t, folder, e->d_name);
        if (o == NULL) continue;
        o->handle = ++last;
        link_object(s, o);
    }
    closedir(d);
    file_unlock(lock);
}

CK_RV object_add(session *s, object *o, CK_OBJECT_HANDLE *handle) {
    slot *at = s->slot;
    bool on_token = object_bool(o, CKA_TOKEN, false);
    CK_ULONG class = object_ulong(o, CKA_CLASS, ~0UL);
    CK_RV rv = CKR_OK;
    o->is_private = object_bool(o, CKA_PRIVATE, class == CKO_PRIVATE_KEY);
    if (class == CKO_PRIVATE_KEY) o->is_private = true;
    if (!object_set_bool(o, CKA_TOKEN, on_token) || !object_set_bool(o, CKA_PRIVATE, o->is_private)) rv = CKR_HOST_MEMORY;
    else if (object_attribute(o, CKA_MODIFIABLE) == NULL && !object_set_bool(o, CKA_MODIFIABLE, true)) rv = CKR_HOST_MEMORY;
    else if (on_token && !s->writable) rv = CKR_SESSION_READ_ONLY;
    else if ((on_token || o->is_private) && at->logged_in != CKU_USER) rv = CKR_USER_NOT_LOGGED_IN;
    else if (at->object_count >= MAX_OBJECTS) rv = CKR_DEVICE_MEMORY;
    else if (RAND_bytes(o->id, ID_SIZE) != 1) rv = CKR_DEVICE_ERROR;
    o->session = on_token ? 0 : s->handle;
    if (rv == CKR_OK && on_token) rv = object_store(at, o, false);
    if (rv != CKR_OK) {
        object_free(o);
        return rv;
    }
    o->handle = ++last;
    link_object(at, o);
    *handle = o->handle;
    return CKR_OK;
}

CK_RV object_delete(session *s, object *o) {
    slot *at = s->slot;
    if (o->session == 0) {
        char folder[PATH_SIZE], name[2 * ID_SIZE + 1];
        if (!s->writable) return CKR_SESSION_READ_ONLY;
        if (at->logged_in != CKU_USER) return CKR_USER_NOT_LOGGED_IN;
        file_name(o, name);
        int lock = file_lock(at->folder, true);
        bool ok = lock >= 0 && file_path(folder, at->folder, "objects") && file_remove(folder, name);
        file_unlock(lock);
        if (!ok) return CKR_DEVICE_ERROR;
    }
    unlink_object(at, o);
    return CKR_OK;
}

void objects_forget(slot *s, bool only_private) {
    for (object *o = s->objects, *next; o != NULL; o = next) {
        next = o->next;
        if (!only_private || o->is_private) unlink_object(s, o);
    }
}

void objects_end_session(slot *s, CK_SESSION_HANDLE h) {
    for (object *o = s->objects, *next; o != NULL; o = next) {
        next = o->next;
        if (o->session == h) unlink_object(s, o);
    }
}
