/* Sessions, by the rules of PKCS #11 2.40, 5.6. */
#include <stdlib.h>
#include <string.h>

#include "token.h"

static session sessions[MAX_SESSIONS];
static CK_SESSION_HANDLE last;

void operation_end(operation *o) {
    EVP_PKEY_free(o->key);
    EVP_MD_CTX_free(o->digest);
    *o = (operation){0};
}

static void finish(session *s) {
    CK_SESSION_HANDLE h = s->handle;
    slot *at = s->slot;
    operation_end(&s->sign);
    operation_end(&s->verify);
    operation_end(&s->digest);
    operation_end(&s->decrypt);
    free(s->found);
    *s = (session){0};
    objects_end_session(at, h);
}

/* close_one leaves a session that a call works in to that call, which then frees it. */
static void close_one(session *s) {
    if (s->busy) s->doomed = true;
    else finish(s);
}

session *session_get(CK_SESSION_HANDLE h, CK_RV *rv) {
    for (size_t i = 0; h != 0 && i < MAX_SESSIONS; i++) {
        session *s = &sessions[i];
        if (s->handle != h || s->doomed) continue;
        if (slot_present(s->slot) != CKR_OK) { /* which has closed it */
            *rv = CKR_DEVICE_REMOVED;
            return NULL;
        }
        if (s->busy) {
            *rv = CKR_OPERATION_ACTIVE;
            return NULL;
        }
        *rv = CKR_OK;
        return s;
    }
    *rv = CKR_SESSION_HANDLE_INVALID;
    return NULL;
}

size_t sessions_of(const slot *at, size_t *read_only) {
    size_t n = 0;
    *read_only = 0;
    for (size_t i = 0; i < MAX_SESSIONS; i++) {
        if (sessions[i].handle == 0 || sessions[i].slot != at || sessions[i].doomed) continue;
        n++;
        if (!sessions[i].writable) ++*read_only;
    }
    return n;
}

/* A logout ends what works with private keys, but for a signature that is being made at this moment. */
void sessions_end_work(const slot *at) {
    for (size_t i = 0; i < MAX_SESSIONS; i++) {
        if (sessions[i].handle == 0 || sessions[i].slot != at || sessions[i].busy) continue;
        operation_end(&sessions[i].sign);
        operation_end(&sessions[i].decrypt);
    }
}

void sessions_close(const slot *at) {
    for (size_t i = 0; i < MAX_SESSIONS; i++)
        if (sessions[i].handle != 0 && sessions[i].slot == at && !sessions[i].doomed) close_one(&sessions[i]);
}

/* In the child of a fork: what another thread worked with stays as it was, and is leaked. */
void sessions_forget(void) {
    for (size_t i = 0; i < MAX_SESSIONS; i++)
        if (sessions[i].handle != 0 && !sessions[i].busy) finish(&sessions[i]);
        else sessions[i] = (session){0};
}

void session_hold(session *s) {
    s->busy = true;
    module_pause();
}

CK_RV session_release(session *s) {
    module_resume();
    s->busy = false;
    CK_RV rv = slot_present(s->slot) == CKR_OK ? CKR_OK : CKR_DEVICE_REMOVED;
    if (s->handle == 0) return CKR_DEVICE_REMOVED; /* slot_present has just ended it */
    if (s->doomed) {
        finish(s);
        return rv == CKR_OK ? CKR_SESSION_CLOSED : rv;
    }
    return rv;
}

CK_RV C_OpenSession(CK_SLOT_ID id, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *handle) {
    (void) application;
    (void) notify;
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    slot *at = slot_get(id);
    if (at == NULL || handle == NULL) return module_leave(at == NULL ? CKR_SLOT_ID_INVALID : CKR_ARGUMENTS_BAD);
    if (!(flags & CKF_SERIAL_SESSION)) return module_leave(CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    if ((rv = slot_present(at)) != CKR_OK) return module_leave(rv);
    if (at->logged_in == CKU_SO && !(flags & CKF_RW_SESSION)) return module_leave(CKR_SESSION_READ_WRITE_SO_EXISTS);
    token_state t;
    if (!token_load(at, &t) || !t.initialised) return module_leave(CKR_TOKEN_NOT_RECOGNIZED);
    faults f;
    faults_read(at, &f);
    size_t read_only, open = sessions_of(at, &read_only);
    if (open >= (f.one_session ? 1 : module_configuration.sessions)) return module_leave(CKR_SESSION_COUNT);
    for (size_t i = 0; i < MAX_SESSIONS; i++) {
        if (sessions[i].handle != 0) continue;
        sessions[i] = (session){.handle = ++last, .slot = at, .writable = (flags & CKF_RW_SESSION) != 0};
        *handle = last;
        return module_leave(CKR_OK);
    }
    return module_leave(CKR_SESSION_COUNT);
}

/* With its last session an application is logged out. */
static void logout_when_last(slot *at) {
    size_t read_only;
    if (sessions_of(at, &read_only) == 0) slot_logout(at);
}

CK_RV C_CloseSession(CK_SESSION_HANDLE h) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    for (size_t i = 0; h != 0 && i < MAX_SESSIONS; i++) {
        if (sessions[i].handle != h || sessions[i].doomed) continue;
        slot *at = sessions[i].slot;
        close_one(&sessions[i]);
        logout_when_last(at);
        return module_leave(CKR_OK);
    }
    return module_leave(CKR_SESSION_HANDLE_INVALID);
}

CK_RV C_CloseAllSessions(CK_SLOT_ID id) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    slot *at = slot_get(id);
    if (at == NULL) return module_leave(CKR_SLOT_ID_INVALID);
    sessions_close(at);
    logout_when_last(at);
    return module_leave(CKR_OK);
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE h, CK_SESSION_INFO *info) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL || info == NULL) return module_leave(s == NULL ? rv : CKR_ARGUMENTS_BAD);
    *info = (CK_SESSION_INFO){.slotID = s->slot->id, .flags = CKF_SERIAL_SESSION | (s->writable ? CKF_RW_SESSION : 0)};
    switch (s->slot->logged_in) {
    case CKU_SO: info->state = CKS_RW_SO_FUNCTIONS; break;
    case CKU_USER: info->state = s->writable ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS; break;
    default: info->state = s->writable ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
    }
    return module_leave(CKR_OK);
}
