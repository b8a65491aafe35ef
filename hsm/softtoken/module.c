/*
 * The module as a whole: where its folder is, its lock, and the functions that it does not have.
 *
 * The folder is that of YINXIN_SOFTTOKEN; without it nothing can be initialised. After a fork the child has nothing: it
 * must call C_Initialize itself, as PKCS #11 wants it.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "token.h"

#define EXPORT __attribute__((visibility("default")))

char module_folder[PATH_SIZE];
configuration module_configuration;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t quiet = PTHREAD_COND_INITIALIZER;
static bool initialised, finishing;
static size_t working; /* calls that have let the lock go */

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void in_parent(void) { pthread_mutex_unlock(&lock); }

/* The child has one thread: calls of others that had let the lock go are not in it. */
static void in_child(void) {
    sessions_forget();
    slots_close();
    initialised = finishing = false;
    working = 0;
    pthread_cond_init(&quiet, NULL);
    pthread_mutex_unlock(&lock);
}

static void watch_forks(void) { pthread_atfork(before_fork, in_parent, in_child); }

CK_RV module_enter(void) {
    pthread_mutex_lock(&lock);
    if (initialised) return CKR_OK;
    pthread_mutex_unlock(&lock);
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV module_leave(CK_RV rv) {
    pthread_mutex_unlock(&lock);
    return rv;
}

void module_pause(void) {
    working++;
    pthread_mutex_unlock(&lock);
}

void module_resume(void) {
    pthread_mutex_lock(&lock);
    if (--working == 0) pthread_cond_broadcast(&quiet);
}

bool module_running(void) { return initialised; }

/* Locks of the caller's own are not taken: those of the system are, which is what CKF_OS_LOCKING_OK allows. */
static CK_RV check_arguments(const CK_C_INITIALIZE_ARGS *a) {
    if (a == NULL) return CKR_OK;
    if (a->pReserved != NULL) return CKR_ARGUMENTS_BAD;
    int given = (a->CreateMutex != NULL) + (a->DestroyMutex != NULL) + (a->LockMutex != NULL) + (a->UnlockMutex != NULL);
    if (given != 0 && given != 4) return CKR_ARGUMENTS_BAD;
    return given == 4 && !(a->flags & CKF_OS_LOCKING_OK) ? CKR_CANT_LOCK : CKR_OK;
}

EXPORT CK_RV C_Initialize(void *arguments) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CK_RV rv = check_arguments(arguments);
    if (rv != CKR_OK) return rv;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&lock);
    while (finishing) pthread_cond_wait(&quiet, &lock); /* else C_Finalize would end what begins here */
    const char *folder = getenv("YINXIN_SOFTTOKEN");
    if (initialised) rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
    else if (folder == NULL || *folder == 0 || strlen(folder) >= PATH_SIZE - 128) rv = CKR_GENERAL_ERROR;
    else {
        strcpy(module_folder, folder);
        if (!config_read(module_folder, &module_configuration) || !slots_open()) rv = CKR_GENERAL_ERROR;
    }
    if (rv == CKR_OK) initialised = true;
    pthread_mutex_unlock(&lock);
    return rv;
}

EXPORT CK_RV C_Finalize(void *reserved) {
    if (reserved != NULL) return CKR_ARGUMENTS_BAD;
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    initialised = false;
    finishing = true;
    for (size_t i = 0; i < slot_count(); i++) sessions_close(slot_at(i));
    while (working > 0) pthread_cond_wait(&quiet, &lock);
    slots_close();
    finishing = false;
    pthread_cond_broadcast(&quiet);
    return module_leave(CKR_OK);
}

static void padded(unsigned char *to, size_t size, const char *text) {
    memset(to, ' ', size);
    memcpy(to, text, strlen(text));
}

EXPORT CK_RV C_GetInfo(CK_INFO *info) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    if (info == NULL) return module_leave(CKR_ARGUMENTS_BAD);
    *info = (CK_INFO){.cryptokiVersion = {2, 40}, .libraryVersion = {1, 0}};
    padded(info->manufacturerID, sizeof info->manufacturerID, "Yinxin");
    padded(info->libraryDescription, sizeof info->libraryDescription, "Yinxin soft token");
    return module_leave(CKR_OK);
}

/* What the module does not have. */
#define NONE(name, arguments) \
    static CK_RV name arguments { return CKR_FUNCTION_NOT_SUPPORTED; }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
