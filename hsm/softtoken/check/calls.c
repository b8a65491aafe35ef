/*
 * Calls that a binding hides or that need two processes or two threads, to be run under the sanitizers: calls FOLDER [CASE].
 * Every case begins with a token of its own in slot 0, and has a minute.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "../token.h"

enum { SIGN_E_DER = 0x80008104u, SIGN_E_RAW = 0x80008105u, PAIR = 0x80008001u };

static CK_FUNCTION_LIST *f;
static char base[PATH_SIZE - 256], folder[PATH_SIZE];
static unsigned char user_pin[] = "246810", so_pin[] = "13579135";
static unsigned failed;

#define WANT(call, wanted)                                                                              \
    do {                                                                                                \
        CK_RV rv_ = (call);                                                                             \
        if (rv_ != (wanted)) {                                                                          \
            fprintf(stderr, "%s:%d: %s: %lx, not %lx\n", __func__, __LINE__, #call, rv_, (CK_RV) (wanted)); \
            failed++;                                                                                   \
        }                                                                                               \
    } while (0)
#define HOLDS(what)                                                             \
    do {                                                                       \
        if (!(what)) {                                                         \
            fprintf(stderr, "%s:%d: %s\n", __func__, __LINE__, #what);         \
            failed++;                                                          \
        }                                                                      \
    } while (0)

/* What libcrypto gives back while a key is looked for must not have it. */
static unsigned char *hidden;
static size_t found_hidden;

static void *block_new(size_t size, const char *file, int line) {
    (void) file, (void) line;
    size_t *b = malloc(size + 16);
    if (b == NULL) return NULL;
    *b = size;
    return (unsigned char *) b + 16;
}

static void block_free(void *p, const char *file, int line) {
    (void) file, (void) line;
    if (p == NULL) return;
    unsigned char *at = p;
    size_t size = *(size_t *) (void *) (at - 16);
    for (size_t i = 0; hidden != NULL && i + 32 <= size; i++) {
        bool same = true, turned = true; /* big-endian, or little-endian as libcrypto keeps numbers */
        for (size_t k = 0; k < 32; k++) {
            same = same && at[i + k] == hidden[k];
            turned = turned && at[i + k] == hidden[31 - k];
        }
        found_hidden += same || turned;
    }
    free(at - 16);
}

static void *block_grow(void *p, size_t size, const char *file, int line) {
    if (p == NULL) return block_new(size, file, line);
    void *grown = block_new(size, file, line);
    if (grown == NULL) return NULL;
    size_t old = *(size_t *) (void *) ((unsigned char *) p - 16);
    memcpy(grown, p, old < size ? old : size);
    block_free(p, file, line);
    return grown;
}

static CK_SESSION_HANDLE opened(void) {
    CK_SESSION_HANDLE h = 0;
    WANT(f->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h), CKR_OK);
    return h;
}

static void initialise_token(void) {
    unsigned char label[32];
    memset(label, ' ', sizeof label);
    WANT(f->C_InitToken(0, so_pin, 8, label), CKR_OK);
    CK_SESSION_HANDLE h = opened();
    WANT(f->C_Login(h, CKU_SO, so_pin, 8), CKR_OK);
    WANT(f->C_InitPIN(h, user_pin, 6), CKR_OK);
    WANT(f->C_CloseSession(h), CKR_OK);
}

static CK_SESSION_HANDLE user(void) {
    CK_SESSION_HANDLE h = opened();
    WANT(f->C_Login(h, CKU_USER, user_pin, 6), CKR_OK);
    return h;
}

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static CK_RV pair_with(CK_SESSION_HANDLE h, CK_ATTRIBUTE more, CK_OBJECT_HANDLE *private) {
    CK_OBJECT_HANDLE public;
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &yes, sizeof yes}, more};
    CK_MECHANISM pair = {PAIR, NULL, 0};
    return f->C_GenerateKeyPair(h, &pair, template, 1, template, more.pValue == NULL ? 1 : 2, &public, private);
}

static CK_OBJECT_HANDLE pair(CK_SESSION_HANDLE h) {
    CK_OBJECT_HANDLE private = 0;
    WANT(pair_with(h, (CK_ATTRIBUTE){0}, &private), CKR_OK);
    return private;
}

