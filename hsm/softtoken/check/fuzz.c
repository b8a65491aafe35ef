/*
 * Changes the files of a token and goes through everything that reads them, to be run under the sanitizers: fuzz FOLDER
 * SECONDS SEED. Whatever is in the files, the module answers, and tells no wrong thing: a signature is good or there is none.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../token.h"

static CK_FUNCTION_LIST *f;
static unsigned long rounds;
static uint64_t state;

static uint64_t chance(uint64_t below) { /* xorshift: the same seed gives the same changes */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below == 0 ? 0 : state % below;
}

typedef struct {
    char path[PATH_SIZE];
    buffer content;
} kept;

static kept files[16];
static size_t count;

static void keep(const char *in, const char *name) {
    kept *k = &files[count];
    if (count < sizeof files / sizeof *files && file_path(k->path, in, name) && file_read(k->path, MAX_OBJECT, &k->content, NULL, NULL)) count++;
}

static void put(const kept *k, const unsigned char *data, size_t size) {
    FILE *file = fopen(k->path, "wb");
    if (file == NULL) exit(2);
    fwrite(data, 1, size, file);
    fclose(file);
}

/* change writes a damaged copy; half of the time with a digest that fits, so that what is behind it is reached. */
static void change(const kept *k) {
    size_t size = k->content.size;
    unsigned char *copy = malloc(size + 64);
    if (copy == NULL) exit(2);
    memcpy(copy, k->content.data, size);
    memset(copy + size, 0, 64);
    for (uint64_t n = 1 + chance(6); n > 0; n--) copy[chance(size)] = (unsigned char) chance(256);
    switch (chance(6)) {
    case 0: size = chance(size + 1); break;
    case 1: size += chance(64); break;
    case 2: memmove(copy + chance(size / 2), copy + chance(size / 2), size / 4); break;
    }
    if (chance(2) == 0) {
        if (strstr(k->path, "objects") == NULL && size > 32) EVP_Digest(copy, size - 32, copy + size - 32, NULL, EVP_sha256(), NULL);
        else if (size > 72) EVP_Digest(copy + 44, size - 72, copy + 12, NULL, EVP_sha256(), NULL);
    }
    put(k, copy, size);
    free(copy);
}

static unsigned char pin[] = "246810", so_pin[] = "13579135";

static void read_all(CK_SESSION_HANDLE h) {
    CK_OBJECT_HANDLE found[32];
    CK_ULONG n = 0;
    if (f->C_FindObjectsInit(h, NULL, 0) != CKR_OK) return;
    f->C_FindObjects(h, found, 32, &n);
    f->C_FindObjectsFinal(h);
    for (CK_ULONG i = 0; i < n; i++) {
        unsigned char value[4096], e[32] = {1}, signature[80];
        CK_ATTRIBUTE get[] = {{CKA_LABEL, value, 64}, {CKA_VALUE, value, sizeof value}, {CKA_EC_POINT, value, 67}};
        CK_ULONG size = sizeof signature;
        CK_MECHANISM sign = {0x80008104UL, NULL, 0};
        f->C_GetAttributeValue(h, found[i], get, 3);
        if (f->C_SignInit(h, &sign, found[i]) == CKR_OK) f->C_Sign(h, e, sizeof e, signature, &size);
        if (f->C_VerifyInit(h, &sign, found[i]) == CKR_OK) f->C_Verify(h, e, sizeof e, signature, size);
    }
}

static void go_through(void) {
    CK_SESSION_HANDLE h;
    CK_TOKEN_INFO info;
    CK_RV rv = f->C_Initialize(NULL);
    if (rv != CKR_OK) return; /* a configuration that cannot be */
    f->C_GetTokenInfo(0, &info);
    if (f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h) == CKR_OK) {
        read_all(h);
        if (chance(8) == 0) { /* scrypt is slow */
            if (f->C_Login(h, CKU_USER, pin, 6) == CKR_OK) read_all(h);
        }
    }
    f->C_Finalize(NULL);
    rounds++;
}

static void prepare(const char *folder) {
    unsigned char label[32];
    CK_SESSION_HANDLE h;
    CK_OBJECT_HANDLE public, private, other;
    CK_BBOOL yes = CK_TRUE;
    CK_OBJECT_CLASS data = CKO_DATA;
    unsigned char content[2000] = {1};
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &yes, sizeof yes}};
    CK_ATTRIBUTE more[] = {{CKA_TOKEN, &yes, sizeof yes}, {CKA_CLASS, &data, sizeof data}, {CKA_VALUE, content, sizeof content}};
    CK_MECHANISM pair = {0x80008001UL, NULL, 0};
    char first[PATH_SIZE], objects[PATH_SIZE];
    memset(label, ' ', sizeof label);
    if (f->C_Initialize(NULL) != CKR_OK || f->C_InitToken(0, so_pin, 8, label) != CKR_OK ||
        f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h) != CKR_OK || f->C_Login(h, CKU_SO, so_pin, 8) != CKR_OK ||
        f->C_InitPIN(h, pin, 6) != CKR_OK || f->C_Logout(h) != CKR_OK || f->C_Login(h, CKU_USER, pin, 6) != CKR_OK ||
        f->C_GenerateKeyPair(h, &pair, template, 1, template, 1, &public, &private) != CKR_OK ||
        f->C_CreateObject(h, more, 3, &other) != CKR_OK || f->C_Finalize(NULL) != CKR_OK)
        exit(2);
    if (!file_path(first, folder, "0") || !file_path(objects, first, "objects")) exit(2);
    static const char text[] = "slots = 2\nvendor = sansec\ntries = 15\n", fault[] = "wrong_encoding = 1\none_session = 1\n";
    if (!file_replace(folder, "softtoken.conf", text, sizeof text - 1) || !file_replace(first, "faults", fault, sizeof fault - 1)) exit(2);
    keep(folder, "softtoken.conf");
    keep(first, "faults");
    keep(first, "token");
    DIR *d = opendir(objects);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') keep(objects, e->d_name);
    closedir(d);
}

int main(int n, char **arguments) {
    if (n != 4 || setenv("YINXIN_SOFTTOKEN", arguments[1], 1) != 0) return 2;
    time_t until = time(NULL) + atol(arguments[2]);
    state = strtoul(arguments[3], NULL, 10) * 2654435761u + 1;
    if (C_GetFunctionList(&f) != CKR_OK) return 2;
    prepare(arguments[1]);
    if (count < 6) return 2;
    while (time(NULL) < until) {
        const kept *k = &files[chance(count)];
        change(k);
        go_through();
        put(k, k->content.data, k->content.size);
        put(&files[2], files[2].content.data, files[2].content.size); /* the counter of tries */
    }
    for (size_t i = 0; i < count; i++) buffer_free(&files[i].content);
    printf("%lu rounds\n", rounds);
    return rounds == 0;
}
