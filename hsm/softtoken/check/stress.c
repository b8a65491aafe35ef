/*
 * Threads, pull-outs and a fork, to be run under the sanitizers and valgrind: stress FOLDER SIGNATURES. Each of eight threads
 * signs that often, while the token is pulled out and put in again; every answer must be a good signature or a refusal
 * that the standard has for it.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../token.h"

enum { THREADS = 8, PULL_AFTER = 25 };
static atomic_ulong all_good, all_refused, pulled;
static atomic_bool over;
static CK_FUNCTION_LIST *f;
static char folder[PATH_SIZE];
static unsigned long wanted;
static unsigned char point[65];

#define CHECK(call)                                                            \
    do {                                                                       \
        CK_RV rv_ = (call);                                                    \
        if (rv_ != CKR_OK) {                                                   \
            fprintf(stderr, "%s:%d: %s: %lx\n", __FILE__, __LINE__, #call, rv_); \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

static unsigned char user_pin[] = "246810", so_pin[] = "13579135";

static CK_SESSION_HANDLE user(void) {
    CK_SESSION_HANDLE h;
    CHECK(f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h));
    CK_RV rv = f->C_Login(h, CKU_USER, user_pin, 6);
    if (rv != CKR_USER_ALREADY_LOGGED_IN) CHECK(rv);
    return h;
}

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE h, CK_OBJECT_CLASS class, CK_RV *rv) {
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG n = 0;
    *rv = f->C_FindObjectsInit(h, template, 1);
    if (*rv == CKR_OK) *rv = f->C_FindObjects(h, &key, 1, &n);
    if (*rv == CKR_OK) *rv = f->C_FindObjectsFinal(h);
    return n == 1 ? key : 0;
}

static void prepare(void) {
    unsigned char label[32];
    CK_SESSION_HANDLE h;
    CK_OBJECT_HANDLE public, private;
    CK_BBOOL yes = CK_TRUE;
    unsigned char der[67];
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &yes, sizeof yes}}, get[] = {{CKA_EC_POINT, der, sizeof der}};
    CK_MECHANISM pair = {0x80008001UL, NULL, 0};
    memset(label, ' ', sizeof label);
    CHECK(f->C_InitToken(0, so_pin, 8, label));
    CHECK(f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h));
    CHECK(f->C_Login(h, CKU_SO, so_pin, 8));
    CHECK(f->C_InitPIN(h, user_pin, 6));
    CHECK(f->C_Logout(h));
    CHECK(f->C_Login(h, CKU_USER, user_pin, 6));
    CHECK(f->C_GenerateKeyPair(h, &pair, template, 1, template, 1, &public, &private));
    CHECK(f->C_GetAttributeValue(h, public, get, 1));
    memcpy(point, der + 2, sizeof point);
    CHECK(f->C_CloseSession(h));
}

/* clean says whether a token that comes and goes may answer so. */
static bool clean(CK_RV rv) {
    switch (rv) {
    case CKR_OK: case CKR_DEVICE_REMOVED: case CKR_TOKEN_NOT_PRESENT: case CKR_SESSION_HANDLE_INVALID: case CKR_SESSION_CLOSED:
    case CKR_KEY_HANDLE_INVALID: case CKR_USER_NOT_LOGGED_IN: case CKR_USER_ALREADY_LOGGED_IN: case CKR_OPERATION_NOT_INITIALIZED:
        return true;
    }
    return false;
}

static void *signer(void *argument) {
    EVP_PKEY *public = sm2_from_point(point, sizeof point);
    CK_SESSION_HANDLE h = 0;
    unsigned long good = 0;
    (void) argument;
    for (unsigned long i = 0; i < 50 * wanted && good < wanted; i++) {
        unsigned char e[32] = {(unsigned char) i}, signature[80];
        CK_ULONG size = sizeof signature;
        CK_MECHANISM sign = {0x80008104UL, NULL, 0};
        CK_OBJECT_HANDLE key = 0;
        CK_RV rv = CKR_OK;
        if (h == 0) rv = f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h);
        if (rv == CKR_OK) rv = f->C_Login(h, CKU_USER, user_pin, 6);
        if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) key = find(h, CKO_PRIVATE_KEY, &rv);
        if (rv == CKR_OK && key != 0) rv = f->C_SignInit(h, &sign, key);
        if (rv == CKR_OK && key != 0) rv = f->C_Sign(h, e, sizeof e, signature, &size);
        if (!clean(rv)) {
            fprintf(stderr, "an answer of %lx\n", rv);
            exit(1);
        }
        if (rv == CKR_OK && key != 0) {
            if (!sm2_verify(public, e, signature, size)) {
                fprintf(stderr, "a wrong signature\n");
                exit(1);
            }
            good++;
            all_good++;
        } else if (rv != CKR_USER_ALREADY_LOGGED_IN) {
            if (h != 0) f->C_CloseSession(h);
            h = 0;
            all_refused++;
            nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        }
    }
    if (good < wanted) {
        fprintf(stderr, "%lu of %lu signatures\n", good, wanted);
        exit(1);
    }
    EVP_PKEY_free(public);
    return NULL;
}

/* hand pulls the token out after some signatures and puts it in again when somebody was refused, however slow all is. */
static void *hand(void *argument) {
    char path[PATH_SIZE + 16];
    (void) argument;
    snprintf(path, sizeof path, "%s/0/absent", folder);
    while (!over) {
        unsigned long from = all_good, refused = all_refused;
        while (!over && all_good - from < PULL_AFTER) nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        if (over) break;
        FILE *file = fopen(path, "w");
        if (file != NULL) fclose(file);
        while (!over && all_refused == refused) nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        unlink(path);
        pulled++;
    }
    return NULL;
}

/* A child has nothing of its parent's sessions, and can begin anew. */
static void forked(void) {
    CK_SESSION_HANDLE h = user();
    pid_t child = fork();
    if (child == 0) {
        CK_RV rv;
        if (f->C_Logout(h) != CKR_CRYPTOKI_NOT_INITIALIZED) _exit(2);
        CHECK(f->C_Initialize(NULL));
        if (f->C_Logout(h) != CKR_SESSION_HANDLE_INVALID) _exit(3);
        CK_SESSION_HANDLE own = user();
        if (find(own, CKO_PRIVATE_KEY, &rv) == 0) _exit(4);
        CHECK(f->C_Finalize(NULL));
        _exit(0);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "the child: %x\n", status);
        exit(1);
    }
    CK_RV rv;
    if (find(h, CKO_PRIVATE_KEY, &rv) == 0) exit(1);
    CHECK(f->C_CloseSession(h));
}

int main(int count, char **arguments) {
    pthread_t threads[THREADS], taker;
    if (count != 3 || setenv("YINXIN_SOFTTOKEN", arguments[1], 1) != 0) return 2;
    snprintf(folder, sizeof folder, "%s", arguments[1]);
    wanted = strtoul(arguments[2], NULL, 10);
    CHECK(C_GetFunctionList(&f));
    CHECK(f->C_Initialize(NULL));
    prepare();
    forked();
    if (pthread_create(&taker, NULL, hand, NULL) != 0) return 2;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, signer, NULL) != 0) return 2;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    over = true;
    pthread_join(taker, NULL);
    CHECK(f->C_Finalize(NULL));
    printf("%lu signatures, %lu pull-outs, %lu refusals\n", all_good, pulled, all_refused);
    return pulled == 0;
}