static CK_RV begin(CK_SESSION_HANDLE h, CK_ULONG how, CK_OBJECT_HANDLE key) {
    CK_MECHANISM m = {how, NULL, 0};
    return f->C_SignInit(h, &m, key);
}

static void write_file(const char *in, const char *name, const char *text) {
    if (!file_replace(in, name, text, strlen(text))) exit(2);
}

static const char *slot_folder(void) {
    static char path[PATH_SIZE];
    if (!file_path(path, folder, "0")) exit(2);
    return path;
}

static void every_function_is_there(void) {
    const unsigned char *at = (const unsigned char *) f + offsetof(CK_FUNCTION_LIST, C_Initialize);
    for (size_t i = offsetof(CK_FUNCTION_LIST, C_Initialize); i < sizeof *f; i += sizeof(void (*)(void)), at += sizeof(void (*)(void))) {
        void (*function)(void);
        memcpy(&function, at, sizeof function);
        HOLDS(function != NULL);
    }
    CK_SESSION_HANDLE h = user();
    CK_OBJECT_HANDLE key = pair(h), other;
    CK_ULONG n = 0;
    CK_MECHANISM m = {SIGN_E_DER, NULL, 0};
    WANT(f->C_CopyObject(h, key, NULL, 0, &other), CKR_FUNCTION_NOT_SUPPORTED);
    WANT(f->C_WrapKey(h, &m, key, key, NULL, &n), CKR_FUNCTION_NOT_SUPPORTED);
    WANT(f->C_DeriveKey(h, &m, key, NULL, 0, &other), CKR_FUNCTION_NOT_SUPPORTED);
    WANT(f->C_GenerateKey(h, &m, NULL, 0, &other), CKR_FUNCTION_NOT_SUPPORTED);
    WANT(f->C_EncryptInit(h, &m, key), CKR_FUNCTION_NOT_SUPPORTED);
    WANT(f->C_GetOperationState(h, NULL, &n), CKR_FUNCTION_NOT_SUPPORTED);
    WANT(f->C_GetFunctionStatus(h), CKR_FUNCTION_NOT_PARALLEL);
    WANT(f->C_CancelFunction(h), CKR_FUNCTION_NOT_PARALLEL);
}

static void a_question_for_the_length_ends_nothing(void) {
    CK_SESSION_HANDLE h = user();
    CK_OBJECT_HANDLE key = pair(h);
    unsigned char e[32] = {1}, signature[64], value[8];
    CK_ULONG size = 0, n = 1;
    CK_MECHANISM_TYPE list[1];
    WANT(begin(h, SIGN_E_RAW, key), CKR_OK);
    WANT(begin(h, SIGN_E_RAW, key), CKR_OPERATION_ACTIVE);
    WANT(f->C_Sign(h, e, sizeof e, NULL, &size), CKR_OK);
    HOLDS(size == 64);
    size = 63;
    WANT(f->C_Sign(h, e, sizeof e, signature, &size), CKR_BUFFER_TOO_SMALL);
    HOLDS(size == 64);
    WANT(f->C_Sign(h, e, sizeof e, signature, &size), CKR_OK);
    WANT(f->C_Sign(h, e, sizeof e, signature, &size), CKR_OPERATION_NOT_INITIALIZED);
    WANT(begin(h, SIGN_E_RAW, key), CKR_OK);
    WANT(f->C_Sign(h, e, 31, signature, &size), CKR_DATA_LEN_RANGE);
    WANT(f->C_Sign(h, e, sizeof e, signature, &size), CKR_OPERATION_NOT_INITIALIZED);
    WANT(f->C_GetMechanismList(0, list, &n), CKR_BUFFER_TOO_SMALL);
    HOLDS(n > 1);
    CK_ATTRIBUTE get[] = {{CKA_EC_POINT, value, sizeof value}, {CKA_VALUE, NULL, 0}, {CKA_TOKEN, value, sizeof value}};
    HOLDS(f->C_GetAttributeValue(h, key, get, 3) != CKR_OK);
    HOLDS(get[0].ulValueLen == CK_UNAVAILABLE_INFORMATION && get[1].ulValueLen == CK_UNAVAILABLE_INFORMATION && get[2].ulValueLen == 1);
    CK_MECHANISM_INFO info;
    WANT(f->C_GetMechanismInfo(0, SIGN_E_RAW, &info), CKR_OK);
    HOLDS(info.flags == (CKF_SIGN | CKF_VERIFY) && info.ulMinKeySize == 256 && info.ulMaxKeySize == 256);
    WANT(f->C_GetMechanismInfo(0, CKM_ECDSA, &info), CKR_MECHANISM_INVALID);
}