NONE(no_get_state, (CK_SESSION_HANDLE h, unsigned char *p, CK_ULONG *n))
NONE(no_set_state, (CK_SESSION_HANDLE h, unsigned char *p, CK_ULONG n, CK_OBJECT_HANDLE a, CK_OBJECT_HANDLE b))
NONE(no_copy, (CK_SESSION_HANDLE h, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *to))
NONE(no_key_init, (CK_SESSION_HANDLE h, CK_MECHANISM *m, CK_OBJECT_HANDLE k))
NONE(no_in_out, (CK_SESSION_HANDLE h, unsigned char *a, CK_ULONG n, unsigned char *b, CK_ULONG *m))
NONE(no_final, (CK_SESSION_HANDLE h, unsigned char *a, CK_ULONG *n))
NONE(no_digest_key, (CK_SESSION_HANDLE h, CK_OBJECT_HANDLE k))
NONE(no_generate, (CK_SESSION_HANDLE h, CK_MECHANISM *m, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *k))
NONE(no_wrap, (CK_SESSION_HANDLE h, CK_MECHANISM *m, CK_OBJECT_HANDLE a, CK_OBJECT_HANDLE b, unsigned char *p, CK_ULONG *n))
NONE(no_derive, (CK_SESSION_HANDLE h, CK_MECHANISM *m, CK_OBJECT_HANDLE a, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *k))
static CK_RV not_parallel(CK_SESSION_HANDLE h) { return CKR_FUNCTION_NOT_PARALLEL; }
#pragma GCC diagnostic pop

static CK_FUNCTION_LIST functions = {
    .version = {2, 40},
    .C_Initialize = C_Initialize, .C_Finalize = C_Finalize, .C_GetInfo = C_GetInfo, .C_GetFunctionList = C_GetFunctionList,
    .C_GetSlotList = C_GetSlotList, .C_GetSlotInfo = C_GetSlotInfo, .C_GetTokenInfo = C_GetTokenInfo,
    .C_GetMechanismList = C_GetMechanismList, .C_GetMechanismInfo = C_GetMechanismInfo, .C_InitToken = C_InitToken,
    .C_InitPIN = C_InitPIN, .C_SetPIN = C_SetPIN, .C_OpenSession = C_OpenSession, .C_CloseSession = C_CloseSession,
    .C_CloseAllSessions = C_CloseAllSessions, .C_GetSessionInfo = C_GetSessionInfo, .C_GetOperationState = no_get_state,
    .C_SetOperationState = no_set_state, .C_Login = C_Login, .C_Logout = C_Logout, .C_CreateObject = C_CreateObject,
    .C_CopyObject = no_copy, .C_DestroyObject = C_DestroyObject, .C_GetObjectSize = C_GetObjectSize,
    .C_GetAttributeValue = C_GetAttributeValue, .C_SetAttributeValue = C_SetAttributeValue, .C_FindObjectsInit = C_FindObjectsInit,
    .C_FindObjects = C_FindObjects, .C_FindObjectsFinal = C_FindObjectsFinal, .C_EncryptInit = no_key_init, .C_Encrypt = no_in_out,
    .C_EncryptUpdate = no_in_out, .C_EncryptFinal = no_final, .C_DecryptInit = C_DecryptInit, .C_Decrypt = C_Decrypt,
    .C_DecryptUpdate = no_in_out, .C_DecryptFinal = no_final, .C_DigestInit = C_DigestInit, .C_Digest = C_Digest,
    .C_DigestUpdate = C_DigestUpdate, .C_DigestKey = no_digest_key, .C_DigestFinal = C_DigestFinal, .C_SignInit = C_SignInit,
    .C_Sign = C_Sign, .C_SignUpdate = C_SignUpdate, .C_SignFinal = C_SignFinal, .C_SignRecoverInit = no_key_init,
    .C_SignRecover = no_in_out, .C_VerifyInit = C_VerifyInit, .C_Verify = C_Verify, .C_VerifyUpdate = C_VerifyUpdate,
    .C_VerifyFinal = C_VerifyFinal, .C_VerifyRecoverInit = no_key_init, .C_VerifyRecover = no_in_out,
    .C_DigestEncryptUpdate = no_in_out, .C_DecryptDigestUpdate = no_in_out, .C_SignEncryptUpdate = no_in_out,
    .C_DecryptVerifyUpdate = no_in_out, .C_GenerateKey = no_generate, .C_GenerateKeyPair = C_GenerateKeyPair, .C_WrapKey = no_wrap,
    .C_UnwrapKey = C_UnwrapKey, .C_DeriveKey = no_derive, .C_SeedRandom = C_SeedRandom, .C_GenerateRandom = C_GenerateRandom,
    .C_GetFunctionStatus = not_parallel, .C_CancelFunction = not_parallel, .C_WaitForSlotEvent = C_WaitForSlotEvent,
};

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    if (list == NULL) return CKR_ARGUMENTS_BAD;
    *list = &functions;
    return CKR_OK;
}