static void what_is_not_kept_is_not_promised(void) {
    CK_SESSION_HANDLE h = user();
    CK_OBJECT_HANDLE key = 0;
    CK_MECHANISM_TYPE only[] = {SIGN_E_DER};
    WANT(pair_with(h, (CK_ATTRIBUTE){CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes}, &key), CKR_ATTRIBUTE_VALUE_INVALID);
    WANT(pair_with(h, (CK_ATTRIBUTE){CKA_ALLOWED_MECHANISMS, only, sizeof only}, &key), CKR_ATTRIBUTE_TYPE_INVALID);
    WANT(pair_with(h, (CK_ATTRIBUTE){CKA_TRUSTED, &yes, sizeof yes}, &key), CKR_ATTRIBUTE_READ_ONLY);
    WANT(pair_with(h, (CK_ATTRIBUTE){CKA_EXTRACTABLE, &yes, sizeof yes}, &key), CKR_TEMPLATE_INCONSISTENT);
    WANT(pair_with(h, (CK_ATTRIBUTE){CKA_SENSITIVE, &no, sizeof no}, &key), CKR_TEMPLATE_INCONSISTENT);
    WANT(pair_with(h, (CK_ATTRIBUTE){CKA_DESTROYABLE, &no, sizeof no}, &key), CKR_OK);
    WANT(f->C_DestroyObject(h, key), CKR_ACTION_PROHIBITED);
    CK_MECHANISM_TYPE made = 0;
    CK_ATTRIBUTE get = {CKA_KEY_GEN_MECHANISM, &made, sizeof made};
    WANT(f->C_GetAttributeValue(h, key, &get, 1), CKR_OK);
    HOLDS(made == PAIR);
}

static void a_logout_ends_the_work(void) {
    CK_SESSION_HANDLE h = user();
    unsigned char e[32] = {1}, signature[80];
    CK_ULONG size = sizeof signature;
    WANT(begin(h, SIGN_E_DER, pair(h)), CKR_OK);
    WANT(f->C_Logout(h), CKR_OK);
    WANT(f->C_Sign(h, e, sizeof e, signature, &size), CKR_OPERATION_NOT_INITIALIZED);
}

/* elsewhere does something in another process. */
static void elsewhere(void (*what)(void)) {
    pid_t child = fork();
    if (child == 0) {
        failed = 0;
        WANT(f->C_Initialize(NULL), CKR_OK);
        what();
        WANT(f->C_Finalize(NULL), CKR_OK);
        _exit(failed != 0);
    }
    int status = 1;
    HOLDS(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void try_wrongly(void) {
    CK_SESSION_HANDLE h = opened();
    CK_RV rv = f->C_Login(h, CKU_USER, so_pin, 8);
    HOLDS(rv == CKR_PIN_INCORRECT);
}

static void make_three(void) {
    CK_SESSION_HANDLE h = user();
    for (int i = 0; i < 3; i++) pair(h);
}

/* at_once does something in five other processes. */
static void at_once(void (*what)(void)) {
    pid_t children[5];
    for (size_t i = 0; i < 5; i++) {
        children[i] = fork();
        if (children[i] != 0) continue;
        elsewhere(what);
        _exit(failed != 0);
    }
    for (size_t i = 0; i < 5; i++) {
        int status = 1;
        HOLDS(children[i] > 0 && waitpid(children[i], &status, 0) == children[i] && status == 0);
    }
}

static void processes_share_a_token(void) {
    CK_TOKEN_INFO info;
    CK_SESSION_HANDLE h = user();
    CK_OBJECT_HANDLE found[64];
    CK_ULONG n = 0;
    at_once(make_three);
    WANT(f->C_FindObjectsInit(h, NULL, 0), CKR_OK);
    WANT(f->C_FindObjects(h, found, 64, &n), CKR_OK);
    HOLDS(n == 30);
    at_once(try_wrongly);
    WANT(f->C_GetTokenInfo(0, &info), CKR_OK);
    HOLDS(info.flags & CKF_USER_PIN_FINAL_TRY); /* of six, five are counted */
}

/* Somebody else makes the token anew: what lay under the old key must not be mixed with it. */
static void a_token_made_anew_ends_old_logins(void) {
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_OBJECT_HANDLE made;
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &yes, sizeof yes}, {CKA_CLASS, &data, sizeof data}, {CKA_LABEL, "x", 1}};
    CK_SESSION_HANDLE h = opened();
    WANT(f->C_Login(h, CKU_SO, so_pin, 8), CKR_OK);
    elsewhere(initialise_token);
    WANT(f->C_InitPIN(h, (unsigned char *) "999999", 6), CKR_USER_NOT_LOGGED_IN);
    WANT(f->C_CloseSession(h), CKR_OK);
    h = user(); /* with the PIN of the new one */
    WANT(f->C_CreateObject(h, template, 3, &made), CKR_OK);
    elsewhere(initialise_token);
    WANT(f->C_CreateObject(h, template, 3, &made), CKR_USER_NOT_LOGGED_IN);
    WANT(f->C_FindObjectsInit(h, NULL, 0), CKR_OK);
    WANT(f->C_Logout(h), CKR_USER_NOT_LOGGED_IN);
}

/* A key that another process has destroyed is not written again by who still has it in its table. */
static void a_destroyed_key_does_not_come_back(void) {
    CK_SESSION_HANDLE h = user();
    CK_OBJECT_HANDLE key = pair(h);
    slot *s = slot_get(0);
    object *o = object_find(s, key);
    char command[PATH_SIZE + 32];
    if (o == NULL) exit(2);
    snprintf(command, sizeof command, "rm %s/objects/*", slot_folder());
    if (system(command) != 0) exit(2);
    WANT(object_store(s, o, true), CKR_OBJECT_HANDLE_INVALID);
    WANT(f->C_DestroyObject(h, key), CKR_OBJECT_HANDLE_INVALID);
}

static void *sign_slowly(void *argument) {
    CK_SESSION_HANDLE h = *(CK_SESSION_HANDLE *) argument;
    unsigned char e[32] = {1}, signature[80];
    CK_ULONG size = sizeof signature;
    WANT(f->C_Sign(h, e, sizeof e, signature, &size), CKR_SESSION_CLOSED);
    return NULL;
}

static void *finish(void *argument) {
    (void) argument;
    WANT(f->C_Finalize(NULL), CKR_OK);
    return NULL;
}

static void *wait_for_events(void *argument) {
    CK_SLOT_ID id;
    (void) argument;
    WANT(f->C_WaitForSlotEvent(0, &id, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    return NULL;
}

static void pause_a_little(void) { nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); }

static void an_end_waits_and_a_beginning_after_it(void) {
    pthread_t signer, finisher, waiter;
    CK_INFO info;
    CK_SLOT_INFO about;
    CK_SESSION_INFO state;
    CK_SESSION_HANDLE h = user();
    WANT(begin(h, SIGN_E_DER, pair(h)), CKR_OK);
    write_file(slot_folder(), "faults", "delay_ms = 500\n");
    if (pthread_create(&signer, NULL, sign_slowly, &h) != 0 || pthread_create(&waiter, NULL, wait_for_events, NULL) != 0) exit(2);
    while (f->C_GetSessionInfo(h, &state) == CKR_OK) pause_a_little(); /* until the session is at work */
    if (pthread_create(&finisher, NULL, finish, NULL) != 0) exit(2);
    while (f->C_GetInfo(&info) == CKR_OK) pause_a_little();
    WANT(f->C_Initialize(NULL), CKR_OK); /* while the end waits for the signature */
    pthread_join(signer, NULL);
    pthread_join(finisher, NULL);
    pthread_join(waiter, NULL);
    WANT(f->C_GetSlotInfo(0, &about), CKR_OK);
    WANT(f->C_CloseSession(user()), CKR_OK);
}

static void slots_tell_what_happens(void) {
    CK_SLOT_ID id = 9;
    char path[PATH_SIZE];
    if (!file_path(path, slot_folder(), "absent")) exit(2);
    WANT(f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL), CKR_NO_EVENT);
    write_file(slot_folder(), "absent", "");
    WANT(f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL), CKR_OK);
    HOLDS(id == 0);
    WANT(f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL), CKR_NO_EVENT);
    unlink(path);
    WANT(f->C_WaitForSlotEvent(0, &id, NULL), CKR_OK);
    WANT(f->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
}

/* Where nothing can be written, the right PIN opens nothing: else a full disk would give tries that nobody counts. */
static void a_try_that_cannot_be_counted_is_none(void) {
    struct rlimit was, none;
    CK_SESSION_HANDLE h = opened();
    if (getrlimit(RLIMIT_FSIZE, &was) != 0) exit(2);
    none = (struct rlimit){0, was.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &none) != 0) exit(2);
    CK_RV right = f->C_Login(h, CKU_USER, user_pin, 6), wrong = f->C_Login(h, CKU_USER, so_pin, 8);
    if (setrlimit(RLIMIT_FSIZE, &was) != 0) exit(2);
    WANT(right, CKR_DEVICE_ERROR);
    WANT(wrong, CKR_DEVICE_ERROR);
    WANT(f->C_Login(h, CKU_USER, so_pin, 8), CKR_PIN_INCORRECT);
    WANT(f->C_Login(h, CKU_USER, user_pin, 6), CKR_OK);
}

/* A configuration that is there and cannot be read is an error, and nobody waits for the other end of a pipe. */
static void a_configuration_that_is_none(void) {
    char path[PATH_SIZE];
    if (!file_path(path, folder, "softtoken.conf")) exit(2);
    WANT(f->C_Finalize(NULL), CKR_OK);
    if (mkfifo(path, 0600) != 0) exit(2);
    WANT(f->C_Initialize(NULL), CKR_GENERAL_ERROR);
    unlink(path);
    if (symlink("elsewhere", path) != 0) exit(2);
    WANT(f->C_Initialize(NULL), CKR_GENERAL_ERROR);
    unlink(path);
    WANT(f->C_Initialize(NULL), CKR_OK);
}

static void a_private_key_is_wiped(void) {
    CK_SESSION_HANDLE h = user();
    CK_OBJECT_HANDLE key = pair(h);
    const attribute *value = object_attribute(object_find(slot_get(0), key), CKA_VALUE);
    unsigned char secret[32], e[32] = {1}, signature[80];
    CK_ULONG size = sizeof signature;
    memcpy(secret, value->value, sizeof secret);
    hidden = secret;
    WANT(begin(h, SIGN_E_DER, key), CKR_OK);
    WANT(f->C_Sign(h, e, sizeof e, signature, &size), CKR_OK);
    WANT(f->C_Logout(h), CKR_OK);
    WANT(f->C_Login(h, CKU_USER, user_pin, 6), CKR_OK);
    WANT(f->C_FindObjectsInit(h, NULL, 0), CKR_OK);
    WANT(f->C_CloseSession(h), CKR_OK);
    hidden = NULL;
    HOLDS(found_hidden == 0);
}

static void run(void (*what)(void), unsigned n) {
    snprintf(folder, sizeof folder, "%s/%u", base, n);
    if (setenv("YINXIN_SOFTTOKEN", folder, 1) != 0) exit(2);
    alarm(60);
    WANT(f->C_Initialize(NULL), CKR_OK);
    initialise_token();
    what();
    WANT(f->C_Finalize(NULL), CKR_OK);
}

int main(int count, char **arguments) {
    static void (*const cases[])(void) = {
        every_function_is_there, a_question_for_the_length_ends_nothing, what_is_not_kept_is_not_promised, a_logout_ends_the_work,
        processes_share_a_token, a_token_made_anew_ends_old_logins, a_destroyed_key_does_not_come_back, an_end_waits_and_a_beginning_after_it,
        slots_tell_what_happens, a_try_that_cannot_be_counted_is_none, a_configuration_that_is_none, a_private_key_is_wiped,
    };
    if (count < 2 || count > 3 || CRYPTO_set_mem_functions(block_new, block_grow, block_free) != 1) return 2;
    snprintf(base, sizeof base, "%s", arguments[1]);
    if (C_GetFunctionList(&f) != CKR_OK) return 2;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        if (count == 2 || strtoul(arguments[2], NULL, 10) == i) run(cases[i], i);
    return failed != 0;
}
